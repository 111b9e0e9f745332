"""A real deployment gets its prices from a file of the operator's, and its statements are read by programs."""

import json
import re
from pathlib import Path

import pytest
from tests.e2e.market import RICH_COINS, Market
from tests.e2e.processes import ROOT, Nursery, Server

DEMO = ROOT / "src" / "shoutgraph" / "services" / "seed_prices.json"
PRICES = json.loads(DEMO.read_text())
OPERATIONS = (ROOT / "docs" / "OPERATIONS.md").read_text()


def load(nursery: Nursery, folder: Path, file: Path) -> tuple[int, str]:
    return nursery.run("prices", "load", file, "--data-dir", folder, log=folder / "prices.log")


def listed(nursery: Nursery, folder: Path, *options: str) -> str:
    code, said = nursery.run("prices", "list", *options, "--data-dir", folder, log=folder / "list.log")
    assert code == 0, said
    return said


def test_a_price_list_is_loaded_changed_and_listed(nursery: Nursery, market: Market, tmp_path: Path):
    code, said = load(nursery, market.folder, DEMO)
    assert (code, said.splitlines()[-1]) == (
        0,
        "Added: 126 packages, 18 unit prices, 4 rates. Retired: 0. On sale: 126 packages.",
    )
    assert load(nursery, market.folder, DEMO) == (
        0,
        "Added: 0 packages, 0 unit prices, 0 rates. Retired: 0. On sale: 126 packages.\n",
    )
    changed = tmp_path / "prices.json"
    changed.write_text(DEMO.read_text().replace("10999", "11999").replace('"JPY": [56, 1]', '"JPY": [57, 1]'))
    code, said = load(nursery, market.folder, changed)
    assert code == 0
    assert "- DE EUR WEB: 7,000 coins for EUR 109.99\n" in said
    assert "+ DE EUR WEB: 7,000 coins for EUR 119.99\n" in said
    assert "+ JP JPY IOS: any number of coins for JPY 7 for every 2\n" in said
    german = listed(nursery, market.folder, "--country", "DE", "--currency", "EUR")
    assert re.search(r"DE EUR WEB +│ +7,000 │ +0 │ +EUR 119\.99 │ +2 │", german), german
    assert "USD" not in german
    assert "ZZ" not in german
    assert "ZZ EUR WEB" in listed(nursery, market.folder, "--country", "AT", "--currency", "EUR")
    assert nursery.run("prices", "list", "--currency", "SEK", "--data-dir", market.folder, log=tmp_path / "l")[0] == 1


def test_the_example_of_the_manual_can_be_loaded(nursery: Nursery, market: Market, tmp_path: Path):
    (example,) = re.findall(r"```toml\n(book_currency.+?)```", OPERATIONS, re.DOTALL)
    (tmp_path / "prices.toml").write_text(example)
    code, said = load(nursery, market.folder, tmp_path / "prices.toml")
    assert (code, "+ DE EUR WEB: 7,000 coins for EUR 109.99" in said) == (0, True), said
    assert "+ ZZ EUR IOS: 700 coins for EUR 12.99, in the store coins.700\n" in said


