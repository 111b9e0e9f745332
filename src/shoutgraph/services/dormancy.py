"""Coins whose owners do nothing: notices, what lapses when their days are over, and what owners keep or take back.

Each person is a unit of work that holds the user, their profile and their wallets, as whoever begins something does:
what they did meanwhile is seen. Where a country has no rule nothing happens. Source: docs/adr/0003-ledger.md, row 28.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from shoutgraph.domain import (
    accounts,
    dormancy as rules,
    ids,
    journal,
    lapse_rules,
    users as people,
    wallets,
)
from shoutgraph.domain.dormancy import (
    Dormancy,
    DormancyId,
    Standing,
    StopCause,
    Totals,
)
from shoutgraph.domain.explanations import dormancy as words
from shoutgraph.domain.explanations.explanation import Explanation
from shoutgraph.domain.lapse_rules import LapseOutcome, Rule
from shoutgraph.domain.ledger import Lot
from shoutgraph.domain.policies import Policy
from shoutgraph.domain.postings import Books
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.storage import (
    affairs,
    cards,
    dormancy as rows,
    journal as journal_rows,
    lapses,
    lapsing,
    ledger as ledger_rows,
    policies,
    privacy,
    users,
    wallets as wallet_rows,
)
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, in_one_or_each, once, one_by_one

PAGE: Final = 100
"""Notices that are looked at between two looks for more."""
USERS_PAGE: Final = 500
"""Users among whom one statement looks for whom to tell."""
PAGES_MAX: Final = 100_000
"""The most pages of one day; the next day goes on."""
LAPSE: Final = "lapse of"
"""What it is that is told of, and rests, where something of it breaks."""
DUE_MAX: Final = 50
"""The most notices whose days are over that one round takes up."""
LOTS_MAX: Final = 200
"""The most lots that one unit of work lets lapse; the next round goes on."""

NOTICED: Final = "wallet.dormancy_noticed"
STOPPED: Final = "wallet.dormancy_stopped"
LAPSED: Final = "wallet.coins_lapsed"


@dataclass(frozen=True, slots=True)
class OfWallet:
    """Names the wallet that an owner's answer was about."""

    id: str


async def run_due(tools: Tools) -> int:
    """Lets lapse what is due; once a day, ends notices that stand no more and gives new ones. Says how many.

    Raises:
        OverloadedError: too much waits for the database; the next round goes on.
        StoreUnavailableError: the database is not there; likewise.
    """
    policy = await tools.store.read(policies.current)
    in_force = lapse_rules.rules_of(policy)
    if not in_force and not await tools.store.read(rows.any_open):
        return 0
    done = await _lapse_due(tools)
    day = f"{tools.clock():%Y-%m-%d}"
    if await tools.store.read(lambda tx: rows.was_looked(tx, day)):
        return done
    stopped, noticed = await _stop_all(tools), 0
    for rule in in_force.values():
        noticed += await _notice_all(tools, rule)
    await tools.store.write(lambda tx: rows.keep_day(tx, day, noticed=noticed, stopped=stopped))
    return done + stopped + noticed


async def keep(tools: Tools, viewer: Viewer, request: Request) -> Done[OfWallet]:
    """Says that the viewer is there: the notice ends, and their time begins anew.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person.
        ValidationError: nothing of theirs is about to lapse.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    user_id = viewer.require_user()

    def work(tx: Tx) -> OfWallet:
        users.get(tx, user_id)
        _stop(tools, tx, rules.check_noticed(rows.find_open(tx, user_id)), StopCause.KEPT)
        return OfWallet(wallets.id_of(user_id))

    return await once(tools, request, work, lambda _, wallet_id: OfWallet(wallet_id))


async def reclaim(tools: Tools, viewer: Viewer, request: Request) -> Done[OfWallet]:
    """Gives the viewer back what lapsed and is kept for them, as lots of the same worth; what they owe is paid first.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person.
        WalletLockedError: the account or the wallet is locked.
        ValidationError: nothing is kept for them, or it was handed over to the state.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    user_id = viewer.require_user()

    def work(tx: Tx) -> OfWallet:
        users.get(tx, user_id).check_open()
        ledger_rows.hold_wallets(tx, accounts.paid(user_id).code)
        wallets.check_unlocked(wallet_rows.find_lock(tx, user_id))
        books, found = _books(policies.current(tx)), lapses.list_unclaimed(tx, user_id)[:LOTS_MAX]
        rules.check_reclaimable(found, lapsing.held_units(tx, books), books)
        lapsing.claim(tx, tools.new_id, books, found)
        return OfWallet(wallets.id_of(user_id))

    return await once(tools, request, work, lambda _, wallet_id: OfWallet(wallet_id))


async def list_of_notices(tools: Tools, owners: Sequence[ids.UserId]) -> list[Dormancy | None]:
    """The notices that stand for wallets that the viewer may see, in the order asked."""
    found = await tools.store.read(lambda tx: rows.list_of_open(tx, owners))
    return [found.get(owner) for owner in owners]


