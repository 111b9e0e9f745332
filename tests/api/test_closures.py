"""Closing an account: nothing new begins, what is open ends, and what is owned is settled step by step."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from tests.api import giving
from tests.api.cast import PURCHASE, Cast

from shoutgraph.domain import ids
from shoutgraph.domain.wallets import LockReason
from shoutgraph.services import books
from shoutgraph.storage import closures, wallets
from shoutgraph.storage.tx import Tx

CLOSURE = "closure { status begunAt forfeitsPromo steps { key status since blockedBy { code remedy message until } } }"
VIEWER = f"{{ viewer {{ {CLOSURE} }} }}"
WALLET = "{ wallet { available promo held } }"
STATUS = "query ($id: ID!) { order(id: $id) { status } }"
TOPUP = "query ($id: ID!) { node(id: $id) { ... on TopUp { status } } }"
WITHDRAWN = "query ($id: ID!) { node(id: $id) { ... on TopUp { withdrawals { coins } } } }"
PAYOUT = "query ($id: ID!) { node(id: $id) { ... on Payout { status } } }"
EVENTS = "{ userEvents(first: 100) { nodes { ... on UserChangedEvent { kind userId } } } }"
STAFF = "query ($status: ClosureStatus) { closures(status: $status, first: 100) { nodes { userId status } } }"
SHAPE = "order { id revision }"


def verify(cast: Cast) -> None:
    def query(tx: Tx) -> list[Any]:
        return list(books.prove(tx).violations)

    assert cast.deployment.read(query) == []


def closure_of(cast: Cast, who: str) -> Any:
    return cast.deployment.ask(who, VIEWER)["viewer"]["closure"]


def look(cast: Cast, who: str, user_id: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Has the job look; gives each step's state and what stands in its way."""
    cast.deployment.write(lambda tx: closures.wake(tx, ids.UserId(user_id)))
    cast.deployment.settle()
    steps = closure_of(cast, who)["steps"]
    return {step["key"]: (step["status"], tuple(each["code"] for each in step["blockedBy"])) for step in steps}


def statuses(cast: Cast, *order_ids: str) -> list[str]:
    return [cast.deployment.ask("admin", STATUS, id=each)["order"]["status"] for each in order_ids]


def closed(cast: Cast, who: str, user_id: str) -> None:
    for _ in range(50):
        steps = look(cast, who, user_id)
        if closure_of(cast, who)["status"] == "CLOSED":
            return
    raise AssertionError(steps)


def ordered(cast: Cast, who: str) -> tuple[str, str]:
    """Two orders: one that the creator has not accepted, and one that they have."""
    to = cast.deployment
    waiting, made = (to.do(who, "orderPlace", SHAPE, **cast.wish())["order"]["id"] for _ in range(2))
    for order in (waiting, made):
        to.do("moderator", "orderScreenPass", SHAPE, orderId=order)
    to.do("creator", "orderAccept", SHAPE, orderId=made)
    return waiting, made


def test_closing_ends_what_may_end_and_can_be_taken_back(cast: Cast) -> None:
    to, who = cast.deployment, "hesitating_fan"
    user_id = to.register(who)
    cast.buy(who)
    waiting, made = ordered(cast, who)
    assert to.refuse(who, "closureRequest", confirm=False)["code"] == "NOT_CONFIRMED"
    before = to.ask(who, WALLET)["wallet"]
    asked = to.do(who, "closureRequest", CLOSURE, confirm=True, forfeitPromo=True)["closure"]
    assert (asked["status"], asked["begunAt"], asked["forfeitsPromo"]) == ("CLOSING", None, True)
    assert to.do(who, "closureRequest", CLOSURE, confirm=True)["closure"]["steps"] == asked["steps"]
    assert statuses(cast, waiting, made) == ["CANCELLED", "IN_PRODUCTION"]
    after = to.ask(who, WALLET)["wallet"]
    assert sum(map(int, after.values())) == sum(map(int, before.values())), "nothing is forfeited yet"
    assert to.refuse(who, "orderPlace", **cast.wish())["code"] == "ACCOUNT_CLOSED"
    steps = look(cast, who, user_id)
    assert (steps["ORDERS"], steps["COINS"]) == (("WAITING", ("OPEN_ORDERS",)), ("WAITING", ("REVOCABLE",)))
    assert to.do(who, "closureCancel", "reopened", confirm=True)["reopened"]
    assert closure_of(cast, who) is None
    assert to.do(who, "orderPlace", SHAPE, **cast.wish())["order"]["id"]


