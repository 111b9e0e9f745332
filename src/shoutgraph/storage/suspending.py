"""Takes what no transfer explains into suspense and out again, in the unit of work of whoever saw it."""

from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from shoutgraph.domain import ids, journal as events, suspense as rules
from shoutgraph.domain.ids import NewId
from shoutgraph.domain.ledger import Transfer
from shoutgraph.domain.money import Money
from shoutgraph.domain.payouts import PayoutState
from shoutgraph.domain.strays import Stray, StrayKind
from shoutgraph.domain.suspense import Line, SuspenseState, Told
from shoutgraph.storage import columns, journal, ledger, strays, suspense
from shoutgraph.storage.payouts import PayoutRow
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.strays import StrayRow
from shoutgraph.storage.suspense import LINES_MAX, SuspenseRow
from shoutgraph.storage.topups import TopupRow
from shoutgraph.storage.tx import Tx

OPENED: Final = "suspense.opened"
CLEARED: Final = "suspense.cleared"

_TOPUP: Final = columns.table_of(TopupRow)
_PAYOUT: Final = columns.table_of(PayoutRow)
_STRAY: Final = columns.table_of(StrayRow)
_LINE: Final = columns.table_of(SuspenseRow)
_LEFT: Final = (PayoutState.PAID, PayoutState.RETURNED)
"""In these a payout is booked at its provider."""


def take_in(tx: Tx, new_id: NewId, told: Told) -> None:
    """Lets the books carry what a provider says that moved, less what people placed of it; a repeat changes nothing."""
    if told.amount is not None:
        lines = suspense.list_of_movement(tx, instance=told.instance, operation_id=told.operation_id, ref=told.ref)
        _carry(tx, new_id, told, told.amount, lines)


def explain(tx: Tx, new_id: NewId, *, instance: str, operation_id: str, ref: str | None) -> None:
    """Clears what was in suspense for an event that is booked now; what people had placed of it is theirs to undo."""
    for line in _by_currency(suspense.list_of_movement(tx, instance=instance, operation_id=operation_id, ref=ref)):
        told = Told(instance, line.operation_id, line.ref, None, line.made_at)
        of_currency = suspense.list_of_movement(tx, instance=instance, operation_id=operation_id, ref=ref)
        _carry(tx, new_id, told, Money(0, line.currency), of_currency)


def explain_known(tx: Tx, new_id: NewId, *, instance: str, operation_id: str, ref: str | None) -> None:
    """Puts right what two processes made of one event at the same time: once it is booked, nothing else carries it."""
    lines = suspense.list_of_movement(tx, instance=instance, operation_id=operation_id, ref=ref)
    if lines and tx.all(_BOOKED, instance=instance, operation=operation_id, ref=ref):
        explain(tx, new_id, instance=instance, operation_id=operation_id, ref=ref)


def list_of_waiting(tx: Tx, *, instance: str, kind: StrayKind) -> list[Stray]:
    """Some of what is in suspense at an instance, by when it was made."""
    return [strays.of_row(*row) for row in tx.all(_WAITING, instance=instance, kind=kind, size=LINES_MAX)]


