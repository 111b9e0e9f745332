"""What keeps payouts back, as creators and finance see it: tax profiles, new recipients, people, and limits."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.api import giving
from tests.api.cast import CERTIFIED, RULES, Cast
from tests.api.deployment import Deployment, Place, open_deployment

from shoutgraph.domain import ids
from shoutgraph.domain.payout_holds import HOLDS_MAX
from shoutgraph.services import books
from shoutgraph.storage import ledger_proof, policies, tax

HOLDS = "holds { code remedy message until reason holdId }"
PAYOUT = f"query ($id: ID!) {{ node(id: $id) {{ ... on Payout {{ status holdCode note {HOLDS} }} }} }}"
PROFILE = "taxProfile { version legalName taxNumber birthDate registration }"
READ = "query ($id: ID) { taxProfile(creatorId: $id) { version legalName taxNumber birthDate } }"
WAITS = "{ viewer { creator { payoutHolds { code remedy } } } }"


@pytest.fixture(scope="module")
def stage(module_place: Place) -> Iterator[Cast]:
    """A marketplace whose time is moved; at the end its books balance."""
    with open_deployment(module_place) as deployment:
        cast = Cast(deployment)
        cast.introduce()
        yield cast
        assert deployment.read(lambda tx: ledger_proof.verify(tx, books=ledger_proof.Books("EUR", 100))) == []


def earner(stage: Cast, name: str) -> str:
    """A new creator without a tax profile who earned a gift of the dearest sticker; gives the recipient's id."""
    to = stage.deployment
    stage.ids[name] = to.register(name)
    given = {"categories": ["MUSICIAN"], "languages": ["en"], "country": "DE"}
    made = to.do(name, "creatorRegister", "creator { id }", handle=name, name=name.title(), **given)
    stage.ids[f"{name}_profile"] = made["creator"]["id"]
    sticker = {"stickerId": stage.ids["sticker"], "creatorId": made["creator"]["id"]}
    for _ in range(2):
        to.do("fan", "giftSend", "gift { id }", **sticker, quantity=99, expectedPrice="99")
    to.settle()
    return stage.recipient(name)


def asked(to: Deployment, who: str, recipient: str, coins: int = 20) -> str:
    made = to.do(who, "payoutRequest", "payout { id }", coins=str(coins), recipientId=recipient)
    return str(made["payout"]["id"])


def approved(to: Deployment, who: str, recipient: str) -> str:
    """A payout that finance approved, after the jobs ran."""
    payout_id = asked(to, who, recipient)
    to.do("finance", "payoutApprove", "payout { status }", payoutId=payout_id)
    to.settle()
    return payout_id


def seen(to: Deployment, payout_id: str, who: str = "finance") -> dict[str, Any]:
    return dict(to.ask(who, PAYOUT, id=payout_id)["node"])


def codes(to: Deployment, payout_id: str) -> list[str]:
    return [hold["code"] for hold in seen(to, payout_id)["holds"]]


def test_a_payout_waits_for_the_tax_profile_and_then_goes_on_by_itself(stage: Cast) -> None:
    to = stage.deployment
    payout = asked(to, "lyra", earner(stage, "lyra"))
    assert codes(to, payout) == ["TAX_PROFILE"], "the creator sees it before finance decides"
    to.do("finance", "payoutApprove", "payout { status }", payoutId=payout)
    to.settle()
    held = seen(to, payout, "lyra")
    assert (held["status"], held["holdCode"]) == ("HELD", "TAX_PROFILE")
    (hold,) = held["holds"]
    assert (hold["remedy"], hold["until"], hold["reason"]) == ("SET_TAX_PROFILE", None, None)
    assert to.ask("lyra", WAITS)["viewer"]["creator"]["payoutHolds"] == [
        {"code": "TAX_PROFILE", "remedy": "SET_TAX_PROFILE"}
    ]
    wrong = to.refuse("lyra", "taxProfileSet", **(CERTIFIED | {"taxNumber": "1"}))
    assert (wrong["code"], wrong["path"]) == ("TAX_ID", ["input", "taxNumber"])
    made = to.do("lyra", "taxProfileSet", PROFILE, **CERTIFIED)["taxProfile"]
    assert made == {
        "version": 1,
        "legalName": "Nova Example",
        "taxNumber": "36574261809",
        "birthDate": "1990-01-01",
        "registration": None,
    }
    to.settle()
    after = seen(to, payout)
    assert (after["status"] in {"SUBMITTED", "PAID"}, after["holds"]) == (True, [])
    company = dict(CERTIFIED) | {"kind": "COMPANY", "birthDate": None, "registration": "HRB 1", "legalName": "Lyra Ltd"}
    assert to.do("lyra", "taxProfileSet", PROFILE, **company)["taxProfile"]["version"] == 2
    events = "{ userEvents(first: 100) { nodes { ... on UserChangedEvent { kind } } } }"
    told = to.ask("lyra", events)["userEvents"]["nodes"]
    assert [node["kind"] for node in told] == ["TAX_PROFILE_SET"] * 2


