"""Earnings: they mature after their hold, and their creator sees where each coin of them is."""

from dataclasses import dataclass

from shoutgraph.domain import earnings as rules, errors, ids, journal, pages, postings
from shoutgraph.domain.earnings import Balances, Earning, EarningState
from shoutgraph.domain.pages import Page, PageArgs
from shoutgraph.domain.policies import Policy
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.storage import creators, earnings, journal as journal_rows, ledger as ledger_rows, payouts, policies
from shoutgraph.storage.earnings import MATURE_MAX
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

MATURED = "earning.matured"


@dataclass(frozen=True, slots=True)
class Summary:
    """What a creator has earned, and what a coin is worth."""

    balances: Balances
    policy: Policy


async def mature_due(tools: Tools, *, limit: int = MATURE_MAX) -> int:
    """Makes earnings available whose hold is over; gives how many."""

    def work(tx: Tx) -> int:
        due = earnings.list_of_maturing(tx, limit=limit)
        for earning in due:
            _mature(tools, tx, earning)
        return len(due)

    return await tools.store.write(work)


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
        return Summary(balances, policies.current(tx))

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


def _mature(tools: Tools, tx: Tx, earning: Earning) -> None:
    coins = earning.remaining_coins
    after = rules.matured(earning, now=tx.now)
    assert after.state is EarningState.AVAILABLE, "what was taken back whole does not mature"
    transfer = postings.earnings_matured(ref=earning.id, creator_id=earning.creator_id, coins=coins)
    ledger_rows.post(tx, transfer)
    earnings.save(tx, [after])
    body: journal.Body = {"creator": earning.creator_id, "subject": earning.subject_id, "coins": coins}
    event = journal.NewEvent(id=tools.new_id(ids.EVENT), topic=earning.id, type=MATURED, body=body)
    journal_rows.append(tx, event)


def _owner(viewer: Viewer, creator_id: str | None) -> ids.CreatorId:
    if creator_id is None or creator_id == viewer.creator_id:
        return viewer.require_creator()
    viewer.require(Scope.FINANCE_READ)
    return ids.CreatorId(ids.parse(ids.CREATOR, creator_id, path=("creatorId",)))
