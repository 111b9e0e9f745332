"""What is measured: creators to order from, fans who can pay, and the documents that they send."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shoutgraph import app
from shoutgraph.cli.seed import OPERATOR
from shoutgraph.domain import accounts, ids, postings
from shoutgraph.domain.categories import Category
from shoutgraph.domain.creators import OfferTerms, Profile
from shoutgraph.domain.ledger import Lot, Transfer
from shoutgraph.domain.orders.order import Occasion
from shoutgraph.domain.policies import Policy
from shoutgraph.domain.users import Viewer
from shoutgraph.services import offers as offer_room, seeds, users
from shoutgraph.settings import Settings
from shoutgraph.storage import ledger, policies
from shoutgraph.storage.tx import Tx

COINS = 100_000_000
RULES = Policy(version=2, open_orders_max=10_000_000, orders_hour_max=10_000_000, spending_max=())
"""Nobody is ever too fast, full, or has spent too much."""
PLACE = """mutation Place($input: OrderPlaceInput!) { orderPlace(input: $input) {
  order { id status price } errors { ... on UserError { code message } } } }"""
PAGE = """query Page { creators(%s: %d, sort: {field: PRICE, direction: ASC}) {
  nodes { id handle name country priceFrom rating { count averageHundredths } offers { id title price } } } }"""
BRIEF = {"occasion": "BIRTHDAY", "recipientName": "Ada", "instructions": "Say hello.", "language": "en"}
PLACE_BODY: dict[str, Any] = {
    "query": PLACE,
    "variables": {"input": {"idempotencyKey": "%KEY%", "offerId": "%OFFER%", "expectedPrice": "1000", "brief": BRIEF}},
}


def page_of(size: int, end: str = "first") -> dict[str, Any]:
    """Asks for the beginning of the catalogue, or for its end."""
    return {"query": PAGE % (end, size)}


@dataclass(frozen=True)
class Market:
    """The fans' tokens, an offer of each creator, and the token of a tool that hears of every order."""

    tokens: list[str]
    service: str
    offers: list[str]


async def prepare(settings: Settings, *, creators: int, fans: int) -> Market:
    """Adds creators with three offers each, and fans who can pay for all that they order."""
    async with app.open_app(settings, base_url="http://127.0.0.1") as opened:
        tools = opened.tools
        terms = (
            OfferTerms(Occasion.BIRTHDAY, "A greeting", 1_000, 60, 7),
            OfferTerms(Occasion.PEP_TALK, "A pep talk", 1_500, 60, 7),
            OfferTerms(Occasion.OTHER, "A hello", 2_000, 60, 7),
        )
        made = tuple(seeds.CreatorSeed(_profile(at), terms) for at in range(creators))
        sellers = await seeds.seed_creators(tools, OPERATOR, made)
        buyers = [await users.register(tools, OPERATOR, display_name="Fan", country="DE") for _ in range(fans)]

        def give(tx: Tx) -> None:
            policies.insert(tx, RULES)
            for fan in buyers:
                ledger.post(tx, _topup(fan.id, tools.new_id(ids.LOT), tx))

        await tools.store.write(give)
        found = await offer_room.list_by_creator(tools, Viewer(), [creator.id for creator in sellers])
        tokens = [opened.issuer.issue(fan.id, ttl=timedelta(hours=1)) for fan in buyers]
        service = opened.issuer.issue("benchmarks", role="service", ttl=timedelta(hours=1))
    return Market(tokens, service, [offers[0].id for offers in found])


def _profile(at: int) -> Profile:
    return Profile(
        handle=f"bench{at}", name=f"Bench {at}", country="DE", categories=(Category.OTHER,), languages=("en",)
    )


def _topup(fan_id: ids.UserId, lot_id: str, tx: Tx) -> Transfer:
    account = accounts.paid(fan_id)
    lot = Lot(lot_id, account.code, fan_id, None, COINS, COINS, COINS, "EUR", "DE", tx.now)
    cash = postings.Cash("bench", "EUR", COINS * 100, COINS * 100)
    return postings.topup_succeeded(postings.Books("EUR", 100), ref=fan_id, cash=cash, lot=lot, bonus=None)