def test_prices_are_read_beside_a_server_and_not_changed(nursery: Nursery, market: Market):
    assert load(nursery, market.folder, DEMO)[0] == 0
    server = Server(nursery, market.folder).start()
    code, said = load(nursery, market.folder, DEMO)
    assert (code, said.count("\n"), "another process writes to shoutgraph.db" in said) == (1, 1, True), said
    assert "DE EUR WEB" in listed(nursery, market.folder)
    assert server.stop() == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"book_currency": "USD"}, "EUR has a rate to USD, and the books are in EUR"),
        ({"rates": {"EUR": [100, 1]}}, "USD: USD has no rate|: (USD|GBP|JPY) has no rate"),
        ({"rates": {"EUR": [100, 1, 1]}}, r"rates\.EUR is two whole numbers"),
        ({"rates": {"EUR": ["100", 1]}}, r"rates\.EUR is a whole number .* not '100'"),
        ({"rates": {"EURO": [100, 1]}}, r"rates\.EURO: 'EURO' is not an ISO 4217 currency"),
        ({"rates": []}, "rates is a table"),
        ({"markets": []}, "markets is a list of 1 to"),
        ({"extra": 1}, "extra is not known here"),
        ({"packages": {"7000": 109.99}}, r"entry 1: packages\.7000 is a whole number .* not 109\.99"),
        ({"packages": {"7000": True}}, r"entry 1: packages\.7000 is a whole number"),
        ({"packages": {"07": 9}}, r"entry 1: packages\.07: coins are a whole number"),
        ({"packages": {str(n): n for n in range(1, 22)}, "bonus": {}}, "EUR WEB: 21 packages"),
        ({"bonus": {"71": 1}}, r"entry 1: bonus\.71 is of no package"),
        ({"products": {"71": "coins.71"}}, r"entry 1: products\.71 is of no package"),
        ({"products": {"70": "coins 70"}}, r"entry 1: products\.70 is the store's id of a product"),
        ({"products": {"70": "coins.70"}}, "products are of the stores of phones, not of the web"),
        ({"countries": ["DE", "DE"]}, "DE EUR WEB: the package of 70 coins is given twice"),
        ({"countries": ["Germany"]}, "Germany is not a country"),
        ({"platforms": ["Web"]}, "entry 1: platforms: Web is not one of WEB, IOS, ANDROID"),
        ({"unit": {"price_minor": 1}}, "entry 1: unit has no (per_coins|coins_min|coins_max)"),
        ({"unit": {"price_minor": 1, "per_coins": 1, "coins_min": 9, "coins_max": 8}}, "coins_min is more than"),
    ],
    ids=str,
)
def test_a_wrong_price_list_is_refused_with_the_place(
    nursery: Nursery, first_market: Market, tmp_path: Path, change: dict[str, object], said: str
):
    parts = json.loads(json.dumps(PRICES))
    (parts if change.keys() & {"book_currency", "rates", "markets", "extra"} else parts["markets"][0]).update(change)
    file = tmp_path / "wrong.json"
    file.write_text(json.dumps(parts))
    code, told = nursery.run("prices", "load", file, "--data-dir", first_market.folder, log=tmp_path / "log")
    assert (code, told.count("\n")) == (1, 1), told
    assert re.search(said, told), told


@pytest.mark.parametrize("text", ["", "[" * 100_000, '{"rates": {}, "rates": {}}', "\x00", "[1" + "0" * 5_000 + "]"])
def test_what_is_no_price_list_is_refused(nursery: Nursery, first_market: Market, tmp_path: Path, text: str):
    for name in ("wrong.json", "wrong.toml"):
        (tmp_path / name).write_text(text)
        given = ("prices", "load", tmp_path / name, "--data-dir", first_market.folder)
        code, told = nursery.run(*given, log=tmp_path / "log")
        assert (code, told.count("\n"), told.startswith(f"error: {tmp_path / name}: ")) == (1, 1, True), told


def test_a_statement_outside_of_a_terminal_is_whole(nursery: Nursery, market: Market, tmp_path: Path):
    account = f"user:{market.rich_id}:paid"
    words = ("ledger", "statement", account, "--data-dir", market.folder)
    code, said = nursery.run(*words, "--json", log=tmp_path / "json")
    (entry,) = json.loads(said)
    assert (code, entry["amount"], entry["balance"], entry["number"]) == (0, RICH_COINS, RICH_COINS, 1)
    code, said = nursery.run("ledger", "statement", account, "--data-dir", market.folder, log=tmp_path / "table")
    (line,) = (line for line in said.splitlines() if f"+{RICH_COINS:,}" in line)
    assert entry["ref"] in line
    assert entry["counterAccount"] in line
    assert "…" not in said
