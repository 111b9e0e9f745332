"""Files that never go to the bank: no earnings go back by a word, and what went back does not go out by a file."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.api.filerail import Rail
from tests.api.finance import Finance, open_finance
from tests.storage.databases import Place

from shoutgraph.domain import ids
from shoutgraph.domain.resolutions import Verdict
from shoutgraph.services.payouts import by_hand
from shoutgraph.storage import payouts

NOTHING = {"pending": "0", "available": "0", "inPayout": "0", "paid": "0"}


@pytest.fixture
def finance(place: Place) -> Iterator[Finance]:
    with open_finance(place, Rail()) as finance:
        yield finance


@pytest.fixture
def sure(place: Place) -> Iterator[Finance]:
    """A rail that can be asked, and says of everything that it is not there."""
    with open_finance(place, Rail(sure=True)) as finance:
        yield finance


def exported(finance: Finance) -> tuple[str, Any]:
    payout = finance.approved(1_000)
    finance.tick()
    return payout, finance.batch()


def discard(finance: Finance, batch_id: str) -> Any:
    return finance.do(finance.staff, "payoutBatchDiscard", "batch { id status alarm }", batchId=batch_id)


def settle(finance: Finance, payout_id: str, verdict: Verdict) -> None:
    """What two people agreed upon."""
    finance.world.write(lambda tx: by_hand.follow_payout(finance.world.tools, tx, payout_id, verdict))


def doubt(finance: Finance, payout_id: str) -> None:
    """A hint has somebody look at a payout whose file nobody has handed over."""
    finance.world.clock.move(minutes=5)
    finance.world.write(lambda tx: payouts.look_soon(tx, ids.PayoutId(payout_id)))
    finance.tick(seconds=1)


def code_of(payload: Any) -> str:
    assert payload["batch"] is None
    return str(payload["errors"][0]["code"])


def test_what_is_discarded_waits_for_two_people_and_goes_nowhere(finance: Finance) -> None:
    payout, batch = exported(finance)
    done = discard(finance, batch["id"])
    assert (done["errors"], done["batch"]["status"], done["batch"]["alarm"]) == ([], "EXPORTED", "DISCARDED")
    assert finance.payout(payout)["status"] == "UNKNOWN"
    assert finance.balance() == NOTHING | {"inPayout": "1000"}
    assert code_of(finance.hand_over(batch["id"])) == "BATCH_ALARM"
    assert code_of(discard(finance, batch["id"])) == "BATCH_STATE"
    finance.tick(days=9)
    assert (finance.payout(payout)["status"], finance.rail.calls) == ("UNKNOWN", ["submit 1"])
    told = [(kind, body["by"]) for kind, body in finance.told(batch["id"])]
    assert told == [("payout_batch.discarded", "staff:finance")]
    settle(finance, payout, Verdict.NOT_EXECUTED)
    assert finance.balance() == NOTHING | {"available": "1000"}


def test_a_bank_that_has_a_discarded_file_is_believed(finance: Finance) -> None:
    payout, batch = exported(finance)
    finance.hand_over(batch["id"])
    assert discard(finance, batch["id"])["errors"] == []
    finance.state(f"paid {finance.key_of(payout)} 1000")
    assert (finance.payout(payout)["status"], finance.batch()["status"]) == ("PAID", "SUBMITTED")
    assert finance.balance() == NOTHING | {"paid": "1000"}
    assert code_of(discard(finance, batch["id"])) == "BATCH_STATE"


def test_a_file_of_earnings_that_went_back_is_not_handed_over(finance: Finance) -> None:
    payout, batch = exported(finance)
    doubt(finance, payout)
    assert finance.payout(payout)["status"] == "UNKNOWN"
    settle(finance, payout, Verdict.NOT_EXECUTED)
    assert finance.balance()["available"] == "1000"
    assert code_of(finance.hand_over(batch["id"])) == "BATCH_STATE"
    assert discard(finance, batch["id"])["errors"] == []


def test_nothing_goes_back_while_its_file_may_still_go_to_the_bank(sure: Finance) -> None:
    payout, batch = exported(sure)
    doubt(sure, payout)
    for _ in range(3):
        sure.tick(hours=7)
    assert sure.payout(payout)["status"] == "UNKNOWN"
    assert sure.balance() == NOTHING | {"inPayout": "1000"}
    assert sure.hand_over(batch["id"])["errors"] == []
    sure.state(f"paid {sure.key_of(payout)} 1000")
    assert sure.balance() == NOTHING | {"paid": "1000"}
