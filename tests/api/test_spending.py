"""Guarding oneself through the front door: limits, pauses, ages and pace, and what they leave alone."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.api.cast import PRICE, PURCHASE, RULES, Cast
from tests.api.deployment import Deployment, Place, open_deployment

from shoutgraph.domain.policies import Velocity
from shoutgraph.storage import policies

GUARD = """guard { revision limits { dayCoins weekCoins dayMoney { minorUnits } } pausedUntil excludedUntil
  pending { at limits { dayCoins weekCoins dayMoney { minorUnits } } } } replayed"""
MONEY = {"buy": {"coins": "700"}, **PURCHASE}


@pytest.fixture(scope="module")
def stage(module_place: Place) -> Iterator[Cast]:
    """A marketplace whose time is moved."""
    with open_deployment(module_place) as deployment:
        cast = Cast(deployment)
        cast.introduce()
        yield cast


def newcomer(stage: Cast, name: str, **given: object) -> Deployment:
    """A person of this name with 17,500 coins and a package's bonus."""
    stage.ids[name] = stage.deployment.register(name, **given)
    stage.buy(name)
    return stage.deployment


def travel(to: Deployment, **by: int) -> None:
    seconds = int(timedelta(**by).total_seconds())
    to.do("admin", "testClockAdvance", "now", seconds=seconds)
    to.settle()


def now(to: Deployment) -> datetime:
    return datetime.fromisoformat(to.ask("admin", "{ serverTime }")["serverTime"])


def far(text: str, since: datetime) -> timedelta:
    return datetime.fromisoformat(text) - since


def order(to: Deployment, who: str, stage: Cast) -> str:
    return str(to.do(who, "orderPlace", "order { id }", **stage.wish())["order"]["id"])


def refused(to: Deployment, who: str, mutation: str, given: dict[str, Any]) -> dict[str, Any]:
    return dict(to.refuse(who, mutation, **given))


def test_a_limit_refuses_says_when_and_gives_room_back(stage: Cast) -> None:
    to, who = newcomer(stage, "lea"), "lea"
    made = to.do(who, "spendingLimitsSet", GUARD, dayCoins=str(2 * PRICE), weekCoins=str(3 * PRICE))["guard"]
    assert made["limits"] == {"dayCoins": "500", "weekCoins": "750", "dayMoney": None}
    assert made["pending"] is None, "what is lower counts at once"
    first, second = order(to, who, stage), order(to, who, stage)
    start = now(to)
    said = refused(to, who, "orderPlace", stage.wish())
    assert (said["__typename"], said["code"]) == ("LimitExceededError", "SPENDING_DAY")
    assert (said["limit"], said["spent"], said["remaining"]) == ("500", "500", "0")
    assert timedelta(hours=23) < far(said["resetsAt"], start) <= timedelta(hours=24)
    gift = refused(to, who, "giftSend", stage.present())
    assert gift["code"] == "SPENDING_DAY", "orders and gifts share the room"
    to.do(who, "orderCancel", "order { status }", orderId=second)
    third = order(to, who, stage)
    assert third, "what came back gives its room back"
    travel(to, hours=25)
    order(to, who, stage)
    assert refused(to, who, "orderPlace", stage.wish())["code"] == "SPENDING_WEEK"
    too_much = refused(to, who, "giftSend", stage.present() | {"quantity": 99, "expectedPrice": "99"})
    assert too_much["resetsAt"] is not None
    assert to.ask(who, "query ($id: ID!) { order(id: $id) { status } }", id=first)["order"]["status"] == "SCREENING"


def test_a_limit_is_raised_only_after_a_day(stage: Cast) -> None:
    to, who = newcomer(stage, "mia"), "mia"
    given = {"dayCoins": "300", "dayMoney": "2000", "currency": "EUR"}
    assert to.do(who, "spendingLimitsSet", GUARD, **given)["guard"]["revision"] == 1
    higher = {"dayCoins": "600", "dayMoney": "1000", "currency": "EUR", "expectedRevision": 1}
    key = {"idempotencyKey": to.key()}
    made, again = (to.do(who, "spendingLimitsSet", GUARD, **higher, **key) for _ in range(2))
    assert (made["replayed"], again["replayed"]) == (False, True)
    guard = made["guard"]
    assert guard["limits"] == {"dayCoins": "300", "weekCoins": None, "dayMoney": {"minorUnits": "1000"}}
    assert guard["pending"]["limits"] == {"dayCoins": "600", "weekCoins": None, "dayMoney": {"minorUnits": "1000"}}
    assert to.refuse(who, "spendingLimitsSet", **higher)["code"] == "STALE_REVISION"
    assert to.refuse(who, "spendingLimitsSet", dayMoney="1")["code"] == "LIMIT_CURRENCY"
    assert to.refuse(who, "spendingLimitsSet", dayCoins="9", weekCoins="8")["code"] == "OUT_OF_RANGE"
    order(to, who, stage)
    assert refused(to, who, "orderPlace", stage.wish())["code"] == "SPENDING_DAY"
    said = refused(to, who, "topUpCreate", MONEY)
    assert (said["code"], said["resetsAt"]) == ("TOPUP_DAY", None), "it never fits"
    assert refused(to, who, "topUpCreate", MONEY | {"currency": "USD"})["code"] in {"NOT_FOUND", "TOPUP_CURRENCY"}
    travel(to, hours=25)
    seen = to.ask(who, "{ spendingGuard { limits { dayCoins } pending { at } } }")["spendingGuard"]
    assert seen == {"limits": {"dayCoins": "600"}, "pending": None}
    to.do(who, "spendingLimitsSet", GUARD)
    assert to.ask(who, "{ spendingGuard { pending { at } } }")["spendingGuard"]["pending"], "none is higher than any"


