"""What is given back and written off, made behind the API as far as a door needs it."""

from datetime import timedelta

from tests.api.cast import Cast
from tests.api.deployment import Deployment
from tests.api.ledgers import SOMEBODY

from shoutgraph.domain import ids, postings
from shoutgraph.domain.adjustments import OF_ORDER_MAX, Adjustment, AdjustmentReason, AdjustmentState
from shoutgraph.domain.card_issues import Wish
from shoutgraph.domain.corrections import Leg
from shoutgraph.domain.debts import WriteOffState
from shoutgraph.domain.earnings import EarningKind, EarningState
from shoutgraph.domain.money import Money
from shoutgraph.domain.postings import Books, Cash
from shoutgraph.domain.requests import Request
from shoutgraph.domain.suspense import Line, Told
from shoutgraph.services.money import correct, debts, suspense
from shoutgraph.services.orders import adjust
from shoutgraph.services.orders.moves import Turn
from shoutgraph.services.topups import card_issues
from shoutgraph.storage import (
    adjustments,
    debts as debt_rows,
    earnings,
    ledger,
    policies,
    suspending,
    suspense as suspense_rows,
)
from shoutgraph.storage.tx import Tx


def refundable(cast: Cast) -> dict[str, object]:
    """A coin of a completed order whose earning is pending, the same order as long as it is so."""
    known = cast.ids.get("refundable")
    earning = known and cast.deployment.read(lambda tx: earnings.find_of_subject(tx, EarningKind.ORDER, known))
    if not earning or earning.state is not EarningState.PENDING:
        cast.ids["refundable"] = cast.order("COMPLETED")["id"]
    return {"orderId": cast.ids["refundable"], "coins": "1", "reason": "QUALITY"}


def matured(cast: Cast) -> dict[str, object]:
    """A coin of a completed order whose earning is available, nothing proposed about it."""
    order_id = adjustable(cast)
    if (open_ := _open_goodwill(cast.deployment, order_id)) is not None:
        cast.deployment.run(adjust.deny(cast.deployment.app.tools, SOMEBODY, _asked(cast.deployment), open_.id))
    return {"orderId": order_id, "coins": "1", "reason": "COURTESY"}


def goodwill(cast: Cast) -> dict[str, object]:
    """Goodwill that somebody proposed."""
    return {"adjustmentId": proposed_goodwill(cast.deployment, adjustable(cast))}


def adjustable(cast: Cast) -> str:
    """A completed order whose earning is available, the same one until it has had all its adjustments."""
    to, known = cast.deployment, cast.ids.get("adjustable")
    if known is None or to.read(lambda tx: len(adjustments.list_of_order(tx, known))) >= OF_ORDER_MAX:
        cast.ids["adjustable"] = cast.order("COMPLETED")["id"]
        to.settle()
    return cast.ids["adjustable"]


def proposed_goodwill(to: Deployment, order_id: str) -> str:
    """What somebody proposed to give back of an order."""
    if (open_ := _open_goodwill(to, order_id)) is not None:
        if open_.proposed_by == SOMEBODY.principal:
            return open_.id
        to.run(adjust.deny(to.app.tools, SOMEBODY, _asked(to), open_.id))
    wish = adjust.Wish(AdjustmentReason.COURTESY, 1, "A word")
    made = to.run(adjust.propose(to.app.tools, SOMEBODY, _asked(to), Turn(order_id), wish))
    return made.value.id


def owe(to: Deployment, user_id: str, coins: int = 5) -> None:
    """Has somebody owe coins, as after a charge-back of spent ones."""

    def work(tx: Tx) -> None:
        policy = policies.current(tx)
        books, ref = Books(policy.book_currency, policy.par_units), to.app.tools.new_id(ids.DISPUTE)
        cash = Cash("sandbox", policy.book_currency, 0, 0)
        owed = postings.dispute_opened(
            books, user_id=ids.UserId(user_id), ref=ref, taken=(), owed_coins=coins, cash=cash
        )
        ledger.post(tx, owed)

    to.write(work)


def debtor(cast: Cast) -> str:
    """Somebody who owes coins."""
    if "debtor" not in cast.ids:
        cast.ids["debtor"] = cast.deployment.register("debtor")
        owe(cast.deployment, cast.ids["debtor"], 1_000)
    return cast.ids["debtor"]


