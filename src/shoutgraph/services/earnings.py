"""Earnings: they mature after their hold, and their creator sees where each coin of them is."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from shoutgraph.domain import accounts, earnings as rules, errors, ids, journal, maturing, pages
from shoutgraph.domain.earnings import Balances, Earning, EarningState, Part, Reserve, ReserveRate
from shoutgraph.domain.pages import Page, PageArgs
from shoutgraph.domain.policies import Policy
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.storage import (
    audit,
    creators,
    earnings,
    journal as journal_rows,
    ledger as ledger_rows,
    payouts,
    policies,
    reserves,
    wallets,
    withholding,
)
from shoutgraph.storage.earnings import MATURE_MAX
from shoutgraph.storage.tx import Tx
from shoutgraph.storage.withholding import Debt
from shoutgraph.tools import Done, Tools, in_its_turn, once

MATURED = "earning.matured"
RELEASED = "earning.released"
RELEASE: Final = "released"
"""How the name of a transfer ends by which what was in reserve pays a debt."""
OWING_MAX: Final = 20
"""The most creators who pay in one unit of work."""

Owing = tuple[ids.CreatorId, int]
"""A creator, and how many coins they owe."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a creator has earned, and what a coin is worth."""

    balances: Balances
    policy: Policy
    reserve: Reserve


async def mature_due(tools: Tools, *, limit: int = MATURE_MAX) -> int:
    """Makes earnings available whose hold is over; gives how many.

    Raises:
        OverloadedError: too much waits for the database; the next round goes on.
        StoreUnavailableError: the database is not there; likewise.
    """

    def find(tx: Tx, size: int) -> Sequence[Earning]:
        return earnings.list_of_maturing(tx, limit=size)

    def work(tx: Tx, due: Sequence[Earning]) -> int:
        policy = policies.current(tx)
        own = reserves.rates_of(tx, sorted({earning.creator_id for earning in due})) if due else {}
        debts = withholding.debts_of(tx, [earning.creator_id for earning in due])
        for earning in due:
            kept = _mature(tools, tx, earning, debts.get(earning.creator_id), policy)
            _reserve(tx, kept, own.get(earning.creator_id, policy.reserve_bps), policy)
        return len(due)

    return await in_its_turn(tools, "maturing of", find, work, limit=limit, name=_id_of)


async def release_due(tools: Tools, *, limit: int = MATURE_MAX) -> int:
    """Makes available what was in reserve for long enough, less what is owed; gives of how many earnings.

    Raises:
        OverloadedError: too much waits for the database; the next round goes on.
        StoreUnavailableError: the database is not there; likewise.
    """

    def find(tx: Tx, size: int) -> Sequence[Earning]:
        return earnings.list_of_aged(tx, limit=size)

    def work(tx: Tx, aged: Sequence[Earning]) -> int:
        policy = policies.current(tx)
        debts = withholding.debts_of(tx, [earning.creator_id for earning in aged])
        for earning in aged:
            coins, debt = earning.reserved_coins, debts.get(earning.creator_id)
            transfer = maturing.earnings_released(ref=earning.id, creator_id=earning.creator_id, coins=coins)
            ledger_rows.post(tx, transfer)
            fresh = [(rules.released(earning), coins)]
            earnings.save(tx, withholding.withhold(tx, debt, fresh, policy, ref=f"{earning.id}:{RELEASE}"))
            _tell(tools, tx, earning, RELEASED, coins)
        return len(aged)

    return await in_its_turn(tools, "release of", find, work, limit=limit, name=_id_of)


async def withhold_due(tools: Tools, *, limit: int = OWING_MAX) -> int:
    """Lets earnings that were available before their creator owed anything pay that; gives for how many creators.

    Raises:
        OverloadedError: too much waits for the database; the next round goes on.
        StoreUnavailableError: the database is not there; likewise.
    """
    if not await tools.store.read(lambda tx: withholding.list_of_owing(tx, limit=1)):
        return 0

    def find(tx: Tx, size: int) -> Sequence[Owing]:
        return withholding.list_of_owing(tx, limit=size)

    def work(tx: Tx, owing: Sequence[Owing]) -> int:
        creators.hold_all(tx, [creator_id for creator_id, _ in owing])
        parts = [part for creator_id, coins in owing for part in _to_pay(tx, creator_id, coins)]
        fresh: dict[ids.CreatorId, list[tuple[Earning, int]]] = defaultdict(list)
        for earning, coins in earnings.list_of_parts(tx, parts):
            fresh[earning.creator_id].append((earning, coins))
        policy, debts = policies.current(tx), withholding.debts_of(tx, fresh)
        for creator_id, part in fresh.items():
            debt = debts.get(creator_id)
            version = 0 if debt is None else wallets.account_version(tx, accounts.debt(debt.user_id).code)
            earnings.save(tx, withholding.withhold(tx, debt, part, policy, ref=f"{creator_id}:{version}"))
        return len(debts)

    return await in_its_turn(tools, "withholding from", find, work, limit=limit, name=lambda each: each[0])


