"""What coins cost now, and where."""

from collections.abc import Sequence
from dataclasses import dataclass

from shoutgraph.domain import errors, packages
from shoutgraph.domain.packages import ExactPrice, Market, Package, UnitPrice
from shoutgraph.storage import packages as rows
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools


@dataclass(frozen=True, slots=True)
class OnSale:
    """What is on sale, by market and size."""

    packages: tuple[Package, ...]
    units: tuple[UnitPrice, ...]


def on_sale(tx: Tx, *, country: str | None = None, currency: str | None = None) -> OnSale:
    """Everything that is on sale; with a country, what people there are offered."""
    found = packages.seen_from(country, currency, rows.list_of_current(tx))
    units = packages.seen_from(country, currency, rows.list_of_current_units(tx))
    return OnSale(
        tuple(sorted(found, key=lambda package: (package.market, package.coins))),
        tuple(sorted(units, key=lambda unit: unit.market)),
    )


async def list_of_market(tools: Tools, market: Market) -> tuple[Package, ...]:
    """The packages on sale in a market, the smallest first.

    Raises:
        ValidationError: the country is not one.
    """
    packages.check_market(market)
    return await tools.store.read(lambda tx: rows.list_of_market(tx, market))


async def list_by_id(tools: Tools, package_ids: Sequence[str]) -> list[Package | None]:
    """Packages by id, on sale or not, None where there is none."""
    return await tools.store.read(lambda tx: rows.list_of(tx, package_ids))


async def price(tools: Tools, market: Market, coins: int) -> ExactPrice:
    """What exactly so many coins cost in a market.

    Raises:
        NotFoundError: coins are not sold there.
        ValidationError: fewer or more coins than are sold at once, or the country is not one.
    """
    packages.check_market(market)
    unit = await tools.store.read(lambda tx: rows.find_unit_price(tx, market))
    if unit is None:
        raise errors.NotFoundError("Coins are not sold in this country, currency and platform.")
    return packages.price_of(unit, coins)
