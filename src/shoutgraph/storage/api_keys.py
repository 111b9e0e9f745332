"""API keys: found by their id, kept as digests, revoked but never removed."""

from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain.api_keys import LABEL_CHARS_MAX, ApiKey
from shoutgraph.domain.users import Scope
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Blob, Micros, Text
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

LISTED_MAX: Final = 1_000


class ApiKeyRow(SQLModel, table=True):
    """A key of an internal tool. `scopes` are words with a space between them, as OAuth writes them."""

    __tablename__ = "api_key"
    __table_args__ = (
        sa.CheckConstraint("length(digest) = 32", name="api_key_digest"),
        sa.CheckConstraint(f"length(label) BETWEEN 1 AND {LABEL_CHARS_MAX}", name="api_key_label"),
        sa.CheckConstraint("length(scopes) > 0", name="api_key_scopes"),
        {"sqlite_strict": True},
    )

    id: str = Field(sa_type=Text, primary_key=True)
    label: str = Field(sa_type=Text)
    scopes: str = Field(sa_type=Text)
    digest: bytes = Field(sa_type=Blob)
    created_at: datetime = Field(sa_type=Micros)
    revoked_at: datetime | None = Field(sa_type=Micros)


_T: Final = columns.table_of(ApiKeyRow)

_GET: Final = Statement[Any](lambda: sa.select(*_T.c).where(_T.c.id == sa.bindparam("id")))
_LIST: Final = Statement[Any](lambda: sa.select(*_T.c).order_by(_T.c.id).limit(LISTED_MAX))
_INSERT: Final = Statement[Any](lambda: sa.insert(_T).values({c.name: sa.bindparam(c.name) for c in _T.c}))
_REVOKE: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_T.c.id == sa.bindparam("of"), _T.c.revoked_at.is_(None))
        .values(revoked_at=sa.bindparam("now"))
    )
)


def insert(tx: Tx, key: ApiKey) -> None:
    """Stores a new key."""
    scopes = " ".join(sorted(key.scopes))
    tx.run(
        _INSERT,
        id=key.id,
        label=key.label,
        scopes=scopes,
        digest=key.digest,
        created_at=key.created_at,
        revoked_at=key.revoked_at,
    )


def find(tx: Tx, key_id: str) -> ApiKey | None:
    """A key, or None."""
    row = tx.one(_GET, id=key_id)
    return None if row is None else _key(row)


def list_all(tx: Tx) -> list[ApiKey]:
    """The keys, the oldest first."""
    return [_key(row) for row in tx.all(_LIST)]


def revoke(tx: Tx, key_id: str) -> bool:
    """Ends a key; false where there is no such key that is still good."""
    return tx.run(_REVOKE, of=key_id, now=tx.now) == 1


def _key(row: tuple[Any, ...]) -> ApiKey:
    key_id, label, scopes, digest, created_at, revoked_at = row
    return ApiKey(key_id, label, frozenset(map(Scope, scopes.split())), bytes(digest), created_at, revoked_at)
