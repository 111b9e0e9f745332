"""Corrections of the books: two people, accounts that no other rows tell of, debts at par."""

from typing import Any

from tests.api import giving
from tests.api.cast import Cast
from tests.api.test_adjustments import verify

SHAPE = """ledgerAdjustment { id status caseReference decidedBy legs { debit credit amount } } replayed"""
LIST = """query ($after: String) { ledgerAdjustments(status: DONE, first: 1, after: $after) {
  nodes { id status proposedBy decidedBy } } }"""


def leg(debit: str, credit: str, amount: int = 1) -> dict[str, str]:
    return {"debit": debit, "credit": credit, "amount": str(amount)}


def wish(*legs: dict[str, str]) -> dict[str, Any]:
    return {"reason": "The bank's letter of May.", "caseReference": "CASE-7", "legs": list(legs)}


def test_a_correction_needs_two_people_and_is_in_the_books_at_once(cast: Cast) -> None:
    to, user_id = cast.deployment, cast.deployment.register("forgiven")
    giving.owe(to, user_id, 30)
    debt = f"user:{user_id}:debt"
    legs = (leg("mint", debt, 30), leg("exp:chargeback:EUR", "recv:users:EUR", 3_000))
    made = to.do("finance", "ledgerAdjustPropose", SHAPE, **wish(*legs))["ledgerAdjustment"]
    assert (made["status"], made["decidedBy"], made["legs"]) == ("PROPOSED", None, list(legs))
    own = to.refuse("finance", "ledgerAdjustConfirm", ledgerAdjustmentId=made["id"])
    assert (own["__typename"], own["code"]) == ("ForbiddenError", "SECOND_PERSON")
    asked = to.with_key("ledgerAdjustConfirm", {"ledgerAdjustmentId": made["id"]})
    for replayed in (False, True):
        done = to.do("admin", "ledgerAdjustConfirm", SHAPE, **asked)
        assert (done["ledgerAdjustment"]["status"], done["replayed"]) == ("DONE", replayed)
    late = to.refuse("admin", "ledgerAdjustReject", ledgerAdjustmentId=made["id"])
    assert late["code"] == "ADJUSTMENT_STATE"
    (told,) = to.ask("finance", LIST)["ledgerAdjustments"]["nodes"]
    assert told["id"] == made["id"]
    assert told["proposedBy"] != told["decidedBy"]
    verify(cast)


def test_a_correction_of_more_than_is_owed_and_one_that_was_rejected_move_nothing(cast: Cast) -> None:
    to, user_id = cast.deployment, cast.deployment.register("owes_little")
    giving.owe(to, user_id, 1)
    legs = (leg("mint", f"user:{user_id}:debt", 2), leg("exp:chargeback:EUR", "recv:users:EUR", 200))
    made = to.do("finance", "ledgerAdjustPropose", SHAPE, **wish(*legs))["ledgerAdjustment"]
    given = {"ledgerAdjustmentId": made["id"]}
    assert to.refuse("admin", "ledgerAdjustConfirm", **given)["code"] == "WRITE_OFF_TOO_LARGE"
    assert to.do("finance", "ledgerAdjustReject", SHAPE, **given)["ledgerAdjustment"]["status"] == "REJECTED"
    verify(cast)


def test_coins_that_belong_to_an_object_are_not_corrected_by_hand(cast: Cast) -> None:
    to, fan, order = cast.deployment, cast.ids["fan"], cast.ids["IN_PRODUCTION"]
    creator = cast.ids["creator_profile"]
    refused = {
        "ACCOUNT_NOT_ADJUSTABLE": [
            *(f"user:{fan}:paid", f"user:{fan}:promo", f"order:{order}:coin", f"order:{order}:promo", "pmint"),
            *(f"creator:{creator}:avail", "fee:1", f"cap:{order}", "liab:coins:EUR", "disp:x:EUR", "exp:psp:XXY"),
        ],
        "UNBALANCED": ["exp:psp:EUR", "mint", f"user:{fan}:debt"],
    }
    for code, accounts in refused.items():
        for account in accounts:
            said = to.refuse("finance", "ledgerAdjustPropose", **wish(leg("mint", account)))
            assert said["code"] == code, account
    typo = to.refuse("finance", "ledgerAdjustPropose", **wish(leg("cash:psp:typo:EUR", "cash:bank:EUR")))
    assert typo["code"] == "ACCOUNT_UNKNOWN"
    for wrong in ({"legs": []}, {"legs": [leg("exp:psp:EUR", "cash:bank:EUR", 0)]}, {"caseReference": " "}):
        document = {**wish(leg("exp:psp:EUR", "cash:bank:EUR")), **wrong}
        assert to.refuse("finance", "ledgerAdjustPropose", **document)["__typename"] == "ValidationError"
