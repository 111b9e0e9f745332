"""Suspense as finance sees it: what waits, two people who place it, and a call for people after a day."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shoutgraph.domain import accounts, errors, ids, journal, pages, patience, suspense as rules
from shoutgraph.domain.pages import Page, PageArgs
from shoutgraph.domain.postings import Books
from shoutgraph.domain.requests import Request
from shoutgraph.domain.strays import Stray, StrayKind
from shoutgraph.domain.suspense import Line, SuspenseState
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.storage import journal as journal_rows, ledger as ledger_rows, policies, strays, suspending, suspense
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once

logger = logging.getLogger("shoutgraph.money")

PROPOSED: Final = "suspense.proposed"
PLACED: Final = "suspense.placed"
REJECTED: Final = "suspense.rejected"
AGED: Final = "suspense.aged"


@dataclass(frozen=True, slots=True)
class Wish:
    """Which line is to go where, and why. `expected_revision` is the line's as it was read, if that matters."""

    suspense_id: str
    expected_revision: int | None
    account: str = ""
    reason: str = ""


async def propose(tools: Tools, viewer: Viewer, asked: Request, wish: Wish) -> Done[Line]:
    """Proposes where a line belongs; nothing moves yet.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances.
        NotFoundError: there is no such line.
        StaleRevisionError: the line changed since it was read.
        ValidationError: the text is no line's id, a text is empty or too long, nothing goes to the account by hand,
            or the line is not open (an `ExceptionGroup` where several fields break rules).
        IdempotencyKeyReusedError: the key was used before with other input.
    """

    def step(tx: Tx, line: Line) -> Line:
        rules.check(wish.reason, wish.account)
        after = rules.proposed(line, wish.account, wish.reason, by=viewer.principal, now=tx.now)
        rules.account_of(after, wish.account, _books(tx))
        return after

    return await _decide(tools, viewer, asked, wish, step, PROPOSED)


async def confirm(tools: Tools, viewer: Viewer, asked: Request, wish: Wish) -> Done[Line]:
    """Confirms where another person said that a line belongs: it goes there at once.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances, or proposed it.
        NotFoundError: there is no such line.
        StaleRevisionError: the line changed since it was read, so another place may be proposed; or nobody says
            which revision was read.
        ValidationError: the text is no line's id, nobody proposed a place, or less is owed than the line would pay.
        IdempotencyKeyReusedError: the key was used before with other input.
    """

    def step(tx: Tx, line: Line) -> Line:
        after = rules.confirmed(line, by=viewer.principal, now=tx.now)
        books = _books(tx)
        _check_owed(tx, after, books)
        ledger_rows.post(tx, rules.placed(after, books))
        return after

    return await _decide(tools, viewer, asked, wish, step, PLACED)