def test_a_fan_who_leaves_is_settled_and_money_that_comes_later_goes_back(cast: Cast) -> None:
    to, who = cast.deployment, "leaving_fan"
    user_id = to.register(who)
    topup = cast.buy(who)
    _, made = ordered(cast, who)
    late = to.do(who, "topUpCreate", "topUp { id }", buy={"coins": "70"}, **PURCHASE)["topUp"]["id"]
    to.do(who, "closureRequest", CLOSURE, confirm=True, forfeitPromo=True)
    steps = look(cast, who, user_id)
    assert steps["TOPUPS"] == ("WAITING", ("OPEN_TOPUPS",)), "a provider that has not said is waited for"
    to.do("creator", "orderWithdraw", SHAPE, orderId=made, reason="SAFETY", note="This is why.")
    to.control(f"payments/{late}/decline")
    cast.until(who, TOPUP, node=late, wanted="FAILED")
    closed(cast, who, user_id)
    assert to.ask(who, TOPUP, id=topup)["node"]["status"] == "REFUNDED"
    assert to.ask(who, WALLET)["wallet"] == {"available": "0", "promo": "0", "held": "0"}
    assert to.refuse(who, "closureCancel", confirm=True)["code"] == "ACCOUNT_CLOSED"
    mine = [each for each in to.ask(who, EVENTS)["userEvents"]["nodes"] if each["kind"] == "CLOSURE_CHANGED"]
    assert len(mine) >= 3
    assert {each["userId"] for each in mine} == {user_id}
    assert {"userId": user_id, "status": "CLOSED"} in to.ask("finance", STAFF, status="CLOSED")["closures"]["nodes"]
    to.control(f"payments/{late}/pay")  # after all
    cast.until(who, TOPUP, node=late, wanted="REFUNDED")
    assert to.ask(who, WALLET)["wallet"] == {"available": "0", "promo": "0", "held": "0"}
    assert closure_of(cast, who)["status"] == "CLOSED"
    assert to.do(who, "erasureRequest", "erasure { status }", confirm=True)["erasure"]["status"] == "WAITING"
    verify(cast)


def test_what_is_begun_while_an_account_closes_is_refused_or_ends(cast: Cast) -> None:
    to, who = cast.deployment, "hasty_fan"
    user_id = to.register(who)
    topup = cast.buy(who, coins=5_000)
    acts: list[tuple[str, str, dict[str, object]]] = [
        ("orderPlace", "order { id }", cast.wish()),
        ("giftSend", "gift { id }", cast.present()),
        ("closureRequest", "closure { status }", {"confirm": True}),
    ] * 3
    given = [(name, shape, to.with_key(name, wish)) for name, shape, wish in acts]
    with ThreadPoolExecutor(len(given)) as threads:
        answers = list(threads.map(lambda act: to.submit(who, act[0], act[1], **act[2]), given))
    codes = {each["code"] for answer in answers for each in answer.value["errors"]}
    assert codes <= {"ACCOUNT_CLOSED"}
    made = [found["id"] for answer in answers if (found := answer.value.get("order")) is not None]
    gifts = sum(answer.value.get("gift") is not None for answer in answers)
    closed(cast, who, user_id)
    assert set(statuses(cast, *made)) <= {"CANCELLED"}
    assert to.ask(who, WALLET)["wallet"] == {"available": "0", "promo": "0", "held": "0"}
    back = to.ask(who, WITHDRAWN, id=topup)["node"]["withdrawals"]
    assert sum(int(each["coins"]) for each in back) == 5_000 - gifts, "whatever was not given away"
    verify(cast)