def debt(cast: Cast) -> dict[str, object]:
    """A coin of a debt, nothing proposed about it."""
    to, user_id = cast.deployment, debtor(cast)
    open_ = to.read(lambda tx: debt_rows.list_of_open(tx, [user_id])).get(user_id)
    if open_ is not None:
        to.run(debts.reject(to.app.tools, SOMEBODY, _asked(to), open_.id))
    return {"userId": user_id, "coins": "1", "evidence": "the letter of May"}


def write_off(cast: Cast) -> dict[str, object]:
    """A write-off that somebody proposed."""
    return {"writeOffId": proposed_write_off(cast.deployment, debtor(cast))}


def proposed_write_off(to: Deployment, user_id: str) -> str:
    """What somebody proposed to write off of a debt."""
    open_ = to.read(lambda tx: debt_rows.list_of_open(tx, [user_id])).get(user_id)
    if open_ is not None and open_.proposed_by != SOMEBODY.principal:
        open_ = to.run(debts.reject(to.app.tools, SOMEBODY, _asked(to), open_.id)).value
    if open_ is None or open_.state is not WriteOffState.PROPOSED:
        wish = debts.Wish(user_id, "the letter of May", 1)
        open_ = to.run(debts.propose(to.app.tools, SOMEBODY, _asked(to), wish)).value
    return open_.id


def correction() -> dict[str, object]:
    """A correction of the cash books, as the API takes it."""
    leg = {"debit": "exp:psp:EUR", "credit": "cash:bank:EUR", "amount": "100"}
    return {"reason": "A fee that the bank took.", "caseReference": "CASE-1", "legs": [leg]}


def proposed_correction(cast: Cast) -> dict[str, object]:
    """A correction that somebody proposed."""
    to, wish = cast.deployment, correct.Wish("A fee.", "CASE-1", (Leg("exp:psp:EUR", "cash:bank:EUR", 100),))
    made = to.run(correct.propose(to.app.tools, SOMEBODY, _asked(to), wish))
    return {"ledgerAdjustmentId": made.value.id}


def issue(to: Deployment) -> dict[str, object]:
    """Gift cards to be given away, as the API takes it."""
    until = to.read(lambda tx: tx.now) + timedelta(days=30)
    given = {"coins": "50", "cardCount": 2, "expiresAt": until.isoformat()}
    return {**given, "reason": "A delivery that failed.", "caseReference": "CASE-2"}


def proposed_issue(cast: Cast, *, cards_count: int = 2) -> dict[str, object]:
    """Gift cards that somebody proposed to give away."""
    to = cast.deployment
    until = to.read(lambda tx: tx.now) + timedelta(days=30)
    wish = Wish(50, cards_count, until, "A delivery that failed.", "CASE-2")
    made = to.run(card_issues.propose(to.app.tools, SOMEBODY, _asked(to), wish))
    return {"giftCardIssueId": made.value.id}


def in_suspense(to: Deployment, minor: int = 100) -> Line:
    """Money that a provider moved and nobody knows."""
    name = to.app.tools.new_id(ids.TOPUP)
    told = Told("sandbox", name, None, Money(minor, "EUR"), to.app.tools.clock())
    to.write(lambda tx: suspending.take_in(tx, to.app.tools.new_id, told))
    return to.read(lambda tx: suspense_rows.list_of_movement(tx, instance="sandbox", operation_id=name, ref=None))[0]


def placing(cast: Cast) -> dict[str, object]:
    """Where a line belongs, as the API takes it."""
    line = in_suspense(cast.deployment)
    given = {"suspenseLineId": line.id, "expectedRevision": line.revision}
    return given | {"place": "exp:psp:EUR", "reason": "A fee that they gave back."}


def placed(cast: Cast) -> dict[str, object]:
    """A line that somebody said belongs somewhere."""
    to, line = cast.deployment, in_suspense(cast.deployment)
    wish = suspense.Wish(line.id, line.revision, "exp:psp:EUR", "A fee that they gave back.")
    made = to.run(suspense.propose(to.app.tools, SOMEBODY, _asked(to), wish)).value
    return {"suspenseLineId": made.id, "expectedRevision": made.revision}


def _open_goodwill(to: Deployment, order_id: str) -> Adjustment | None:
    found = to.read(lambda tx: adjustments.list_of_order(tx, order_id))
    return next((each for each in found if each.state is AdjustmentState.PROPOSED), None)


def _asked(to: Deployment) -> Request:
    name = to.app.tools.new_id(ids.EVENT)
    return Request.of(principal=SOMEBODY.principal, mutation="giving", key=name, given={})
