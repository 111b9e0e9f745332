"""Coins that lapse: a rule, a notice, what stops it, what comes back; through GraphQL, with a clock that jumps."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import pytest
from tests.api.cast import Cast
from tests.api.deployment import Deployment, open_deployment
from tests.storage.databases import Place

from shoutgraph.domain import accounts, ids, postings
from shoutgraph.domain.ids import NewId
from shoutgraph.domain.ledger import Lot
from shoutgraph.domain.postings import Books, Cash
from shoutgraph.domain.users import SYSTEM
from shoutgraph.services import packages, seeds
from shoutgraph.storage import ledger, ledger_proof
from shoutgraph.storage.tx import Tx

DORMANCY: Final = "dormancy { noticeSentAt lapsesAt coins outcome country }"
WALLET: Final = f"{{ wallet {{ available debt unclaimed {DORMANCY} }} }}"
LINES: Final = "{ wallet { statement(first: 3) { nodes { code words coins } } } }"
WHY: Final = "query ($id: ID) { explainDormancy(userId: $id) { rule policyVersion words outcome { name value } } }"
TOTALS: Final = "{ lapseTotals { outcome lotCount coins returned worth { minorUnits currency } } }"
TOPUP: Final = "query ($id: ID!) { node(id: $id) { ... on TopUp { status } } }"
A_YEAR: Final = timedelta(days=366)


@pytest.fixture(scope="module")
def to(module_place: Place) -> Iterator[Deployment]:
    """A deployment of its own, because its time is moved; its books are proven before and after."""
    with open_deployment(module_place) as deployment:
        deployment.run(packages.load(deployment.app.tools, SYSTEM, seeds.read_prices()))
        deployment.staff("finance", "finance")
        proven(deployment)
        yield deployment
        proven(deployment)


def proven(to: Deployment) -> None:
    to.settle_journal()
    assert to.read(lambda tx: ledger_proof.verify(tx, books=Books("EUR", 100))) == []


def publish(to: Deployment, value: str) -> dict[str, Any]:
    version = to.ask("admin", "{ policy { version } }")["policy"]["version"]
    changes = [{"name": "dormancy", "value": value}]
    return {"expectedVersion": version, "changes": changes, "reason": "As the law of these countries says."}


def pass_by(to: Deployment, by: timedelta) -> None:
    to.do("admin", "testClockAdvance", "now", seconds=int(by.total_seconds()))
    to.settle()


def wallet(to: Deployment, who: str) -> dict[str, Any]:
    found: dict[str, Any] = to.ask(who, WALLET)["wallet"]
    return found


def totals(to: Deployment) -> dict[str, tuple[int, int, int, int]]:
    found = to.ask("finance", TOTALS)["lapseTotals"]
    return {
        each["outcome"]: (
            each["lotCount"],
            *(int(each[name]) for name in ("coins", "returned")),
            int(each["worth"]["minorUnits"]),
        )
        for each in found
    }


RULES: Final = {
    "DE.income.months": 12,
    "DE.income.notice_days": 30,
    "FR.unclaimed.months": 12,
    "FR.unclaimed.notice_days": 60,
}
PEOPLE: Final = {"ida": "DE", "uma": "FR", "kim": "DE", "foe": "ES", "gus": "FR"}
BUYERS: Final = ("ida", "gus")
"""Whose money goes back in the end."""


def bought(tx: Tx, new_id: NewId, user: str) -> None:
    """What a purchase comes to in the books."""
    user_id, topup_id = ids.UserId(user), ids.TopupId(new_id(ids.TOPUP))
    lot = Lot(new_id(ids.LOT), accounts.paid(user_id).code, user_id, topup_id, 700, 700, 700, "EUR", "DE", tx.now)
    cash = Cash("sandbox", "EUR", 70_000, 70_000)
    ledger.post(tx, postings.topup_succeeded(Books("EUR", 100), ref=topup_id, cash=cash, lot=lot, bonus=None))


def test_coins_lapse_by_the_rule_of_a_country_after_a_notice_that_nobody_answered(to: Deployment) -> None:
    cast = Cast(to)
    users = {who: to.register(who, country) for who, country in PEOPLE.items()}
    paid = {who: cast.buy(who, coins=700) for who in BUYERS}
    for who in ("uma", "kim"):
        to.write(lambda tx, who=who: bought(tx, to.app.tools.new_id, users[who]))  # type: ignore[misc]
    nowhere_is_a_rule(to)
    to.do("admin", "policyPublish", "__typename", **publish(to, json.dumps(RULES)))
    to.settle()
    who_did_nothing_is_told(to, users)
    pass_by(to, timedelta(days=10))
    whoever_does_something_stays(to)
    pass_by(to, timedelta(days=21))
    assert to.settle() == 0, "a repeat finds nothing"
    what_lapsed_is_income(to)
    pass_by(to, timedelta(days=30))
    what_is_unclaimed_comes_back(to)
    money_that_goes_back_undoes_it(cast, paid)


def nowhere_is_a_rule(to: Deployment) -> None:
    for wrong in (
        {"*.income.months": 12},
        {"DE.income.months": 12},
        {"DE.income.months": 3, "DE.income.notice_days": 30},
        {**RULES, "DE.unclaimed.months": 12, "DE.unclaimed.notice_days": 30},
    ):
        assert to.refuse("admin", "policyPublish", **publish(to, json.dumps(wrong)))["code"] == "POLICY_VALUE", wrong
    pass_by(to, A_YEAR)
    assert wallet(to, "ida")["dormancy"] is None
    assert to.ask("ida", WHY)["explainDormancy"]["rule"] == "dormancy.no_rule"


def who_did_nothing_is_told(to: Deployment, users: dict[str, str]) -> None:
    noticed = {who: notice for who in PEOPLE if (notice := wallet(to, who)["dormancy"])}
    assert noticed.keys() == {"ida", "uma", "kim", "gus"}
    assert (noticed["ida"]["coins"], noticed["ida"]["outcome"]) == ("700", "INCOME")
    assert noticed["uma"]["outcome"] == "UNCLAIMED"
    why = to.ask("finance", WHY, id=users["ida"])["explainDormancy"]
    assert why["rule"] == "dormancy.noticed"
    assert any("700 coins lapse at" in sentence for sentence in why["words"])


def whoever_does_something_stays(to: Deployment) -> None:
    kept = to.do("kim", "walletKeep", f"wallet {{ {DORMANCY} }}")
    assert kept["wallet"]["dormancy"] is None
    assert to.ask("kim", WHY)["explainDormancy"]["rule"] == "dormancy.active"
    assert to.refuse("kim", "walletKeep")["code"] == "NOT_DORMANT"
    assert to.refuse("foe", "walletReclaim")["code"] == "NOTHING_UNCLAIMED"


def what_lapsed_is_income(to: Deployment) -> None:
    left = {who: int(wallet(to, who)["available"]) for who in PEOPLE}
    assert left == {**dict.fromkeys(PEOPLE, 700), "ida": 0, "foe": 0}
    assert totals(to) == {"INCOME": (1, 700, 0, 700), "UNCLAIMED": (0, 0, 0, 0)}
    (line, *_) = to.ask("ida", LINES)["wallet"]["statement"]["nodes"]
    assert line == {"code": "PAID_BREAKAGE", "words": "Lapsed: nothing was done here for long", "coins": "-700"}
    assert to.ask("ida", WHY)["explainDormancy"]["rule"] == "dormancy.lapsed"
    proven(to)


def what_is_unclaimed_comes_back(to: Deployment) -> None:
    assert (wallet(to, "uma")["available"], wallet(to, "uma")["unclaimed"]) == ("0", "700")
    assert totals(to)["UNCLAIMED"] == (2, 1_400, 0, 1_400)
    back = to.with_key("walletReclaim", {})
    for replayed in (False, True):
        given = to.do("uma", "walletReclaim", "replayed wallet { available unclaimed }", **back)
        assert (given["replayed"], given["wallet"]) == (replayed, {"available": "700", "unclaimed": "0"})
    assert totals(to)["UNCLAIMED"] == (2, 1_400, 700, 700)
    assert to.ask("uma", LINES)["wallet"]["statement"]["nodes"][0]["code"] == "PAID_BREAKAGE_RETURNED"


def money_that_goes_back_undoes_it(cast: Cast, paid: dict[str, str]) -> None:
    to = cast.deployment
    to.control(f"payments/{paid['ida']}/dispute")
    cast.until("ida", TOPUP, node=paid["ida"], wanted="DISPUTED")
    assert (wallet(to, "ida")["available"], wallet(to, "ida")["debt"]) == ("0", "0"), (
        "nobody owes what they never spent"
    )
    assert totals(to)["INCOME"] == (1, 700, 700, 0)
    to.do("finance", "topUpRefund", "refund { id }", topUpId=paid["gus"], reason="REQUESTED_BY_CUSTOMER")
    cast.until("gus", TOPUP, node=paid["gus"], wanted="REFUNDED")
    assert wallet(to, "gus")["unclaimed"] == "0"
    assert totals(to)["UNCLAIMED"] == (2, 1_400, 1_400, 0)
    proven(to)