def business(cast: Cast, who: str) -> tuple[str, str, str, str]:
    """A creator with an order that is screened, one that is filmed, and a gift: the profile, the offer, both orders."""
    to = cast.deployment
    creator_id, offer = cast.profile(who, "leaving.star"), cast.offer(who)
    screened, made = (to.do("fan", "orderPlace", SHAPE, **cast.wish(offerId=offer))["order"]["id"] for _ in range(2))
    to.do("moderator", "orderScreenPass", SHAPE, orderId=made)
    to.do(who, "orderAccept", SHAPE, orderId=made)
    video = cast.video(made)
    to.do(who, "orderDeliver", SHAPE, orderId=made, videoId=video, note="She says it with a smile.")
    to.do("fan", "giftSend", "gift { id }", **(cast.present() | {"creatorId": creator_id}))
    return creator_id, offer, screened, made


def market(cast: Cast, who: str, offer: str) -> dict[str, str]:
    """What a creator has going on beside orders: a campaign of each kind, and somebody in line."""
    to = cast.deployment
    plans = {"campaign": {}, "campaign_proposed": {"feeBasisPoints": 500}}
    made = {
        name: to.do(who, "campaignCreate", "campaign { id }", **cast.plan(offerIds=[offer], **fee))["campaign"]["id"]
        for name, fee in plans.items()
    }
    to.do(who, "creatorPause", "creator { id }")
    made["entry"] = to.do("fan", "waitlistJoin", "entry { id }", offerId=offer)["entry"]["id"]
    to.do(who, "creatorOpen", "creator { id }")
    return made


def ended(cast: Cast, left: dict[str, str]) -> None:
    """Campaigns are over and nobody waits any more; the fan is told."""
    to = cast.deployment
    state = "query ($id: ID!) { node(id: $id) { ... on Campaign { state } ... on WaitlistEntry { place: state } } }"
    for name in ("campaign", "campaign_proposed"):
        assert to.ask("admin", state, id=left[name])["node"] == {"state": "ENDED"}
    assert to.ask("fan", state, id=left["entry"])["node"] == {"place": "LEFT"}
    document = """query ($id: ID!) {
      waitlistEvents(waitlistEntryId: $id, first: 9) { nodes { ... on WaitlistChangedEvent { state } } } }"""
    told = to.ask("fan", document, id=left["entry"])["waitlistEvents"]["nodes"]
    assert told[-1] == {"state": "LEFT"}


def refused(cast: Cast, who: str, creator_id: str, offer: str) -> None:
    """Nobody reaches a creator who leaves, and they put nothing on the market."""
    to = cast.deployment
    shown = to.ask("fan", "{ creators(first: 100) { nodes { id } } }")["creators"]["nodes"]
    assert creator_id not in {each["id"] for each in shown}
    assert to.refuse("fan", "orderPlace", **cast.wish(offerId=offer))["__typename"] == "CreatorUnavailableError"
    assert to.refuse("fan", "waitlistJoin", offerId=offer)["__typename"] == "CreatorUnavailableError"
    assert to.refuse("fan", "giftSend", **(cast.present() | {"creatorId": creator_id}))["code"] == "GIFTS_OFF"
    market: dict[str, dict[str, object]] = {
        "creatorOpen": {},
        "creatorUpdate": {"takesGifts": True},
        "offerActivate": {"offerId": offer},
        "campaignCreate": cast.plan(offerIds=[offer]),
    }
    for mutation, given in market.items():
        assert to.refuse(who, mutation, **given)["code"] == "ACCOUNT_CLOSED", mutation


