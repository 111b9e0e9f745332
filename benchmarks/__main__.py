"""`python -m benchmarks`: prints each figure beside its limit and their ratio; everything on 127.0.0.1."""

import argparse
import asyncio
import json
import secrets
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import raw
from shoutgraph import app, settings
from shoutgraph.cli.demo import server
from shoutgraph.cli.seed import OPERATOR
from shoutgraph.domain import accounts, ids, postings
from shoutgraph.domain.creators import Category, OfferTerms, Profile
from shoutgraph.domain.ledger import Lot
from shoutgraph.domain.orders.order import Occasion
from shoutgraph.domain.users import Viewer
from shoutgraph.services import offers as offer_room, seeds, users
from shoutgraph.storage import ledger

CREATORS = 400
COINS = 100_000_000
PLACE = """mutation Place($input: OrderPlaceInput!) { orderPlace(input: $input) {
  order { id status price } errors { ... on UserError { code message } } } }"""
PAGE = """query Page { creators(first: 20, sort: {field: PRICE, direction: ASC}) {
  nodes { id handle name country priceFrom rating { count averageHundredths } offers { id title price } } } }"""


async def prepare(folder: Path) -> tuple[str, list[str]]:
    """A database with creators to order from and a fan who can pay; gives the fan's token and the offers."""
    chosen = settings.load({"data_dir": folder}, {})
    async with app.open_app(chosen, base_url="http://127.0.0.1") as opened:
        tools = opened.tools
        terms = OfferTerms(Occasion.BIRTHDAY, "A greeting", 1_000, 60, 7)
        more = [
            OfferTerms(Occasion.PEP_TALK, "A pep talk", 1_500, 60, 7),
            OfferTerms(Occasion.OTHER, "A hello", 2_000, 60, 7),
        ]
        made = tuple(
            seeds.CreatorSeed(
                Profile(
                    handle=f"bench{at}",
                    name=f"Bench {at}",
                    country="DE",
                    categories=(Category.OTHER,),
                    languages=("en",),
                ),
                (terms, *more),
            )
            for at in range(CREATORS)
        )
        creators = await seeds.seed_creators(tools, OPERATOR, made)
        fan = await users.register(tools, OPERATOR, display_name="Fan", country="DE")
        account = accounts.paid(fan.id)
        lot = Lot(tools.new_id(ids.LOT), account.code, fan.id, None, COINS, COINS, COINS, "EUR", "DE", tools.clock())
        cash = postings.Cash("bench", "EUR", COINS * 100, COINS * 100)
        paid = postings.topup_succeeded(postings.Books("EUR", 100), ref="bench", cash=cash, lot=lot, bonus=None)
        await tools.store.write(lambda tx: ledger.post(tx, paid))
        found = await offer_room.list_by_creator(tools, Viewer(), [creator.id for creator in creators])
        token = opened.issuer.issue(fan.id, ttl=timedelta(hours=1))
    return token, [offers[0].id for offers in found]


def load(url: str, body: object, *, token: str, in_flight: int, seconds: float, offers: list[str]) -> dict[str, float]:
    """Runs the load generator in a process of its own."""
    template = json.dumps({"body": body, "offers": offers, "salt": secrets.token_hex(4)})
    work = {
        "url": url,
        "template": template,
        "in_flight": in_flight,
        "seconds": seconds,
        "headers": f"authorization: Bearer {token}\r\n",
    }
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"], input=json.dumps(work), capture_output=True, text=True, check=True
    )
    return dict(json.loads(done.stdout))


def main() -> None:
    """Runs everything once and prints the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each measurement takes")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    chosen = parser.parse_args()
    figures: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        token, offers = asyncio.run(prepare(folder))
        figures["raw orders/s, one commit each"] = raw.orders_per_second(folder, chosen.seconds)
        figures["raw pages/s"] = raw.pages_per_second(folder / "shoutgraph.db", chosen.seconds)
        brief = {"occasion": "BIRTHDAY", "recipientName": "Ada", "instructions": "Say hello.", "language": "en"}
        place = {
            "query": PLACE,
            "variables": {
                "input": {"idempotencyKey": "%KEY%", "offerId": "%OFFER%", "expectedPrice": "1000", "brief": brief}
            },
        }
        work = [("pages", {"query": PAGE}, flight) for flight in (1, 8)]
        work += [("orders", place, flight) for flight in (1, 8, 64)]
        with server.serving(folder, server.free_port()) as url:
            for what, body, flight in work:
                told = load(
                    f"{url}/graphql", body, token=token, in_flight=flight, seconds=chosen.seconds, offers=offers
                )
                figures[f"{what}, {flight} in flight"] = told
    show(figures)
    if chosen.json:
        chosen.json.write_text(json.dumps(figures, indent=2))


def show(figures: dict[str, object]) -> None:
    """Prints the table."""
    table = Table("what", "a second", "p50 ms", "p99 ms", "of raw sqlite3", "errors", title="SQLite, synchronous=FULL")
    for name, figure in figures.items():
        if not isinstance(figure, dict):
            table.add_row(name, f"{figure:,.0f}", "", "", "1.00", "")
            continue
        limit = figures["raw pages/s" if name.startswith("pages") else "raw orders/s, one commit each"]
        assert isinstance(limit, float), "a limit is a rate"
        table.add_row(
            name,
            f"{figure['rate']:,.0f}",
            f"{figure['p50_ms']:.1f}",
            f"{figure['p99_ms']:.1f}",
            f"{figure['rate'] / limit:.2f}",
            f"{figure['wrong']:.0f}",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