def list_of_ended(
    tx: Tx, *, instance: str, kind: StrayKind, looked_until: datetime, moves_for: timedelta
) -> list[Stray]:
    """Some of what left suspense, unknown to the books still, and was not asked for since a time.

    What was asked for after it could still move is left out: that was the last look.
    """
    given = {"until": looked_until, "moves_for": moves_for // timedelta(microseconds=1), "size": LINES_MAX}
    return [strays.of_row(*row) for row in tx.all(_ENDED, instance=instance, kind=kind, **given)]


def _by_currency(lines: list[Line]) -> list[Line]:
    return list({line.currency: line for line in lines}.values())


def _carry(tx: Tx, new_id: NewId, told: Told, amount: Money, lines: list[Line]) -> None:
    ours = [line for line in lines if line.currency == amount.currency]
    placed = sum(line.amount_minor for line in ours if line.state is SuspenseState.PLACED)
    waiting = [line for line in lines if line.state in rules.UNEXPLAINED and (line in ours or amount.minor)]
    rest = amount.minor - placed
    if [(line.amount_minor, line.currency) for line in waiting] == [(rest, amount.currency)] or not (waiting or rest):
        return
    for line in waiting:
        after = rules.explained(line, now=tx.now)
        suspense.save(tx, after)
        _post(tx, new_id, after, rules.cleared(line), CLEARED)
    if rest:
        _open(tx, new_id, told, Money(rest, amount.currency), before=len(lines))


def _open(tx: Tx, new_id: NewId, told: Told, amount: Money, *, before: int) -> None:
    line = Line(
        id=rules.SuspenseId(new_id(ids.SUSPENSE_LINE)),
        instance=told.instance,
        line_id=rules.name_of(told.operation_id, before=before),
        operation_id=told.operation_id,
        ref=told.ref,
        amount_minor=amount.minor,
        currency=amount.currency,
        made_at=told.made_at,
        found_at=tx.now,
    )
    suspense.insert(tx, line)
    _post(tx, new_id, line, rules.opened(line), OPENED)


def _post(tx: Tx, new_id: NewId, line: Line, transfer: Transfer, kind: str) -> None:
    ledger.post(tx, transfer)
    number = ledger.number_of(tx, transfer.kind, transfer.ref)
    body: events.Body = {
        "status": line.state.value,
        "instance": line.instance,
        "line": line.line_id,
        "amount": line.amount_minor,
        "currency": line.currency,
        "revision": line.revision,
    }
    journal.append(tx, events.NewEvent(new_id(ids.EVENT), line.id, kind, body, number))


def _booked() -> sa.ClauseElement:
    instance, operation, ref = (sa.bindparam(name, type_=columns.Text) for name in ("instance", "operation", "ref"))
    topup = sa.select(_TOPUP.c.id).where(
        _TOPUP.c.instance == instance,
        (_TOPUP.c.id == operation) | (_TOPUP.c.ref == ref),
        _TOPUP.c.credited == columns.YES,
    )
    payout = sa.select(_PAYOUT.c.id).where(
        _PAYOUT.c.instance == instance,
        _PAYOUT.c.key == operation,
        sa.or_(*(_PAYOUT.c.state == sa.literal_column(f"'{each}'") for each in _LEFT)),
    )
    return sa.union_all(topup, payout)


def _some(*conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return (
        sa.select(*_STRAY.c)
        .where(_STRAY.c.instance == sa.bindparam("instance"), _STRAY.c.kind == sa.bindparam("kind"), *conditions)
        .order_by(_STRAY.c.made_at, _STRAY.c.operation_id)
        .limit(sa.bindparam("size"))
    )


def _has_line(*, ended: bool) -> sa.ColumnElement[bool]:
    end = _LINE.c.ended_at
    mine = (_LINE.c.instance == _STRAY.c.instance) & (_LINE.c.operation_id == _STRAY.c.operation_id)
    return sa.exists().where(mine, end.is_not(None) if ended else end.is_(None)).correlate(_STRAY)


def _is_known() -> sa.ColumnElement[bool]:
    topup = sa.exists().where(_TOPUP.c.id == _STRAY.c.operation_id).correlate(_STRAY)
    payout = sa.exists().where(_PAYOUT.c.key == _STRAY.c.operation_id).correlate(_STRAY)
    return topup | payout


def _ended() -> sa.ClauseElement:
    looked_at, made_at = (sa.type_coerce(at, columns.Integer) for at in (_STRAY.c.found_at, _STRAY.c.made_at))
    may_move = looked_at - made_at < sa.bindparam("moves_for", type_=columns.Integer)
    due = _STRAY.c.found_at <= sa.bindparam("until")
    return _some(due, may_move, _has_line(ended=True), ~_has_line(ended=False), ~_is_known())


_WAITING: Final = Statement[Any](lambda: _some(_has_line(ended=False)))
_ENDED: Final = Statement[Any](_ended)
_BOOKED: Final = Statement[Any](_booked)
