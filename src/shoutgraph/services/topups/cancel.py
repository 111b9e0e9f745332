"""Giving up a purchase that is not paid yet: its provider is asked, and what it answers is what counts."""

from typing import Final

from shoutgraph import sdk
from shoutgraph.domain import errors, ids
from shoutgraph.domain.requests import Request
from shoutgraph.domain.topups.topup import Source, Status, Topup
from shoutgraph.domain.users import Viewer
from shoutgraph.services.topups import apply, sights
from shoutgraph.services.topups.desk import ReverseOrders
from shoutgraph.services.topups.submit import TIMEOUT, target_of
from shoutgraph.storage import topups
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once

OPEN: Final = frozenset({Status.ACTION_REQUIRED, Status.PENDING})
"""What the provider has, and nobody has paid."""

PATH: Final = ("input", "topUpId")


async def cancel(
    tools: Tools, viewer: Viewer, request: Request, topup_id: str, *, reverse_orders: ReverseOrders
) -> Done[Topup]:
    """Asks the provider to end one's own purchase. One that was paid meanwhile is credited, and not lost.

    A repeat asks once more while nothing is decided: a provider ends a payment once.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person.
        NotFoundError: there is no such top-up of this person.
        ValidationError: the text is no top-up's id, or there is nothing left to cancel.
        ProviderUnavailableError: its provider cannot cancel, or not now; it stands as it stood.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    user_id = viewer.require_user()
    ids.parse(ids.TOPUP, topup_id, path=PATH)

    def work(tx: Tx) -> Topup:
        topup = topups.get(tx, topup_id)
        if topup.user_id != user_id:
            raise errors.NotFoundError("There is no such top-up.", path=PATH)
        if topup.status not in OPEN:
            msg = f"A top-up is cancelled before it is paid; this one is {topup.status}."
            raise errors.ValidationError(msg, code="TOPUP_STATE", path=PATH)
        return topup

    done = await once(tools, request, work, topups.get)
    if done.value.status not in OPEN:
        return done
    way = tools.providers.topups.get(done.value.instance)
    if way is None or way.caps.intake is not sdk.Intake.CREATE:
        raise errors.ProviderUnavailableError("This provider cannot cancel it.", path=PATH)
    outcome = await way.cancel(target_of(done.value), _call_of(done.value))
    if isinstance(outcome, sdk.NotExecuted):
        raise errors.ProviderUnavailableError(f"The provider did not cancel it ({outcome.code}).", path=PATH)

    def answer(tx: Tx) -> Topup:
        desk = apply.open_desk(tools, tx, reverse_orders)
        observation = sights.observation_of(outcome, at=tx.now)
        # What a cancellation shows is a look at the payment, and no answer to the request for it.
        after = apply.observed(desk, topups.get(tx, done.value.id), observation, Source.LOOK)
        apply.look_again(tx, after, looks=0)
        return after

    return Done(await tools.store.write(answer), replayed=done.replayed)


def _call_of(topup: Topup) -> sdk.Call:
    """Another effect than the payment, so another key."""
    return sdk.Call(operation_id=topup.id, idempotency_key=f"{topup.id}:cancel", timeout=TIMEOUT)
