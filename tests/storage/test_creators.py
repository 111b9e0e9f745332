"""Creators and offers on a real database: what it keeps in step, what it forbids, and how pages are walked."""

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from tests.storage import databases, rated
from tests.storage.databases import Clock, Place, Where

from shoutgraph.domain import catalogue as lists, errors, ids, pages, reputation
from shoutgraph.domain.catalogue import CreatorFilter, CreatorSort, Sort
from shoutgraph.domain.categories import Category
from shoutgraph.domain.creators import Creator, Offer
from shoutgraph.domain.orders.order import Occasion
from shoutgraph.domain.orders.rating import Decision
from shoutgraph.domain.reputation import Badge, Counts, Reputation
from shoutgraph.domain.users import ANONYMOUS, ROLES, User, Viewer
from shoutgraph.storage import catalogue, creators, ratings, reputation as reputations, users
from shoutgraph.storage.engine import Store
from shoutgraph.storage.session import Session
from shoutgraph.storage.statements import Row
from shoutgraph.storage.tx import Tx

NOW = databases.START
SHOP = 240
"""Creators of the shop; every twelfth sells nothing."""
STAFF = Viewer(scopes=ROLES["admin"], principal="staff")
OCCASIONS = tuple(Occasion)
COUNTRIES = ("DE", "US", "FR")
FILTERS: dict[str, Any] = {
    "category": Category.CHEF,
    "language": "pt",
    "country": "DE",
    "occasion": Occasion.WEDDING,
    "price_min": 800,
    "price_max": 4000,
    "rating_min": 300,
    "open_only": True,
    "featured": False,
    "response_time_max": 3_600,
    "badge": Badge.TOP_RATED,
    "text": "ad",
}


def creator(number: int, **changes: Any) -> Creator:
    values: dict[str, Any] = {
        "id": ids.CreatorId(f"creator_{number:026d}"),
        "revision": 1,
        "user_id": ids.UserId(f"user_{number:026d}"),
        "handle": f"handle_{number}",
        "name": f"Name {number}",
        "country": "DE",
        "categories": (Category.CHEF,),
        "languages": ("de",),
        "bio": "",
        "avatar_url": None,
        "open_orders_max": None,
        "open": True,
        "paused_until": None,
        "featured": False,
        "rating_sum": 0,
        "rating_count": 0,
        "price_from_coins": None,
        "created_at": NOW,
    }
    return Creator(**(values | changes))


def offer(number: int, of: Creator, **changes: Any) -> Offer:
    values: dict[str, Any] = {
        "id": ids.OfferId(f"offer_{number:026d}"),
        "revision": 1,
        "creator_id": of.id,
        "occasion": Occasion.BIRTHDAY,
        "title": "A song",
        "price_coins": 1000,
        "duration_max_s": 60,
        "delivery_days": 7,
        "express_coins": None,
        "active": True,
        "created_at": NOW,
    }
    return Offer(**(values | changes))


def insert(tx: Tx, new: Creator) -> Creator:
    users.insert(tx, User(new.user_id, 1, new.name, "DE", locked=False, created_at=NOW))
    creators.insert(tx, new)
    return new


