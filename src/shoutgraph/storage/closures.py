"""Closures of accounts and their steps: rows that only go on, and name ids only."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import accounts, clock, ids, pages
from shoutgraph.domain.closures import ENDED_BADLY, Block, Closure, ClosureState, Facts, Key, Shop, Step, StepState
from shoutgraph.domain.payouts import PayoutFilter, PayoutState
from shoutgraph.storage import affairs, cards, columns, creators, earnings, ledger, payouts
from shoutgraph.storage.columns import Integer, JsonText, Micros, Text, Truth, Words, one_of, partial_index, truth
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

DUE_MAX: Final = 50
"""The most that one round of the job takes up."""
EXPORTED_MAX: Final = 100
"""The most closures of one person that their copy tells of."""


class ClosureRow(SQLModel, table=True):
    """Somebody's wish that their account be closed."""

    __tablename__: ClassVar[str] = "closure"
    __table_args__ = (
        one_of("state", ClosureState),
        truth("forfeit_promo"),
        sa.CheckConstraint("(ended_at IS NOT NULL) = (state IN ('CLOSED', 'CANCELLED'))", name="closure_ended_at"),
        sa.CheckConstraint("(state = 'CANCELLED') <= (begun_at IS NULL)", name="closure_cancelled"),
        sa.CheckConstraint("(state = 'CLOSED') <= (begun_at IS NOT NULL)", name="closure_begun"),
        sa.CheckConstraint("(state = 'CANCELLED') <= (due_at IS NULL)", name="closure_due_at"),
        sa.Index("closure_user", "user_id", "id"),
        sa.Index("closure_state", "state", "id"),
        sa.Index(
            "closure_one",
            "user_id",
            unique=True,
            sqlite_where=sa.text("state <> 'CANCELLED'"),
            postgresql_where=sa.text("state <> 'CANCELLED'"),
        ),
        partial_index("closure_due", "due_at", where="due_at IS NOT NULL"),
        {"sqlite_strict": True},
    )
    id: str = Field(sa_type=Text, primary_key=True)
    user_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("users.id"), nullable=False))
    revision: int = Field(sa_type=Integer)
    state: ClosureState = Field(sa_type=Words(ClosureState))
    forfeit_promo: bool = Field(sa_type=Truth)
    shop: dict[str, Any] = Field(sa_type=JsonText)
    requested_at: datetime = Field(sa_type=Micros)
    revocable_until: datetime = Field(sa_type=Micros)
    due_at: datetime | None = Field(sa_type=Micros)
    begun_at: datetime | None = Field(sa_type=Micros)
    ended_at: datetime | None = Field(sa_type=Micros)
    signed_out_at: datetime | None = Field(sa_type=Micros)


class ClosureStepRow(SQLModel, table=True):
    """Where a step of a closure stands, and what stands in its way."""

    __tablename__: ClassVar[str] = "closure_step"
    __table_args__ = (one_of("step", Key), one_of("state", StepState), {"sqlite_strict": True})
    closure_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("closure.id"), primary_key=True, nullable=False))
    step: Key = Field(sa_type=Words(Key), primary_key=True)
    state: StepState = Field(sa_type=Words(StepState))
    since: datetime = Field(sa_type=Micros)
    blocks: list[Any] = Field(sa_type=JsonText)


_C: Final = columns.table_of(ClosureRow)
_S: Final = columns.table_of(ClosureStepRow)
_NAMES: Final = tuple(column.name for column in _C.c)
_SAVED: Final = ("revision", "state", "due_at", "begun_at", "ended_at", "signed_out_at")


def insert(tx: Tx, closure: Closure) -> None:
    """Stores a new closure with its steps."""
    tx.run(_INSERT, **_plain(closure))
    tx.many(_INSERT_STEP, [_plain_step(closure, step) for step in closure.steps])


def save(tx: Tx, before: Closure, after: Closure) -> None:
    """Stores the next revision of a closure that is held, and the steps that changed."""
    changed = [_plain_step(after, step) for step in after.steps if step not in before.steps]
    for row in changed:  # before the closure, which ends only when all of them are settled
        tx.run(_SAVE_STEP, of_closure_id=row.pop("closure_id"), of_step=row.pop("step"), **row)
    values = _plain(after)
    kept = {name: values[name] for name in _SAVED}
    assert tx.run(_SAVE, of=after.id, **kept) == 1, "a closure that was read is there"