def test_a_tax_profile_is_whole_for_its_owner_and_finance_and_masked_for_moderators(stage: Cast) -> None:
    to, of = stage.deployment, stage.ids["creator_profile"]
    whole = {"version": 1, "legalName": "Nova Example", "taxNumber": "36574261809", "birthDate": "1990-01-01"}
    for who in ("creator", "finance", "admin"):
        assert to.ask(who, READ, id=of)["taxProfile"] == whole
    assert to.ask("moderator", READ, id=of)["taxProfile"] == {
        "version": 1,
        "legalName": "•" * 10 + "le",
        "taxNumber": "•" * 9 + "09",
        "birthDate": "•" * 8 + "01",
    }
    assert to.answer("fan", READ, id=of).code == "FORBIDDEN"
    owner = ids.UserId(stage.ids["creator"])
    assert to.read(lambda tx: tax.export_of_user(tx, owner))[0]["tax_id"] == "36574261809"


def test_people_hold_and_release_with_a_reason_and_rules_by_themselves(stage: Cast) -> None:
    to, recipient = stage.deployment, earner(stage, "vega")
    to.do("vega", "taxProfileSet", PROFILE, **CERTIFIED)
    given = {"creatorId": stage.ids["vega_profile"], "reason": "We ask where the coins came from."}
    hold = to.do("finance", "payoutHoldPlace", "hold { holdId }", **given)["hold"]["holdId"]
    payout = approved(to, "vega", recipient)
    held = seen(to, payout, "vega")
    assert (held["status"], held["holds"][0]["code"], held["holds"][0]["reason"]) == ("HELD", "STAFF", given["reason"])
    for who in ("vega", "moderator"):
        assert to.submit(who, "payoutHoldRelease", "__typename", holdId=hold, reason="no").code == "FORBIDDEN"
    released = to.do("finance", "payoutHoldRelease", "hold { releasedAt }", holdId=hold, reason="They told us.")
    assert released["hold"]["releasedAt"]
    assert to.refuse("finance", "payoutHoldRelease", holdId=hold, reason="again")["code"] == "HOLD_OVER"
    to.settle()
    assert seen(to, payout)["status"] in {"SUBMITTED", "PAID"}
    until = to.ask("admin", "{ serverTime }")["serverTime"]
    assert to.refuse("finance", "payoutHoldPlace", **given, until=until)["code"] == "OUT_OF_RANGE"


def test_holds_that_are_over_take_no_places(stage: Cast) -> None:
    to, given = stage.deployment, {"creatorId": stage.ids["other_creator_profile"], "reason": "We look into it."}
    now = datetime.fromisoformat(to.ask("admin", "{ serverTime }")["serverTime"])
    until = (now + timedelta(minutes=30)).isoformat()
    for _ in range(HOLDS_MAX):
        to.do("finance", "payoutHoldPlace", "hold { holdId }", **given, until=until)
    assert to.refuse("finance", "payoutHoldPlace", **given)["code"] == "HOLDS_MAX"
    travel(to, hours=1)
    hold = to.do("finance", "payoutHoldPlace", "hold { holdId }", **given)["hold"]["holdId"]
    to.do("finance", "payoutHoldRelease", "hold { releasedAt }", holdId=hold, reason="All is well.")


