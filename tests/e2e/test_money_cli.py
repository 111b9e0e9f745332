"""Money and webhooks at the command line: looked at beside a server, settled by two people, on both databases."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.services.till import SECRET, Till, open_till
from tests.storage.databases import Kind, Place
from typer.testing import CliRunner

from shoutgraph.cli import main

Run = Callable[..., tuple[int, str]]
SANDBOX = """[providers.sandbox]
plugin = "sandbox"
api_key = { env = "SANDBOX_SECRET" }
webhook_secrets = [{ env = "SANDBOX_SECRET" }]
"""


@pytest.fixture
def till(place: Place) -> Iterator[Till]:
    with open_till(place) as till:
        yield till


@pytest.fixture
def run(place: Place, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command on the till's database: beside it on PostgreSQL, else on a copy of the file as it is now."""
    folder = place.folder / "cli"
    folder.mkdir()
    monkeypatch.setenv("SHOUTGRAPH_DATA_DIR", str(folder))
    where = place.database("world")
    if place.kind is Kind.POSTGRESQL:
        monkeypatch.setenv("SHOUTGRAPH_DATABASE_URL", str(where))

    def command(*words: str) -> tuple[int, str]:
        copied = folder / "shoutgraph.db"
        if place.kind is Kind.SQLITE and not copied.exists():
            for name in ("", "-wal"):
                if Path(f"{where}{name}").exists():
                    shutil.copy(f"{where}{name}", f"{copied}{name}")
        done = CliRunner().invoke(main, list(words))
        return done.exit_code, done.output

    return command


def test_two_people_settle_a_top_up_at_the_command_line(till: Till, run: Run) -> None:
    topup = till.buy(till.world.person("ada"), 1_004).value  # the answer is lost
    code, said = run("money", "unresolved")
    assert (code, topup.id in said, "paid not-executed" in said) == (0, True, True)
    evidence = ("--evidence", "line 7 of the statement")
    assert run("money", "resolve", topup.id, "--as", "closed", *evidence, "--by", "Frank")[0] == 1
    assert run("money", "resolve", topup.id, "--as", "lost", *evidence, "--by", "Frank")[0] == 1
    code, said = run("money", "resolve", topup.id, "--as", "paid", *evidence, "--by", "Frank")
    assert code == 0, said
    resolution = re.findall(r"resolution_\w+", said)[0]
    code, said = run("money", "confirm", resolution, "--by", "Frank")
    assert (code, "Another person" in said) == (1, True)
    code, said = run("money", "confirm", resolution, "--by", "Olga")
    assert (code, "confirmed by Olga" in said) == (0, True)
    code, said = run("money", "show", topup.id)
    assert (code, "it stands at PAID" in said, "proposed by Frank" in said) == (0, True, True)
    assert topup.id not in run("money", "unresolved")[1]
    assert run("money", "reject", resolution, "--by", "Olga")[0] == 1


def test_a_webhook_is_shown_and_read_once_more(
    till: Till, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    topup = till.paid(till.world.person("ada"), 1_000)
    till.hear(lambda: bool(till.hooks))
    code, said = run("webhooks", "list", "--instance", "sandbox", "--state", "applied")
    assert code == 0, said
    (number, *_) = re.findall(r"│ (\d+) +│", said)
    code, said = run("webhooks", "show", number)
    assert (code, topup.id in said) == (0, True)
    assert run("webhooks", "show", "999")[0] == 1
    code, said = run("webhooks", "replay", number)
    assert (code, "cannot be read" in said) == (1, True), "another deployment's secret"
    assert "applied" in run("webhooks", "show", number)[1]
    monkeypatch.setenv("SANDBOX_SECRET", SECRET)
    config = tmp_path / "shoutgraph.toml"
    config.write_text(f'{SANDBOX}base_url = "{till.url}/sandbox"\n')
    monkeypatch.setenv("SHOUTGRAPH_CONFIG", str(config))
    code, said = run("webhooks", "replay", number)
    assert (code, "delivery" in said) == (0, True), said
