"""A marketplace on disk before any server runs: creators with an offer each, fans with coins, and everyone's tokens."""

import shutil
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from shoutgraph import app, settings
from shoutgraph.domain import accounts, ids, postings
from shoutgraph.domain.categories import Category
from shoutgraph.domain.creators import OfferTerms, Profile
from shoutgraph.domain.ledger import Account, Lot
from shoutgraph.domain.orders.order import Occasion
from shoutgraph.domain.policies import Policy
from shoutgraph.domain.users import ROLES, Viewer
from shoutgraph.services import offers as offer_room, seeds, users
from shoutgraph.storage import ledger, policies
from shoutgraph.tools import Tools

CREATORS = 200
PRICE = 1_000
FANS = 16
RICH_COINS = 50_000_000
POOR_PAID = (4_000, 3_200)
POOR_PROMO = 3_300
POOR_COINS = sum(POOR_PAID) + POOR_PROMO
OPERATOR = Viewer(scopes=ROLES["admin"], principal="operator:e2e")
RULES = Policy(version=2, orders_hour_max=1_000_000)
"""A handful of fans stand for a whole town, so none of them is ever too fast."""
BRIEF = {"occasion": "BIRTHDAY", "recipientName": "Ada", "instructions": "Say hello.", "language": "en"}


@dataclass(frozen=True)
class Seller:
    """A creator, the user behind it, and what it sells."""

    creator_id: str
    user_id: str
    offer_id: str


@dataclass(frozen=True)
class Market:
    """Where it lies and who is in it."""

    folder: Path
    sellers: tuple[Seller, ...]
    rich_id: str
    poor_id: str
    fan_ids: tuple[str, ...]
    """Many who are as rich, where one wallet would be a bottleneck."""

    def token(self, subject: str, role: str = "user") -> str:
        """A token as `shoutgraph token` prints it."""
        issuer = app.local_issuer(settings.load({"data_dir": self.folder}, {}))
        return issuer.issue(subject, role=role, ttl=timedelta(hours=1))

    def copy_to(self, folder: Path) -> "Market":
        """The same market in a folder of its own."""
        shutil.copytree(self.folder, folder)
        return replace(self, folder=folder)

    @property
    def database(self) -> Path:
        return self.folder / "shoutgraph.db"


async def prepare(folder: Path, database_url: str | None = None) -> Market:
    """Makes the market in a new data folder, or in a migrated database elsewhere."""
    chosen = settings.load({"data_dir": folder, "database_url": database_url}, {})
    async with app.open_app(chosen, base_url="http://127.0.0.1", environ={}) as opened:
        tools = opened.tools
        await tools.store.write(lambda tx: policies.insert(tx, RULES))
        creators = await seeds.seed_creators(tools, OPERATOR, tuple(_seed(at) for at in range(CREATORS)))
        found = await offer_room.list_by_creator(tools, Viewer(), [creator.id for creator in creators])
        rich = await users.register(tools, OPERATOR, display_name="Rich", country="DE")
        poor = await users.register(tools, OPERATOR, display_name="Poor", country="DE")
        fans = [await users.register(tools, OPERATOR, display_name=f"Fan {at}", country="DE") for at in range(FANS)]
        for fan in (rich, *fans):
            await _give(tools, fan.id, RICH_COINS, ref=fan.id)
        await _give(tools, poor.id, POOR_PAID[0], ref="poor-1", promo=POOR_PROMO)
        await _give(tools, poor.id, POOR_PAID[1], ref="poor-2")
    sellers = tuple(
        Seller(creator.id, creator.user_id, offers[0].id) for creator, offers in zip(creators, found, strict=True)
    )
    return Market(folder, sellers, rich.id, poor.id, tuple(fan.id for fan in fans))


def _seed(at: int) -> seeds.CreatorSeed:
    profile = Profile(
        handle=f"seller{at}",
        name=f"Seller {at}",
        country="DE",
        categories=(Category.OTHER,),
        languages=("en",),
    )
    return seeds.CreatorSeed(profile, (OfferTerms(Occasion.BIRTHDAY, "A greeting", PRICE, 60, 7),))


async def _give(tools: Tools, user_id: ids.UserId, coins: int, *, ref: str, promo: int = 0) -> None:
    """Posts a paid top-up as the room of top-ups does."""

    def lot(account: Account, granted: int, price: int) -> Lot:
        new = tools.new_id(ids.LOT)
        return Lot(new, account.code, user_id, None, granted, granted, price, "EUR", "DE", tools.clock())

    cash = postings.Cash("sandbox", "EUR", coins * 100, coins * 100)
    bonus = lot(accounts.promo(user_id), promo, 0) if promo else None
    paid = lot(accounts.paid(user_id), coins, coins)
    transfer = postings.topup_succeeded(postings.Books("EUR", 100), ref=ref, cash=cash, lot=paid, bonus=bonus)
    await tools.store.write(lambda tx: ledger.post(tx, transfer))
