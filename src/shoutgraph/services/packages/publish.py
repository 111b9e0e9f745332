"""Publishing price lists: for now or for later, withdrawing one, and taking into effect what is due.

All of it holds all prices, so that lists take effect one after the other.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from shoutgraph.domain import errors, ids, journal, packages, pages, price_lists
from shoutgraph.domain.checks import Checks, tidy
from shoutgraph.domain.packages import Market, PackageEntry, PriceList, RateEntry, UnitEntry
from shoutgraph.domain.pages import Page, PageArgs
from shoutgraph.domain.price_lists import ListState, Version, Warned
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.services.packages.load import Loaded, make_current
from shoutgraph.storage import (
    audit,
    journal as journal_rows,
    packages as rows,
    policies,
    price_lists as lists,
    rates as rate_rows,
)
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once

LISTS: Final = pages.scope_of("price lists")
"""Names the list of versions, so that a cursor of another one is refused."""
LOADED: Final = "Loaded from a file."
PUBLISHED: Final = "prices.published"
APPLIED: Final = "prices.applied"
WITHDRAWN: Final = "prices.withdrawn"


@dataclass(frozen=True, slots=True)
class Draft:
    """A price list that is to be published. Without rates of its own it is sold at the newest ones."""

    prices: PriceList
    reason: str
    expected_version: int | None = None
    effective_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class MarketPrices:
    """What one version of the prices says of one market, or of the rest of the world in its stead."""

    packages: tuple[PackageEntry, ...]
    unit: UnitEntry | None


async def load(tools: Tools, viewer: Viewer, prices: PriceList) -> Loaded:
    """Makes a price list the one that holds, now; a list that holds already makes no version.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage the catalogue.
        ValidationError: the list contradicts itself or leaves something out, its rates are to another currency than
            that of the books, or a later list is scheduled.
    """
    viewer.require(Scope.CATALOGUE_MANAGE)
    packages.check_list(prices)

    def work(tx: Tx) -> Loaded:
        rows.hold(tx)
        loaded = make_current(tools, tx, prices)
        if loaded != Loaded():
            _keep(tools, tx, viewer, Draft(prices, LOADED))
        return loaded

    return await tools.store.write(work)


async def publish(tools: Tools, viewer: Viewer, request: Request, draft: Draft) -> Done[Version]:
    """Publishes a price list. It takes effect at once, or at the time that it names.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage the catalogue.
        StaleRevisionError: another list was published since the viewer read the newest one.
        ValidationError: the list is empty, contradicts itself or leaves something out, a currency has no rate, the time
            is past, or a later list is scheduled.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    viewer.require(Scope.CATALOGUE_MANAGE)
    draft = replace(draft, reason=_checked_reason(draft.reason))

    def work(tx: Tx) -> Version:
        rows.hold(tx)
        if not draft.prices.units:
            raise errors.ValidationError("Sell something.", code="TOO_FEW", path=("input", "markets"))
        packages.check_list(_rated(tx, draft.prices))
        if draft.effective_from is not None and draft.effective_from < tx.now:
            path = ("input", "effectiveAt")
            raise errors.ValidationError("A list takes effect now or later.", code="OUT_OF_RANGE", path=path)
        version = _keep(tools, tx, viewer, draft)
        if version.state is ListState.APPLIED:
            make_current(tools, tx, _rated(tx, draft.prices))
        now = {"state": version.state, "effective_from": version.effective_from, "packages": version.packages_count}
        audit.note(tx, f"prices:{version.version}", {}, now)
        return version

    return await once(tools, request, work, lambda tx, version: lists.get(tx, int(version)))


