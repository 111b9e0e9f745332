"""Routes: the first that fits counts, users stay where they are, and weights are kept."""

from collections import Counter

import pytest

from shoutgraph.domain.packages import Market, Platform
from shoutgraph.plugins.routes import Choice, Route, Routes

USERS = [f"user_{at:05}" for at in range(4000)]
GERMANY = Market("DE", "EUR", Platform.WEB)
SPLIT = (Choice("stripe-eu", 90), Choice("mollie", 10), Choice("spare", 0))
ALL = ("mollie", "spare", "stripe-eu", "store")


def firsts(*use: Choice) -> dict[str, str]:
    routes = Routes([Route(use)], ALL)
    return {user: routes.candidates(GERMANY, user)[0] for user in USERS}


def test_without_routes_every_instance_is_a_candidate() -> None:
    assert Routes([], ALL).candidates(GERMANY, "user_1") == ("mollie", "spare", "store", "stripe-eu")


@pytest.mark.parametrize(
    ("market", "taken"),
    [
        (GERMANY, ("stripe-eu",)),
        (Market("DE", "EUR", Platform.IOS), ("store",)),
        (Market("US", "EUR", Platform.WEB), ()),
        (Market("DE", "USD", Platform.WEB), ()),
    ],
)
def test_the_first_route_that_fits_counts(market: Market, taken: tuple[str, ...]) -> None:
    routes = Routes(
        [
            Route((Choice("store", 1),), platform=Platform.IOS),
            Route((Choice("stripe-eu", 1),), frozenset({"DE", "FR"}), frozenset({"EUR"})),
            Route((Choice("mollie", 1),), frozenset({"DE"}), frozenset({"EUR"})),
        ],
        ALL,
    )
    assert routes.candidates(market, "user_1") == taken


def test_users_are_shared_out_by_weight_and_the_others_follow_by_weight() -> None:
    counted = Counter(firsts(*SPLIT).values())
    assert set(counted) == {"stripe-eu", "mollie"}
    assert 0.08 < counted["mollie"] / len(USERS) < 0.12
    routes = Routes([Route(SPLIT)], ALL)
    orders = {routes.candidates(GERMANY, user) for user in USERS}
    assert orders == {("stripe-eu", "mollie", "spare"), ("mollie", "stripe-eu", "spare")}


def test_a_user_stays_where_they_are_whatever_the_order_of_the_names() -> None:
    assert firsts(*SPLIT) == firsts(*reversed(SPLIT)) == firsts(*SPLIT)
    # The same in every process, and in every release.
    assert [firsts(*SPLIT)[user] for user in USERS[:8]] == ["stripe-eu"] * 8


def test_a_new_weight_moves_only_those_that_it_must() -> None:
    before = firsts(Choice("stripe-eu", 90), Choice("mollie", 10))
    after = firsts(Choice("stripe-eu", 80), Choice("mollie", 20))
    moved = [(before[user], after[user]) for user in USERS if before[user] != after[user]]
    assert set(moved) == {("stripe-eu", "mollie")}
    assert 0.08 < len(moved) / len(USERS) < 0.12


def test_where_all_are_spare_one_of_them_goes_first() -> None:
    assert Routes([Route((Choice("one", 0), Choice("two", 0)))], ALL).candidates(GERMANY, "user_1") == ("two", "one")


def test_names_that_take_no_money_are_told() -> None:
    assert Routes([Route((*SPLIT, Choice("gone", 1)))], ALL).strangers() == ("gone",)
