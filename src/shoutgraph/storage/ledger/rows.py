"""Posts row by row, for a database inside this process, where a statement costs next to nothing.

The hot path is one statement for the transfer and one for each posting and lot move.
"""

from typing import Any, Final

import sqlalchemy as sa

from shoutgraph.domain import errors, ledger
from shoutgraph.storage import columns
from shoutgraph.storage.ledger import names
from shoutgraph.storage.ledger.tables import AccountRow, AssetRow, LotMoveRow, LotRow, PostingRow, TransferRow
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

_ASSET = columns.table_of(AssetRow)
_ACCOUNT = columns.table_of(AccountRow)
_TRANSFER = columns.table_of(TransferRow)
_POSTING = columns.table_of(PostingRow)
_LOT = columns.table_of(LotRow)
_MOVE = columns.table_of(LotMoveRow)


def post(tx: Tx, transfer: ledger.Transfer) -> bool:
    """Posts a transfer once: opens missing accounts, moves balances, grants lots and moves them.

    Gives False and changes nothing if the same transfer was posted before.

    Raises:
        LedgerConflictError: `(kind, ref)` was posted before with other content.
        InvariantError: an account is stored with another asset, floor or tie than the posting names.
    """
    digest = transfer.digest()
    made = tx.one(_INSERT_TRANSFER, kind=transfer.kind, ref=transfer.ref, digest=digest, at=tx.now)
    if made is None:
        found = names.was_posted(tx, transfer, digest)
        assert found, "a transfer that was not inserted exists"
        return False
    number = made[0]
    names.remember(tx, transfer, number)
    for posting in transfer.postings:
        _write(tx, number, posting)
    for lot in transfer.lot_grants:
        _grant(tx, number, lot)
    for move in transfer.lot_moves:
        tx.run(_INSERT_MOVE, lot_id=move.lot_id, transfer_id=number, order_id=move.order_id, coins=move.coins)
    return True


def _write(tx: Tx, number: int, posting: ledger.Posting) -> None:
    values = {
        "transfer_id": number,
        "asset": posting.debit.asset,
        "amount": posting.amount,
        "reason": posting.reason,
        **_named("debit", posting.debit),
        **_named("credit", posting.credit),
    }
    if posting.debit.wallet and posting.credit.order_id is not None:
        _open(tx, posting.credit)  # a wallet pays into an escrow once, when the order is placed: it is new
    if tx.run(_INSERT_POSTING, **values) == 1:
        return
    for account in (posting.credit, posting.debit):  # what is new is nearly always where coins go
        _open(tx, account)
        if tx.run(_INSERT_POSTING, **values) == 1:
            return
    raise errors.InvariantError(
        f"{posting.debit.code} or {posting.credit.code} is stored with another asset, floor or tie"
    )


def _named(side: str, account: ledger.Account) -> dict[str, object]:
    return {
        f"{side}_code": account.code,
        f"{side}_floor": int(account.floor),
        f"{side}_order": account.order_id,
        f"{side}_wallet": account.wallet,
    }


def _open(tx: Tx, account: ledger.Account) -> None:
    if account.asset not in names.COIN_ASSETS:
        tx.run(_INSERT_ASSET, code=account.asset, class_="fiat", scale=names.scale(account.asset))
    tx.run(
        _INSERT_ACCOUNT,
        code=account.code,
        asset=account.asset,
        floor=int(account.floor),
        order_id=account.order_id,
        wallet=account.wallet,
    )


def _grant(tx: Tx, number: int, lot: ledger.Lot) -> None:
    assert lot.remaining == lot.granted, "a lot is granted whole"
    found = tx.run(
        _INSERT_LOT,
        lot_id=lot.id,
        account=lot.account,
        user_id=lot.user_id,
        topup_id=lot.topup_id,
        granted=lot.granted,
        price_minor=lot.price_minor,
        currency=lot.currency,
        country=lot.country,
        granted_at=lot.granted_at,
        expires_at=lot.expires_at,
    )
    if found != 1:
        raise errors.InvariantError(f"the lot {lot.id} is granted to an account that does not exist")
    tx.run(_INSERT_MOVE, lot_id=lot.id, transfer_id=number, order_id=None, coins=lot.granted)