def fill(tx: Tx) -> None:
    """A shop with every kind of creator, the same each time."""
    rnd = random.Random(7)  # noqa: S311 - a shop needs no secrets
    syllables = ["ad", "bel", "cor", "dun", "él", "fi", "gri", "ha"]
    for number in range(SHOP):
        name = " ".join("".join(rnd.choices(syllables, k=2)).title() for _ in range(2))
        new = creator(
            number,
            name=name,
            country=rnd.choice(COUNTRIES),
            categories=tuple(rnd.sample(list(Category), 2)),
            languages=tuple(rnd.sample(["de", "en", "pt-BR", "fr"], 2)),
            featured=number % 20 == 0,
            open=number % 9 != 0,
            paused_until=NOW + timedelta(days=1) if number % 7 == 0 else None,
            created_at=NOW + timedelta(seconds=number // 3),
        )
        insert(tx, new)
        for at in range(number % 4):
            rated.rate(tx, number * 10 + at, new.id, stars=rnd.randint(1, 5))
        for at in range(0 if number % 12 == 0 else 3):
            price, active = rnd.choice([250, 500, 1000, 2000, 5000]), at == 0 or rnd.random() < 0.6
            terms = {"price_coins": price, "active": active, "occasion": rnd.choice(OCCASIONS)}
            creators.insert_offer(tx, offer(number * 10 + at, new, **terms))
        if number % 3:
            badges = (Badge.FAST_RESPONDER, Badge.TOP_RATED)[number % 2 :] if number % 5 == 0 else ()
            know(tx, new, waited_s=rnd.randint(1, 9) * 9_000, badges=badges)


def know(tx: Tx, of: Creator, *, waited_s: int, badges: tuple[Badge, ...]) -> None:
    """Ten requests of today, and what they are said to earn."""
    today, counts = reputation.day_of(NOW), Counts(accepted=10, waited_s=waited_s)
    found = Reputation(of.id, reputation.first_day(today), today, 1, 5, counts, badges)
    reputations.add(tx, {(of.id, today): counts})
    reputations.keep(tx, [(found, today)])
    held = creators.get(tx, of.id)
    creators.show(tx, replace(held, response_sort_s=found.response_sort_s, badges=found.badges))


def stock(where: Where) -> None:
    store = databases.opened(where, Clock(), readers=1)
    store.write_now(fill)
    store.close()


@pytest.fixture(scope="module")
def stocked(module_place: Place) -> Where:
    return module_place.filled("shop", stock)


class Spy:
    """A connection that remembers its statements."""

    def __init__(self, raw: Any) -> None:
        self.raw = raw
        self.seen: list[tuple[str, Any]] = []

    def execute(self, sql: str, parameters: Any = (), /) -> Any:
        self.seen.append((sql, parameters))
        return self.raw.execute(sql, parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.raw, name)


@pytest.fixture(scope="module")
def reader(stocked: Where) -> Iterator[Session]:
    session = databases.reader(stocked)
    yield session
    session.close()


@pytest.fixture
def spy(reader: Session) -> Spy:
    return Spy(reader.raw)


@pytest.fixture
def shop(spy: Spy, reader: Session) -> Tx:
    return Tx(spy, reader.dialect, NOW)


def walk(tx: Tx, only: CreatorFilter, sort: CreatorSort, *, size: int, backward: bool) -> list[Creator]:
    """The whole list by pages of this size."""
    found: list[Creator] = []
    key = None
    while True:
        args = pages.PageArgs(size, key, backward)
        page = pages.cut(
            catalogue.list_of_page(tx, args, only, sort),
            args,
            scope="",
            key_of=lambda creator: lists.key_of(creator, sort.by),
        )
        found = [*page.items, *found] if backward else [*found, *page.items]
        if not (page.has_previous if backward else page.has_next):
            return found
        key = lists.key_of(page.items[0 if backward else -1], sort.by)


def everyone(tx: Tx) -> list[Creator]:
    """Every creator, by a way of its own."""
    return [found for found in creators.list_of(tx, [creator(n).id for n in range(SHOP)]) if found]


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("sort", Sort)
def test_pages_hold_every_seller_once_and_in_order_both_ways(shop: Tx, sort: Sort, *, descending: bool) -> None:
    order = CreatorSort.of(sort, descending=descending)
    forward = walk(shop, lists.ALL, order, size=7, backward=False)
    assert len(forward) == SHOP - SHOP // 12
    assert len({found.id for found in forward}) == len(forward)
    keys = [lists.key_of(found, sort) for found in forward]
    assert keys == sorted(keys, reverse=descending)
    assert walk(shop, lists.ALL, order, size=11, backward=True) == forward


def expected(tx: Tx, only: CreatorFilter) -> set[str]:
    """The filter, said again in plain Python."""
    all_of = everyone(tx)
    offers = dict(zip(all_of, creators.list_of_offers_by_creator(tx, [c.id for c in all_of], ANONYMOUS), strict=True))

    def sells(found: Creator) -> bool:
        return any(
            (only.occasion is None or each.occasion is only.occasion)
            and (only.price_min or 0) <= each.price_coins <= (only.price_max or 10**6)
            for each in offers[found]
        )

    tests: dict[str, Callable[[Creator], bool]] = {
        "category": lambda c: only.category in c.categories,
        "language": lambda c: any(tag == only.language or tag.startswith(f"{only.language}-") for tag in c.languages),
        "country": lambda c: c.country == only.country,
        "rating_min": lambda c: (c.rating_hundredths or 0) >= (only.rating_min or 0),
        "open_only": lambda c: c.takes_orders(NOW) or not only.open_only,
        "featured": lambda c: c.featured is only.featured,
        "response_time_max": lambda c: c.response_sort_s <= (only.response_time_max or 0),
        "badge": lambda c: only.badge in c.badges,
        "text": lambda c: any(word.startswith(only.text or "") for word in c.name.casefold().split()),
    }
    given = {name: test for name, test in tests.items() if getattr(only, name) is not None}
    return {c.id for c in all_of if sells(c) and all(test(c) for test in given.values())}


COMBINATIONS = [(name,) for name in FILTERS] + list(itertools.combinations(FILTERS, 2))


@pytest.mark.parametrize("names", COMBINATIONS, ids="+".join)
def test_a_filter_keeps_exactly_those_that_match_all_of_it(shop: Tx, names: Sequence[str]) -> None:
    only = CreatorFilter(**{name: FILTERS[name] for name in names})
    wanted = expected(shop, only)
    for sort in (Sort.FEATURED, Sort.PRICE, Sort.NAME):
        found = walk(shop, only, CreatorSort.of(sort), size=20, backward=False)
        assert {creator.id for creator in found} == wanted
        assert len(found) == len(wanted)
    assert catalogue.count_up_to(shop, only, 10_001) == len(wanted)


def test_counting_stops_at_the_limit(shop: Tx) -> None:
    assert catalogue.count_up_to(shop, lists.ALL, 50) == 50


FACETS = ("category", "language", "country", "badge")
RARE = {
    "featured": Sort.FEATURED,
    "price_max": Sort.PRICE,
    "rating_min": Sort.RATING,
    "response_time_max": Sort.RESPONSE_TIME,
}
"""Filters that may leave few, and the sort whose own index leads there."""
WALKS = {
    Sort.FEATURED: "creator_featured_first",
    Sort.PRICE: "creator_cheapest",
    Sort.RATING: "creator_best",
    Sort.NEWEST: "creator_newest",
    Sort.NAME: "creator_by_name",
    Sort.RESPONSE_TIME: "creator_fastest",
}


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    "names", [(), *((name,) for name in FILTERS if name != "text"), tuple(FILTERS)[:-1]], ids="+".join
)
@pytest.mark.parametrize("sort", Sort)
def test_a_page_walks_an_index_or_sorts_a_few(shop: Tx, spy: Spy, sort: Sort, names: Sequence[str]) -> None:
    rare = any(name in FACETS or RARE.get(name, sort) is not sort for name in names)
    for steps in plans(shop, spy, sort, names):
        assert ("UNION ALL" in steps) is rare
        there = steps.index("UNION ALL") if rare else 0
        few, walked = steps[:there], steps[there:]
        assert any(f"creator USING INDEX {WALKS[sort]}" in step for step in walked)
        assert not any("TEMP B-TREE" in step or step.startswith("SCAN offer") for step in walked)
        assert not any(step in {"SCAN creator", "SCAN offer"} for step in few)
        assert any(step.startswith("SEARCH creator USING INTEGER PRIMARY KEY") for step in few) is rare


