"""Commands that need little start quickly, and the demo's last words can be typed as they are printed."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.e2e.processes import PATIENCE_S, ROOT, Nursery, environment

HEAVY = {"alembic", "av", "graphql", "pysqlite3", "sqlalchemy", "sqlmodel", "starlette", "strawberry", "uvicorn"}
IMPORTED = """
import sys
from shoutgraph.cli import main
try:
    main(args=sys.argv[1:], prog_name="shoutgraph")
except SystemExit as end:
    assert not end.code, end.code
print("imported:", *sorted({name.partition(".")[0] for name in sys.modules}))
"""
LISTEN_S = 1.0


@pytest.mark.parametrize("command", ["--help", "ledger statement --help", "token desk"])
def test_a_command_imports_only_what_it_needs(tmp_path: Path, command: str):
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, *command.split()],
        env=environment() | {"SHOUTGRAPH_DATA_DIR": str(tmp_path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    imported = done.stdout.splitlines()[-1].split()
    assert imported[0] == "imported:"
    assert HEAVY & set(imported) == set()


def test_the_demo_ends_with_a_line_to_watch_it_by(nursery: Nursery, tmp_path: Path):
    log = tmp_path / "demo"
    demo = nursery.start("demo", "--keep", log=log)
    try:
        line = _printed(log, r"watch it +shoutgraph (watch .+)")
        watch = nursery.start(*shlex.split(line), log=tmp_path / "watch")
        time.sleep(LISTEN_S)
        os.kill(watch, signal.SIGINT)
        assert (nursery.wait(watch), (tmp_path / "watch").read_text()) == (0, "stopped\n")
    finally:
        os.kill(demo, signal.SIGINT)
        assert nursery.wait(demo) == 0, log.read_text()


def _printed(log: Path, pattern: str) -> str:
    deadline = time.monotonic() + 2 * PATIENCE_S
    while time.monotonic() < deadline:
        found = re.search(pattern + "\n", log.read_text() if log.exists() else "")
        if found is not None:
            return found.group(1)
        time.sleep(0.1)
    raise AssertionError(log.read_text())
