"""Prices of coins: packages and unit prices, each in versions that never change.

A price that changes is a new row; the old one stays, no longer current, since top-ups name the row they were sold
under. The database refuses any other change. Units: coins, minor units.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import errors, money, packages
from shoutgraph.domain.packages import Market, Package, Platform, Rate, UnitPrice
from shoutgraph.storage import columns, locks, rates
from shoutgraph.storage.columns import Integer, Micros, Text, Truth, Words, one_of, truth
from shoutgraph.storage.locks import Lock
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

P = TypeVar("P", Package, UnitPrice)


def _rate_key(table: str) -> sa.ForeignKeyConstraint:
    names = ("currency", "book_currency", "version")
    return sa.ForeignKeyConstraint(
        ["currency", "book_currency", "rate_version"], [f"fx_rate.{name}" for name in names], name=f"{table}_rate"
    )


class PackageRow(SQLModel, table=True):
    """One version of a package in one market."""

    __tablename__ = "coin_package"
    __table_args__ = (
        sa.CheckConstraint(f"coins BETWEEN 1 AND {packages.COINS_MAX}", name="package_coins"),
        sa.CheckConstraint(f"bonus_coins BETWEEN 0 AND {packages.COINS_MAX}", name="package_bonus"),
        sa.CheckConstraint(f"price_minor BETWEEN 1 AND {packages.PRICE_MAX_MINOR}", name="package_price"),
        one_of("platform", Platform),
        truth("current"),
        _rate_key("package"),
        sa.UniqueConstraint("country", "currency", "platform", "coins", "version", name="package_version"),
        sa.Index(
            "package_current",
            "country",
            "currency",
            "platform",
            "coins",
            unique=True,
            sqlite_where=sa.text("current = 1"),
            postgresql_where=sa.text("current = 1"),
        ),
        {"sqlite_strict": True},
    )

    id: str = Field(sa_type=Text, primary_key=True)
    version: int = Field(sa_type=Integer)
    country: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    platform: Platform = Field(sa_type=Words(Platform))
    coins: int = Field(sa_type=Integer)
    bonus_coins: int = Field(sa_type=Integer)
    price_minor: int = Field(sa_type=Integer)
    book_currency: str = Field(sa_type=Text)
    rate_version: int = Field(sa_type=Integer)
    created_at: datetime = Field(sa_type=Micros)
    current: bool = Field(sa_type=Truth)
    product: str | None = Field(sa_type=Text)


class UnitPriceRow(SQLModel, table=True):
    """One version of the price of any number of coins in one market."""

    __tablename__ = "unit_price"
    __table_args__ = (
        sa.CheckConstraint(f"price_minor BETWEEN 1 AND {packages.RATIO_MAX}", name="unit_price_minor"),
        sa.CheckConstraint(f"per_coins BETWEEN 1 AND {packages.RATIO_MAX}", name="unit_price_per"),
        sa.CheckConstraint(f"coins_max <= {packages.COINS_MAX} AND coins_min BETWEEN 1 AND coins_max", name="range"),
        one_of("platform", Platform),
        truth("current"),
        _rate_key("unit_price"),
        sa.UniqueConstraint("country", "currency", "platform", "version", name="unit_price_version"),
        sa.Index(
            "unit_price_current",
            "country",
            "currency",
            "platform",
            unique=True,
            sqlite_where=sa.text("current = 1"),
            postgresql_where=sa.text("current = 1"),
        ),
        {"sqlite_strict": True},
    )

    id: str = Field(sa_type=Text, primary_key=True)
    version: int = Field(sa_type=Integer)
    country: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    platform: Platform = Field(sa_type=Words(Platform))
    price_minor: int = Field(sa_type=Integer)
    per_coins: int = Field(sa_type=Integer)
    coins_min: int = Field(sa_type=Integer)
    coins_max: int = Field(sa_type=Integer)
    book_currency: str = Field(sa_type=Text)
    rate_version: int = Field(sa_type=Integer)
    created_at: datetime = Field(sa_type=Micros)
    current: bool = Field(sa_type=Truth)


_P: Final = columns.table_of(PackageRow)
_U: Final = columns.table_of(UnitPriceRow)


def _select(table: sa.Table) -> sa.Select[Any]:
    rated = sa.and_(
        rates.TABLE.c.currency == table.c.currency,
        rates.TABLE.c.book_currency == table.c.book_currency,
        rates.TABLE.c.version == table.c.rate_version,
    )
    return sa.select(*table.c, *(rates.TABLE.c[name] for name in rates.NAMES[3:])).join_from(table, rates.TABLE, rated)


def _current(table: sa.Table) -> sa.Select[Any]:
    return _select(table).where(table.c.current == sa.literal_column("1"))


def _in_market(table: sa.Table) -> sa.Select[Any]:
    """The current rows of a market and, for want of those, of the rest of the world."""
    own = table.c.country == sa.bindparam("country")
    return _current(table).where(
        sa.or_(own, table.c.country == sa.literal_column(f"'{packages.ANYWHERE}'")),
        table.c.currency == sa.bindparam("currency"),
        table.c.platform == sa.bindparam("platform"),
    )


def _insert(table: sa.Table) -> Statement[Any]:
    return Statement(lambda: sa.insert(table).values({column.name: sa.bindparam(column.name) for column in table.c}))


def _retire(table: sa.Table) -> Statement[Any]:
    return Statement(lambda: sa.update(table).where(columns.any_of(table.c.id, "ids")).values(current=False))


_INSERT_PACKAGE: Final = _insert(_P)
_INSERT_UNIT: Final = _insert(_U)
_RETIRE_PACKAGES: Final = _retire(_P)
_RETIRE_UNITS: Final = _retire(_U)
_CURRENT_PACKAGES: Final = Statement[Any](lambda: _current(_P))
_CURRENT_UNITS: Final = Statement[Any](lambda: _current(_U))
_PACKAGE_VERSIONS: Final = Statement[Any](
    lambda: sa.select(_P.c.country, _P.c.currency, _P.c.platform, _P.c.coins, sa.func.max(_P.c.version)).group_by(
        _P.c.country, _P.c.currency, _P.c.platform, _P.c.coins
    )
)
_UNIT_VERSIONS: Final = Statement[Any](
    lambda: sa.select(_U.c.country, _U.c.currency, _U.c.platform, sa.func.max(_U.c.version)).group_by(
        _U.c.country, _U.c.currency, _U.c.platform
    )
)
_PACKAGES_IN: Final = Statement[Any](lambda: _in_market(_P).order_by(_P.c.coins))
_UNITS_IN: Final = Statement[Any](lambda: _in_market(_U))
_LIST: Final = Statement[Any](lambda: _select(_P).where(columns.any_of(_P.c.id, "ids")))


def hold(tx: Tx) -> None:
    """Holds all prices, so that of two lists that are loaded at once the second one sees the first."""
    locks.hold(tx, Lock.PRICES)


def list_of_market(tx: Tx, market: Market) -> tuple[Package, ...]:
    """The packages on sale in a market, the smallest first; those of the rest of the world where it has none."""
    rows = tx.all(_PACKAGES_IN, country=market.country, currency=market.currency, platform=market.platform)
    return _own_or_elsewhere([_package(row) for row in rows], market)


def find_unit_price(tx: Tx, market: Market) -> UnitPrice | None:
    """The unit price of a market, or of the rest of the world, or None where coins are not sold."""
    rows = tx.all(_UNITS_IN, country=market.country, currency=market.currency, platform=market.platform)
    found = _own_or_elsewhere([_unit(row) for row in rows], market)
    return found[0] if found else None


def get(tx: Tx, package_id: str) -> Package:
    """One version of a package, current or not.

    Raises:
        NotFoundError: there is no such package.
    """
    (found,) = list_of(tx, [package_id])
    if found is None:
        raise errors.NotFoundError("There is no such package.")
    return found


def list_of(tx: Tx, package_ids: Sequence[str]) -> list[Package | None]:
    """Packages in the order asked, current or not, None where there is none."""
    found = {row[0]: _package(row) for row in tx.all(_LIST, ids=list(package_ids))}
    return [found.get(package_id) for package_id in package_ids]


def list_of_current(tx: Tx) -> list[Package]:
    """Every package on sale."""
    return [_package(row) for row in tx.all(_CURRENT_PACKAGES)]


def list_of_current_units(tx: Tx) -> list[UnitPrice]:
    """Every unit price in force."""
    return [_unit(row) for row in tx.all(_CURRENT_UNITS)]


def versions(tx: Tx) -> dict[tuple[Market, int], int]:
    """The newest version of every package that was ever sold, by market and coins."""
    return {(Market(*row[:3]), row[3]): row[4] for row in tx.all(_PACKAGE_VERSIONS)}


def unit_versions(tx: Tx) -> dict[Market, int]:
    """The newest version of every unit price that was ever in force, by market."""
    return {Market(*row[:3]): row[3] for row in tx.all(_UNIT_VERSIONS)}


def insert(tx: Tx, found: Iterable[Package]) -> None:
    """Stores new versions of packages, now on sale."""
    tx.many(
        _INSERT_PACKAGE,
        [
            _sold(package)
            | {"coins": package.coins, "bonus_coins": package.bonus_coins, "price_minor": package.price.minor}
            | {"product": package.product}
            for package in found
        ],
    )


def insert_units(tx: Tx, found: Iterable[UnitPrice]) -> None:
    """Stores new versions of unit prices, now in force."""
    names = ("price_minor", "per_coins", "coins_min", "coins_max")
    tx.many(_INSERT_UNIT, [_sold(unit) | {name: getattr(unit, name) for name in names} for unit in found])


def retire(tx: Tx, package_ids: Sequence[str], unit_ids: Sequence[str]) -> None:
    """Takes packages and unit prices off sale."""
    if package_ids:
        tx.run(_RETIRE_PACKAGES, ids=list(package_ids))
    if unit_ids:
        tx.run(_RETIRE_UNITS, ids=list(unit_ids))


def _own_or_elsewhere(found: Sequence[P], market: Market) -> tuple[P, ...]:
    own = tuple(each for each in found if each.market.country == market.country)
    return own or tuple(found)


def _sold(price: Package | UnitPrice) -> dict[str, object]:
    return {
        "id": price.id,
        "version": price.version,
        "country": price.market.country,
        "currency": price.market.currency,
        "platform": price.market.platform,
        "book_currency": price.rate.book_currency,
        "rate_version": price.rate.version,
        "created_at": price.created_at,
        "current": True,
    }


def _package(row: Sequence[Any]) -> Package:
    package_id, version, country, currency, platform, coins, bonus, minor, book, rate, created_at, *rest = row
    _, product, *worth = rest
    return Package(
        id=package_id,
        version=version,
        market=Market(country, currency, platform),
        coins=coins,
        bonus_coins=bonus,
        price=money.Money(minor, currency),
        rate=Rate(currency, book, rate, *worth),
        created_at=created_at,
        product=product,
    )


def _unit(row: Sequence[Any]) -> UnitPrice:
    price_id, version, country, currency, platform, minor, per, low, high, book, rate, created_at, _, *worth = row
    return UnitPrice(
        id=price_id,
        version=version,
        market=Market(country, currency, platform),
        price_minor=minor,
        per_coins=per,
        coins_min=low,
        coins_max=high,
        rate=Rate(currency, book, rate, *worth),
        created_at=created_at,
    )