def plans(shop: Tx, spy: Spy, sort: Sort, names: Sequence[str]) -> Iterator[list[str]]:
    """How the page of this filter is found, in both directions, from both ends and from the middle."""
    only = CreatorFilter(**{name: FILTERS[name] for name in names})
    key = lists.key_of(everyone(shop)[50], sort)
    for descending, backward, start in itertools.product((True, False), (True, False), (None, key)):
        spy.seen.clear()
        catalogue.list_of_page(shop, pages.PageArgs(20, start, backward), only, CreatorSort(sort, descending))
        assert len(spy.seen) == 1
        yield plan(spy, *spy.seen[0])


@pytest.mark.postgresql_only
@pytest.mark.parametrize("badge", [None, Badge.TOP_RATED])
def test_postgresql_walks_the_index_of_response_times_too(shop: Tx, spy: Spy, badge: Badge | None) -> None:
    key = lists.key_of(everyone(shop)[50], Sort.RESPONSE_TIME)
    for way in ("sort", "seqscan"):  # as good in a shop of this size
        spy.raw.execute(f"SET LOCAL enable_{way} = off")
    for backward in (True, False):
        spy.seen.clear()
        args = pages.PageArgs(20, key, backward)
        catalogue.list_of_page(shop, args, CreatorFilter(badge=badge), CreatorSort.of(Sort.RESPONSE_TIME))
        sql, parameters = spy.seen[0]
        steps = [row[0] for row in spy.raw.execute(f"EXPLAIN {sql}", parameters).fetchall()]
        assert any("creator_fastest" in step for step in steps), steps