def _to_pay(tx: Tx, creator_id: ids.CreatorId, coins: int) -> tuple[Part, ...]:
    """What is free of a creator who is held, as far as it is owed."""
    free = earnings.list_of_free(tx, creator_id)
    return rules.allocate(free, min(coins, sum(earning.free_coins for earning in free)))


def _id_of(earning: Earning) -> str:
    return earning.id


async def set_reserve(
    tools: Tools, viewer: Viewer, asked: Request, creator_id: str, *, basis_points: int | None, reason: str
) -> Done[ReserveRate]:
    """Says what share of a creator's earnings is kept in reserve from now on; None is the policy's share.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances, or it is about themselves.
        NotFoundError: there is no such creator.
        ValidationError: the share is none, or the reason is empty or too long.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    viewer.require(Scope.FINANCE_MANAGE)
    if creator_id == viewer.creator_id:
        raise errors.ForbiddenError("Somebody else decides about your own reserve.")

    def work(tx: Tx) -> ReserveRate:
        creator = creators.get(tx, creator_id)
        rate = rules.rate(creator.id, basis_points, reason, by=viewer.principal)
        before = reserves.rates_of(tx, [creator.id]).get(creator.id)
        reserves.save(tx, rate)
        audit.note(tx, creator.id, {"reserve_bps": before}, {"reserve_bps": rate.basis_points})
        return rate

    def load(tx: Tx, name: str) -> ReserveRate:
        return ReserveRate(ids.CreatorId(name), reserves.rates_of(tx, [name]).get(name), "", "")

    return await once(tools, asked, work, load)


async def summary(tools: Tools, viewer: Viewer, creator_id: str | None = None) -> Summary:
    """A creator's earnings by where they are: the viewer's own where no creator is named.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: it is another's and the viewer does not read finances, or the viewer is not a creator.
        NotFoundError: there is no such creator.
    """
    owner = _owner(viewer, creator_id)

    def query(tx: Tx) -> Summary:
        if owner != viewer.creator_id and creators.list_of(tx, [owner]) == [None]:
            raise errors.NotFoundError("There is no such creator.", path=("creatorId",))
        balances = Balances(*earnings.booked_coins(tx, owner), *payouts.total_coins(tx, owner))
        return Summary(balances, policies.current(tx), earnings.reserve_of(tx, owner))

    return await tools.store.read(query)


async def page(tools: Tools, viewer: Viewer, args: PageArgs, creator_id: str | None = None) -> Page[Earning]:
    """A page of a creator's earnings, newest first.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: it is another's and the viewer does not read finances, or the viewer is not a creator.
    """
    owner = _owner(viewer, creator_id)
    found = await tools.store.read(lambda tx: earnings.list_of_page(tx, owner, args))
    return pages.cut(found, args, scope=scope(owner), key_of=lambda earning: (earning.id,))


def scope(creator_id: str) -> str:
    """Names the earnings of a creator, so that a cursor of another list is refused."""
    return pages.scope_of("earnings", creator_id)


def _mature(tools: Tools, tx: Tx, earning: Earning, debt: Debt | None, policy: Policy) -> Earning:
    """The earning after its hold, less what it paid of what its creator owes."""
    coins, creator_id = earning.remaining_coins, earning.creator_id
    after = rules.matured(earning, now=tx.now)
    assert after.state is EarningState.AVAILABLE, "what was taken back whole does not mature"
    ledger_rows.post(tx, maturing.earnings_matured(ref=earning.id, creator_id=creator_id, coins=coins))
    _tell(tools, tx, earning, MATURED, coins)
    return withholding.withhold(tx, debt, [(after, coins)], policy, ref=earning.id)[0]


def _reserve(tx: Tx, earning: Earning, bps: int, policy: Policy) -> None:
    """Stores a matured earning, with its share in reserve."""
    kept = earning
    if earning.state is EarningState.AVAILABLE:
        kept = rules.reserved(earning, bps=bps, until=tx.now + timedelta(seconds=policy.reserve_s))
    if kept.reserved_coins:
        reserved = kept.reserved_coins
        ledger_rows.post(tx, maturing.earnings_reserved(ref=earning.id, creator_id=earning.creator_id, coins=reserved))
    earnings.save(tx, [kept])


def _tell(tools: Tools, tx: Tx, earning: Earning, kind: str, coins: int) -> None:
    body: journal.Body = {"creator": earning.creator_id, "subject": earning.subject_id, "coins": coins}
    event = journal.NewEvent(id=tools.new_id(ids.EVENT), topic=earning.id, type=kind, body=body)
    journal_rows.append(tx, event)


def _owner(viewer: Viewer, creator_id: str | None) -> ids.CreatorId:
    if creator_id is None or creator_id == viewer.creator_id:
        return viewer.require_creator()
    viewer.require(Scope.FINANCE_READ)
    return ids.CreatorId(ids.parse(ids.CREATOR, creator_id, path=("creatorId",)))
