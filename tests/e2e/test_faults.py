"""What an operator can do something about is said in one line, whatever the command; the exit code is 1."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.market import Market
from tests.e2e.processes import PATIENCE_S, ROOT, Nursery, environment

COMMANDS = (
    ("serve", "--port", "0"),
    ("migrate",),
    ("seed",),
    ("ledger", "verify"),
    ("ledger", "statement", "mint"),
    ("prices", "list"),
    ("prices", "load", str(ROOT / "src" / "shoutgraph" / "services" / "seed_prices.json")),
)
WITHOUT_A_DATABASE = (("token", "desk"), ("plugins", "list"))

AS_NOBODY = """
import contextlib, io, json, os, pkgutil, sys
import shoutgraph, uvloop
for module in pkgutil.walk_packages(shoutgraph.__path__, "shoutgraph."):
    if not module.name.endswith((".env", "__main__")):
        __import__(module.name)
commands = json.load(sys.stdin)

def run(command):
    try:
        shoutgraph.cli.main(args=command, prog_name="shoutgraph")
    except SystemExit as end:
        return end.code

with contextlib.redirect_stderr(io.StringIO()):  # what they import late may lie where nobody else may read
    for command in commands:
        run([*command[:-1], "/dev/null/nothing"])
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
print(json.dumps([run(command) for command in commands]))
"""


def said_by_all(nursery: Nursery, folder: Path, logs: Path) -> list[str]:
    """What every command says of a folder; all of them fail with one line."""
    logs.mkdir()
    started = []
    for number, command in enumerate(COMMANDS):
        log = logs / str(number)
        started.append((nursery.start(*command, "--data-dir", folder, log=log), log))
    ended = [(nursery.wait(pid), log.read_text()) for pid, log in started]
    assert [(code, said.count("\n"), said[:7]) for code, said in ended] == [(1, 1, "error: ")] * len(ended), ended
    return [said for _, said in ended]


def test_a_database_of_a_newer_release(nursery: Nursery, market: Market, tmp_path: Path):
    with sqlite3.connect(market.database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    for command, said in zip(COMMANDS, said_by_all(nursery, market.folder, tmp_path / "logs"), strict=True):
        # those that write may find the lock of one another first
        assert "of a newer release" in said or ("another process writes" in said and command[0] != "ledger"), said


def test_a_file_that_is_no_database(nursery: Nursery, tmp_path: Path):
    (tmp_path / "shoutgraph.db").write_bytes(b"no database at all" * 300)
    said = said_by_all(nursery, tmp_path, tmp_path / "logs")
    assert all("not a database" in each or "another process" in each for each in said), said


@pytest.fixture
def locked(market: Market) -> Iterator[Market]:
    """A market that a foreign tool keeps for itself."""
    connection = sqlite3.connect(market.database, isolation_level=None)
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("BEGIN EXCLUSIVE")
    yield market
    connection.close()


def test_a_database_that_a_foreign_tool_locks(nursery: Nursery, locked: Market, tmp_path: Path):
    said = said_by_all(nursery, locked.folder, tmp_path / "logs")
    assert all("database is locked" in each or "another process" in each for each in said), said


def test_a_database_of_another_kind(nursery: Nursery, tmp_path: Path):
    elsewhere, log = tmp_path / "shoutgraph.toml", tmp_path / "log"
    elsewhere.write_text('database_url = "oracle://somewhere"\n')
    verify = ("ledger", "verify", "--data-dir", tmp_path)
    said = "error: database_url starts with postgresql:// or sqlite:///.\n"
    assert nursery.run(*verify, log=log, SHOUTGRAPH_CONFIG=str(elsewhere)) == (1, said)


def test_a_folder_without_rights_and_a_file_in_its_place(tmp_path: Path):
    closed, file = tmp_path / "data", tmp_path / "file"
    closed.mkdir(mode=0o000)
    file.write_text("nothing")
    each = [*COMMANDS, *WITHOUT_A_DATABASE]
    commands = [[*command, "--data-dir", str(folder)] for folder in (closed, file) for command in each]
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY],
        input=json.dumps(commands),
        env=environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE_S,
        check=False,
    )
    closed.chmod(0o700)  # for pytest, which cleans up
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [1] * len(commands), done.stderr
    lines = done.stderr.splitlines()
    assert [line[:7] for line in lines] == ["error: "] * len(commands), done.stderr