@pytest.mark.parametrize("few", [0, 10, 10_000])
def test_few_or_many_make_the_same_pages(shop: Tx, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr(catalogue, "FEW", few)
    catalogue._page.cache_clear()
    for names in ((name, *rest) for name in (*FACETS, *RARE) for rest in ((), ("occasion",))):
        only = CreatorFilter(**{name: FILTERS[name] for name in names})
        wanted = expected(shop, only)
        for sort in Sort:
            found = walk(shop, only, CreatorSort.of(sort), size=25, backward=sort is Sort.NAME)
            keys = [lists.key_of(creator, sort) for creator in found]
            assert keys == sorted(keys, reverse=lists.DESCENDING[sort])
            assert {creator.id for creator in found} == wanted
    catalogue._page.cache_clear()


@pytest.mark.sqlite_only
def test_a_search_is_looked_up_in_its_index(shop: Tx, spy: Spy) -> None:
    spy.seen.clear()
    catalogue.list_of_page(shop, pages.PageArgs(20, None, backward=False), CreatorFilter(text="ad"), CreatorSort())
    steps = plan(spy, *spy.seen[0])
    assert any("creator_fts VIRTUAL TABLE INDEX" in step for step in steps)
    assert any(step.startswith("SEARCH creator USING INTEGER PRIMARY KEY") for step in steps)


def plan(spy: Spy, sql: str, parameters: Any) -> list[str]:
    rows: list[Row] = spy.raw.execute(f"EXPLAIN QUERY PLAN {sql}", parameters).fetchall()
    return [row[3] for row in rows]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=100) | st.text("\"'*()+-^:{}. ANDORNEAR", max_size=40))
def test_any_text_can_be_searched_for(shop: Tx, text: str) -> None:
    catalogue.list_of_page(shop, pages.PageArgs(1, None, backward=False), CreatorFilter(text=text), CreatorSort())


def ids_of(tx: Tx, text: str) -> list[int]:
    args = pages.PageArgs(20, None, backward=False)
    found = catalogue.list_of_page(tx, args, CreatorFilter(text=text), CreatorSort.of(Sort.NEWEST, descending=False))
    return [int(each.id.removeprefix("creator_")) for each in found]


