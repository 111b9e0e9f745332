"""Gifts: paid coins of a fan become an earning of a creator, once, within limits, and nobody is counted wrong."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from tests.services.till import open_till
from tests.services.world import World, certified, open_world
from tests.storage.databases import Place

from shoutgraph.domain import errors, fees, pages
from shoutgraph.domain.creators import Creator
from shoutgraph.domain.earnings import EarningKind, EarningState
from shoutgraph.domain.gifts import Gift, Span, Sticker, StickerEntry, Tier, Window
from shoutgraph.domain.packages import Rate
from shoutgraph.domain.policies import FIRST
from shoutgraph.domain.users import Viewer
from shoutgraph.services import creators, earnings as earning_rules, seeds, seller_reports
from shoutgraph.services.gifts import catalogue, read, send, thank
from shoutgraph.services.gifts.read import Ranking
from shoutgraph.services.gifts.send import Wish
from shoutgraph.storage import earnings, gifts, policies, rates, stickers, tax, wallets
from shoutgraph.tools import Done

ROSE = StickerEntry("rose", "Rose", 1, Tier.SMALL, "gifts/rose.webm")
COMET = StickerEntry("comet", "Comet", 500, Tier.LARGE, "gifts/comet.webm")


@pytest.fixture
def world(place: Place) -> Iterator[World]:
    with open_world(place) as world:
        world.run(catalogue.load(world.tools, world.staff("admin"), (ROSE, COMET)))
        yield world


def sticker(world: World, key: str = "comet") -> Sticker:
    return next(each for each in world.read(stickers.list_of_current) if each.key == key)


def give(world: World, fan: Viewer, creator: Creator, what: str = "comet", **changes: Any) -> Done[Gift]:
    chosen = sticker(world, what)
    price = chosen.coins * changes.get("quantity", 1)
    name = changes.pop("key", None)
    wish = replace(Wish(creator.id, chosen.id, price), **changes)
    return world.run(send.send(world.tools, fan, world.request("giftSend", fan, name, wish=str(wish)), wish))


def rich(world: World, name: str = "ada", coins: int = 2_000, promo: int = 0) -> Viewer:
    fan = world.person(name)
    world.give_coins(fan, coins, promo=promo)
    return fan


def ranked(
    world: World, creator: Creator, span: Span, at: datetime | None = None, **page: Any
) -> list[tuple[int, int]]:
    listing = Ranking.of(creator.id, span, at or world.clock())
    args = pages.read_args(scope=listing.scope, kinds=(int, str), **page)
    found = world.run(read.ranking(world.tools, listing, args))
    return [(each.total.rank, each.total.coins) for each in found.items]


def test_a_gift_is_paid_by_the_fan_and_earned_by_the_creator(world: World) -> None:
    fan, (_, creator, _) = rich(world), world.creator()
    gift = give(world, fan, creator, quantity=3, message=" For the encore! ", live_session="live-7").value
    assert (gift.coins, gift.fee_coins, gift.earning_coins, gift.quantity) == (1_500, 450, 1_050, 3)
    assert (gift.message, gift.live_session, gift.thanked_at) == ("For the encore!", "live-7", None)
    assert world.wallet(fan) == (500, 0, 0)
    assert world.balance(f"creator:{creator.id}:pending") == 1_050
    earned = world.read(lambda tx: earnings.find_of_subject(tx, EarningKind.GIFT, gift.id))
    assert earned is not None
    assert (earned.coins, earned.fee_coins, earned.state) == (1_050, 450, EarningState.PENDING)
    assert earned.matures_at == gift.sent_at + timedelta(days=7)
    world.clock.move(days=7, seconds=1)
    assert world.run(earning_rules.mature_due(world.tools)) == 1
    assert world.balance(f"creator:{creator.id}:avail") == 1_050


def test_a_repeated_gift_is_sent_once(world: World) -> None:
    fan, (_, creator, _) = rich(world), world.creator()
    first, again = [give(world, fan, creator, key="k" * 20) for _ in range(2)]
    assert (again.replayed, again.value) == (True, first.value)
    assert world.wallet(fan) == (1_500, 0, 0)


def test_granted_coins_are_never_given(world: World) -> None:
    fan, (_, creator, _) = rich(world, coins=100, promo=10_000), world.creator()
    with pytest.raises(errors.InsufficientCoinsError) as caught:
        give(world, fan, creator)
    assert (caught.value.required_coins, caught.value.available_coins) == (500, 100)
    give(world, fan, creator, "rose", quantity=99)
    assert world.wallet(fan) == (1, 10_000, 0)


def test_what_may_not_be_given_is_refused_and_takes_nothing(world: World) -> None:
    fan, (owner, creator, _) = rich(world, coins=700_000), world.creator()
    world.give_coins(owner, 1_000)
    cases: list[tuple[Viewer, dict[str, Any], str]] = [
        (owner, {}, "OWN_GIFT"),
        (fan, {"quantity": 0}, "OUT_OF_RANGE"),
        (fan, {"quantity": 100}, "OUT_OF_RANGE"),
        (fan, {"message": "x" * 201}, "TOO_LONG"),
        (fan, {"message": "bell\a"}, "INVALID_TEXT"),
        (fan, {"live_session": "no spaces"}, "INVALID_TEXT"),
        (fan, {"expected_price_coins": 499}, "PRICE_CHANGED"),
        (fan, {"sticker_id": "sticker_00000000000000000000000000"}, "NOT_FOUND"),
        (fan, {"creator_id": "creator_00000000000000000000000000"}, "NOT_FOUND"),
    ]
    for who, changes, code in cases:
        with pytest.raises(errors.ShoutgraphError) as caught:
            give(world, who, creator, **changes)
        assert caught.value.code == code
    assert world.wallet(fan) == (700_000, 0, 0)


def test_limits_hold_for_one_gift_and_for_a_day(world: World) -> None:
    world.write(lambda tx: policies.insert(tx, replace(FIRST, version=2, gift_max_coins=1_000, gift_day_coins=1_500)))
    fan, (_, creator, _) = rich(world, coins=10_000), world.creator()
    with pytest.raises(errors.LimitExceededError) as at_once:
        give(world, fan, creator, quantity=3)
    assert (at_once.value.code, at_once.value.limit) == ("GIFT_COINS", 1_000)
    for _ in range(3):
        give(world, fan, creator)
    with pytest.raises(errors.LimitExceededError) as a_day:
        give(world, fan, creator, "rose")
    assert (a_day.value.code, a_day.value.limit) == ("GIFT_DAY_COINS", 1_500)
    world.clock.move(days=1, seconds=1)
    give(world, fan, creator)


def test_a_creator_switches_gifts_off_and_on(world: World) -> None:
    fan, (owner, creator, _) = rich(world), world.creator()
    world.run(creators.update(world.tools, owner, {"takes_gifts": False}, expected_revision=None))
    with pytest.raises(errors.CreatorUnavailableError) as caught:
        give(world, fan, creator)
    assert caught.value.code == "GIFTS_OFF"
    world.run(creators.update(world.tools, owner, {"takes_gifts": True}, expected_revision=None))
    give(world, fan, creator)


def test_a_changed_sticker_is_a_new_version_and_the_fan_agrees_to_its_price(world: World) -> None:
    fan, (_, creator, _) = rich(world), world.creator()
    old, admin = sticker(world), world.staff("admin")
    sent = give(world, fan, creator).value
    loaded = world.run(catalogue.load(world.tools, admin, (replace(COMET, coins=600),)))
    assert (loaded.stickers, loaded.retired) == (1, 2)
    assert world.run(catalogue.load(world.tools, admin, (replace(COMET, coins=600),))) == catalogue.Loaded()
    with pytest.raises(errors.PriceChangedError) as caught:
        give(world, fan, creator, sticker_id=old.id, expected_price_coins=500)
    assert caught.value.current_price_coins == 600
    assert give(world, fan, creator, sticker_id=old.id, expected_price_coins=600).value.sticker_id == sticker(world).id
    assert (sticker(world).version, world.read(lambda tx: gifts.get(tx, sent.id)).sticker_id) == (2, old.id)
    with pytest.raises(errors.ForbiddenError):
        world.run(catalogue.load(world.tools, world.staff("finance"), (ROSE,)))


def test_the_seeded_catalogue_goes_from_one_coin_to_the_most() -> None:
    coins = [entry.coins for entry in seeds.read_gifts()]
    assert (min(coins), max(coins)) == (1, 44_999)


def test_a_creator_thanks_for_many_gifts_once(world: World) -> None:
    fan, (owner, creator, _) = rich(world), world.creator()
    other_owner, other, _ = world.creator("vega")
    mine = [give(world, fan, creator, "rose").value.id for _ in range(3)]
    theirs = give(world, fan, other, "rose").value.id
    with pytest.raises(errors.NotFoundError):
        world.run(thank.thank(world.tools, owner, [mine[0], theirs], thanks=None))
    first = world.run(thank.thank(world.tools, owner, mine[:2], thanks="You are kind"))
    again = world.run(thank.thank(world.tools, owner, mine, thanks="Again"))
    assert [gift.thanks for gift in first] == ["You are kind"] * 2
    assert [gift.thanks for gift in again] == ["You are kind", "You are kind", "Again"]
    assert [gift.id for gift in world.run(thank.thank(world.tools, other_owner, [theirs], thanks=None))] == [theirs]
    with pytest.raises(errors.ValidationError) as caught:
        world.run(thank.thank(world.tools, owner, [mine[0], mine[0]], thanks=None))
    assert caught.value.code == "REPEATED"


def test_the_ranking_adds_up_by_day_week_and_all_of_time(world: World) -> None:
    _, creator, _ = world.creator()
    fans = [rich(world, name, 5_000) for name in ("ada", "bob", "cyd")]
    world.clock.now = datetime(2026, 3, 8, 23, 59, tzinfo=UTC)  # a Sunday
    give(world, fans[0], creator, quantity=2)
    world.clock.now = datetime(2026, 3, 9, tzinfo=UTC)
    for fan in fans:
        give(world, fan, creator)
    give(world, fans[2], creator, "rose")
    sunday = datetime(2026, 3, 8, tzinfo=UTC)
    assert ranked(world, creator, Span.DAY) == [(1, 501), (2, 500), (2, 500)]
    assert ranked(world, creator, Span.DAY, sunday) == ranked(world, creator, Span.WEEK, sunday) == [(1, 1_000)]
    world.clock.move(days=6)
    assert ranked(world, creator, Span.DAY) == []
    assert ranked(world, creator, Span.WEEK) == [(1, 501), (2, 500), (2, 500)]
    assert ranked(world, creator, Span.ALL) == [(1, 1_500), (2, 501), (3, 500)]
    assert Window.of(Span.WEEK, world.clock()).began_at == datetime(2026, 3, 9, tzinfo=UTC)


def test_the_ranking_is_paged_both_ways_with_the_same_ranks(world: World) -> None:
    _, creator, _ = world.creator()
    for at, quantity in enumerate((5, 3, 3, 3, 2, 1)):
        give(world, rich(world, f"fan_{at}", 10), creator, "rose", quantity=quantity)
    whole = [(1, 5), (2, 3), (2, 3), (2, 3), (5, 2), (6, 1)]
    assert ranked(world, creator, Span.ALL) == whole
    for size in (1, 2, 4):
        assert walk(world, creator, size, forward=True) == walk(world, creator, size, forward=False) == whole


def walk(world: World, creator: Creator, size: int, *, forward: bool) -> list[tuple[int, int]]:
    """The whole ranking, page by page from either end."""
    listing = Ranking.of(creator.id, Span.ALL, world.clock())
    cursor: str | None = None
    seen: list[tuple[int, int]] = []
    more = True
    while more:
        first, last = (size, None) if forward else (None, size)
        after, before = (cursor, None) if forward else (None, cursor)
        args = pages.read_args(
            scope=listing.scope, first=first, after=after, last=last, before=before, kinds=(int, str)
        )
        page = world.run(read.ranking(world.tools, listing, args))
        here = [(each.total.rank, each.total.coins) for each in page.items]
        seen = seen + here if forward else here + seen
        more = page.has_next if forward else page.has_previous
        cursor = page.cursors[-1 if forward else 0]
    return seen


def test_gifts_at_once_are_all_counted_and_no_coin_is_given_twice(world: World) -> None:
    _, creator, _ = world.creator()
    fans = [rich(world, f"fan_{at}", 10) for at in range(4)]
    chosen = sticker(world, "rose")

    async def one(fan: Viewer) -> bool:
        wish = Wish(creator.id, chosen.id, 3, quantity=3)
        try:
            await send.send(world.tools, fan, world.request("giftSend", fan), wish)
        except errors.InsufficientCoinsError:
            return False
        return True

    async def all_at_once() -> list[bool]:
        return await asyncio.gather(*(one(fan) for fan in fans for _ in range(5)))

    assert sum(world.run(all_at_once())) == 12
    assert [world.wallet(fan)[0] for fan in fans] == [1, 1, 1, 1]
    assert ranked(world, creator, Span.ALL) == [(1, 9)] * 4


@settings(max_examples=300, deadline=None)
@given(coins=st.integers(1, 44_999), quantity=st.integers(1, 999), bps=st.integers(0, 9_999))
def test_a_gift_splits_into_whole_coins_and_the_creator_always_earns(coins: int, quantity: int, bps: int) -> None:
    price = coins * quantity
    parts = fees.split(paid_coins=price, promo_coins=0, fee_bps=bps)
    assert parts.fee_coins + parts.earning_coins == price
    assert parts.earning_coins > 0
    assert parts.fee_coins == parts.fee_paid_coins


def test_charged_back_coins_that_were_given_are_owed_and_the_creator_keeps_the_earning(place: Place) -> None:
    with open_till(place) as till:
        world, tools = till.world, till.world.tools
        world.run(catalogue.load(tools, world.staff("admin"), (ROSE, COMET)))
        fan, (_, creator, _) = world.person("ada"), world.creator()
        topup = till.paid(fan, 1_007)
        gift = give(world, fan, creator, quantity=2).value
        till.control(f"payments/{topup.id}/dispute")
        till.look(topup)
        found = world.read(lambda tx: wallets.balances(tx, gift.user_id))
        assert (found.available_coins, found.debt_coins) == (0, 1_000)
        earned = world.read(lambda tx: earnings.find_of_subject(tx, EarningKind.GIFT, gift.id))
        assert earned is not None
        assert (earned.state, earned.coins, earned.reversed_coins) == (EarningState.PENDING, 700, 0)
        assert world.balance(f"creator:{creator.id}:pending") == 700
        world.give_coins(fan, 2_000)
        with pytest.raises(errors.WalletLockedError):
            give(world, fan, creator)
        world.verify()


def test_a_year_that_is_over_is_reported_as_it_was(world: World) -> None:
    fan, (_, creator, _) = rich(world), world.creator()
    give(world, fan, creator)
    year = world.clock().year

    def certify(version: int, country: str, name: str) -> None:
        profile = replace(certified(creator.id, world.clock()), version=version, country=country, legal_name=name)
        world.write(lambda tx: tax.insert(tx, profile))

    def read() -> tuple[str, str, str | None]:
        (found,) = world.read(lambda tx: seller_reports.chunk(tx, year, after="", size=2))
        return found.country, found.verdict.outcome, found.profile and found.profile.legal_name

    certify(2, "US", "Nova Exmaple")
    assert read() == ("US", "BELOW", "Nova Exmaple")
    world.clock.move(days=365)
    many = (("1099-K.sales", 1), ("1099-K.amount", 0))
    world.write(lambda tx: policies.insert(tx, replace(FIRST, version=2, seller_thresholds=many)))
    world.write(lambda tx: rates.insert(tx, [Rate("USD", "EUR", 1, 90, 100)]))
    certify(3, "US", "Nova Example")
    certify(4, "DE", "Nova Beispiel")
    assert read() == ("US", "BELOW", "Nova Example"), "a name is corrected, and nothing is judged anew"
    give(world, fan, creator)
    year += 1
    assert read()[:2] == ("DE", "SALES_AND_AMOUNT")
    assert world.run(seller_reports.list_of_creators(world.tools, world.staff("finance"), [creator.id], year - 1))