def test_a_new_recipient_waits_two_days_and_the_limits_say_how_much_is_left(stage: Cast) -> None:
    to, first = stage.deployment, earner(stage, "mira")
    to.do("mira", "taxProfileSet", PROFILE, **CERTIFIED)
    travel(to, hours=2)
    given = {"providerCode": "sandbox-payouts", "label": "A new one", "ref": "DE00SANDBOX0009"}
    other = to.do("mira", "payoutRecipientCreate", "recipient { id }", **given)["recipient"]["id"]
    payout = approved(to, "mira", other)
    held = seen(to, payout)
    assert (held["status"], held["holds"][0]["code"]) == ("HELD", "RECIPIENT_CHANGED")
    assert held["holds"][0]["until"] is not None
    assert codes(to, asked(to, "mira", first)) == [], "money goes on to where it went before"
    strict = replace(RULES, version=50, payout_week_coins=50, payout_month_coins=60)
    to.write(lambda tx: policies.insert(tx, strict))
    said = to.refuse("mira", "payoutRequest", coins="20", recipientId=first)
    assert (said["code"], said["limit"], said["spent"], said["remaining"]) == ("PAYOUT_WEEK", "50", "40", "10")
    travel(to, hours=49)
    assert seen(to, payout)["status"] in {"SUBMITTED", "PAID"}


EARNED = """{ earnings { pending { coins } available { coins } reserved { coins } heldUntil
  items(first: 1) { nodes { status remaining { coins } reserved { coins } reservedUntil } } } }"""