async def withdraw(tools: Tools, viewer: Viewer, request: Request, version: int) -> Done[Version]:
    """Withdraws a list that is scheduled; it never takes effect.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage the catalogue.
        NotFoundError: there is no such list.
        ValidationError: it is not scheduled any more.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    viewer.require(Scope.CATALOGUE_MANAGE)

    def work(tx: Tx) -> Version:
        rows.hold(tx)
        before = lists.get(tx, version)
        price_lists.check_withdrawn(before)
        lists.decide(tx, version, ListState.WITHDRAWN)
        audit.note(tx, f"prices:{version}", {"state": before.state}, {"state": ListState.WITHDRAWN})
        _tell(tools, tx, WITHDRAWN, {"version": version, "by": viewer.principal})
        return lists.get(tx, version)

    return await once(tools, request, work, lambda tx, number: lists.get(tx, int(number)))


async def apply_due(tools: Tools) -> int:
    """Takes into effect the lists whose time has come, in their order; says how many."""
    if not await tools.store.read(lists.list_of_due):
        return 0

    def work(tx: Tx) -> int:
        rows.hold(tx)
        due = lists.list_of_due(tx)
        for version in due:
            make_current(tools, tx, _rated(tx, lists.get_prices(tx, version)))
            lists.decide(tx, version, ListState.APPLIED)
            lists.end_others(tx, version)
            _tell(tools, tx, APPLIED, {"version": version})
        return len(due)

    return await tools.store.write(work)


async def page(tools: Tools, viewer: Viewer, args: PageArgs) -> Page[Version]:
    """A page of all versions of the prices, newest first.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer neither manages the catalogue nor reads finances.
    """
    viewer.require(Scope.CATALOGUE_MANAGE, Scope.FINANCE_READ)
    found = await tools.store.read(lambda tx: versions(tx, args))
    return pages.cut(found, args, scope=LISTS, key_of=lambda each: (each.version,))


def versions(tx: Tx, args: PageArgs) -> list[Version]:
    """Versions of the prices, newest first."""
    return lists.list_of_page(tx, args)


async def market_of(tools: Tools, viewer: Viewer, version: int, market: Market) -> MarketPrices:
    """What a version of the prices says of a market.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer neither manages the catalogue nor reads finances.
        NotFoundError: there is no such version.
        ValidationError: the country is not one.
    """
    viewer.require(Scope.CATALOGUE_MANAGE, Scope.FINANCE_READ)
    packages.check_market(market)
    prices = await tools.store.read(lambda tx: lists.get_prices(tx, version))
    elsewhere = replace(market, country=packages.ANYWHERE)
    sold = tuple(sorted((e for e in prices.packages if e.market == market), key=lambda entry: entry.coins))
    rest = tuple(sorted((e for e in prices.packages if e.market == elsewhere), key=lambda entry: entry.coins))
    units = {unit.market: unit for unit in prices.units}
    return MarketPrices(sold or rest, units.get(market, units.get(elsewhere)))


def warnings_of(tx: Tx, prices: PriceList) -> tuple[Warned, ...]:
    """What looks wrong in a price list, at its own rates or the newest ones."""
    newest = {rate.currency: rate for rate in rate_rows.list_of_in_force(tx)}
    own = {e.currency: packages.Rate(e.currency, e.book_currency, 1, e.numerator, e.denominator) for e in prices.rates}
    return price_lists.warnings_of(prices, newest | own, policies.current(tx))


def _keep(tools: Tools, tx: Tx, viewer: Viewer, draft: Draft) -> Version:
    """Stores the next version: in effect where it names no later time."""
    newest = lists.find_newest(tx)
    start = draft.effective_from or tx.now
    expected = (newest.version if newest else 0) if draft.expected_version is None else draft.expected_version
    now = start <= tx.now
    version = Version(
        version=price_lists.check_next(newest, expected_version=expected, effective_from=start),
        state=ListState.APPLIED if now else ListState.SCHEDULED,
        effective_from=start,
        published_at=tx.now,
        published_by=viewer.principal,
        reason=draft.reason,
        packages_count=len(draft.prices.packages),
        units_count=len(draft.prices.units),
        warnings=warnings_of(tx, draft.prices),
        decided_at=tx.now if now else None,
    )
    lists.insert(tx, version, draft.prices)
    if now:
        lists.end_others(tx, version.version)
    body: journal.Body = {
        "version": version.version,
        "by": viewer.principal,
        "state": version.state.value,
        "warnings": len(version.warnings),
    }
    _tell(tools, tx, PUBLISHED, body)
    return version


def _rated(tx: Tx, prices: PriceList) -> PriceList:
    """The list with the newest rates, where it has none of its own."""
    if prices.rates:
        return prices
    book = policies.current(tx).book_currency
    newest = (rate for rate in rate_rows.list_of_in_force(tx) if rate.book_currency == book)
    rates = (RateEntry(rate.currency, rate.book_currency, rate.numerator, rate.denominator) for rate in newest)
    return replace(prices, rates=tuple(rates))


def _checked_reason(reason: str) -> str:
    checks = Checks()
    tidied = tidy(reason)
    checks.text("reason", tidied, chars_max=price_lists.REASON_CHARS_MAX, lines=True)
    checks.settle()
    return tidied


def _tell(tools: Tools, tx: Tx, kind: str, body: journal.Body) -> None:
    event = journal.NewEvent(id=tools.new_id(ids.EVENT), topic=price_lists.PRICES, type=kind, body=body)
    journal_rows.append(tx, event)
