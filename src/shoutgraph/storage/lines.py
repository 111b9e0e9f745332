"""Lines of statements: the moves of several accounts, each read along its own numbers, and the lots behind them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from shoutgraph.domain.statements import Line, Part, merged
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, Micros, Text
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

ACCOUNTS: Final = (2, 3)
"""How many accounts a statement is of: a creator's earnings, or a fan's wallet."""
PARTS_MAX: Final = 20_000
"""The most moves of lots that are read for one page."""
_FIRST: Final = 1
_LAST: Final = 2**62

_ACCOUNT: Final = sa.table(
    "account", sa.column("code", Text), *(sa.column(n, Integer) for n in ("id", "version", "debits", "credits"))
)
_ENTRY: Final = sa.table(
    "entry", *(sa.column(n, Integer) for n in ("account_id", "version", "posting_id", "debits", "credits"))
)
_POSTING: Final = sa.table(
    "posting", *(sa.column(n, Integer) for n in ("id", "transfer_id", "debit_id", "credit_id", "amount"))
)
_TRANSFER: Final = sa.table(
    "transfer", sa.column("id", Integer), sa.column("kind", Text), sa.column("ref", Text), sa.column("at", Micros)
)
_LOT: Final = sa.table(
    "lot",
    *(sa.column(n, Text) for n in ("id", "topup_id", "currency")),
    *(sa.column(n, Integer) for n in ("account_id", "granted", "price_minor")),
)
_MOVE: Final = sa.table(
    "lot_move", sa.column("lot_id", Text), *(sa.column(n, Integer) for n in ("id", "transfer_id", "coins"))
)


@dataclass(frozen=True, slots=True)
class Reach:
    """From where lines are read: `place` is a line's, `backward` towards the newest."""

    place: tuple[int, ...] | None
    backward: bool
    size: int


def list_of(tx: Tx, codes: Sequence[str], reach: Reach) -> list[Line]:
    """The next lines of accounts that are read as one, with their places."""
    backward, bounds = reach.backward, [_FIRST if reach.backward else _LAST] * len(codes)
    if reach.place is not None:
        own, *bounds = reach.place
        if backward and 0 <= own < len(codes):
            bounds[own] += 1
    params = {f"code_{at}": code for at, code in enumerate(codes)}
    limits = {f"bound_{at}": bound for at, bound in enumerate(bounds[: len(codes)])}
    rows = tx.all(_NEXT[len(codes), backward], **params, **limits, size=reach.size)
    streams: list[list[Line]] = [[] for _ in codes]
    for own, *rest in rows:
        streams[own].append(Line(own, *rest))
    known = [bound if reach.place is not None or backward else _FIRST for bound in bounds]
    found = merged(streams, known, backward=backward, bound=reach.place is not None)
    return [line for _, line in zip(range(reach.size), found, strict=False)]


def versions(tx: Tx, codes: Sequence[str]) -> list[int]:
    """How many moves each account has had."""
    found = dict(tx.all(_VERSIONS, codes=list(codes)))
    return [found.get(code, 0) for code in codes]


def find_at(tx: Tx, code: str, version: int) -> Any:  # noqa: ANN401 - a time and a balance, or nothing
    """When the how many-th move of an account was, and what there was after it; None for none."""
    return tx.one(_AT, code=code, version=version)


def list_of_parts(tx: Tx, transfers: Sequence[int], codes: Sequence[str]) -> list[tuple[int, str, Part]]:
    """The lots that transfers moved in these wallets, in order: the transfer, the wallet, and what of which lot."""
    rows = tx.all(_PARTS, transfers=list(transfers), codes=list(codes), size=PARTS_MAX)
    return [(transfer, code, Part(*rest)) for transfer, code, *rest in rows]


def list_of_moves(tx: Tx, transfers: Sequence[int], codes: Sequence[str]) -> list[tuple[int, str, int, int]]:
    """The lines of transfers on these accounts, in order: the transfer, the account, the posting, and the coins."""
    return tx.all(_MOVES, transfers=list(transfers), codes=list(codes), size=PARTS_MAX)


