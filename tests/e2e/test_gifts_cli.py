"""A real deployment gets its stickers from a file of the operator's; the full demo gives one, and the books balance."""

import json
import re
from pathlib import Path

import pytest
from tests.e2e.market import Market
from tests.e2e.processes import ROOT, Nursery

from shoutgraph.cli.demo import chapters

SEED = ROOT / "src" / "shoutgraph" / "services" / "seed_gifts.json"
OPERATIONS = (ROOT / "docs" / "OPERATIONS.md").read_text()
FULL_S = 240
PLAYED = (
    "approves; it waits: TAX_PROFILE",
    "gives 'Encore!' for 500 coins",
    "1. Ada, 500 coins",
    "asks for a redo: 'Greet her cat' is missing",
    "rates it 5 of 5",
    "100 coins of 250 coins back to the lots they came from",
    "AT_CAPACITY; now WAITING as number 1",
    "orders number 1 of 'Marathon week'",
    "redeems it and has 50 coins, granted",
    "700 coins back as EUR 11.00, by the provider",
    "approves it, as the second person",
    "nothing is in suspense any more",
    "SPENDING_DAY: At most 100 coins a day",
    "AUTHENTIC, original",
    "UNKNOWN, OTHER_FILE, FORGED_SIGNATURE",
    "off for Ada: PERCENTAGE",
    "price.offer",
    "deadline.screening_timeout",
    "refund.dispute_split",
    "payout.limits",
    "FINAL: NONE, because",
    "which comes back: not a coin is lost",
    "a copy of everything that is kept about her",
    "her name is now 'Erased'; the books stay",
    "cash:bank:EUR",
    "the books balance",
)
"""What the full demo says, in this order of its chapters."""
ROSE = {"key": "rose", "name": "Rose", "coins": 1, "tier": "SMALL", "asset": "gifts/rose.webm"}


def load(nursery: Nursery, folder: Path, file: Path) -> tuple[int, str]:
    return nursery.run("gifts", "load", file, "--data-dir", folder, log=folder / "gifts.log")


def test_a_catalogue_is_loaded_changed_and_listed(nursery: Nursery, market: Market, tmp_path: Path):
    load(nursery, market.folder, SEED)
    again = (0, "Added: 0 stickers. Retired: 0. In the catalogue: 10.\n")
    assert load(nursery, market.folder, SEED) == again
    (example,) = re.findall(r"```toml\n(\[\[stickers\]\].+?)```", OPERATIONS, re.DOTALL)
    (tmp_path / "stickers.toml").write_text(example.replace("coins = 1 ", "coins = 2 "))
    changed = load(nursery, market.folder, tmp_path / "stickers.toml")
    assert changed == (0, "Added: 1 stickers. Retired: 10. In the catalogue: 1.\n")
    code, said = nursery.run("gifts", "list", "--data-dir", market.folder, log=tmp_path / "list")
    assert code == 0
    assert re.search(r"rose +│ +Rose +│ +2 +│ +SMALL +│ +gifts/rose\.webm +│ +2 ", said), said


@pytest.mark.parametrize(
    ("stickers", "said"),
    [
        ([ROSE, ROSE], "rose is given twice"),
        ([ROSE | {"coins": 45_000}], "coins are a whole number from 1 to 44999, not 45000"),
        ([ROSE | {"coins": True}], "coins are a whole number"),
        ([ROSE | {"tier": "HUGE"}], "tier is one of"),
        ([ROSE | {"asset": "http://plain.example"}], "asset is an https address"),
        ([ROSE | {"name": ""}], "name is a text"),
        ([ROSE | {"price": 1}], "and nothing else"),
        ({}, "a list named stickers"),
    ],
)
def test_a_catalogue_with_an_error_is_refused_in_one_line(
    nursery: Nursery, market: Market, tmp_path: Path, stickers: object, said: str
):
    (tmp_path / "bad.json").write_text(json.dumps({"stickers": stickers}))
    code, text = load(nursery, market.folder, tmp_path / "bad.json")
    assert (code, text.count("\n")) == (1, 1), text
    assert said in text


@pytest.mark.timeout(FULL_S)
def test_the_full_demo_plays_every_chapter_and_proves_the_books(nursery: Nursery, tmp_path: Path):
    code, said = nursery.run("demo", "--full", "--no-keep", log=tmp_path / "demo")
    assert code == 0, said
    told = " ".join(said.split())
    for words in PLAYED:
        assert words in told, said
    for chapter in chapters.FULL:
        assert f"─ {chapter.title} ─" in said, chapter.title
