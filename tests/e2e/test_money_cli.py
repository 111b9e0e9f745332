"""Money and webhooks at the command line: looked at beside a server, settled by two people, on both databases."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.services.test_sweep import forgotten
from tests.services.till import SECRET, Till, open_till
from tests.storage.databases import Kind, Place
from typer.testing import CliRunner

from shoutgraph.cli import main
from shoutgraph.jobs import sweep

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


def test_two_people_place_what_no_transfer_explains_at_the_command_line(till: Till, run: Run) -> None:
    lost = forgotten(till, till.buy(till.world.person("ada"), 1_000).value)
    till.world.run(sweep.tick(till.world.tools))
    code, said = run("suspense", "list")
    assert (code, lost in said, "open" in said) == (0, True, True)
    (line,) = re.findall(r"suspense_\w+", said)
    settling = ("strays", "settle", "sandbox", lost, "--note", "it is placed")
    code, said = run(*settling)
    assert (code, f"in suspense as {line}" in said) == (1, True)
    wish = ("suspense", "propose", line, "--reason", "the letter of May", "--by", "Frank")
    assert run(*wish, "--to", "user:ada:paid")[0] == 1
    for number in (2, 4):
        code, said = run(*wish, "--to", "rev:packs:EUR")
        assert (code, f"suspense confirm {line} --revision {number} --by" in said) == (0, True), said
        if number == 2:
            assert "open" in run("suspense", "reject", line, "--by", "Olga")[1]
    confirming = ("suspense", "confirm", line, "--by")
    assert "Another person" in run(*confirming, "Frank", "--revision", "4")[1]
    assert run(*confirming, "Olga", "--revision", "2")[0] == 1, "another proposal than she saw"
    code, said = run(*confirming, "Olga", "--revision", "4")
    assert (code, "placed at rev:packs:EUR" in said) == (0, True), said
    assert line not in run("suspense", "list")[1]
    assert "Frank, Olga" in run("suspense", "list", "--all")[1]
    assert run(*settling)[0] == 0
    assert run("money", "totals")[0] == run("ledger", "verify")[0] == 0


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
