"""Idempotency keys: written in the transaction of the effect, so that an answer is kept exactly if it happened."""

from datetime import datetime
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlmodel import Field, SQLModel

from shoutgraph.domain import requests
from shoutgraph.storage import columns
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

PRUNE_MAX: Final = 1_000
"""The most rows that one unit of work removes."""


class RequestRow(SQLModel, table=True):
    """An answered request."""

    __tablename__: ClassVar[str] = "request"
    __table_args__ = (
        sa.CheckConstraint("(result IS NULL) <> (refusal IS NULL)", name="request_answer"),
        sa.CheckConstraint("length(digest) = 32", name="request_digest"),
        sa.Index("request_at", "at"),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )
    principal: str = Field(sa_column=sa.Column(columns.Text, primary_key=True))
    mutation: str = Field(sa_column=sa.Column(columns.Text, primary_key=True))
    key: str = Field(sa_column=sa.Column(columns.Text, primary_key=True))
    digest: bytes = Field(sa_column=sa.Column(columns.Blob, nullable=False))
    result: Any = Field(sa_column=sa.Column(columns.JsonText, nullable=True))
    refusal: Any = Field(sa_column=sa.Column(columns.JsonText, nullable=True))
    at: datetime = Field(sa_column=sa.Column(columns.Micros, nullable=False))


_T = columns.table_of(RequestRow)
_KEY: Final = ("principal", "mutation", "key")
_FIND: Final = Statement(lambda: sa.select(_T).where(*(_T.c[name] == sa.bindparam(name) for name in _KEY)))
_INSERT: Final = Statement(lambda: sa.insert(_T).values({c.name: sa.bindparam(c.name) for c in _T.c}))


def _claiming() -> sa.ClauseElement:
    """What is seen is left alone, since the table takes no key twice; what a neighbour has just put there, too."""
    values = {c.name: sa.bindparam(c.name, type_=c.type) for c in _T.c}
    seen = sa.exists().where(*(_T.c[name] == values[name] for name in _KEY))
    insert = postgresql.insert(_T).from_select(list(values), sa.select(*values.values()).where(~seen))
    return insert.on_conflict_do_nothing(index_elements=list(_KEY)).returning(_T.c.key)


_CLAIM: Final = Statement[tuple[str]](_claiming)


def _prune() -> sa.ClauseElement:
    key = [_T.c[name] for name in _KEY]
    notice = sa.table("dormancy", sa.column("user_id"), sa.column("state"))
    told = sa.exists().where(notice.c.user_id == _T.c.principal, notice.c.state == sa.literal_column("'NOTICED'"))
    old = sa.select(*key).where(_T.c.at < sa.bindparam("before"), ~told)
    old = old.order_by(_T.c.at).limit(sa.bindparam("size"))
    return sa.delete(_T).where(sa.tuple_(*key).in_(old))


_PRUNE: Final = Statement(_prune)


def foresee_by_key(tx: Tx, *, principal: str, mutation: str, key: str) -> None:
    """Asks ahead what `find_by_key` will ask."""
    tx.foresee(_FIND, principal=principal, mutation=mutation, key=key)


def find_by_key(tx: Tx, *, principal: str, mutation: str, key: str) -> requests.StoredRequest | None:
    """The answer to a request with this key, or None."""
    row = tx.one(_FIND, principal=principal, mutation=mutation, key=key)
    return requests.StoredRequest(*row) if row else None


def insert(
    tx: Tx,
    request: tuple[str, str, str],
    digest: bytes,
    *,
    result: requests.JsonValue = None,
    refusal: requests.JsonValue = None,
) -> None:
    """Keeps an answer: a reference to the result, or the refusal.

    Args:
        request: the principal, the mutation and the key.
    """
    principal, mutation, key = request
    tx.put(
        _INSERT,
        principal=principal,
        mutation=mutation,
        key=key,
        digest=digest,
        result=result,
        refusal=refusal,
        at=tx.now,
    )


def claim(tx: Tx, request: tuple[str, str, str], digest: bytes, *, result: str) -> bool:
    """Keeps an answer that is still to be made, unless the key is taken: then nothing is kept.

    Whoever claims makes the result in the same unit of work; a neighbour with the same key waits for its end.
    """
    return tx.one(_CLAIM, **_claim(tx, request, digest, result)) is not None


def foresee_claim(tx: Tx, request: tuple[str, str, str], digest: bytes, *, result: str) -> None:
    """Asks ahead what `claim` will ask."""
    tx.foresee(_CLAIM, **_claim(tx, request, digest, result))


def _claim(tx: Tx, request: tuple[str, str, str], digest: bytes, result: str) -> dict[str, object]:
    names = dict(zip(_KEY, request, strict=True))
    return {**names, "digest": digest, "result": result, "refusal": None, "at": tx.now}


def prune(tx: Tx, *, limit: int = PRUNE_MAX) -> int:
    """Removes answers older than they are kept, some at a time; gives how many.

    Those of somebody whose coins are about to lapse stay until that is decided: they say that somebody was there.
    """
    return tx.run(_PRUNE, before=tx.now - requests.KEPT, size=min(limit, PRUNE_MAX))