def _next(accounts: int, *, backward: bool) -> Statement[Any]:
    def build() -> sa.ClauseElement:
        return sa.union_all(*(sa.select(_of(at, backward=backward)) for at in range(accounts)))

    return Statement(build)


def _of(at: int, *, backward: bool) -> sa.Subquery:
    version, bound = _ENTRY.c.version, sa.bindparam(f"bound_{at}", type_=Integer)
    came_in = _POSTING.c.credit_id == _ENTRY.c.account_id
    return (
        sa.select(
            sa.literal_column(str(at), Integer).label("own"),
            version,
            _ENTRY.c.posting_id,
            _POSTING.c.transfer_id,
            _TRANSFER.c.kind,
            _TRANSFER.c.ref,
            sa.case((came_in, _POSTING.c.amount), else_=-_POSTING.c.amount).label("coins"),
            (_ENTRY.c.credits - _ENTRY.c.debits).label("balance"),
            _TRANSFER.c.at,
        )
        .join_from(_ACCOUNT, _ENTRY, _ENTRY.c.account_id == _ACCOUNT.c.id)
        .join(_POSTING, _POSTING.c.id == _ENTRY.c.posting_id)
        .join(_TRANSFER, _TRANSFER.c.id == _POSTING.c.transfer_id)
        .where(_ACCOUNT.c.code == sa.bindparam(f"code_{at}", type_=Text))
        .where(version >= bound if backward else version < bound)
        .order_by(version.asc() if backward else version.desc())
        .limit(sa.bindparam("size"))
        .subquery(f"of_{at}")
    )


_NEXT: Final = {
    (accounts, backward): _next(accounts, backward=backward) for accounts in ACCOUNTS for backward in (False, True)
}
_VERSIONS: Final = Statement[tuple[str, int]](
    lambda: sa.select(_ACCOUNT.c.code, _ACCOUNT.c.version).where(columns.any_of(_ACCOUNT.c.code, "codes"))
)
_AT: Final = Statement[Any](
    lambda: (
        sa.select(_TRANSFER.c.at, _ENTRY.c.credits - _ENTRY.c.debits)
        .join_from(_ACCOUNT, _ENTRY, _ENTRY.c.account_id == _ACCOUNT.c.id)
        .join(_POSTING, _POSTING.c.id == _ENTRY.c.posting_id)
        .join(_TRANSFER, _TRANSFER.c.id == _POSTING.c.transfer_id)
        .where(_ACCOUNT.c.code == sa.bindparam("code"), _ENTRY.c.version == sa.bindparam("version"))
    )
)
_PARTS: Final = Statement[Any](
    lambda: (
        sa.select(
            _MOVE.c.transfer_id,
            _ACCOUNT.c.code,
            _LOT.c.id,
            _LOT.c.topup_id,
            _MOVE.c.coins,
            _LOT.c.price_minor,
            _LOT.c.granted,
            _LOT.c.currency,
        )
        .join_from(_MOVE, _LOT, _LOT.c.id == _MOVE.c.lot_id)
        .join(_ACCOUNT, _ACCOUNT.c.id == _LOT.c.account_id)
        .where(columns.any_of(_MOVE.c.transfer_id, "transfers"), columns.any_of(_ACCOUNT.c.code, "codes"))
        .order_by(_MOVE.c.id)
        .limit(sa.bindparam("size"))
    )
)


def _moves() -> sa.ClauseElement:
    came_in = _POSTING.c.credit_id == _ACCOUNT.c.id
    touched = sa.or_(_POSTING.c.debit_id == _ACCOUNT.c.id, came_in)
    return (
        sa.select(
            _POSTING.c.transfer_id,
            _ACCOUNT.c.code,
            _POSTING.c.id,
            sa.case((came_in, _POSTING.c.amount), else_=-_POSTING.c.amount),
        )
        .join_from(_POSTING, _ACCOUNT, touched)
        .where(columns.any_of(_POSTING.c.transfer_id, "transfers"), columns.any_of(_ACCOUNT.c.code, "codes"))
        .order_by(_POSTING.c.id)
        .limit(sa.bindparam("size"))
    )


_MOVES: Final = Statement[tuple[int, str, int, int]](_moves)
