"""Explanations through the front door: the figures of the quote, the order and the payout, and where it is written."""

import re
from pathlib import Path
from typing import Any

from tests.api.cast import Cast

SHAPE = "rule source policyVersion inputs { name value unit } outcome { name value unit } words"
PRICE = f"""query ($id: ID!) {{
  explainPrice(offerId: $id, country: "DE", currency: "EUR", express: true) {{ {SHAPE} }}
  quote(offerId: $id, country: "DE", currency: "EUR", express: true) {{ total missingCoins acceptSeconds deliverySeconds
    split {{ fee earning }} money {{ minorUnits }} policy {{ version }} }} }}"""
ORDER = f"""query ($id: ID!) {{
  explainRefund(orderId: $id) {{ {SHAPE} }}
  explainDeadline(orderId: $id) {{ {SHAPE} }}
  order(id: $id) {{ refunded price deadlines {{ transition dueAt remainingSeconds returnsCoins }} }} }}"""
ENDED = f"query ($id: ID!) {{ explainRefund(orderId: $id) {{ {SHAPE} }} order(id: $id) {{ refunded closeReason }} }}"
HOLDS = (
    f"query ($payout: ID, $creator: ID) {{ explainPayoutHold(payoutId: $payout, creatorId: $creator) {{ {SHAPE} }} }}"
)
DOCS = Path(__file__).parents[2]


def facts(found: dict[str, Any]) -> dict[str, str]:
    check_source(found["source"])
    return {fact["name"]: fact["value"] for fact in (*found["inputs"], *found["outcome"])}


def check_source(source: str) -> None:
    """The documents have the section."""
    page, _, section = source.partition("#")
    text = (DOCS / page).read_text()
    titles = {
        re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")
        for title in re.findall("^#+ (.+)$", text, re.MULTILINE)
    }
    assert not section or section in titles, source


def test_a_price_is_explained_by_the_figures_of_the_quote(cast: Cast) -> None:
    found = cast.deployment.ask("other_creator", PRICE, id=cast.ids["creator_offer"])
    told, quote = facts(found["explainPrice"]), found["quote"]
    assert found["explainPrice"]["policyVersion"] == quote["policy"]["version"]
    purse = cast.deployment.ask("other_creator", "{ wallet { available promo } }")["wallet"]
    missing = 300 - int(purse["available"]) - int(purse["promo"])
    assert (told["total"], told["missing"]) == (quote["total"], quote["missingCoins"]) == ("300", str(missing))
    assert (told["fee"], told["earning"]) == (quote["split"]["fee"], quote["split"]["earning"])
    assert told["money"] == quote["money"]["minorUnits"]
    assert (told["accept"], told["delivery"]) == (str(quote["acceptSeconds"]), str(quote["deliverySeconds"]))
    assert found["explainPrice"]["words"][:2] == [
        "The creator's price is 250 coins.",
        "A fast delivery costs 50 coins more.",
    ]


def test_an_order_is_explained_as_it_shows_itself(cast: Cast) -> None:
    to, open_id = cast.deployment, cast.order("IN_PRODUCTION")["id"]
    found = to.ask("fan", ORDER, id=open_id)
    (due,) = found["order"]["deadlines"]
    when, then = facts(found["explainDeadline"]), facts(found["explainRefund"])
    assert found["explainDeadline"]["rule"] == f"deadline.{due['transition']}"
    assert (when["dueAt"][:19], due["returnsCoins"]) == (due["dueAt"][:19], True)
    assert abs(int(when["remaining"]) - due["remainingSeconds"]) <= 1
    assert when["refund"] == then["refund"] == found["order"]["price"]
    other = to.answer("fan", 'query ($id: ID!) { explainDeadline(orderId: $id, kind: "abandon") { rule } }', id=open_id)
    assert other.code == "NOT_FOUND"
    split = cast.order("SPLIT")["id"]
    ended = to.ask("creator", ENDED, id=split)
    assert ended["explainRefund"]["rule"] == "refund.dispute_split"
    assert facts(ended["explainRefund"])["refund"] == ended["order"]["refunded"] == "10"
    assert facts(ended["explainRefund"])["earning"] == "168"


def test_what_holds_money_back_is_told_with_what_ends_it(cast: Cast) -> None:
    to, payout = cast.deployment, cast.payout()["id"]

    def rules(who: str = "creator", **variables: object) -> list[dict[str, Any]]:
        found = to.ask(who, HOLDS, **variables)["explainPayoutHold"]
        for each in found:
            facts(each)
        return list(found)

    assert [each["rule"] for each in rules(payout=payout)] == ["payout.awaits_finance"]
    to.do("finance", "payoutHold", "payout { id }", payoutId=payout, code="IDENTITY", note="Who are you?")
    (held,) = rules("finance", payout=payout)
    assert (held["rule"], facts(held)["note"]) == ("payout.held.IDENTITY", "Who are you?")
    limits = next(each for each in rules() if each["rule"] == "payout.limits")
    most = int(facts(limits)["most"])
    wish = {"recipientId": cast.ids["creator_recipient"]}
    assert to.refuse("creator", "payoutRequest", coins=str(most + 1), **wish)["code"] in {
        "INSUFFICIENT_COINS",
        "PAYOUT_DAY",
    }
    to.do("creator", "payoutRequest", "payout { id }", coins=str(most), **wish)
    after = next(each for each in rules(creator=cast.ids["creator_profile"]) if each["rule"] == "payout.limits")
    assert facts(after)["most"] == "0"
    both = to.answer("creator", HOLDS, payout=payout, creator=cast.ids["creator_profile"])
    assert both.code == "BAD_USER_INPUT"
    whose = cast.ids["creator_profile"]
    held = to.do("finance", "payoutHoldPlace", "hold { holdId }", creatorId=whose, reason="A letter")["hold"]
    (staff,) = [each for each in rules() if each["rule"] == "payout.would_wait.STAFF"]
    assert facts(staff) == {"reason": "A letter", "remedy": "CONTACT_SUPPORT"}
    to.do("finance", "payoutHoldRelease", "hold { holdId }", holdId=held["holdId"], reason="Answered")
    assert not [each for each in rules() if each["rule"] == "payout.would_wait.STAFF"]
    rule = {"feature": "PAYOUTS", "reason": "A test"}
    to.do("admin", "featureRuleSet", "replayed", enabled=False, **rule)
    assert {"rule": "payout.feature_off", "reason": "SWITCHED_OFF"} in [
        {"rule": each["rule"], "reason": facts(each).get("reason")} for each in rules()
    ]
    to.do("admin", "featureRuleRemove", "replayed", **rule)