def test_a_share_of_what_matures_is_kept_in_reserve_and_no_payout_reaches_it(stage: Cast) -> None:
    to = stage.deployment
    earner(stage, "rhea")
    creator = stage.ids["rhea_profile"]
    share = {"creatorId": creator, "reserveBasisPoints": 1_000, "reason": "Many charge-backs."}
    made = to.do("finance", "creatorReserveSet", "reserveBasisPoints", **share)
    assert made["reserveBasisPoints"] == 1_000
    assert (
        to.refuse("finance", "creatorReserveSet", **(share | {"reserveBasisPoints": 10_001}))["code"] == "OUT_OF_RANGE"
    )
    before = int(to.ask("rhea", EARNED)["earnings"]["available"]["coins"])
    given = {"stickerId": stage.ids["sticker"], "creatorId": creator, "quantity": 99, "expectedPrice": "99"}
    to.do("fan", "giftSend", "gift { id }", **given)
    to.settle()
    earned = to.ask("rhea", EARNED)["earnings"]
    (item,) = earned["items"]["nodes"]
    kept = int(item["reserved"]["coins"])
    assert (item["status"], kept) == ("AVAILABLE", int(item["remaining"]["coins"]) // 10)
    assert int(earned["reserved"]["coins"]) == kept
    assert earned["heldUntil"] == item["reservedUntil"]
    free = int(earned["available"]["coins"])
    assert free == before + int(item["remaining"]["coins"]) - kept
    recipient = to.ask("rhea", "{ payoutRecipients { id } }")["payoutRecipients"][0]["id"]
    to.write(lambda tx: policies.insert(tx, replace(RULES, version=60)))
    said = to.refuse("rhea", "payoutRequest", coins=str(free + 1), recipientId=recipient)
    assert (said["code"], said["available"]) == ("INSUFFICIENT_COINS", str(free))
    asked(to, "rhea", recipient, free)
    travel(to, days=31)
    after = to.ask("rhea", EARNED)["earnings"]
    assert (after["available"]["coins"], after["reserved"]["coins"], after["heldUntil"]) == (str(kept), "0", None)
    assert to.do("finance", "creatorReserveSet", "followsPolicy", creatorId=creator, reason="All is well.")[
        "followsPolicy"
    ]


LINES = "{ earnings { statement(first: 12) { nodes { code coins } } } }"
OWES = "{ wallet { debt } }"


def test_a_refund_after_the_hold_takes_what_is_available_then_the_reserve_and_the_rest_is_owed(stage: Cast) -> None:
    to, creator = stage.deployment, stage.ids["creator_profile"]
    to.write(lambda tx: policies.insert(tx, replace(RULES, version=70)))
    share = {"creatorId": creator, "reserveBasisPoints": 4_000, "reason": "Many charge-backs."}
    to.do("finance", "creatorReserveSet", "reserveBasisPoints", **share)
    order = stage.order("COMPLETED")
    to.settle()
    earned = to.ask("creator", EARNED)["earnings"]
    free, kept = (int(earned[name]["coins"]) for name in ("available", "reserved"))
    assert kept == 70, "two fifths of what was earned with it"
    recipient = stage.recipient("creator")
    asked(to, "creator", recipient, free - 5)
    wish = {"orderId": order["id"], "reason": "UNAUTHORISED"}
    assert to.refuse("finance", "orderRefund", **wish)["code"] == "EARNING_MATURED"
    given = to.with_key("orderRefund", wish | {"afterHold": True})
    made, again = (
        to.do("finance", "orderRefund", "adjustment { kind status coins creatorCoins feeCoins } replayed", **given)
        for _ in range(2)
    )
    assert made["adjustment"] == again["adjustment"]
    assert made["adjustment"] == {
        "kind": "REFUND",
        "status": "DONE",
        "coins": "250",
        "creatorCoins": "175",
        "feeCoins": "75",
    }
    earned = to.ask("creator", EARNED)["earnings"]
    assert (earned["available"]["coins"], earned["reserved"]["coins"]) == ("0", "0")
    assert to.ask("creator", OWES)["wallet"]["debt"] == "100", "five were free, and seventy in reserve"
    told = {
        line["code"]: line["coins"] for line in reversed(to.ask("creator", LINES)["earnings"]["statement"]["nodes"])
    }
    assert (told["AVAILABLE_ORDER_REFUNDED"], told["RESERVE_ORDER_REFUNDED"]) == ("-5", "-70")
    travel(to, days=31)
    assert to.ask("creator", EARNED)["earnings"]["reserved"]["coins"] == "0", "nothing is released that was drawn"
    before = int(to.ask("creator", EARNED)["earnings"]["available"]["coins"])
    stage.order("COMPLETED")
    to.settle()
    earned = to.ask("creator", EARNED)["earnings"]
    assert to.ask("creator", OWES)["wallet"]["debt"] == "0", "what matures pays what is owed"
    assert (int(earned["available"]["coins"]) - before, earned["reserved"]["coins"]) == (45, "30")


def test_what_comes_back_or_is_released_pays_what_is_owed_before_it_can_be_paid_out(stage: Cast) -> None:
    to = stage.deployment
    to.write(lambda tx: policies.insert(tx, replace(RULES, version=80)))
    recipient, creator, user = earner(stage, "iris"), stage.ids["iris_profile"], stage.ids["iris"]
    share = {"creatorId": creator, "reserveBasisPoints": 5_000, "reason": "Many charge-backs."}
    to.do("finance", "creatorReserveSet", "reserveBasisPoints", **share)
    given = {"stickerId": stage.ids["sticker"], "creatorId": creator, "quantity": 99, "expectedPrice": "99"}
    to.do("fan", "giftSend", "gift { id }", **given)
    to.settle()
    earned = to.ask("iris", EARNED)["earnings"]
    free, kept = (int(earned[name]["coins"]) for name in ("available", "reserved"))
    payout = asked(to, "iris", recipient, free)
    giving.owe(to, user, 10)
    to.do("finance", "payoutApprove", "payout { status }", payoutId=payout)
    to.settle()
    assert "DEBT" in codes(to, payout)
    to.do("iris", "payoutCancel", "payout { status }", payoutId=payout)
    earned = to.ask("iris", EARNED)["earnings"]
    assert (to.ask("iris", OWES)["wallet"]["debt"], earned["available"]["coins"]) == ("0", str(free - 10))
    assert "DEBT" not in codes(to, asked(to, "iris", recipient, free - 10))
    giving.owe(to, user, kept + 5)
    travel(to, days=31)
    earned = to.ask("iris", EARNED)["earnings"]
    assert (earned["available"]["coins"], earned["reserved"]["coins"]) == ("0", "0")
    assert to.ask("iris", OWES)["wallet"]["debt"] == "5"
    assert to.read(lambda tx: list(books.prove(tx).violations)) == []


def travel(to: Deployment, **by: int) -> None:
    to.do("admin", "testClockAdvance", "now", seconds=int(timedelta(**by).total_seconds()))
    to.settle()