def test_a_creator_who_leaves_vanishes_and_is_paid_for_the_last_time(cast: Cast) -> None:
    to, who = cast.deployment, "leaving_star"
    user_id = to.register(who)
    creator_id, offer, screened, made = business(cast, who)
    left = market(cast, who, offer)
    to.do(who, "closureRequest", CLOSURE, confirm=True)
    assert statuses(cast, screened, made) == ["CANCELLED", "IN_REVIEW"]
    refused(cast, who, creator_id, offer)
    to.do("moderator", "orderReviewPass", SHAPE, orderId=made)
    to.do("fan", "orderConfirm", SHAPE, orderId=made)
    for _ in range(2):  # what matures meanwhile is seen at the next look
        steps = look(cast, who, user_id)
    ended(cast, left)
    assert to.refuse(who, "waitlistJoin", offerId=cast.ids["resting_offer"])["code"] == "ACCOUNT_CLOSED"
    assert steps["PAYOUT"] == ("BLOCKED", ("NO_RECIPIENT",))
    assert to.refuse(who, "closureCancel", confirm=True)["code"] == "CLOSURE_UNDERWAY"
    hindered = to.submit(who, "erasureRequest", "__typename", confirm=True).value["errors"]
    assert "EARNINGS" in {each["code"] for each in hindered}
    cast.recipient(who)
    steps = look(cast, who, user_id)
    assert steps["PAYOUT"][1] in {("OPEN_PAYOUTS",), ("PAYOUT_HELD",)}
    payout = to.ask(who, "{ payouts(first: 1) { nodes { id status } } }")["payouts"]["nodes"][0]
    if payout["status"] in {"HELD", "REQUESTED"}:
        to.do("finance", "payoutApprove", "payout { id }", payoutId=payout["id"])
    cast.until(who, PAYOUT, node=payout["id"], wanted="PAID")
    closed(cast, who, user_id)
    assert to.ask(who, "{ earnings { available { coins } pending { coins } } }")["earnings"] == {
        "available": {"coins": "0"},
        "pending": {"coins": "0"},
    }
    verify(cast)


def blocks(cast: Cast, who: str, key: str) -> list[tuple[str, str, bool]]:
    """What stands in the way of a step: the code, the remedy, and whether it is known until when."""
    (step,) = (each for each in closure_of(cast, who)["steps"] if each["key"] == key)
    assert all(each["message"] for each in step["blockedBy"])
    return [(each["code"], each["remedy"], each["until"] is not None) for each in step["blockedBy"]]


def test_what_is_owed_locked_or_not_given_back_has_a_name_and_a_remedy(cast: Cast) -> None:
    to, who = cast.deployment, "unlucky_fan"
    user_id = ids.UserId(to.register(who))
    topup = cast.buy(who, coins=70)
    giving.owe(to, user_id, 5)
    to.do(who, "closureRequest", CLOSURE, confirm=True)
    steps = look(cast, who, user_id)
    assert (steps["DEBT"], steps["COINS"]) == (("BLOCKED", ("DEBT",)), ("WAITING", ("REVOCABLE",)))
    assert blocks(cast, who, "DEBT") == [("DEBT", "BUY_COINS", False)]
    to.write(lambda tx: wallets.lock(tx, user_id, reason=LockReason.DISPUTE, topup_id=ids.TopupId(topup)))
    wish = {"userId": user_id, "coins": "5", "evidence": "The card was stolen."}
    asked = to.do("finance", "debtWriteOffPropose", "writeOff { id }", **wish)["writeOff"]["id"]
    to.do("admin", "debtWriteOffConfirm", "writeOff { id }", writeOffId=asked)
    steps = look(cast, who, user_id)
    assert (steps["DEBT"], steps["COINS"]) == (("DONE", ()), ("BLOCKED", ("WALLET_LOCKED",)))
    assert blocks(cast, who, "COINS") == [("WALLET_LOCKED", "ASK_SUPPORT", False)]
    to.do("admin", "walletUnlock", "wallet { id }", userId=user_id)
    closed(cast, who, user_id)
    assert to.ask(who, TOPUP, id=topup)["node"]["status"] == "REFUNDED"
    to.control(f"payments/{topup}/fail-refund")  # after all
    cast.until(who, TOPUP, node=topup, wanted="PAID")
    assert look(cast, who, user_id)["COINS"] == ("CLAIM", ("REFUND_REFUSED",))
    assert blocks(cast, who, "COINS") == [("REFUND_REFUSED", "ASK_SUPPORT", False)]
    assert closure_of(cast, who)["status"] == "CLOSED"
    assert to.ask(who, WALLET)["wallet"] == {"available": "70", "promo": "0", "held": "0"}, "they stay their owner's"
    verify(cast)


