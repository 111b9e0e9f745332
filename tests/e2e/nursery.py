"""A nursery of processes: it imports the package once and forks, so that thirty restarts are not thirty imports.

Each child is a process of its own, with memory, sockets and files of its own, that runs the command line from its
first line. The nursery reads one JSON order a line, answers each with one line, and takes its children along when
its own input ends.
"""

import contextlib
import importlib
import json
import os
import signal
import sys
import threading
import traceback
from typing import Any

from shoutgraph.api.graphql import schema
from shoutgraph.cli import main
from shoutgraph.plugins import discovery
from shoutgraph.sdk.specs import ENTRY_POINTS
from shoutgraph.storage import migrations

WARM = (
    "shoutgraph.app",
    "shoutgraph_sandbox.simulator",
    "anyio._backends._asyncio",
    "httpcore",
    "uvloop",
    "websockets.server",
)
"""What commands import only when they run: here it is imported before, once."""


def warm() -> None:
    """Does once what every child would do alike: imports, the graph of the API, the revisions of the database."""
    for name in WARM:
        importlib.import_module(name)
    schema.build_schema()
    migrations.head()
    for _, point in discovery.entry_points(ENTRY_POINTS):
        point.load()


def serve() -> None:
    """Forks and waits as it is told."""
    warm()
    children: set[int] = set()
    for line in sys.stdin:
        match json.loads(line):
            case {"start": list(arguments), "log": str(log), "env": dict(env)}:
                pid = _start(arguments, log, env)
                children.add(pid)
                _answer({"pid": pid})
            case {"wait": int(pid)}:
                _, status = os.waitpid(pid, 0)
                children.discard(pid)
                _answer({"code": os.waitstatus_to_exitcode(status)})
    for pid in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _start(arguments: list[str], log: str, env: dict[str, str]) -> int:
    assert threading.active_count() == 1, "only a process without threads may fork"
    pid = os.fork()
    if pid == 0:
        os.environ.update(env)
        sys.path[:0] = filter(None, env.get("PYTHONPATH", "").split(os.pathsep))  # as if it began with this
        _become(arguments, log)
    return pid


def _become(arguments: list[str], log: str) -> None:
    code = 70
    try:
        nothing = os.open(os.devnull, os.O_RDONLY)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(nothing, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background ignores it
        main(args=arguments, prog_name="shoutgraph")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _answer(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    serve()
