"""What is given back after an order's end, and debts: who bears it, who sees it, who decides."""

from typing import Any

from tests.api import giving
from tests.api.cast import PRICE, Cast

from shoutgraph.services import books
from shoutgraph.storage.tx import Tx

ORDER = """query ($id: ID!) { order(id: $id) { status revision refunded adjustments {
  kind status reason coins paidCoins promoCoins creatorCoins feeCoins proposedBy decidedBy note } } }"""
EVENTS = """query ($id: ID!, $after: String) { orderEvents(filter: {orderIds: [$id]}, after: $after, first: 50) {
  nodes { ... on OrderStatusChangedEvent { transition actor orderRevision status previousStatus } } } }"""
GIVEN = "adjustment { id status coins paidCoins promoCoins creatorCoins feeCoins } replayed"
MONEY = """{ wallet { available promo debt statement(first: 4) { nodes { kind coins coin } } } }"""
EARNED = "{ earnings { pending { coins } available { coins } } }"


def of_order(cast: Cast, who: str, order_id: str) -> Any:
    return cast.deployment.ask(who, ORDER, id=order_id)["order"]


def free(cast: Cast) -> int:
    """The fan's coins of both kinds."""
    wallet = cast.deployment.ask("fan", MONEY)["wallet"]
    return int(wallet["available"]) + int(wallet["promo"])


def verify(cast: Cast) -> None:
    def query(tx: Tx) -> list[Any]:
        return list(books.prove(tx).violations)

    assert cast.deployment.read(query) == []


def test_finance_refunds_a_completed_order_while_the_earning_is_pending(cast: Cast) -> None:
    to = cast.deployment
    before, earned = free(cast), to.ask("creator", EARNED)["earnings"]
    order = cast.order("COMPLETED")
    asked = to.with_key("orderRefund", {"orderId": order["id"], "coins": "101", "reason": "QUALITY", "note": "Dark."})
    first, again = (to.do("finance", "orderRefund", GIVEN, **asked) for _ in range(2))
    assert (first["replayed"], again["replayed"]) == (False, True)
    assert first["adjustment"] == again["adjustment"]
    given = first["adjustment"]
    assert (given["status"], given["coins"], given["feeCoins"], given["creatorCoins"]) == ("DONE", "101", "30", "71")
    assert free(cast) == before - PRICE + 101
    after = to.ask("creator", EARNED)["earnings"]
    assert int(after["pending"]["coins"]) == int(earned["pending"]["coins"]) + 175 - 71
    stale = to.refuse("finance", "orderRefund", orderId=order["id"], expectedRevision=order["revision"], reason="LATE")
    assert stale["code"] == "STALE_REVISION"
    large = to.refuse("finance", "orderRefund", orderId=order["id"], coins="150", reason="LATE")
    assert (large["code"], large["path"]) == ("REFUND_TOO_LARGE", ["input", "coins"])
    rest = to.do("finance", "orderRefund", GIVEN, orderId=order["id"], reason="NOT_AS_ORDERED")["adjustment"]
    assert (rest["coins"], rest["creatorCoins"], rest["feeCoins"]) == ("149", "104", "45")
    assert to.refuse("finance", "orderRefund", orderId=order["id"], reason="LATE")["code"] == "REFUND_TOO_LARGE"
    assert free(cast) == before
    assert to.ask("creator", EARNED)["earnings"]["pending"] == earned["pending"]
    seen = of_order(cast, "fan", order["id"])
    assert (seen["status"], seen["refunded"], seen["revision"]) == ("COMPLETED", str(PRICE), order["revision"] + 2)
    assert [each["proposedBy"] for each in seen["adjustments"]] == [None, None]
    assert of_order(cast, "finance", order["id"])["adjustments"][0]["note"] == "Dark."
    told = to.ask("creator", EVENTS, id=order["id"])["orderEvents"]["nodes"][-2:]
    assert [(event["transition"], event["actor"], event["status"]) for event in told] == [
        ("refund", "STAFF", "COMPLETED"),
        ("refund", "STAFF", "COMPLETED"),
    ]
    to.settle()
    verify(cast)


def test_goodwill_takes_two_people_and_nothing_of_the_creator(cast: Cast) -> None:
    to = cast.deployment
    order = cast.order("COMPLETED")
    early = to.refuse("finance", "orderGoodwillPropose", orderId=order["id"], reason="COURTESY")
    assert (early["code"], early["path"]) == ("EARNING_PENDING", ["input", "orderId"])
    to.do("finance", "orderRefund", GIVEN, orderId=order["id"], coins="50", reason="LATE")
    to.settle()
    assert to.refuse("finance", "orderRefund", orderId=order["id"], reason="LATE")["code"] == "EARNING_MATURED"
    before, earned = free(cast), to.ask("creator", EARNED)["earnings"]
    wish = {"orderId": order["id"], "coins": "120", "reason": "COURTESY"}
    proposed = to.do("finance", "orderGoodwillPropose", GIVEN, **wish)["adjustment"]
    assert (proposed["status"], proposed["paidCoins"], free(cast)) == ("PROPOSED", "0", before)
    assert to.refuse("admin", "orderGoodwillPropose", **wish)["code"] == "ADJUSTMENT_STATE"
    own = to.refuse("finance", "orderGoodwillApprove", adjustmentId=proposed["id"])
    assert (own["__typename"], own["code"]) == ("ForbiddenError", "SECOND_PERSON")
    assert len(of_order(cast, "fan", order["id"])["adjustments"]) == 1, "what is proposed is for finance"
    assert len(of_order(cast, "finance", order["id"])["adjustments"]) == 2
    listed = "{ orderAdjustments(first: 1, status: PROPOSED) { nodes { id orderId } } }"
    assert to.ask("finance", listed)["orderAdjustments"]["nodes"] == [{"id": proposed["id"], "orderId": order["id"]}]
    asked = to.with_key("orderGoodwillApprove", {"adjustmentId": proposed["id"]})
    first, again = (to.do("admin", "orderGoodwillApprove", GIVEN, **asked) for _ in range(2))
    assert (first["adjustment"], again["replayed"]) == (again["adjustment"], True)
    done = first["adjustment"]
    assert (done["status"], done["creatorCoins"], done["feeCoins"]) == ("DONE", "0", "0")
    assert int(done["paidCoins"]) + int(done["promoCoins"]) == 120
    assert free(cast) == before + 120
    assert to.ask("creator", EARNED)["earnings"] == earned, "the platform bears it"
    check_the_rest(cast, order["id"], proposed["id"])


