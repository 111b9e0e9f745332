"""Nothing happens at import: no file is written, nothing is started, no socket is opened."""

import json
import subprocess
import sys

from tests.repo import source

NEVER_IMPORTED = ("__main__", "storage.migrations.env")
"""Run, not imported: by Python and by alembic."""

WATCH = """
import importlib, json, os, sys
sys.dont_write_bytecode = True
names, seen = json.load(sys.stdin), []

def watch(event, args):
    if event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        if str(args[0]) != os.devnull:
            seen.append([event, str(args[0])])
    elif event.startswith(("os.mkdir", "os.rename", "os.remove", "socket.connect", "socket.bind", "subprocess.")):
        seen.append([event, str(args[:1])])

sys.addaudithook(watch)
for name in names:
    importlib.import_module(name)
print(json.dumps(seen))
"""


def test_importing_every_module_has_no_effect(tmp_path):
    modules = [_module(source.name(path)) for path in source.core()]
    wanted = [module for module in modules if not module.endswith(NEVER_IMPORTED)]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", WATCH],
        input=json.dumps(wanted),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    assert json.loads(done.stdout.splitlines()[-1]) == []
    assert list(tmp_path.iterdir()) == []


def _module(name: str) -> str:
    dotted = f"shoutgraph/{name}".removesuffix(".py").replace("/", ".")
    return dotted.removesuffix(".__init__")