async def list_of_unclaimed(tools: Tools, owners: Sequence[ids.UserId]) -> list[int]:
    """How many coins are kept for the owners of wallets that the viewer may see, in the order asked."""
    found = await tools.store.read(lambda tx: lapses.sums_of_unclaimed(tx, owners))
    return [found.get(owner, 0) for owner in owners]


async def totals(tools: Tools, viewer: Viewer) -> tuple[str, list[Totals]]:
    """What lapsed with each outcome, and what the books hold of it now in which currency.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not read finances.
    """
    viewer.require(Scope.FINANCE_READ)
    return await tools.store.read(_totals)


async def explain(tools: Tools, viewer: Viewer, user_id: str | None) -> Explanation:
    """Why coins of somebody may lapse, lapsed, or do not: the viewer's own where nobody is named.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: it is another's and the viewer does not read finances, or the caller is not a person.
        NotFoundError: there is no such user.
    """
    if user_id is None or user_id == viewer.user_id:
        owner = viewer.require_user()
    else:
        viewer.require(Scope.FINANCE_READ)
        owner = ids.UserId(ids.parse(ids.USER, user_id, path=("userId",)))

    def query(tx: Tx) -> Explanation:
        user, policy = users.get(tx, owner, path=("userId",)), policies.current(tx)
        standing = _standing(tx, user)
        found = rows.list_of_open(tx, [owner]).get(owner) or rows.find_newest(tx, owner)
        return words.explain(standing, lapse_rules.rules_of(policy).get(user.country), found, policy=policy)

    return await tools.store.read(query)


async def _lapse_due(tools: Tools) -> int:
    """Takes up the notices whose days are over; what breaks rests, longer each time, and takes nobody's place."""
    resting = tools.rests.of(LAPSE, tools.clock())
    found = await tools.store.read(lambda tx: rows.list_of_due(tx, limit=DUE_MAX + len(resting)))
    due = [each for each in found if each.id not in resting][:DUE_MAX]
    whole = await one_by_one(LAPSE, due, partial(_lapse, tools), name=lambda each: each.id)
    broken = [each.id for each in due if each.id not in whole]
    if broken:
        tools.rests.begin(LAPSE, broken, tools.clock())
    return len(whole)


async def _stop_all(tools: Tools) -> int:
    stopped, after = 0, ""
    for _ in range(PAGES_MAX):
        found = await tools.store.read(lambda tx, at=after: rows.list_of_page(tx, after=at, limit=PAGE))  # type: ignore[misc]
        stopped += sum(await one_by_one("notice", found, partial(_look, tools), name=lambda each: each.id))
        if len(found) < PAGE:
            break
        after = found[-1].user_id
    return stopped


async def _notice_all(tools: Tools, rule: Rule) -> int:
    noticed, after, before = 0, "", rules.months_before(tools.clock(), rule.months)
    for _ in range(PAGES_MAX):
        found, last = await tools.store.read(
            lambda tx, at=after: rows.list_of_candidates(tx, rule.country, before=before, after=at, limit=USERS_PAGE)  # type: ignore[misc]
        )
        noticed += sum(await one_by_one("notice to", found, partial(_notice, tools, rule)))
        if last is None:
            break
        after = last
    return noticed


async def _notice(tools: Tools, rule: Rule, user_id: ids.UserId) -> int:
    def work(tx: Tx) -> int:
        user, policy = users.get(tx, user_id), policies.current(tx)
        affairs.hold(tx, user_id)
        standing = _standing(tx, user)
        gone = lapse_rules.rules_of(policy).get(user.country) != rule or rows.find_open(tx, user_id) is not None
        if gone or not rules.is_due(standing, rule, now=tx.now):
            return 0
        coins = sum(lot.remaining for lot in _lots(tx, user_id))
        if not coins:
            return 0
        of = DormancyId(tools.new_id(ids.DORMANCY)), user_id
        given = rules.given(standing, rule, of=of, coins=coins, policy=policy, now=tx.now)
        rows.insert(tx, given)
        _tell_of(tools, tx, given, NOTICED, {"lapses_at": given.lapses_at.isoformat()})
        return 1

    return await tools.store.write(work)


async def _look(tools: Tools, seen: Dormancy) -> int:
    """Ends a notice that stands no more."""

    def work(tx: Tx) -> int:
        found, cause = _held(tx, seen)
        if found is None or cause is None:
            return 0
        _stop(tools, tx, found, cause)
        return 1

    cause = await tools.store.read(lambda tx: _held(tx, seen)[1])
    return 0 if cause is None else await tools.store.write(work)