def test_the_search_index_follows_handle_name_and_bio(store: Store) -> None:
    def work(tx: Tx) -> None:
        first = insert(tx, creator(1, handle="sofia.cometa", name="Sofía Müller", bio="Flamenco, naïvely."))
        second = insert(tx, creator(2, name="Łukasz 李小龙", bio="flame"))
        for each in (first, second):
            creators.insert_offer(tx, offer(int(each.id[-1]), each))
        assert ids_of(tx, "SOFIA mull") == [1]
        assert ids_of(tx, "cometa") == [1]
        assert ids_of(tx, "naive") == [1]
        assert ids_of(tx, "flam") == [1, 2]
        assert ids_of(tx, "李小") == [2]
        assert ids_of(tx, "flam xyz") == []
        assert ids_of(tx, "?!") == [1, 2]
        creators.save(tx, replace(first, revision=2, name="Ada", bio="Songs."))
        assert ids_of(tx, "flam") == [2]
        assert ids_of(tx, "ada") == [1]
        assert ids_of(tx, "cometa") == [1]
        assert ids_of(tx, "c0chef") == ids_of(tx, "l0de") == []

    store.write_now(work)


def test_a_creator_starts_at_the_cheapest_active_offer(store: Store) -> None:
    def work(tx: Tx) -> None:
        one = insert(tx, creator(1))

        def price() -> int | None:
            return creators.get(tx, one.id).price_from_coins

        assert price() is None
        dear, cheap = offer(1, one, price_coins=2000), offer(2, one, price_coins=500)
        creators.insert_offer(tx, dear)
        assert price() == 2000
        creators.insert_offer(tx, cheap)
        assert price() == 500
        creators.save_offer(tx, replace(cheap, revision=2, active=False))
        assert price() == 2000
        creators.save_offer(tx, replace(dear, revision=2, price_coins=300))
        assert price() == 300
        creators.save_offer(tx, replace(dear, revision=3, active=False))
        assert price() is None

    store.write_now(work)


def test_a_rating_counts_without_a_new_revision(store: Store) -> None:
    def work(tx: Tx) -> Creator:
        one = insert(tx, creator(1))
        best = rated.rate(tx, 1, one.id, stars=5)
        rated.rate(tx, 2, one.id, stars=4)
        rated.rate(tx, 3, one.id, stars=4)
        creators.save(tx, replace(creators.get(tx, one.id), revision=2, bio="Rated."))
        row = tx._connection.execute("SELECT rating_hundredths FROM creator").fetchall()
        assert row == [(433,)]
        hidden = replace(best, revision=2, hidden=True)
        ratings.decide(tx, hidden, Decision(hidden=True, reason="ABUSE", note="Rude.", by="staff", at=tx.now))
        ratings.save(tx, hidden)
        return creators.get(tx, one.id)

    found = store.write_now(work)
    assert (found.revision, found.rating_sum, found.rating_count, found.rating_hundredths) == (2, 8, 2, 400)


def test_the_average_of_the_database_is_that_of_the_domain(shop: Tx, spy: Spy) -> None:
    stored = dict(spy.raw.execute("SELECT id, rating_hundredths FROM creator").fetchall())
    assert {each.id: each.rating_hundredths or 0 for each in everyone(shop)} == stored


def test_a_stale_revision_is_refused(store: Store) -> None:
    def work(tx: Tx) -> None:
        one = insert(tx, creator(1))
        sold = offer(1, one)
        creators.insert_offer(tx, sold)
        creators.save(tx, replace(one, revision=2, bio="Two."))
        with pytest.raises(errors.StaleRevisionError) as caught:
            creators.save(tx, replace(one, revision=2, bio="Also two."))
        assert caught.value.current_revision == 2
        creators.save_offer(tx, replace(sold, revision=2, title="Two."))
        with pytest.raises(errors.StaleRevisionError):
            creators.save_offer(tx, replace(sold, revision=2, title="Also two."))

    store.write_now(work)


