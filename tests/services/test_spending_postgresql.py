"""Limits under several processes at once: what they allow is spent, and not a coin more."""

from dataclasses import replace
from typing import Any

import pytest
from tests.services.processes import COUNT, Call, Processes
from tests.services.racing import seller, someone, won
from tests.services.test_gifts_postgresql import gift, given

from shoutgraph.domain import errors, ids
from shoutgraph.domain.policies import FIRST
from shoutgraph.domain.spending import Limits
from shoutgraph.domain.users import Viewer
from shoutgraph.services import spending
from shoutgraph.storage import policies, spending as rows
from shoutgraph.tools import Done

pytestmark = pytest.mark.postgresql_only


def limited(processes: Processes, fan: Viewer, **limits: Any) -> None:
    asked = processes.world.request("spendingLimitsSet", fan)
    processes.run(lambda tools: spending.set_limits(tools, fan, asked, Limits(**limits), expected_revision=None))


def test_orders_and_gifts_together_never_pass_a_limit(processes: Processes) -> None:
    sticker, fan, (creator, profile, offer) = given(processes), someone(processes), seller(processes)
    processes.world.give_coins(fan, 100_000)
    limited(processes, fan, day_coins=4_050)
    calls: list[Call[Any]] = [processes.order(fan, offer.id) for _ in range(2 * COUNT)]
    calls += [gift(processes, fan, profile.id, sticker, 20) for _ in range(2 * COUNT)]
    results = processes.at_once(*calls)
    assert {each.code for each in won(results, errors.LimitExceededError)} == {"SPENDING_DAY"}
    assert len(won(results, Done)) + len(won(results, errors.LimitExceededError)) == len(calls)
    spent = processes.world.read(lambda tx: rows.standing(tx, ids.UserId(str(fan.user_id)))).day_coins
    paid, _, held = processes.world.wallet(fan)
    assert 4_050 - 20 < spent <= 4_050, "as much as fits, and not a coin more"
    assert 100_000 - paid == spent
    assert held == offer.price_coins * sum(hasattr(each.value, "price_coins") for each in won(results, Done))
    assert creator.creator_id == profile.id


def test_purchases_never_pass_a_limit_nor_the_pace(processes: Processes) -> None:
    fan = someone(processes)
    limited(processes, fan, day_minor=3_500, currency="EUR")
    results = processes.at_once(*(processes.buy(fan, 1_000) for _ in range(3 * COUNT)))
    assert len(won(results, Done)) == 3
    assert {each.code for each in won(results, errors.LimitExceededError)} == {"TOPUP_DAY"}
    policy = replace(FIRST, version=2, topups_day_max=5)
    processes.world.write(lambda tx: policies.insert(tx, policy))
    eager = someone(processes)
    found = processes.at_once(*(processes.buy(eager, 1_000) for _ in range(3 * COUNT)))
    assert len(won(found, Done)) == 5
    assert {each.code for each in won(found, errors.LimitExceededError)} == {"TOPUPS_DAY"}


def test_limits_that_are_set_at_once_are_all_told_and_one_stays(processes: Processes) -> None:
    fan = someone(processes)

    def set_to(coins: int) -> Call[Any]:
        asked, limits = processes.world.request("spendingLimitsSet", fan), Limits(day_coins=coins)
        return lambda tools: spending.set_limits(tools, fan, asked, limits, expected_revision=None)

    done = won(processes.at_once(*(set_to(100 + at) for at in range(COUNT))), Done)
    assert sorted(each.value.revision for each in done) == list(range(1, COUNT + 1))
    kept = processes.world.read(lambda tx: rows.get(tx, ids.UserId(str(fan.user_id))))
    assert kept.limits.day_coins == 100, "each that is lower acts at once"
