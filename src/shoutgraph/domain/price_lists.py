"""Price lists as versions: published for now or for a later time, with what looks wrong in them.

A list says everything that is sold. Versions take effect in their order; a later one ends an earlier one.
Units: coins, minor units, book units; `_bps` basis points.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final

from shoutgraph.domain import errors, money
from shoutgraph.domain.packages import Market, PackageEntry, Platform, PriceList, Rate, RateEntry, UnitEntry, name_of
from shoutgraph.domain.policies import Policy

PRICES: Final = "prices"
"""What the journal calls the line of all price lists."""
REASON_CHARS_MAX: Final = 500
HOLE_BPS: Final = 100
"""A saving of less than this is the rounding of prices that end in 99."""
WARNINGS_MAX: Final = 100


class ListState(StrEnum):
    """Where a price list stands."""

    SCHEDULED = "SCHEDULED"
    APPLIED = "APPLIED"
    WITHDRAWN = "WITHDRAWN"


class Hole(StrEnum):
    """What looks wrong in a price list."""

    SMALLER_IS_CHEAPER = "SMALLER_IS_CHEAPER"
    EXACT_IS_CHEAPER = "EXACT_IS_CHEAPER"
    BELOW_PAYOUT = "BELOW_PAYOUT"


@dataclass(frozen=True, slots=True)
class Warned:
    """One thing that looks wrong: people may mean it, so it is told and not refused."""

    hole: Hole
    market: Market
    coins: int
    message: str


@dataclass(frozen=True, slots=True)
class Version:
    """A version of all prices. `decided_at` is when it took effect or was withdrawn; the prices are kept apart."""

    version: int
    state: ListState
    effective_from: datetime
    published_at: datetime
    published_by: str
    reason: str
    packages_count: int
    units_count: int
    warnings: tuple[Warned, ...] = ()
    decided_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def id(self) -> str:
        """Names the version among what requests made."""
        return str(self.version)


def check_next(newest: Version | None, *, expected_version: int, effective_from: datetime) -> int:
    """The number of the next version.

    Raises:
        StaleRevisionError: another list was published since the viewer read the newest one.
        ValidationError: it would take effect before one that is scheduled, which would then undo it.
    """
    version = 0 if newest is None else newest.version
    if version != expected_version:
        raise errors.StaleRevisionError(current_revision=version, path=("input", "expectedVersion"))
    if newest is not None and newest.state is ListState.SCHEDULED and effective_from < newest.effective_from:
        msg = "A later list is scheduled, and would undo this one: withdraw that first."
        raise errors.ValidationError(msg, code="PRICES_SCHEDULED", path=("input", "effectiveAt"))
    return version + 1


def check_withdrawn(version: Version) -> None:
    """Refuses to withdraw a list that is not scheduled any more.

    Raises:
        ValidationError: it is not.
    """
    if version.state is not ListState.SCHEDULED:
        msg = f"Only a scheduled list is withdrawn; this one is {version.state}."
        raise errors.ValidationError(msg, code="PRICES_STATE", path=("input", "version"))


def warnings_of(prices: PriceList, rates: Mapping[str, Rate], policy: Policy) -> tuple[Warned, ...]:
    """What looks wrong: ways to pay less for the same coins, and coins below what they are paid out at."""
    by_market: dict[Market, list[PackageEntry]] = {}
    for entry in prices.packages:
        by_market.setdefault(entry.market, []).append(entry)
    units = {unit.market: unit for unit in prices.units}
    found: list[Warned] = []
    for market, entries in by_market.items():
        entries.sort(key=lambda entry: entry.coins)
        found += _holes(entries, units.get(market))
        found += (_warn(Hole.BELOW_PAYOUT, entry) for entry in entries if _is_below(entry, rates, policy))
    return tuple(found[:WARNINGS_MAX])


def to_plain(prices: PriceList) -> dict[str, Any]:
    """A price list as plain values."""
    return {
        "rates": [list(astuple(rate)) for rate in prices.rates],
        "packages": [[*_place(e.market), e.coins, e.price_minor, e.bonus_coins, e.product] for e in prices.packages],
        "units": [[*_place(e.market), e.price_minor, e.per_coins, e.coins_min, e.coins_max] for e in prices.units],
    }


def from_plain(values: Mapping[str, Any]) -> PriceList:
    """The price list that `to_plain` wrote."""
    return PriceList(
        tuple(RateEntry(*rate) for rate in values["rates"]),
        tuple(PackageEntry(_market(each), *each[3:]) for each in values["packages"]),
        tuple(UnitEntry(_market(each), *each[3:]) for each in values["units"]),
    )


def warnings_to_plain(warnings: Sequence[Warned]) -> list[list[object]]:
    """Warnings as plain values."""
    return [[each.hole.value, *_place(each.market), each.coins, each.message] for each in warnings]


def warnings_from_plain(values: Sequence[Sequence[Any]]) -> tuple[Warned, ...]:
    """The warnings that `warnings_to_plain` wrote."""
    return tuple(Warned(Hole(each[0]), _market(each[1:]), *each[4:]) for each in values)


def _holes(entries: Sequence[PackageEntry], unit: UnitEntry | None) -> Iterator[Warned]:
    for small, large in pairwise(entries):
        if _saves(small.price_minor * large.coins, large.price_minor * small.coins):
            yield _warn(Hole.SMALLER_IS_CHEAPER, large)
    for entry in entries if unit is not None else ():
        assert unit is not None, "the loop is empty without a unit price"
        fits = unit.coins_min <= entry.coins <= unit.coins_max
        if fits and _saves(unit.price_minor * entry.coins, entry.price_minor * unit.per_coins):
            yield _warn(Hole.EXACT_IS_CHEAPER, entry)


def _saves(cheaper: int, dearer: int) -> bool:
    return cheaper * money.BPS < dearer * (money.BPS - HOLE_BPS)


def _is_below(entry: PackageEntry, rates: Mapping[str, Rate], policy: Policy) -> bool:
    """Whether these coins cost less than a creator gets for them: whoever buys and earns them gains."""
    rate = rates.get(entry.market.currency)
    if rate is None:
        return False
    paid_out = entry.coins * policy.par_units * (money.BPS - min(policy.fee_bps, policy.gift_fee_bps))
    return entry.price_minor * rate.numerator * money.BPS < paid_out * rate.denominator


_SAYS: Final[Mapping[Hole, str]] = {
    Hole.SMALLER_IS_CHEAPER: "a coin costs more than in the next smaller package",
    Hole.EXACT_IS_CHEAPER: "as many coins cost less when bought exactly",
    Hole.BELOW_PAYOUT: "the coins cost less than creators are paid for them",
}


def _warn(hole: Hole, entry: PackageEntry) -> Warned:
    told = f"{name_of(entry.market)}, {entry.coins} coins: {_SAYS[hole]}."
    return Warned(hole, entry.market, entry.coins, told)


def _place(market: Market) -> tuple[str, str, str]:
    return market.country, market.currency, market.platform.value


def _market(values: Sequence[Any]) -> Market:
    return Market(values[0], values[1], Platform(values[2]))
