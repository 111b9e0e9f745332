"""Gifts from several processes at once: no coin twice, no limit passed, and totals that are the sum of the gifts."""

from typing import Any

import pytest
from tests.services.processes import COUNT, Call, Processes
from tests.services.racing import seller, someone, won

from shoutgraph.domain import errors, pages
from shoutgraph.domain.gifts import Gift, Span, Sticker, StickerEntry, Tier
from shoutgraph.domain.policies import FIRST
from shoutgraph.domain.users import Viewer
from shoutgraph.services.gifts import catalogue, read, send, thank
from shoutgraph.services.gifts.catalogue import Loaded
from shoutgraph.services.gifts.read import Ranking
from shoutgraph.services.gifts.send import Wish
from shoutgraph.storage import gifts, stickers
from shoutgraph.tools import Done, Tools

pytestmark = pytest.mark.postgresql_only

ROSE = StickerEntry("rose", "Rose", 1, Tier.SMALL, "gifts/rose.webm")
AURORA = StickerEntry("aurora", "Aurora", 44_999, Tier.FULL_SCREEN, "gifts/aurora.webm")


def given(processes: Processes, key: str = "rose") -> Sticker:
    admin = processes.world.staff("admin")
    processes.run(lambda tools: catalogue.load(tools, admin, (ROSE, AURORA)))
    return next(each for each in processes.world.read(stickers.list_of_current) if each.key == key)


def gift(processes: Processes, fan: Viewer, creator_id: str, sticker: Sticker, quantity: int) -> Call[Done[Gift]]:
    wish = Wish(creator_id, sticker.id, sticker.coins * quantity, quantity)
    request = processes.world.request("giftSend", fan)
    return lambda tools: send.send(tools, fan, request, wish)


def totals(processes: Processes, creator_id: str) -> list[tuple[int, int, int]]:
    listing = Ranking.of(creator_id, Span.ALL, processes.world.clock())
    args = pages.read_args(scope=listing.scope)
    found = processes.run(lambda tools: read.ranking(tools, listing, args)).items
    return [(each.total.rank, each.total.coins, each.total.gifts) for each in found]


def test_coins_are_given_once_however_many_processes_give_them(processes: Processes) -> None:
    sticker, fan, (_, creator) = given(processes), someone(processes), owner(processes)
    processes.world.give_coins(fan, 10)
    results = processes.at_once(*(gift(processes, fan, creator, sticker, 3) for _ in range(3 * COUNT)))
    assert len(won(results, Done)) == 3
    assert len(won(results, errors.InsufficientCoinsError)) == 3 * COUNT - 3
    assert processes.world.wallet(fan) == (1, 0, 0)
    assert totals(processes, creator) == [(1, 9, 3)]


def test_the_limit_of_a_day_is_passed_by_nobody(processes: Processes) -> None:
    sticker, fan, (_, creator) = given(processes, "aurora"), someone(processes), owner(processes)
    processes.world.give_coins(fan, 1_000_000)
    results = processes.at_once(*(gift(processes, fan, creator, sticker, 2) for _ in range(3 * COUNT)))
    fit = FIRST.gift_day_coins // (2 * sticker.coins)
    assert len(won(results, Done)) == fit
    assert {refusal.code for refusal in won(results, errors.LimitExceededError)} == {"GIFT_DAY_COINS"}
    assert totals(processes, creator) == [(1, fit * 2 * sticker.coins, fit)]


def test_totals_are_the_sum_of_all_gifts_of_all_fans(processes: Processes) -> None:
    sticker, (_, creator) = given(processes), owner(processes)
    fans = [someone(processes) for _ in range(COUNT)]
    for fan in fans:
        processes.world.give_coins(fan, 100)
    calls = [gift(processes, fan, creator, sticker, 1 + at) for _ in range(5) for at, fan in enumerate(fans)]
    assert len(won(processes.at_once(*calls), Done)) == len(calls)
    coins = [5 * (1 + at) for at in reversed(range(COUNT))]
    assert totals(processes, creator) == [(rank, each, 5) for rank, each in enumerate(coins, start=1)]


def test_a_gift_is_thanked_for_once(processes: Processes) -> None:
    sticker, fan, (viewer, creator) = given(processes), someone(processes), owner(processes)
    processes.world.give_coins(fan, 10)
    sent = processes.run(gift(processes, fan, creator, sticker, 1)).value

    def thanks(words: str) -> Call[Any]:
        return lambda tools: thank.thank(tools, viewer, [sent.id], thanks=words)

    said = processes.at_once(*(thanks(f"word {number}") for number in range(COUNT)))
    assert len({found[0].thanks for found in said}) == 1
    assert processes.world.read(lambda tx: gifts.get(tx, sent.id)).thanks == said[0][0].thanks


def test_a_catalogue_that_is_loaded_everywhere_is_loaded_once(processes: Processes) -> None:
    given(processes)
    admin, fresh = processes.world.staff("admin"), StickerEntry("comet", "Comet", 500, Tier.LARGE, "gifts/comet.webm")

    def load(tools: Tools) -> Any:
        return catalogue.load(tools, admin, (ROSE, AURORA, fresh))

    loaded = won(processes.everywhere(load), Loaded)
    assert sorted(each.stickers for each in loaded) == [0] * (COUNT - 1) + [1]


def owner(processes: Processes) -> tuple[Viewer, str]:
    """A creator: the viewer and the profile's id."""
    viewer = seller(processes)[0]
    assert viewer.creator_id is not None
    return viewer, viewer.creator_id