def wake(tx: Tx, user_id: ids.UserId) -> None:
    """Has the closure of an account looked at now: something came in. Most accounts have none."""
    tx.put(_WAKE, user_id=user_id, now=tx.now)


def put_off(tx: Tx, closure_ids: Sequence[str], *, until: datetime) -> None:
    """Looks at closures later that are due."""
    tx.run(_PUT_OFF, ids=list(closure_ids), now=tx.now, until=until)


def get(tx: Tx, closure_id: str) -> Closure:
    """A closure. A unit of work that writes holds it; its user comes first."""
    row = tx.one(_GET, id=closure_id)
    assert row is not None, "closures are never deleted"
    return _with_steps(tx, [row])[0]


def find(tx: Tx, user_id: str) -> Closure | None:
    """The closure of somebody that was not taken back, or None."""
    row = tx.one(_FIND, user_id=user_id)
    return None if row is None else _with_steps(tx, [row])[0]


def hold(tx: Tx, user_id: str) -> Closure | None:
    """The same, held from now on; its user comes first."""
    row = tx.one(_HOLD, user_id=user_id)
    return None if row is None else _with_steps(tx, [row])[0]


def list_of_due(tx: Tx) -> list[Closure]:
    """Closures whose look is due, the longest due first."""
    return _with_steps(tx, tx.all(_DUE, now=tx.now))


def list_of_page(tx: Tx, args: pages.PageArgs, state: ClosureState | None) -> list[Closure]:
    """Up to one more than the page holds, the newest first, in the direction asked. The key is `(id,)`."""
    edge = "" if args.backward else _LAST
    key = edge if args.key is None else args.key[0]
    states = list(ClosureState) if state is None else [state]
    statement = _PAGE_BACK if args.backward else _PAGE
    return _with_steps(tx, tx.all(statement, key=key, states=[each.value for each in states], size=args.size + 1))


def facts_of(tx: Tx, user_id: ids.UserId, *, refused: frozenset[str] = frozenset()) -> Facts:
    """What somebody has going on now. Whoever decides upon it holds the user, who begins nothing new."""
    creator_id = creators.find_id_by_user(tx, user_id)
    wallet = ledger.balances(tx, [accounts.paid(user_id).code, accounts.promo(user_id).code])
    open_cards = cards.list_of_open(tx, user_id)
    facts: dict[str, Any] = {
        "blockers": frozenset(affairs.list_of_blockers(tx, user_id)),
        "paid_coins": wallet.get(accounts.paid(user_id).code, 0),
        "promo_coins": wallet.get(accounts.promo(user_id).code, 0),
        "cards_open": bool(open_cards),
        "cards_until": max((card.expires_at for card in open_cards if card.expires_at is not None), default=None),
        "refused": refused,
    }
    return Facts(**facts, **({} if creator_id is None else _earned(tx, creator_id)))


def _earned(tx: Tx, creator_id: ids.CreatorId) -> dict[str, Any]:
    pending, reserve, free = (
        each(creator_id).code for each in (accounts.pending, accounts.reserve, accounts.available)
    )
    found = ledger.balances(tx, [pending, reserve, free])
    held = PayoutFilter(creator_id=creator_id, states=(PayoutState.HELD,))
    one = pages.PageArgs(size=1, key=None, backward=False)
    newest = payouts.list_of_page(tx, one, PayoutFilter(creator_id=creator_id), descending=True)[:1]
    return {
        "maturing_coins": found.get(pending, 0) + found.get(reserve, 0),
        "available_coins": found.get(free, 0),
        "matures_at": earnings.find_next_maturing(tx, creator_id),
        "failed_at": next((each.updated_at for each in newest if each.state in ENDED_BADLY), None),
        "held": bool(payouts.list_of_page(tx, one, held, descending=True)),
    }


def erase_of_user(tx: Tx, user_id: ids.UserId) -> None:
    """Blanks nothing: closures know ids, times and codes only."""


def export_of_user(tx: Tx, user_id: ids.UserId) -> list[dict[str, object]]:
    """The closures of somebody, as plain values."""
    found = _with_steps(tx, tx.all(_OF_USER, user_id=user_id, size=EXPORTED_MAX))
    return [
        {
            "id": each.id,
            "status": each.state.value,
            "forfeit_promo": each.forfeit_promo,
            "requested_at": each.requested_at.isoformat(),
            "ended_at": None if each.ended_at is None else each.ended_at.isoformat(),
            "steps": {step.key.value: step.state.value for step in each.steps},
        }
        for each in found
    ]


