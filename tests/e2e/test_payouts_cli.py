"""`shoutgraph payouts ingest`: a bank's statement taken in at the command line, on both databases."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.api.filerail import INSTANCE, Rail
from tests.api.finance import Finance, open_finance
from tests.api.test_sepa_office import CONFIG, carry, known
from tests.storage.databases import Kind, Place
from typer.testing import CliRunner

import shoutgraph_sepa
from shoutgraph.cli import main
from shoutgraph_sepa.simulator.bank import OWN_IBAN, Bank

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def finance(place: Place) -> Iterator[Finance]:
    with open_finance(place, Rail(), shoutgraph_sepa, CONFIG) as finance:
        yield finance


@pytest.fixture
def run(place: Place, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Takes files in on the server's database: beside it on PostgreSQL, else on a copy of the file as it is now."""
    folder = place.folder / "cli"
    folder.mkdir()
    config = folder / "shoutgraph.toml"
    config.write_text(f'[providers.{INSTANCE}]\nplugin = "sepa"\nname = "{CONFIG["name"]}"\niban = "{OWN_IBAN}"\n')
    monkeypatch.setenv("SHOUTGRAPH_CONFIG", str(config))
    monkeypatch.setenv("SHOUTGRAPH_DATA_DIR", str(folder))
    where = place.database("world")
    if place.kind is Kind.POSTGRESQL:
        monkeypatch.setenv("SHOUTGRAPH_DATABASE_URL", str(where))

    def ingest(file: Path, *words: str) -> tuple[int, str]:
        copied = folder / "shoutgraph.db"
        if place.kind is Kind.SQLITE and not copied.exists():
            for name in ("", "-wal"):
                if Path(f"{where}{name}").exists():
                    shutil.copy(f"{where}{name}", f"{copied}{name}")
        done = CliRunner().invoke(main, ["payouts", "ingest", INSTANCE, str(file), *words])
        return done.exit_code, done.output

    return ingest


def test_what_a_bank_wrote_is_taken_in_at_the_command_line(
    finance: Finance, run: Run, place: Place, tmp_path: Path
) -> None:
    bank = Bank(finance.world.clock)
    recipient, _ = known(finance)
    payout = finance.approved(1_000, to=recipient)
    finance.tick()
    carry(finance, bank)
    papers = []
    for number, paper in enumerate(bank.papers()):
        file = tmp_path / f"{number}.xml"
        file.write_bytes(paper.body)
        papers.append(file)
    assert papers
    for file in papers:
        code, said = run(file)
        assert (code, "taken in before" in said) == (0, False), said
        code, again = run(file)
        assert (code, again.strip()) == (0, f"{said.strip()} (taken in before)")
    if place.kind is Kind.POSTGRESQL:
        assert finance.payout(payout)["status"] in {"SUBMITTED", "PAID"}
        shown = "{ bankFiles(filter: {direction: IN}) { nodes { status madeBy } } }"
        files = finance.staff.data(shown)["bankFiles"]["nodes"]
        assert files == [{"status": "READ", "madeBy": "operator:payouts"}] * len(papers)


def test_what_cannot_be_taken_in_is_said_in_a_line(finance: Finance, run: Run, tmp_path: Path) -> None:
    finance.creator()
    nothing, strange = tmp_path / "nothing.xml", tmp_path / "strange.xml"
    nothing.touch()
    strange.write_bytes(b"what is this")
    for file, *words in ((nothing,), (strange,), (strange,), (strange, "--type", "application/pdf")):
        code, said = run(file, *words)
        assert (code, said.startswith("error: "), said.count("\n")) == (1, True, 1), said
