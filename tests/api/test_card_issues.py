"""Gift cards that the platform gives away: two people, a budget, codes that are shown once, and granted coins."""

import csv
from datetime import timedelta
from typing import Any

from tests.api import giving
from tests.api.cast import Cast
from tests.api.test_gift_cards import proven, someone, wallet

from shoutgraph.domain.policies import Policy
from shoutgraph.storage import policies
from shoutgraph.storage.tx import Tx

SHAPE = "giftCardIssue { id status coins cardCount decidedBy } csv"
OF_ISSUE = "query ($id: ID!) { giftCardsOfIssue(giftCardIssueId: $id, first: 5) { nodes { id status origin } } }"
TRAIL = '{ auditTrail(first: 1, filter: {action: "%s"}) { nodes { action reason changes { field after } } } }'


def proposed(cast: Cast, **changes: object) -> str:
    made = cast.deployment.do("finance", "giftCardIssuePropose", "giftCardIssue { id }", **issue(cast, **changes))
    return str(made["giftCardIssue"]["id"])


def issue(cast: Cast, **changes: object) -> dict[str, object]:
    return giving.issue(cast.deployment) | changes


def confirmed(cast: Cast, of: str) -> list[dict[str, str]]:
    """Confirms a proposal; gives the rows of its file."""
    made = cast.deployment.do("admin", "giftCardIssueConfirm", SHAPE, giftCardIssueId=of)
    return list(csv.DictReader(made["csv"].splitlines()))


def statuses(cast: Cast, of: str) -> list[str]:
    found = cast.deployment.ask("finance", OF_ISSUE, id=of)["giftCardsOfIssue"]["nodes"]
    assert {card["origin"] for card in found} <= {"ISSUED"}
    return sorted(card["status"] for card in found)


def test_cards_are_issued_by_two_people_and_redeemed_for_granted_coins_once(cast: Cast) -> None:
    to = cast.deployment
    for name in ("ivy", "jo"):
        someone(cast, name, 0)
    of = proposed(cast)
    assert to.refuse("finance", "giftCardIssueConfirm", giftCardIssueId=of)["code"] == "SECOND_PERSON"
    assert statuses(cast, of) == []
    given = to.with_key("giftCardIssueConfirm", {"giftCardIssueId": of})
    first, again = (to.do("admin", "giftCardIssueConfirm", SHAPE, **given) for _ in range(2))
    assert (first["giftCardIssue"]["status"], again["csv"], again["giftCardIssue"]) == (
        "ISSUED", None, first["giftCardIssue"]
    )  # fmt: skip
    one, two = csv.DictReader(first["csv"].splitlines())
    assert ({*one}, one["coins"]) == ({"giftCardId", "code", "coins", "expiresAt"}, "50")
    assert to.refuse("admin", "giftCardIssueReject", giftCardIssueId=of)["code"] == "CARD_ISSUE_STATE"
    assert statuses(cast, of) == ["OPEN", "OPEN"]

    assert to.do("ivy", "giftCardRedeem", "giftCard { status }", code=one["code"])["giftCard"]["status"] == "REDEEMED"
    assert to.refuse("jo", "giftCardRedeem", code=one["code"])["code"] == "CARD_CODE_INVALID"
    assert wallet(cast, "ivy") == {"available": "0", "debt": "0", "lots": {"nodes": [
        {"kind": "PROMO", "granted": "50", "remaining": "50", "price": None}]}}  # fmt: skip
    for refused in ("giftCardCancel", "giftCardCode"):
        assert to.refuse("ivy", refused, giftCardId=two["giftCardId"])["code"] == "NOT_FOUND"
    to.do(
        "finance", "giftCardVoid", "giftCard { status }", giftCardId=two["giftCardId"], reason="The letter came back."
    )
    assert to.refuse("jo", "giftCardRedeem", code=two["code"])["code"] == "CARD_VOID"
    assert statuses(cast, of) == ["REDEEMED", "VOIDED"]
    assert to.refuse("finance", "giftCardVoid", giftCardId=one["giftCardId"], reason="No.")["code"] == "CARD_STATE"
    (line,) = to.ask("admin", TRAIL % "giftCardVoid")["auditTrail"]["nodes"]
    assert line["reason"] == "The letter came back."
    assert {"field": "state", "after": "VOIDED"} in line["changes"]
    proven(cast)


def test_what_is_given_away_stays_within_the_budget(cast: Cast) -> None:
    to = cast.deployment

    def rule(tx: Tx, **rules: int) -> None:
        now: Any = policies.current(tx)
        values = {name: getattr(now, name) for name in Policy.__slots__} | {"version": now.version + 1} | rules
        policies.insert(tx, Policy(**values))

    before = to.read(policies.current)
    to.write(lambda tx: rule(tx, card_issue_max_coins=100_000, card_issue_month_coins=120_000))
    refused = to.refuse("finance", "giftCardIssuePropose", **issue(cast, coins="101", cardCount=1000))
    assert (refused["__typename"], refused["code"]) == ("LimitExceededError", "CARD_ISSUE_MAX")
    for field, value in (("cardCount", 1001), ("coins", "0"), ("expiresAt", "2020-01-01T00:00:00Z"), ("reason", " ")):
        assert to.refuse("finance", "giftCardIssuePropose", **issue(cast, **{field: value}))["path"] == ["input", field]
    many, more = (proposed(cast, coins="100", cardCount=count) for count in (1000, 900))
    rows = confirmed(cast, many)
    assert len({row["code"] for row in rows}) == 1000
    spent = to.refuse("admin", "giftCardIssueConfirm", giftCardIssueId=more)
    assert (spent["__typename"], spent["code"]) == ("LimitExceededError", "CARD_ISSUE_BUDGET")
    someone(cast, "may", 0)
    to.do("may", "giftCardRedeem", "giftCard { status }", code=rows[7]["code"])
    to.do("finance", "giftCardIssueVoid", "giftCardIssue { id }", giftCardIssueId=many, reason="The file was lost.")
    assert to.refuse("may", "giftCardRedeem", code=rows[8]["code"])["code"] == "CARD_VOID"
    for lowered, code in (({"card_issue_max_coins": 89_999}, "CARD_ISSUE_MAX"), ({"card_max_coins": 99}, "CARD_MAX")):
        to.write(lambda tx, lowered=lowered: rule(tx, **lowered))
        spent = to.refuse("admin", "giftCardIssueConfirm", giftCardIssueId=more)
        assert (spent["code"], spent["path"]) == (code, ["input", "giftCardIssueId"])
    to.do("finance", "giftCardIssueReject", "giftCardIssue { status }", giftCardIssueId=more)
    newest = before.version + 2
    to.write(lambda tx: rule(tx, **{name: getattr(before, name) for name in LIMITS}))
    assert to.read(policies.current).version == newest + 2
    proven(cast)


LIMITS = ("card_issue_max_coins", "card_issue_month_coins", "card_max_coins")


def test_issued_cards_lapse_and_their_coins_end(cast: Cast) -> None:
    to = cast.deployment
    soon = to.read(lambda tx: tx.now) + timedelta(seconds=1)
    (row, _) = confirmed(cast, of := proposed(cast, expiresAt=soon.isoformat()))
    to.do("admin", "testClockAdvance", "now", seconds=2)
    to.settle()
    assert statuses(cast, of) == ["EXPIRED", "EXPIRED"]
    assert to.refuse("fan", "giftCardRedeem", code=row["code"])["code"] == "CARD_CODE_INVALID"
    proven(cast)