def _with_steps(tx: Tx, rows: Sequence[Sequence[Any]]) -> list[Closure]:
    found: dict[str, list[Step]] = {row[0]: [] for row in rows}
    for closure_id, key, state, since, blocks in tx.all(_STEPS, ids=list(found)) if found else ():
        stands = tuple(Block(code, None if until is None else clock.from_micros(until)) for code, until in blocks)
        found[closure_id].append(Step(key, state, since, stands))
    order = list(Key)
    return [_closure(row, sorted(found[row[0]], key=lambda step: order.index(step.key))) for row in rows]


def _closure(row: Sequence[Any], steps: Sequence[Step]) -> Closure:
    values = dict(zip(_NAMES, row, strict=True))
    shop = values.pop("shop")
    return Closure(**values, shop=Shop(tuple(shop["offers"]), shop["gifts"]), steps=tuple(steps))


def _plain(closure: Closure) -> dict[str, Any]:
    values = {name: value for name, value in asdict(closure).items() if name != "steps"}
    return values | {"shop": {"offers": list(closure.shop.offer_ids), "gifts": closure.shop.takes_gifts}}


def _plain_step(closure: Closure, step: Step) -> dict[str, Any]:
    blocks = [[b.code, None if b.until is None else clock.to_micros(b.until)] for b in step.blocks]
    return {"closure_id": closure.id, "step": step.key, "state": step.state, "since": step.since, "blocks": blocks}


_LAST: Final = "~"
"""After every id."""
_ONE: Final = "state <> 'CANCELLED'"


def _insert(table: sa.Table) -> Statement[Any]:
    return Statement(lambda: sa.insert(table).values({c.name: sa.bindparam(c.name) for c in table.c}))


def _of(user_id: str) -> sa.Select[Any]:
    return sa.select(*_C.c).where(_C.c.user_id == sa.bindparam(user_id), sa.text(_ONE))


def _page(*, backward: bool) -> sa.ClauseElement:
    key = sa.bindparam("key", type_=Text)
    return (
        sa.select(*_C.c)
        .where(columns.any_of(sa.type_coerce(_C.c.state, Text), "states"), _C.c.id > key if backward else _C.c.id < key)
        .order_by(_C.c.id.asc() if backward else _C.c.id.desc())
        .limit(sa.bindparam("size"))
    )


_INSERT: Final = _insert(_C)
_INSERT_STEP: Final = _insert(_S)
_SAVE: Final = Statement[Any](
    lambda: sa.update(_C).where(_C.c.id == sa.bindparam("of")).values({n: sa.bindparam(n) for n in _SAVED})
)
_SAVE_STEP: Final = Statement[Any](
    lambda: (
        sa.update(_S)
        .where(_S.c.closure_id == sa.bindparam("of_closure_id"), _S.c.step == sa.bindparam("of_step"))
        .values({n: sa.bindparam(n) for n in ("state", "since", "blocks")})
    )
)
_WAKE: Final = Statement[Any](
    lambda: (
        sa.update(_C)
        .where(_C.c.user_id == sa.bindparam("user_id"), sa.text(_ONE))
        .values(due_at=sa.bindparam("now"), revision=_C.c.revision + 1)
    )
)
_PUT_OFF: Final = Statement[Any](
    lambda: (
        sa.update(_C)
        .where(columns.any_of(_C.c.id, "ids"), _C.c.due_at <= sa.bindparam("now"))
        .values(due_at=sa.bindparam("until"), revision=_C.c.revision + 1)
    )
)
_GET: Final = Statement[Any](lambda: sa.select(*_C.c).where(_C.c.id == sa.bindparam("id")), holds=_C)
_FIND: Final = Statement[Any](lambda: _of("user_id"))
_HOLD: Final = Statement[Any](lambda: _of("user_id"), holds=_C)
_DUE: Final = Statement[Any](
    lambda: sa.select(*_C.c).where(_C.c.due_at <= sa.bindparam("now")).order_by(_C.c.due_at).limit(DUE_MAX)
)
_STEPS: Final = Statement[Any](lambda: sa.select(*_S.c).where(columns.any_of(_S.c.closure_id, "ids")))
_OF_USER: Final = Statement[Any](
    lambda: (
        sa.select(*_C.c).where(_C.c.user_id == sa.bindparam("user_id")).order_by(_C.c.id).limit(sa.bindparam("size"))
    )
)
_PAGE: Final = Statement[Any](lambda: _page(backward=False))
_PAGE_BACK: Final = Statement[Any](lambda: _page(backward=True))
