"""What currencies are worth: published with source and time, and the exchange accounts valued anew once a day."""

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from shoutgraph.domain import accounts, errors, ids, journal, money, packages, pages, postings, price_lists
from shoutgraph.domain.checks import Checks
from shoutgraph.domain.packages import Rate, Valued
from shoutgraph.domain.pages import Page, PageArgs
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.storage import (
    audit,
    journal as journal_rows,
    ledger as ledger_rows,
    packages as rows,
    policies,
    rates as rate_rows,
    revaluations,
    turns,
)
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once

SPREAD_MAX_BPS: Final = 2_000
SOURCE_CHARS_MAX: Final = 200
AHEAD_MAX: Final = timedelta(minutes=5)
"""How far a source's clock may be before ours."""
SCHEDULED_MAX: Final = timedelta(days=366)
"""How far ahead a rate may be published."""
PUBLISHED: Final = "rate.published"
REVALUED: Final = "rate.revalued"


@dataclass(frozen=True, slots=True)
class Quoted:
    """A rate to be: where and when it was read, whether a jump is meant, and from when it holds; None is at once."""

    currency: str
    numerator: int
    denominator: int
    spread_bps: int
    source: str
    observed_at: datetime
    expected_version: int
    confirm_jump: bool = False
    effective_from: datetime | None = None


