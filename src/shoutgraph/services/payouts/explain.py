"""Explaining why money has not arrived, or cannot be asked for yet."""

from shoutgraph.domain import accounts, errors, ids
from shoutgraph.domain.explanations import payouts as words
from shoutgraph.domain.explanations.explanation import Explanation
from shoutgraph.domain.explanations.payouts import Standing, Stop
from shoutgraph.domain.features import WHOLE, Feature
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.services.payouts import keeping, send
from shoutgraph.storage import (
    creators,
    earnings,
    features,
    ledger as ledger_rows,
    payout_holds,
    payouts,
    policies,
    users,
    wallets,
)
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools


async def payout(tools: Tools, viewer: Viewer, payout_id: str) -> list[Explanation]:
    """Why a payout is where it is.

    Raises:
        NotFoundError: there is no such payout for this viewer.
    """

    def query(tx: Tx) -> list[Explanation]:
        (found,) = payouts.list_visible(tx, [payout_id], viewer)
        if found is None:
            raise errors.NotFoundError("There is no such payout.", path=("payoutId",))
        return words.payout(found, [Stop(code, note) for code, note in send.list_of_stops(tx, found)])

    return await tools.store.read(query)


async def creator(tools: Tools, viewer: Viewer, creator_id: str | None) -> list[Explanation]:
    """What a creator can be paid now, and what keeps them from more: the viewer's own where none is named.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: it is another's and the viewer does not read finances, or the viewer is not a creator.
        NotFoundError: there is no such creator.
    """
    if creator_id is None or creator_id == viewer.creator_id:
        owner = viewer.require_creator()
    else:
        viewer.require(Scope.FINANCE_READ)
        owner = ids.CreatorId(creator_id)

    def query(tx: Tx) -> list[Explanation]:
        standing, policy = _standing(tx, owner), policies.current(tx)
        (holds,) = keeping.holds_of_creators(tx, [owner])
        return words.creator(standing, policy, now=tx.now) + words.waits(holds, policy)

    return await tools.store.read(query)


def _standing(tx: Tx, creator_id: ids.CreatorId) -> Standing:
    (found,) = creators.list_of(tx, [creator_id])
    if found is None:
        raise errors.NotFoundError("There is no such creator.", path=("creatorId",))
    free = sum(earning.free_coins for earning in earnings.list_of_free(tx, creator_id))
    booked = ledger_rows.balance_coins(tx, accounts.available(creator_id).code)
    pending, _ = earnings.booked_coins(tx, creator_id)
    user = users.find(tx, found.user_id)
    return Standing(
        pending_coins=pending,
        available_coins=min(free, booked),
        requested=payout_holds.requested(tx, creator_id),
        next_matures_at=earnings.find_next_maturing(tx, creator_id),
        locked=user is None or user.locked or wallets.find_lock(tx, found.user_id) is not None,
        feature_off=features.providers_off(tx, Feature.PAYOUTS, found.user_id).get(WHOLE),
    )
