"""Users: the one table with what identifies a person; every other table knows only the id."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import errors, users
from shoutgraph.domain.users import User
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, Micros, Text, Truth, truth
from shoutgraph.storage.statements import Hold, Statement
from shoutgraph.storage.tx import Tx


class UserRow(SQLModel, table=True):
    """A person. Erasing one blanks the name, the country and the subject; the id stays, since the books name it."""

    __tablename__ = "users"
    __table_args__ = (
        sa.CheckConstraint("revision > 0 AND length(country) = 2", name="user_shape"),
        sa.CheckConstraint(f"length(subject) <= {users.SUBJECT_CHARS_MAX}", name="user_subject"),
        truth("locked"),
        {"sqlite_strict": True},
    )

    id: str = Field(sa_type=Text, primary_key=True)
    revision: int = Field(sa_type=Integer)
    display_name: str = Field(sa_type=Text)
    country: str = Field(sa_type=Text)
    locked: bool = Field(sa_type=Truth)
    created_at: datetime = Field(sa_type=Micros)
    subject: str | None = Field(sa_type=Text, unique=True)
    closed_at: datetime | None = Field(sa_type=Micros)
    erased_at: datetime | None = Field(sa_type=Micros)


_T: Final = columns.table_of(UserRow)
_NAMES: Final = tuple(column.name for column in _T.c)


def _one() -> sa.ClauseElement:
    return sa.select(*_T.c).where(_T.c.id == sa.bindparam("id"))


_GET: Final = Statement[Any](_one, holds=_T)
_FIND: Final = Statement[Any](_one)
_FIND_BY_SUBJECT: Final = Statement[Any](lambda: sa.select(*_T.c).where(_T.c.subject == sa.bindparam("subject")))
_LIST: Final = Statement[Any](lambda: sa.select(*_T.c).where(columns.any_of(_T.c.id, "ids")))
_INSERT: Final = Statement[Any](lambda: sa.insert(_T).values({name: sa.bindparam(name) for name in _NAMES}))
_SAVE: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_T.c.id == sa.bindparam("of"), _T.c.revision == sa.bindparam("previous_revision"))
        .values({name: sa.bindparam(name) for name in _NAMES if name != "id"})
    )
)

_LOCK: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_T.c.id == sa.bindparam("of"), _T.c.locked == columns.NO)
        .values(locked=columns.YES, revision=_T.c.revision + 1)
    )
)

_UNLOCK: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_T.c.id == sa.bindparam("of"), _T.c.locked == columns.YES, _T.c.erased_at.is_(None))
        .values(locked=columns.NO, revision=_T.c.revision + 1)
    )
)


def insert(tx: Tx, user: User) -> None:
    """Stores a new user."""
    tx.put(_INSERT, **_params(user))


def save(tx: Tx, user: User) -> None:
    """Stores the next revision of a user.

    Raises:
        StaleRevisionError: another revision was stored meanwhile.
    """
    params = _params(user)
    if not tx.run(_SAVE, of=params.pop("id"), previous_revision=user.revision - 1, **params):
        raise errors.StaleRevisionError(current_revision=get(tx, user.id).revision)


def get(tx: Tx, user_id: str, *, path: Sequence[str] | None = None) -> User:
    """A user. A unit of work that writes holds them from now on. `path` leads to who named them.

    Raises:
        NotFoundError: there is no such user.
    """
    row = tx.one(_GET, id=user_id)
    if row is None:
        raise errors.NotFoundError("There is no such user.", path=path)
    return User(*row)


def foresee(tx: Tx, user_id: str) -> None:
    """Asks ahead what `get` will ask, and so holds the user."""
    tx.foresee(_GET, id=user_id)


def hold(tx: Tx, user_id: str) -> None:
    """Holds a user, for what there is one of for each; what only reads holds nothing."""
    if tx.hold is not Hold.NO:
        tx.one(_GET, id=user_id)


def lock(tx: Tx, user_id: str) -> None:
    """Closes an account to everything that is bought; a repeat changes nothing. Whoever does holds the user."""
    tx.run(_LOCK, of=user_id)


def unlock(tx: Tx, user_id: str) -> None:
    """Opens an account again; a repeat changes nothing. Whoever does holds the user."""
    tx.run(_UNLOCK, of=user_id)


def find(tx: Tx, user_id: str) -> User | None:
    """A user, or None."""
    row = tx.one(_FIND, id=user_id)
    return None if row is None else User(*row)


def find_by_subject(tx: Tx, subject: str) -> User | None:
    """The user whom a provider vouches for by these words, or None."""
    row = tx.one(_FIND_BY_SUBJECT, subject=subject)
    return None if row is None else User(*row)


def list_of(tx: Tx, user_ids: Sequence[str]) -> list[User | None]:
    """Users in the order asked, None where there is none."""
    found = {row[0]: User(*row) for row in tx.all(_LIST, ids=list(user_ids))}
    return [found.get(user_id) for user_id in user_ids]


def _params(user: User) -> dict[str, Any]:
    return {name: getattr(user, name) for name in _NAMES}