def test_a_pause_and_an_exclusion_stop_buying_and_nothing_else(stage: Cast) -> None:
    to, who = newcomer(stage, "noa"), "noa"
    open_order, draft = order(to, who, stage), to.do(who, "orderDraft", "order { id }", **stage.wish())["order"]["id"]
    to.do(who, "spendingPause", GUARD, days=2)
    assert to.refuse(who, "spendingPause", days=1)["code"] == "ONLY_LONGER"
    submit = {"orderId": draft, "expectedPrice": str(PRICE)}
    for mutation, given in (
        ("orderPlace", stage.wish()),
        ("orderSubmit", submit),
        ("giftSend", stage.present()),
        ("topUpCreate", MONEY),
    ):
        said = refused(to, who, mutation, given)
        assert (said["__typename"], said["code"]) == ("BuyingPausedError", "COOL_OFF"), mutation
        assert far(said["until"], now(to)) <= timedelta(days=2)
    before = int(to.ask(who, "{ wallet { available } }")["wallet"]["available"])
    to.do(who, "orderCancel", "order { status }", orderId=open_order)
    assert int(to.ask(who, "{ wallet { available } }")["wallet"]["available"]) >= before, "nothing is lost"
    travel(to, days=3)
    order(to, who, stage)
    made = to.do(who, "spendingExclude", GUARD, days=183)["guard"]
    assert far(made["excludedUntil"], now(to)) > timedelta(days=182)
    assert refused(to, who, "orderPlace", stage.wish())["code"] == "SELF_EXCLUDED"
    events = "{ userEvents(first: 100) { nodes { ... on UserChangedEvent { kind by } } } }"
    told = [node["kind"] for node in to.ask(who, events)["userEvents"]["nodes"]]
    assert told == ["PAUSED", "EXCLUDED"]


def test_ages_are_checked_where_they_are_known_and_asked_for_where_they_must_be(stage: Cast) -> None:
    to, who, year = newcomer(stage, "kim"), "kim", now(stage.deployment).year
    child, adult = f"{year - 17}-01-01", f"{year - 19}-01-01"
    shape = "user { birthDate birthDateAttested }"
    assert to.refuse(who, "userUpdate", birthDate="2001-02-30")["code"] == "BIRTH_DATE"
    assert to.do(who, "userUpdate", shape, birthDate=child)["user"] == {
        "birthDate": child,
        "birthDateAttested": "SELF",
    }
    assert to.refuse(who, "userUpdate", birthDate=adult)["code"] == "BIRTH_DATE_SET"
    for mutation, given in (("orderPlace", stage.wish()), ("giftSend", stage.present()), ("topUpCreate", MONEY)):
        said = refused(to, who, mutation, given)
        assert (said["__typename"], said["code"], said["minimumAge"]) == ("AgeRestrictedError", "UNDERAGE", 18)
    profile = {"handle": "kim", "name": "Kim", "country": "DE", "categories": ["ACTOR"], "languages": ["en"]}
    assert refused(to, who, "creatorRegister", profile)["code"] == "UNDERAGE"
    right = {"userId": stage.ids[who], "birthDate": adult}
    assert to.do("admin", "userBirthDateCorrect", shape, **right)["user"]["birthDateAttested"] == "STAFF"
    order(to, who, stage)
    to.write(lambda tx: policies.insert(tx, replace(RULES, version=20, age_required=True)))
    assert refused(to, "fan", "orderPlace", stage.wish())["code"] == "AGE_REQUIRED"
    order(to, who, stage)
    to.write(lambda tx: policies.insert(tx, replace(RULES, version=21)))


def test_pace_is_limited_or_waits_for_a_look(stage: Cast) -> None:
    to, who = newcomer(stage, "pat"), "pat"
    slow = replace(RULES, version=30, orders_hour_max=1, gifts_minute_max=1, topups_day_max=1)
    to.write(lambda tx: policies.insert(tx, slow))
    order(to, who, stage)
    said = refused(to, who, "orderPlace", stage.wish())
    assert (said["code"], said["retryAfterSeconds"]) == ("ORDERS_HOUR", 3600)
    stage.gift(who)
    assert refused(to, who, "giftSend", stage.present())["code"] == "GIFTS_MINUTE"
    assert refused(to, who, "topUpCreate", MONEY)["code"] == "TOPUPS_DAY"
    to.write(lambda tx: policies.insert(tx, replace(slow, version=31, topup_velocity=Velocity.REVIEW)))
    assert refused(to, who, "topUpCreate", MONEY)["code"] == "TOPUP_REVIEW"
    waiting = to.ask("finance", "{ spendingReviews { userId reviewSince } }")["spendingReviews"]
    assert stage.ids[who] in {each["userId"] for each in waiting}
    given = {"userId": stage.ids[who], "reason": "It is really them."}
    to.do("finance", "spendingReviewClear", "guard { reviewSince }", **given)
    assert to.refuse("finance", "spendingReviewClear", **given)["code"] == "NOT_IN_REVIEW"
    stage.buy(who)
    to.write(lambda tx: policies.insert(tx, replace(RULES, version=32)))