def _param(name: str, like: sa.Column[Any]) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=like.type)


def _insert_transfer() -> sa.ClauseElement:
    names = ("kind", "ref", "digest", "at")
    seen = sa.exists().where(
        _TRANSFER.c.kind == _param("kind", _TRANSFER.c.kind), _TRANSFER.c.ref == _param("ref", _TRANSFER.c.ref)
    )
    values = sa.select(*(_param(name, _TRANSFER.c[name]) for name in names)).where(~seen)
    return sa.insert(_TRANSFER).from_select(names, values).returning(_TRANSFER.c.id)


def _insert_posting() -> sa.ClauseElement:
    debit, credit = _ACCOUNT.alias("d"), _ACCOUNT.alias("c")

    def named(side: str, account: sa.FromClause) -> list[sa.ColumnElement[bool]]:
        stored = {"asset": "asset", "floor": f"{side}_floor", "order_id": f"{side}_order", "wallet": f"{side}_wallet"}
        # where a partial index asks for a column by `=`, SQLite plans such a query again each time that it is run
        same = [account.c[name].is_not_distinct_from(sa.bindparam(value)) for name, value in stored.items()]
        return [account.c.code == sa.bindparam(f"{side}_code"), *same]

    values = sa.select(
        _param("transfer_id", _POSTING.c.transfer_id),
        _param("asset", _POSTING.c.asset),
        debit.c.id,
        credit.c.id,
        _param("amount", _POSTING.c.amount),
        _param("reason", _POSTING.c.reason),
    ).where(*named("debit", debit), *named("credit", credit))
    names = ("transfer_id", "asset", "debit_id", "credit_id", "amount", "reason")
    return sa.insert(_POSTING).from_select(names, values)


def _insert_asset() -> sa.ClauseElement:
    code = _param("code", _ASSET.c.code)
    values = sa.select(code, _param("class_", _ASSET.c["class"]), _param("scale", _ASSET.c.scale))
    missing = ~sa.exists().where(_ASSET.c.code == code)
    return sa.insert(_ASSET).from_select(("code", "class", "scale"), values.where(missing))


def _insert_account() -> sa.ClauseElement:
    names = ("code", "asset", "floor", "order_id", "wallet")
    missing = ~sa.exists().where(_ACCOUNT.c.code == _param("code", _ACCOUNT.c.code))
    values = sa.select(*(_param(name, _ACCOUNT.c[name]) for name in names)).where(missing)
    return sa.insert(_ACCOUNT).from_select(names, values)


def _insert_lot() -> sa.ClauseElement:
    names = (
        "user_id",
        "topup_id",
        "granted",
        "price_minor",
        "currency",
        "country",
        "granted_at",
        "expires_at",
    )
    values = sa.select(
        _param("lot_id", _LOT.c.id), _ACCOUNT.c.id, *(_param(name, _LOT.c[name]) for name in names)
    ).where(_ACCOUNT.c.code == sa.bindparam("account"))
    return sa.insert(_LOT).from_select(("id", "account_id", *names), values)


_INSERT_TRANSFER: Final = Statement[tuple[int]](_insert_transfer)
_INSERT_POSTING: Final = Statement(_insert_posting)
_INSERT_ASSET: Final = Statement(_insert_asset)
_INSERT_ACCOUNT: Final = Statement(_insert_account)
_INSERT_LOT: Final = Statement(_insert_lot)
_INSERT_MOVE: Final = Statement(
    lambda: sa.insert(_MOVE).values(
        {name: sa.bindparam(name) for name in ("lot_id", "transfer_id", "order_id", "coins")}
    )
)