async def _lapse(tools: Tools, seen: Dormancy) -> str | None:
    """Lets everything lapse that a notice is about, or ends it where it stands no more.

    Gives its name; None where a lot broke, which holds up none of the others.
    """
    work = partial(_let_lapse, tools, seen)
    lots = (await tools.store.read(lambda tx: _lots_of(tx, seen)))[:LOTS_MAX]
    if not lots:
        await tools.store.write(lambda tx: work(tx, ()))
        return seen.id
    done = await in_one_or_each(tools.store, f"lapse by {seen.id} of", lots, work, name=lambda lot: lot.id)
    return seen.id if sum(done) == len(lots) else None


def _let_lapse(tools: Tools, seen: Dormancy, tx: Tx, part: Sequence[Lot]) -> int:
    """Lets these lots lapse, and ends the notice with the last one; says how many they are."""
    found, cause = _held(tx, seen)
    if found is None:
        return len(part)
    if cause is not None:
        _stop(tools, tx, found, cause)
        return len(part)
    wanted, books = {lot.id for lot in part}, _books(policies.current(tx))
    left = _lots_of(tx, found)
    lots = [lot for lot in left if lot.id in wanted]
    for lot in lots:
        lapse = rules.lapse_of(found, lot, now=tx.now)
        ledger_rows.post(tx, rules.breakage(books, lapse))
        lapses.insert(tx, lapse)
    if lots:
        coins = sum(lot.remaining for lot in lots)
        _tell_of(tools, tx, found, LAPSED, {"coins": coins, "lots": len(lots)})
    if len(lots) == len(left):
        rows.end(tx, rules.lapsed(found, now=tx.now))
    return len(part)


def _held(tx: Tx, seen: Dormancy) -> tuple[Dormancy | None, StopCause | None]:
    """The notice as it stands, None where it ended meanwhile; and why it has to end without effect."""
    user, policy = users.get(tx, seen.user_id), policies.current(tx)
    affairs.hold(tx, seen.user_id)
    found = rows.find_open(tx, seen.user_id)
    if found is None or found.id != seen.id:
        return None, None
    cause = rules.stop_cause(found, _standing(tx, user), lapse_rules.rules_of(policy))
    if cause is None and not _lots(tx, seen.user_id):
        cause = StopCause.NOTHING_LEFT
    return found, cause


def _standing(tx: Tx, user: people.User) -> Standing:
    """What decides whether coins of somebody may lapse; whoever goes by it holds their affairs."""
    return Standing(
        country=user.country,
        last_active=rows.list_of_last_active(tx, [user.id])[user.id],
        blockers=frozenset(affairs.list_of_blockers(tx, user.id)),
        leaves=user.closed_at is not None or user.erased_at is not None or privacy.leaves(tx, user.id),
        locked=user.locked or wallet_rows.find_lock(tx, user.id) is not None,
        cards_open=bool(cards.list_of_open(tx, user.id)),
    )


def _lots(tx: Tx, user_id: ids.UserId) -> list[Lot]:
    """Bought coins that are free and have never lapsed: what came back to a lot that did stays."""
    free = ledger_rows.list_of_spendable_lots(tx, accounts.paid(user_id).code)
    before = lapses.ever_lapsed(tx, [lot.id for lot in free])
    return [lot for lot in free if lot.id not in before]


def _lots_of(tx: Tx, notice: Dormancy) -> list[Lot]:
    """Those that were there already when their owner was told."""
    return [lot for lot in _lots(tx, notice.user_id) if lot.granted_at <= notice.noticed_at]


def _stop(tools: Tools, tx: Tx, dormancy: Dormancy, cause: StopCause) -> None:
    after = rules.stopped(dormancy, cause, now=tx.now)
    rows.end(tx, after)
    _tell_of(tools, tx, after, STOPPED, {"cause": cause.value})


def _totals(tx: Tx) -> tuple[str, list[Totals]]:
    books = _books(policies.current(tx))
    places = {
        LapseOutcome.INCOME: accounts.money_account("rev:breakage", books.currency).code,
        LapseOutcome.UNCLAIMED: accounts.unclaimed(books.currency).code,
    }
    held = ledger_rows.balances(tx, list(places.values()))
    found = {outcome: (lots, coins, back) for outcome, lots, coins, back in lapses.list_of_totals(tx)}
    return books.currency, [Totals(each, *found.get(each, (0, 0, 0)), held[places[each]]) for each in LapseOutcome]


def _books(policy: Policy) -> Books:
    return Books(policy.book_currency, policy.par_units)


def _tell_of(tools: Tools, tx: Tx, dormancy: Dormancy, kind: str, body: journal.Body) -> None:
    about: journal.Body = {"dormancy": dormancy.id, "outcome": dormancy.rule.outcome.value, "coins": dormancy.coins}
    _tell(tools, tx, dormancy.user_id, kind, {**about, **body})


def _tell(tools: Tools, tx: Tx, user_id: ids.UserId, kind: str, body: journal.Body) -> None:
    event = journal.NewEvent(
        id=tools.new_id(ids.EVENT), topic=wallets.id_of(user_id), type=kind, body={"user": user_id, **body}
    )
    journal_rows.append(tx, event)