def check_the_rest(cast: Cast, order_id: str, done_id: str) -> None:
    """No more than the price goes back, and what is denied moves nothing."""
    to, before = cast.deployment, free(cast)
    wish = {"orderId": order_id, "reason": "COURTESY"}
    assert to.refuse("admin", "orderGoodwillDeny", adjustmentId=done_id)["code"] == "ADJUSTMENT_STATE"
    assert to.refuse("finance", "orderGoodwillPropose", **(wish | {"coins": "81"}))["code"] == "REFUND_TOO_LARGE"
    other = to.do("finance", "orderGoodwillPropose", GIVEN, orderId=order_id, reason="OTHER")["adjustment"]
    assert other["coins"] == "80"
    denied = to.do("finance", "orderGoodwillDeny", GIVEN, adjustmentId=other["id"])["adjustment"]
    assert (denied["status"], free(cast)) == ("DENIED", before)
    told = to.ask("fan", EVENTS, id=order_id)["orderEvents"]["nodes"][-4:]
    names = [event["transition"] for event in told]
    assert names == ["goodwill_propose", "goodwill", "goodwill_propose", "goodwill_deny"]
    assert {(event["status"], event["previousStatus"]) for event in told} == {("COMPLETED", "COMPLETED")}
    verify(cast)


def test_only_what_ended_with_a_video_is_adjusted(cast: Cast) -> None:
    to = cast.deployment
    for mutation in ("orderRefund", "orderGoodwillPropose"):
        refusal = to.refuse("finance", mutation, orderId=cast.ids["IN_PRODUCTION"], reason="LATE")
        assert (refusal["code"], refusal["state"]) == ("ORDER_STATE", "IN_PRODUCTION")
    wrong = {"orderId": cast.ids["COMPLETED"], "coins": "0", "reason": "LATE"}
    assert to.refuse("finance", "orderRefund", **wrong)["code"] == "OUT_OF_RANGE"


def test_a_debt_is_written_off_by_two_people(cast: Cast) -> None:
    to = cast.deployment
    user_id = to.register("late_payer")
    nothing = to.refuse("finance", "debtWriteOffPropose", userId=user_id, evidence="none")
    assert nothing["code"] == "WRITE_OFF_TOO_LARGE"
    giving.owe(to, user_id, 30)
    document = (
        """{ debts(first: 1) { nodes { userId coins worth { minorUnits } lock { reason } proposed { id coins } } } }"""
    )
    (debt,) = to.ask("finance", document)["debts"]["nodes"]
    assert (debt["userId"], debt["coins"], debt["worth"], debt["proposed"]) == (
        user_id,
        "30",
        {"minorUnits": "30"},
        None,
    )
    wish = {"userId": user_id, "coins": "20", "evidence": "The card was stolen: letter of May."}
    made = to.do("finance", "debtWriteOffPropose", "writeOff { id status coins }", **wish)["writeOff"]
    assert to.refuse("finance", "debtWriteOffPropose", **wish)["code"] == "WRITE_OFF_STATE"
    own = to.refuse("finance", "debtWriteOffConfirm", writeOffId=made["id"])
    assert (own["__typename"], own["code"]) == ("ForbiddenError", "SECOND_PERSON")
    asked = to.with_key("debtWriteOffConfirm", {"writeOffId": made["id"]})
    for replayed in (False, True):
        done = to.do("admin", "debtWriteOffConfirm", "writeOff { status decidedBy } replayed", **asked)
        assert (done["writeOff"]["status"], done["replayed"]) == ("DONE", replayed)
    assert to.ask("late_payer", "{ wallet { debt } }")["wallet"]["debt"] == "10"
    rest = to.do("finance", "debtWriteOffPropose", "writeOff { id coins }", userId=user_id, evidence="the rest")
    assert rest["writeOff"]["coins"] == "10"
    given = {"writeOffId": rest["writeOff"]["id"]}
    assert to.do("admin", "debtWriteOffReject", "writeOff { status }", **given)["writeOff"]["status"] == "DENIED"
    lines = to.ask("late_payer", MONEY)["wallet"]["statement"]["nodes"]
    assert [(line["kind"], line["coins"], line["coin"]) for line in lines] == [
        ("debt.written_off", "20", "DEBT"),
        ("dispute.opened", "-30", "DEBT"),
    ]
    verify(cast)