def test_what_is_owed_can_be_bought_while_the_account_closes(cast: Cast) -> None:
    to, who = cast.deployment, "honest_fan"
    user_id = ids.UserId(to.register(who))
    giving.owe(to, user_id, 70)
    to.do(who, "closureRequest", CLOSURE, confirm=True)
    assert look(cast, who, user_id)["DEBT"] == ("BLOCKED", ("DEBT",))
    more = to.refuse(who, "topUpCreate", buy={"coins": "71"}, **PURCHASE)
    assert (more["code"], more["limit"]) == ("CLOSING_DEBT", "70")
    card = to.refuse(who, "topUpCreate", buy={"coins": "70"}, asGiftCard={}, **PURCHASE)
    assert card["code"] == "ACCOUNT_CLOSED"
    topup = cast.buy(who, coins=70)
    assert look(cast, who, user_id)["DEBT"] == ("DONE", ())
    assert to.refuse(who, "topUpCreate", buy={"coins": "70"}, **PURCHASE)["code"] == "ACCOUNT_CLOSED", "nothing is owed"
    closed(cast, who, user_id)
    assert to.ask(who, WITHDRAWN, id=topup)["node"] == {"withdrawals": []}, "it paid the debt"
    verify(cast)


def earner(cast: Cast, who: str, gifts: int) -> str:
    """A creator who was given so many of the cheapest sticker, and says where money goes. Gives their user."""
    to = cast.deployment
    user_id = to.register(who)
    given = {"creatorId": cast.profile(who, who.replace("_", ".")), "quantity": gifts, "expectedPrice": str(gifts)}
    to.do("fan", "giftSend", "gift { id }", **(cast.present() | given))
    cast.recipient(who)
    to.do(who, "closureRequest", CLOSURE, confirm=True)
    return user_id


def test_a_last_payout_that_fails_is_asked_for_again_and_what_is_too_little_stays(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    to, who = cast.deployment, "unpaid_star"
    user_id = earner(cast, who, 90)
    for _ in range(2):
        steps = look(cast, who, user_id)
    assert steps["PAYOUT"][1] in {("OPEN_PAYOUTS",), ("PAYOUT_HELD",)}
    (payout,) = to.ask(who, "{ payouts(first: 9) { nodes { id coins } } }")["payouts"]["nodes"]
    to.do("finance", "payoutDeny", "payout { id }", payoutId=payout["id"], note="The account is another's.")
    assert look(cast, who, user_id)["PAYOUT"] == ("WAITING", ("PAYOUT_FAILED",))
    assert blocks(cast, who, "PAYOUT") == [("PAYOUT_FAILED", "WAIT", True)]
    again = {"coins": payout["coins"], "recipientId": cast.recipient(who)}
    second = to.do(who, "payoutRequest", "payout { id status }", **again)["payout"]
    if second["status"] in {"HELD", "REQUESTED"}:
        to.do("finance", "payoutApprove", "payout { id }", payoutId=second["id"])
    cast.until(who, PAYOUT, node=second["id"], wanted="PAID")
    closed(cast, who, user_id)
    poor, way = "poor_star", to.app.tools.providers.payouts["sandbox-payouts"]
    monkeypatch.setattr(way, "caps", replace(way.caps, limits={"EUR": (100, 1_000_000)}))
    closed(cast, poor, earner(cast, poor, 2))
    assert blocks(cast, poor, "PAYOUT") == [("BELOW_MINIMUM", "ASK_SUPPORT", False)]
    left = to.ask(poor, "{ earnings { available { coins } } payouts(first: 1) { nodes { id } } }")
    assert int(left["earnings"]["available"]["coins"]) > 0, "it stays its owner's"
    assert left["payouts"]["nodes"] == []
    verify(cast)
