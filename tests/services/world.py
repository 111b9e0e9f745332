"""A marketplace on a real database: a fan with coins, a creator with an offer, staff, and a clock that obeys."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

import uuid_utils
from tests.storage import databases
from tests.storage.databases import Place

from shoutgraph.domain import accounts, ids, ledger, media, postings
from shoutgraph.domain.categories import Category
from shoutgraph.domain.creators import Creator, Offer, OfferTerms, Profile
from shoutgraph.domain.ledger import Lot
from shoutgraph.domain.orders.order import Brief, Occasion, Order
from shoutgraph.domain.postings import Books, Cash
from shoutgraph.domain.requests import Request
from shoutgraph.domain.tax import SellerKind, TaxProfile
from shoutgraph.domain.users import ROLES, Viewer
from shoutgraph.files.links import Links
from shoutgraph.files.local import open_local_files
from shoutgraph.plugins import loading
from shoutgraph.services import creators, offers, users
from shoutgraph.services.orders import place
from shoutgraph.services.orders.place import Wish
from shoutgraph.storage import ledger as books, ledger_proof, media as videos, orders, tax, wallets
from shoutgraph.storage.engine import Store
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

T = TypeVar("T")
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
BOOKS = Books("EUR", 100)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: int) -> None:
        self.now += timedelta(**by)


def new_id(prefix: str) -> str:
    return ids.encode(prefix, uuid_utils.uuid7().bytes)


def certified(creator_id: ids.CreatorId, at: datetime) -> TaxProfile:
    """The tax profile of somebody who sells."""
    return TaxProfile(
        creator_id=creator_id,
        version=1,
        kind=SellerKind.PERSON,
        legal_name="Nova Example",
        address="1 Example Street",
        country="DE",
        tax_id="36574261809",
        born_on=date(1990, 1, 1),
        registration=None,
        certified_at=at,
    )


@dataclass
class World:
    """Everyone and everything; `run` awaits on a loop of its own."""

    tools: Tools
    clock: Clock
    loop: asyncio.AbstractEventLoop
    keys: int = 0
    people: dict[str, Viewer] = field(default_factory=dict)
    offer: Offer | None = None

    def run(self, work: Awaitable[T]) -> T:
        """Awaits something; what it wrote stands in the journal then."""
        try:
            return self.loop.run_until_complete(work)
        finally:
            if isinstance(self.tools.store, Store):
                self.tools.store.settle_journal_now()

    def read(self, query: Callable[[Tx], T]) -> T:
        return self.run(self.tools.store.read(query))

    def write(self, work: Callable[[Tx], T]) -> T:
        return self.run(self.tools.store.write(work))

    def request(self, mutation: str, viewer: Viewer, key: str | None = None, **given: object) -> Request:
        self.keys += 1
        return Request.of(
            principal=viewer.principal, mutation=mutation, key=key or f"key-{self.keys:020d}", given=given
        )

    def staff(self, role: str) -> Viewer:
        return Viewer(user_id=None, scopes=ROLES[role], principal=f"staff:{role}")

    def person(self, name: str) -> Viewer:
        """A registered user of this name, made on first use."""
        if name not in self.people:
            user = self.run(users.register(self.tools, self.staff("admin"), display_name=name, country="DE"))
            viewer = Viewer(user_id=user.id, principal=f"user:{user.id}")
            self.people[name] = viewer
        return self.people[name]

    def creator(self, name: str = "nova", **terms: Any) -> tuple[Viewer, Creator, Offer]:
        """A creator with one offer."""
        viewer = self.person(name)
        profile = Profile(
            handle=name, name=name.title(), country="DE", categories=(Category.MUSICIAN,), languages=("en",)
        )
        creator = self.run(creators.register(self.tools, viewer, profile))
        self.certify(creator.id)
        viewer = Viewer(user_id=viewer.user_id, creator_id=creator.id, principal=viewer.principal)
        self.people[name] = viewer
        values = {
            "occasion": Occasion.BIRTHDAY,
            "title": "A song",
            "price_coins": 1000,
            "duration_max_s": 60,
            "delivery_days": 7,
            "express_coins": 200,
        } | terms
        offer = self.run(offers.create(self.tools, viewer, OfferTerms(**values)))
        return viewer, creator, offer

    def certify(self, creator_id: ids.CreatorId) -> None:
        """Gives a creator the tax profile without which nothing is paid."""
        self.write(lambda tx: tax.insert(tx, certified(creator_id, self.clock())))

    def give_coins(self, viewer: Viewer, coins: int, *, promo: int = 0) -> Lot:
        """A top-up that was paid, posted as the top-up room posts it."""
        assert viewer.user_id is not None
        now, topup_id = self.clock(), ids.TopupId(new_id(ids.TOPUP))

        def lot(account: ledger.Account, granted: int, price: int) -> Lot:
            return Lot(
                new_id(ids.LOT), account.code, viewer.user_id, topup_id, granted, granted, price, "EUR", "DE", now
            )  # type: ignore[arg-type]

        paid = lot(accounts.paid(viewer.user_id), coins, coins * 2)
        bonus = lot(accounts.promo(viewer.user_id), promo, 0) if promo else None
        cash = Cash("sandbox", "EUR", coins * 200, coins * 200)
        transfer = postings.topup_succeeded(BOOKS, ref=topup_id, cash=cash, lot=paid, bonus=bonus)
        self.write(lambda tx: books.post(tx, transfer))
        return paid

    def wallet(self, viewer: Viewer) -> tuple[int, int, int]:
        """Paid, promo and held coins."""
        found = self.read(lambda tx: wallets.balances(tx, viewer.user_id))  # type: ignore[arg-type]
        return found.available_coins, found.promo_coins, found.held_coins

    def balance(self, code: str) -> int:
        return self.read(lambda tx: books.balance_coins(tx, code))

    def order(self, order: Order) -> Order:
        return self.read(lambda tx: orders.get(tx, order.id))

    def ready_video(self, order: Order) -> str:
        """A video of this order that passed its checks."""
        wish = media.OpenUpload(order.id, 1000, "video/mp4", media.VideoLimits(60, 10_000))

        def work(tx: Tx) -> str:
            video = media.open_upload(ids.VideoId(new_id(ids.VIDEO)), order.creator_id, wish, now=tx.now)
            videos.insert(tx, video)
            received = media.receive(video)
            videos.save(tx, received, was=video.state)
            facts = media.VideoFacts(media.Container.MP4, "h264", "aac", 640, 360, 5_000, 1000)
            videos.save(tx, media.judge(received, facts, sha256="0" * 64, now=tx.now), was=received.state)
            return video.id

        return self.write(work)

    def place(self, fan: Viewer, offer: Offer, *, express: bool = False, key: str | None = None) -> Order:
        price = offer.price_coins + ((offer.express_coins or 0) if express else 0)
        wish = Wish(offer_id=offer.id, brief=BRIEF, expected_price_coins=price, express=express)
        done = self.run(place.place(self.tools, fan, self.request("orderPlace", fan, key, express=express), wish))
        return done.value

    def verify(self) -> None:
        """The books balance."""
        violations = self.read(lambda tx: ledger_proof.verify(tx, books=ledger_proof.Books("EUR", 100)))
        assert violations == []


BRIEF = Brief(occasion=Occasion.BIRTHDAY, recipient_name="Ada", instructions="Say hello to Ada.", language="en")


@contextmanager
def open_world(place: Place) -> Iterator[World]:
    clock = Clock()
    store = databases.opened(place.database("world"), clock)
    files = open_local_files(place.folder / "files")
    loop = asyncio.new_event_loop()
    providers = loading.load(loading.Setup(instances={}, environ={}, clock=clock, monotonic=loop.time, discover=False))
    tools = Tools(
        store=store,
        clock=clock,
        new_id=new_id,
        bell=store.bell,
        providers=providers,
        files=files,
        links=Links(key=b"k" * 32, public_url="http://127.0.0.1"),
    )
    world = World(tools, clock, loop)
    try:
        yield world
        world.verify()
    finally:
        files.close()
        store.close()
        loop.close()
