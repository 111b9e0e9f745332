"""The catalogue of gifts: stickers in versions that never change. A changed one is a new row, and the old one ends."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import gifts
from shoutgraph.domain.gifts import Sticker, Tier
from shoutgraph.storage import columns, locks
from shoutgraph.storage.columns import Integer, Micros, Text, Truth, Words, one_of, truth
from shoutgraph.storage.locks import Lock
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx


class StickerRow(SQLModel, table=True):
    """One version of a sticker."""

    __tablename__ = "sticker"
    __table_args__ = (
        sa.CheckConstraint(f"coins BETWEEN 1 AND {gifts.STICKER_COINS_MAX}", name="sticker_coins"),
        sa.CheckConstraint(f"length(name) BETWEEN 1 AND {gifts.NAME_CHARS_MAX}", name="sticker_name"),
        sa.CheckConstraint(f"length(asset) BETWEEN 1 AND {gifts.ASSET_CHARS_MAX}", name="sticker_asset"),
        one_of("tier", Tier),
        truth("current"),
        sa.UniqueConstraint("key", "version", name="sticker_version"),
        sa.Index(
            "sticker_current",
            "key",
            unique=True,
            sqlite_where=sa.text("current = 1"),
            postgresql_where=sa.text("current = 1"),
        ),
        {"sqlite_strict": True},
    )

    id: str = Field(sa_type=Text, primary_key=True)
    key: str = Field(sa_type=Text)
    version: int = Field(sa_type=Integer)
    name: str = Field(sa_type=Text)
    coins: int = Field(sa_type=Integer)
    tier: Tier = Field(sa_type=Words(Tier))
    asset: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=Micros)
    current: bool = Field(sa_type=Truth)


_T: Final = columns.table_of(StickerRow)
_NOW: Final = _T.alias("now")


def _version_for() -> sa.ClauseElement:
    """The version of now of the sticker that some version names."""
    same = sa.and_(_NOW.c.key == _T.c.key, _NOW.c.current == sa.literal_column("1"))
    return sa.select(*_NOW.c).join_from(_T, _NOW, same).where(_T.c.id == sa.bindparam("id"))


_CURRENT: Final = Statement[Any](
    lambda: (
        sa.select(*_T.c)
        .where(_T.c.current == sa.literal_column("1"))
        .order_by(_T.c.coins, _T.c.key)
        .limit(gifts.STICKERS_MAX)
    )
)
_VERSIONS: Final = Statement[tuple[str, int]](lambda: sa.select(_T.c.key, sa.func.max(_T.c.version)).group_by(_T.c.key))
_FOR: Final = Statement[Any](_version_for)
_LIST: Final = Statement[Any](lambda: sa.select(*_T.c).where(columns.any_of(_T.c.id, "ids")))
_INSERT: Final = Statement[Any](
    lambda: sa.insert(_T).values({column.name: sa.bindparam(column.name) for column in _T.c})
)
_RETIRE: Final = Statement[Any](lambda: sa.update(_T).where(columns.any_of(_T.c.id, "ids")).values(current=False))


def hold(tx: Tx) -> None:
    """Holds the whole catalogue, so that of two that are loaded at once the second one sees the first."""
    locks.hold(tx, Lock.STICKERS)


def list_of_current(tx: Tx) -> tuple[Sticker, ...]:
    """Every sticker that is given now, the cheapest first."""
    return tuple(Sticker(*row) for row in tx.all(_CURRENT))


def versions(tx: Tx) -> dict[str, int]:
    """The newest version of every sticker that there ever was, by key."""
    return dict(tx.all(_VERSIONS))


def find_current(tx: Tx, sticker_id: str) -> Sticker | None:
    """The version of now of the sticker whose version this is; None where it is given no more, or never was."""
    row = tx.one(_FOR, id=sticker_id)
    return None if row is None else Sticker(*row)


def foresee_current(tx: Tx, sticker_id: str) -> None:
    """Asks ahead what `find_current` will ask."""
    tx.foresee(_FOR, id=sticker_id)


def list_of(tx: Tx, sticker_ids: Sequence[str]) -> list[Sticker | None]:
    """Stickers in the order asked, current or not, None where there is none."""
    found = {row[0]: Sticker(*row) for row in tx.all(_LIST, ids=list(sticker_ids))}
    return [found.get(sticker_id) for sticker_id in sticker_ids]


def insert(tx: Tx, stickers: Iterable[Sticker]) -> None:
    """Stores new versions."""
    tx.many(_INSERT, [{column.name: getattr(sticker, column.name) for column in _T.c} for sticker in stickers])


def retire(tx: Tx, sticker_ids: Sequence[str]) -> None:
    """Ends versions."""
    if sticker_ids:
        tx.run(_RETIRE, ids=list(sticker_ids))
