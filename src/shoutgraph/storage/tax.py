"""Tax profiles of creators, version after version: personal data in rows of their own.

A version never changes; it can only be blanked, and not while the law wants it kept: `RETAINED` after the last payout.
"""

from datetime import date, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import ids
from shoutgraph.domain.tax import SellerKind, TaxProfile
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Day, Integer, Micros, Text, Words, one_of
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

VERSIONS_MAX: Final = 100
"""The most versions that are shown."""
RETAINED: Final = timedelta(days=10 * 366)
"""How long after the last payout what a seller certified is kept, even if they are erased. Source: docs/PRIVACY.md."""


class TaxProfileRow(SQLModel, table=True):
    """One version of a tax profile; a blanked one says only that there was one."""

    __tablename__ = "tax_profile"
    __table_args__ = (
        sa.CheckConstraint("version > 0", name="tax_profile_version"),
        sa.CheckConstraint("length(country) = 2", name="tax_profile_country"),
        one_of("kind", SellerKind),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )

    creator_id: str = Field(sa_type=Text, foreign_key="creator.id", primary_key=True)
    version: int = Field(sa_type=Integer, primary_key=True)
    kind: SellerKind = Field(sa_type=Words(SellerKind))
    legal_name: str = Field(sa_type=Text)
    address: str = Field(sa_type=Text)
    country: str = Field(sa_type=Text)
    tax_id: str = Field(sa_type=Text)
    born_on: date | None = Field(sa_type=Day)
    registration: str | None = Field(sa_type=Text)
    certified_at: datetime = Field(sa_type=Micros)
    erased_at: datetime | None = Field(sa_type=Micros)


_T: Final = columns.table_of(TaxProfileRow)
_NAMES: Final = tuple(column.name for column in _T.c)
_SHOWN: Final = tuple(column for column in _T.c if column.name != "erased_at")
_PAYOUT: Final = sa.table("payout", sa.column("creator_id", Text), sa.column("paid_at", Micros))
_CREATOR: Final = sa.table("creator", sa.column("id", Text), sa.column("user_id", Text))


def insert(tx: Tx, profile: TaxProfile) -> None:
    """Stores the next version. Whoever does holds the creator."""
    values = {name: getattr(profile, name) for name in _NAMES if name != "erased_at"}
    tx.put(_INSERT, erased_at=None, **values)


def find(tx: Tx, creator_id: str) -> TaxProfile | None:
    """The newest version that was not blanked, or None."""
    row = tx.one(_NEWEST, creator_id=creator_id)
    return None if row is None else TaxProfile(*row)


def get_version(tx: Tx, creator_id: str, version: int) -> TaxProfile:
    """The version of this number, which is there."""
    row = tx.one(_VERSION, creator_id=creator_id, version=version)
    assert row is not None, "a version is never deleted"
    return TaxProfile(*row)


def list_of_creator(tx: Tx, creator_id: str) -> list[TaxProfile]:
    """All versions that were not blanked, the newest first."""
    return [TaxProfile(*row) for row in tx.all(_VERSIONS, creator_id=creator_id)]


def last_version(tx: Tx, creator_id: str) -> int:
    """The number of the newest version, blanked or not; 0 where there is none."""
    row = tx.one(_LAST, creator_id=creator_id)
    return row[0] if row else 0


def erase_of_user(tx: Tx, user_id: ids.UserId) -> None:
    """Blanks what a person certified, unless the law still wants it kept."""
    tx.put(_ERASE, user_id=user_id, now=tx.now, kept_since=tx.now - RETAINED)


def export_of_user(tx: Tx, user_id: ids.UserId) -> list[dict[str, Any]]:
    """What is kept of a person as a seller, version by version."""
    return [dict(zip(_NAMES, row, strict=True)) for row in tx.all(_EXPORT, user_id=user_id)]


_BLANK: Final = {"legal_name": "", "address": "", "tax_id": "", "born_on": None, "registration": None}
_OWN: Final = _T.c.creator_id == sa.bindparam("creator_id")
_KEPT: Final = _T.c.erased_at.is_(None)
_OF_USER: Final = _T.c.creator_id.in_(sa.select(_CREATOR.c.id).where(_CREATOR.c.user_id == sa.bindparam("user_id")))
_INSERT: Final = Statement[Any](lambda: sa.insert(_T).values({name: sa.bindparam(name) for name in _NAMES}))
_NEWEST: Final = Statement[Any](lambda: sa.select(*_SHOWN).where(_OWN, _KEPT).order_by(_T.c.version.desc()).limit(1))
_VERSION: Final = Statement[Any](lambda: sa.select(*_SHOWN).where(_OWN, _T.c.version == sa.bindparam("version")))
_VERSIONS: Final = Statement[Any](
    lambda: sa.select(*_SHOWN).where(_OWN, _KEPT).order_by(_T.c.version.desc()).limit(100)
)
_LAST: Final = Statement[tuple[int]](lambda: sa.select(_T.c.version).where(_OWN).order_by(_T.c.version.desc()).limit(1))
_EXPORT: Final = Statement[Any](lambda: sa.select(*_T.c).where(_OF_USER).order_by(_T.c.version))
_ERASE: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(
            _OF_USER,
            _KEPT,
            ~sa.exists().where(
                _PAYOUT.c.creator_id == _T.c.creator_id,
                _PAYOUT.c.paid_at > sa.bindparam("kept_since", type_=Micros),
            ),
        )
        .values(
            legal_name="",
            address="",
            tax_id="",
            born_on=None,
            registration=None,
            erased_at=sa.bindparam("now", type_=Micros),
        )
    )
)
