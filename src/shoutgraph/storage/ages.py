"""When people were born: a row of its own that can be erased, with who vouches for it and nothing else."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import ids
from shoutgraph.domain.ages import Attested, Birth
from shoutgraph.storage import columns, statements
from shoutgraph.storage.columns import Day, Micros, Text, Words, one_of
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx


class BirthRow(SQLModel, table=True):
    """The date of birth of a person. No row: nobody said."""

    __tablename__ = "birth"
    __table_args__ = (
        sa.CheckConstraint("length(born_on) = 10", name="birth_day"),
        one_of("attested", Attested),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )

    user_id: str = Field(sa_type=Text, foreign_key="users.id", primary_key=True)
    born_on: date = Field(sa_type=Day)
    attested: Attested = Field(sa_type=Words(Attested))
    attested_by: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=Micros)


_T: Final = columns.table_of(BirthRow)
_NAMES: Final = tuple(column.name for column in _T.c)
_GET: Final = Statement[Any](lambda: sa.select(*_T.c).where(_T.c.user_id == sa.bindparam("user_id")))
_LIST: Final = Statement[Any](lambda: sa.select(*_T.c).where(columns.any_of(_T.c.user_id, "user_ids")))
_SAVE: Final = Statement[Any](lambda: statements.upsert(_T, "user_id"))
_ERASE: Final = Statement[Any](lambda: sa.delete(_T).where(_T.c.user_id == sa.bindparam("user_id")))


def find(tx: Tx, user_id: str) -> Birth | None:
    """When a person was born, or None where nobody said. Whoever changes it holds the user."""
    row = tx.one(_GET, user_id=user_id)
    return None if row is None else Birth(*row)


def list_of(tx: Tx, user_ids: Sequence[str]) -> list[Birth | None]:
    """When people were born, None where nobody said, in the order asked."""
    found = {row[0]: Birth(*row) for row in tx.all(_LIST, user_ids=list(user_ids))}
    return [found.get(user_id) for user_id in user_ids]


def save(tx: Tx, birth: Birth) -> None:
    """Stores a date of birth, in the place of another."""
    tx.put(_SAVE, **{name: getattr(birth, name) for name in _NAMES})


def erase_of_user(tx: Tx, user_id: ids.UserId) -> None:
    """Forgets when a person was born."""
    tx.put(_ERASE, user_id=user_id)


def export_of_user(tx: Tx, user_id: ids.UserId) -> dict[str, Any]:
    """What is kept of a person's age."""
    row = tx.one(_GET, user_id=user_id)
    return {} if row is None else dict(zip(_NAMES, row, strict=True))