async def reject(tools: Tools, viewer: Viewer, asked: Request, wish: Wish) -> Done[Line]:
    """Rejects a proposal, or takes it back: the line waits on.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances.
        NotFoundError: there is no such line.
        StaleRevisionError: the line changed since it was read.
        ValidationError: the text is no line's id, or nobody proposed a place.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    return await _decide(tools, viewer, asked, wish, lambda _tx, line: rules.rejected(line), REJECTED)


async def page(tools: Tools, viewer: Viewer, args: PageArgs, state: SuspenseState | None) -> Page[Line]:
    """A page of lines, newest first.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not read finances.
    """
    viewer.require(Scope.FINANCE_READ)
    found = await tools.store.read(lambda tx: suspense.list_of_page(tx, args, state))
    return pages.cut(found, args, scope=scope_of(state), key_of=lambda each: (each.id,))


def list_of(tx: Tx, limit: int, *, ended: bool = False) -> list[Line]:
    """Some lines, newest first: those that are in suspense, or all."""
    states: tuple[SuspenseState | None, ...] = (None,) if ended else (SuspenseState.OPEN, SuspenseState.PROPOSED)
    args = PageArgs(limit - 1, None, backward=False)
    found = [line for state in states for line in suspense.list_of_page(tx, args, state)]
    return sorted(found, key=lambda line: line.id, reverse=True)[:limit]


def scope_of(state: SuspenseState | None) -> str:
    """Names a listing, so that a cursor of another one is refused."""
    return pages.scope_of("suspense lines", state)


def waiting(tx: Tx) -> tuple[int, datetime | None]:
    """How many lines nobody explained yet, and since when the first one waits."""
    return suspense.waiting(tx)


async def to_look_at(tools: Tools, instance: str, kind: StrayKind) -> list[Stray]:
    """What an instance is to be asked for again: all that is in suspense, now and then what was placed or went back.

    Each turn begins elsewhere, so that what nobody answers for does not hold up the others for good.
    """
    looked_until = tools.clock() - patience.PAID_PAUSE

    def query(tx: Tx) -> list[Stray]:
        waiting = suspending.list_of_waiting(tx, instance=instance, kind=kind)
        return waiting + suspending.list_of_ended(
            tx, instance=instance, kind=kind, looked_until=looked_until, moves_for=rules.MOVES_FOR
        )

    found = await tools.store.read(query)
    first = int(tools.clock().timestamp() // patience.HOUR.total_seconds()) % (len(found) or 1)
    return found[first:] + found[:first]


async def note_look(tools: Tools, stray: Stray) -> None:
    """Says that its provider was asked for it, and answered: the next look has time."""
    await tools.store.write(lambda tx: strays.note_look(tx, instance=stray.instance, operation_id=stray.operation_id))


async def call_people(tools: Tools) -> int:
    """Says of each line that nobody explained for a day, once, that people have to; gives how many there are."""
    until = tools.clock() - rules.ALERT_AFTER
    if not await tools.store.read(lambda tx: suspense.list_of_aged(tx, until)):
        return 0

    def work(tx: Tx) -> list[Line]:
        found = [line for line in suspense.list_of_aged(tx, until) if suspense.note_alert(tx, line.id)]
        for line in found:
            _tell(tools, tx, line, AGED)
        return found

    found = await tools.store.write(work)
    for line in found:
        logger.error("suspense: nobody explained %s at %s for a day: %s", line.line_id, line.instance, line.id)
    return len(found)


async def _decide(
    tools: Tools, viewer: Viewer, asked: Request, wish: Wish, step: Callable[[Tx, Line], Line], kind: str
) -> Done[Line]:
    viewer.require(Scope.FINANCE_MANAGE)
    ids.parse(ids.SUSPENSE_LINE, wish.suspense_id, path=("input", "suspenseLineId"))

    def work(tx: Tx) -> Line:
        line = suspense.get(tx, wish.suspense_id)
        if wish.expected_revision != line.revision and (kind == PLACED or wish.expected_revision is not None):
            raise errors.StaleRevisionError(current_revision=line.revision)
        after = step(tx, line)
        suspense.save(tx, after)
        number = ledger_rows.number_of(tx, rules.PLACED, line.id) if kind == PLACED else None
        _tell(tools, tx, after, kind, number)
        return after

    return await once(tools, asked, work, suspense.get)


def _books(tx: Tx) -> Books:
    policy = policies.current(tx)
    return Books(policy.book_currency, policy.par_units)


def _check_owed(tx: Tx, line: Line, books: Books) -> None:
    """Nobody owes less than nothing. The debtor's wallet is held."""
    coins = rules.debt_coins(line, books)
    if coins:
        assert line.account is not None, "a debt is an account"
        user_id = ids.UserId(line.account.split(":")[1])
        ledger_rows.hold_wallets(tx, accounts.paid(user_id).code)
        owed = -ledger_rows.balance_coins(tx, line.account)
        if coins > owed:
            msg = f"{owed} coins are owed on {line.account}, and this would pay {coins}."
            raise errors.ValidationError(msg, code="WRITE_OFF_TOO_LARGE", path=("input", "suspenseLineId"))


def _tell(tools: Tools, tx: Tx, line: Line, kind: str, number: int | None = None) -> None:
    body: journal.Body = {"status": line.state.value, "instance": line.instance, "line": line.line_id}
    if line.account is not None:
        body = {**body, "account": line.account}
    journal_rows.append(tx, journal.NewEvent(tools.new_id(ids.EVENT), line.id, kind, body, number))