async def publish_rate(tools: Tools, viewer: Viewer, request: Request, quoted: Quoted) -> Done[Rate]:
    """Publishes what a currency is worth from now or a later time on, until another one does.

    Top-ups that were begun keep the rate that they name.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances.
        StaleRevisionError: another rate was published since the viewer read the newest one.
        ValidationError: a field is out of its range, the currency is that of the books, or the rate jumps further than
            the policy allows without a word (an `ExceptionGroup` where several are wrong).
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    viewer.require(Scope.FINANCE_MANAGE)

    def work(tx: Tx) -> Rate:
        rows.hold(tx)
        policy = policies.current(tx)
        _check(quoted, policy.book_currency, tx.now)
        newest = rate_rows.find_newest(tx, quoted.currency, policy.book_currency)
        version = 0 if newest is None else newest.version
        if version != quoted.expected_version:
            raise errors.StaleRevisionError(current_revision=version, path=("input", "expectedVersion"))
        before = _before(tx, quoted, policy.book_currency)
        rate = Rate(
            currency=quoted.currency,
            book_currency=policy.book_currency,
            version=version + 1,
            numerator=quoted.numerator,
            denominator=quoted.denominator,
            spread_bps=quoted.spread_bps,
            source=quoted.source,
            observed_at=quoted.observed_at,
            effective_from=quoted.effective_from,
        )
        if before is not None and not quoted.confirm_jump and packages.jumps(before, rate, policy.fx_jump_bps):
            msg = f"This differs from the rate before it by more than {policy.fx_jump_bps} basis points."
            raise errors.ValidationError(msg, code="RATE_JUMP", path=("input", "confirmJump"))
        rate_rows.insert(tx, [rate])
        audit.note(tx, f"rate:{rate.currency}", _said(newest), _said(rate))
        body: journal.Body = {"currency": rate.currency, "version": rate.version, "by": viewer.principal}
        _tell(tools, tx, PUBLISHED, body)
        return replace(rate, effective_from=rate.effective_from or tx.now)

    def load(tx: Tx, name: str) -> Rate:
        currency, _, version = name.partition(":")
        return rate_rows.get(tx, currency, policies.current(tx).book_currency, int(version))

    return await once(tools, request, work, load)


async def page_of_rates(tools: Tools, viewer: Viewer, currency: str, args: PageArgs) -> Page[Rate]:
    """A page of the versions of what a currency is worth, newest first.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not read finances.
    """
    viewer.require(Scope.FINANCE_READ)

    def query(tx: Tx) -> list[Rate]:
        return rate_rows.list_of_page(tx, currency, policies.current(tx).book_currency, args)

    found = await tools.store.read(query)
    return pages.cut(found, args, scope=scope_of_rates(currency), key_of=lambda rate: (rate.version,))


def scope_of_rates(currency: str) -> str:
    """Names the rates of a currency, so that a cursor of another list is refused."""
    return pages.scope_of("exchangeRates", currency)


async def rate_at(tools: Tools, viewer: Viewer, currency: str, at: datetime) -> Rate | None:
    """What a currency was worth at an instant, or will be by what is published now; None before its first rate.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not read finances.
    """
    viewer.require(Scope.FINANCE_READ)
    return await tools.store.read(lambda tx: rate_rows.find_at(tx, currency, policies.current(tx).book_currency, at))


async def revalue_today(tools: Tools) -> int:
    """As `revalue`, and a plain look where the day was valued before; gives the gain, or the loss below zero.

    Units: book units.
    """
    day = tools.clock().date().isoformat()
    if await tools.store.read(lambda tx: revaluations.was_valued(tx, day)):
        return 0
    return await revalue(tools)


async def revalue(tools: Tools) -> int:
    """Values the exchange accounts at the rates in force, once a day; gives the gain, or the loss below zero.

    What each currency was worth is kept under the day, whether or not it makes a difference: of several processes the
    first one counts, however the rates move on that day.

    Units: book units.
    """

    def work(tx: Tx) -> int:
        book, day = policies.current(tx).book_currency, tx.now.date().isoformat()
        if not turns.take(tx, "revaluation") or revaluations.was_valued(tx, day):
            return 0
        rates = [rate for rate in rate_rows.list_of_in_force(tx) if rate.book_currency == book != rate.currency]
        names = {rate.currency: accounts.money_account("fx", rate.currency).code for rate in rates}
        own = accounts.money_account("fx", book).code
        held = ledger_rows.balances(tx, [*names.values(), own])
        valued = [_valued(rate, held[names[rate.currency]]) for rate in rates]
        valued.append(Valued(book, book, None, held[own], held[own]))
        gain = sum(each.worth_units for each in valued)
        revaluations.insert(tx, day, valued)
        if gain:
            ledger_rows.post(tx, postings.fx_revalued(currency=book, ref=day, gain_units=gain))
            _tell(tools, tx, REVALUED, {"day": day, "gain": gain})
        return gain

    return await tools.store.write(work)


def _valued(rate: Rate, held: int) -> Valued:
    return Valued(rate.currency, rate.book_currency, rate.version, held, packages.worth_units(held, rate))


def _before(tx: Tx, quoted: Quoted, book: str) -> Rate | None:
    """The rate that a new one takes over from."""
    if quoted.effective_from is None:
        return rate_rows.find_in_force(tx, quoted.currency, book)
    return rate_rows.find_at(tx, quoted.currency, book, quoted.effective_from)


def _check(quoted: Quoted, book: str, now: datetime) -> None:
    checks = Checks()
    if quoted.currency == book or not money.is_currency(quoted.currency):
        checks.add("currency", "This currency has no rate of its own.", "NO_RATE")
    checks.between("numerator", quoted.numerator, 1, packages.RATIO_MAX)
    checks.between("denominator", quoted.denominator, 1, packages.RATIO_MAX)
    checks.between("spreadBasisPoints", quoted.spread_bps, 0, SPREAD_MAX_BPS)
    checks.text("source", quoted.source, chars_max=SOURCE_CHARS_MAX)
    if quoted.observed_at > now + AHEAD_MAX:
        checks.add("observedAt", "A rate is of now or before.", "OUT_OF_RANGE")
    if quoted.effective_from is not None and not now <= quoted.effective_from <= now + SCHEDULED_MAX:
        checks.add("effectiveAt", f"A rate takes effect within {SCHEDULED_MAX.days} days.", "OUT_OF_RANGE")
    checks.settle()


def _said(rate: Rate | None) -> dict[str, object]:
    return {} if rate is None else asdict(rate)


def _tell(tools: Tools, tx: Tx, kind: str, body: journal.Body) -> None:
    event = journal.NewEvent(id=tools.new_id(ids.EVENT), topic=price_lists.PRICES, type=kind, body=body)
    journal_rows.append(tx, event)