def test_an_offer_comes_with_its_creator_in_one_statement(shop: Tx, spy: Spy) -> None:
    spy.seen.clear()
    found, of = creators.get_offer_with_creator(shop, f"offer_{10:026d}")
    assert len(spy.seen) == 1
    assert found.creator_id == of.id == creator(1).id
    with pytest.raises(errors.NotFoundError):
        creators.get_offer_with_creator(shop, "offer_none")


def test_an_inactive_offer_is_seen_by_its_creator_and_staff_only(store: Store) -> None:
    def work(tx: Tx) -> None:
        one, two = insert(tx, creator(1)), insert(tx, creator(2))
        off, on = offer(1, one, active=False), offer(2, one, price_coins=9000)
        creators.insert_offer(tx, off)
        creators.insert_offer(tx, on)
        owner = Viewer(one.user_id, one.id, principal="owner")
        rival = Viewer(two.user_id, two.id, principal="rival")
        for viewer, seen in ((owner, (on, off)), (STAFF, (on, off)), (rival, (on,)), (ANONYMOUS, (on,))):
            assert creators.list_of_offers_by_creator(tx, [two.id, one.id, one.id], viewer) == [(), seen, seen]
            wanted = [off if off in seen else None, on, None]
            assert creators.list_of_offers(tx, [off.id, on.id, "offer_none"], viewer) == wanted
        assert creators.count_offers(tx, one.id) == 2

    store.write_now(work)


def test_a_handle_is_found_as_people_write_it(store: Store) -> None:
    def work(tx: Tx) -> None:
        insert(tx, creator(1, handle="mira.kestrel"))
        assert creators.find_by_handle(tx, " @Mira.Kestrel") is not None
        assert creators.find_by_handle(tx, "mira") is None
        assert creators.find_by_user(tx, creator(1).user_id) is not None

    store.write_now(work)


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE creator SET price_from_coins = 1",
        "UPDATE creator SET price_from_coins = NULL",
        "UPDATE creator SET rating_sum = 6, rating_count = 1",
        "UPDATE creator SET rating_sum = 0, rating_count = 1",
        "UPDATE creator SET rating_sum = 5, rating_count = 1",
        "UPDATE creator SET user_id = id",
        "UPDATE creator SET number = number + 1",
        "UPDATE creator SET featured = 2",
        "DELETE FROM creator",
        "DELETE FROM offer",
        "UPDATE offer SET creator_id = 'creator_2'",
        "UPDATE offer SET price_coins = 0",
        "UPDATE offer SET occasion = 'NONE'",
        "INSERT OR REPLACE INTO offer SELECT * FROM offer",
        "INSERT OR REPLACE INTO users SELECT * FROM users",
        "DELETE FROM users",
        "UPDATE users SET id = 'user_2'",
    ],
)
def test_the_database_forbids(store: Store, attack: str) -> None:
    def work(tx: Tx) -> None:
        one = insert(tx, creator(1))
        creators.insert_offer(tx, offer(1, one))
        tx._connection.execute(attack)

    with pytest.raises(errors.InvariantError):
        store.write_now(work)


def test_two_creators_never_share_a_handle_or_a_user(store: Store) -> None:
    store.write_now(lambda tx: insert(tx, creator(1)))
    for twin in (creator(2, handle="handle_1"), creator(2, user_id=creator(1).user_id)):
        with pytest.raises(errors.InvariantError):
            store.write_now(lambda tx, twin=twin: creators.insert(tx, twin))


def test_times_are_kept_to_the_microsecond(store: Store) -> None:
    until = datetime(2026, 5, 1, 1, 2, 3, 456_789, tzinfo=UTC)
    store.write_now(lambda tx: insert(tx, creator(1, paused_until=until)))
    assert store.read_now(lambda tx: creators.get(tx, creator(1).id)).paused_until == until
