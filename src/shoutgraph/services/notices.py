"""The inbox of webhooks: proven, then stored as it came in, then applied notice by notice.

The proof needs nothing but the bytes, so that a stranger writes nothing: what is not proven is counted and told of in
the log. What is signed is durable before it is answered; what only hints is applied at once and not stored. What a
plugin cannot read is kept, bounded in number and size, since a person may have to look at it.

What a notice means is another room's business: the handlers that know come from above. Each runs in the unit of work
that claims its notice, so that a repeat does nothing and a crash loses nothing.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from shoutgraph import sdk
from shoutgraph.domain import errors
from shoutgraph.domain.notices import KEPT, NoticeState, Stored, Strangers
from shoutgraph.plugins.webhooks import PluginFaultError
from shoutgraph.storage import notices, turns
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools, side_by_side

logger = logging.getLogger("shoutgraph.notices")

LEFT_BEHIND: Final = timedelta(minutes=1)
"""A delivery that is still not done with after this was left behind by a crash."""

TAKEN_MAX: Final = 25
"""Deliveries of one round."""

AT_ONCE: Final = 5
"""The most deliveries that are taken up together. So many are leased at a time: none waits while its lease runs out."""

NAMING: Final = timedelta(seconds=8)
"""How long it may take to learn which payment a webhook is about; its sender waits for our answer."""

ASKING: Final = 3 * NAMING
"""How long it may take to learn that of everything in one delivery; after that it is taken up again."""

LEASE: Final = 2 * ASKING
"""Twice what a provider may keep us waiting for one delivery; the rest is units of work, which take no such time."""

TRIES_MAX: Final = 8
"""So often is a delivery taken up that its plugin cannot read or that breaks; then it waits for a person."""

AGAIN: Final = timedelta(minutes=5)
"""The pause after a try in vain: with the tries, what breaks for half an hour is still mended by itself."""

DETAIL_CHARS_MAX: Final = 300

BAD_SIGNATURE: Final = "BAD_SIGNATURE"
MALFORMED: Final = "MALFORMED_NOTICE"

Handle = Callable[[Tools, Tx, str, sdk.Notice], bool]
"""Applies a notice of an instance; gives False if nothing of ours is meant."""

Handlers = Mapping[sdk.NoticeKind, Handle]


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer that the provider waits for, and what became of its delivery."""

    body: bytes
    media_type: str
    state: NoticeState


class Inbox:
    """Takes what comes in by webhook, for as long as the process lives."""

    def __init__(self, tools: Tools, handlers: Handlers) -> None:
        self._tools = tools
        self._handlers = handlers
        self._strangers: dict[str, Strangers] = {}  # one for each configured instance

    async def receive(self, arrived: Stored) -> Receipt:
        """Proves a delivery, keeps it and applies what it tells.

        Raises:
            NotFoundError: there is no such instance.
            ValidationError: it is not proven (`BAD_SIGNATURE`), or cannot be read (`MALFORMED_NOTICE`).
            PluginFaultError: the plugin broke; the provider sends it again, and where there is room we read it again.
        """
        tools = self._tools
        try:
            delivery = tools.providers.receive(arrived.instance, _raw(arrived))
        except sdk.BadSignature as error:
            self._tell(arrived, error)
            raise errors.ValidationError("The webhook is not proven.", code=BAD_SIGNATURE) from None
        except sdk.MalformedNotice as error:
            await self._keep(arrived, NoticeState.UNREADABLE, str(error))
            raise errors.ValidationError("The webhook cannot be read.", code=MALFORMED) from None
        except PluginFaultError as error:
            await self._keep(arrived, NoticeState.RECEIVED, _words(error))
            raise
        if delivery.proof.trust is not sdk.Webhooks.SIGNED:
            return _receipt(delivery, await _apply_all(tools, self._handlers, arrived.instance, delivery))
        number = await tools.store.write(lambda tx: notices.insert(tx, arrived))
        try:
            state = await _settle(tools, self._handlers, replace(arrived, number=number), delivery)
        except PluginFaultError as error:
            await tools.store.write(partial(_tried, number=number, detail=_words(error)))
            raise
        return _receipt(delivery, state)

    async def _keep(self, arrived: Stored, state: NoticeState, detail: str) -> None:
        if not self._of(arrived).may_keep(len(arrived.body), arrived.received_at):
            return

        def work(tx: Tx) -> None:
            number = notices.insert(tx, arrived)
            if state is NoticeState.RECEIVED:
                _tried(tx, number=number, detail=detail)
            else:
                notices.mark(tx, number, state, detail=detail)

        await self._tools.store.write(work)

    def _tell(self, arrived: Stored, error: sdk.BadSignature) -> None:
        count = self._of(arrived).to_tell(arrived.received_at)
        if count:
            logger.warning(
                "%d webhooks of %s are not proven; the newest: %s (%d bytes, sha256 %s)",
                count,
                arrived.instance,
                error,
                len(arrived.body),
                arrived.sha256.hex(),
            )

    def _of(self, arrived: Stored) -> Strangers:
        return self._strangers.setdefault(arrived.instance, Strangers(arrived.received_at))


async def replay(tools: Tools, handlers: Handlers) -> int:
    """Takes up deliveries that were left behind; gives how many.

    Raises:
        OverloadedError: too much waits for the database; the next round goes on.
        StoreUnavailableError: the database is not there; likewise.
    """
    if not await tools.store.read(partial(notices.has_waiting, older_than=LEFT_BEHIND, tries_max=TRIES_MAX)):
        return 0
    claim = partial(notices.claim_waiting, older_than=LEFT_BEHIND, tries_max=TRIES_MAX, lease=LEASE, limit=AT_ONCE)
    taken = 0
    for _ in range(0, TAKEN_MAX, AT_ONCE):
        left = await tools.store.write(claim)
        await side_by_side("delivery", left, partial(_try, tools, handlers), name=_number)
        taken += len(left)
        if len(left) < AT_ONCE:
            break
    return taken


async def prune(tools: Tools) -> int:
    """Drops old deliveries that are done with; gives how many."""
    oldest = await tools.store.read(notices.find_oldest)
    if oldest is None or oldest > tools.clock() - KEPT:
        return 0

    def work(tx: Tx) -> int:
        return notices.prune(tx, before=tx.now - KEPT) if turns.take(tx, "notices") else 0

    return await tools.store.write(work)


async def _try(tools: Tools, handlers: Handlers, stored: Stored) -> None:
    try:
        await _take_up(tools, handlers, stored)
    except (errors.OverloadedError, errors.StoreUnavailableError):
        raise  # it does not lie with this delivery
    except Exception as error:  # noqa: BLE001 - whatever breaks is counted, so that it waits longer than others
        await _count(tools, stored, error)


async def _take_up(tools: Tools, handlers: Handlers, stored: Stored) -> None:
    """Reads a stored delivery and applies it; one that is not proven now, or that nobody can read, is marked so."""
    try:
        delivery = tools.providers.receive(stored.instance, _raw(stored))
    except sdk.BadSignature as error:
        await _refuse(tools, stored, NoticeState.REFUSED, error)
    except sdk.MalformedNotice as error:
        await _refuse(tools, stored, NoticeState.UNREADABLE, error)
    else:
        await _settle(tools, handlers, stored, delivery)


async def _refuse(tools: Tools, stored: Stored, state: NoticeState, error: Exception) -> None:
    await _mark(tools, stored, state, str(error))
    logger.warning("delivery %s of %s is %s: %s", stored.number, stored.instance, state.lower(), error)


async def _count(tools: Tools, stored: Stored, error: Exception) -> None:
    """Counts a try in vain; after the last one the delivery waits for a person, who is told so."""
    number = _number(stored)
    trace = None if isinstance(error, errors.ShoutgraphError | PluginFaultError) else error
    logger.warning("delivery %s of %s broke: %s", number, stored.instance, error, exc_info=trace)
    tries = await tools.store.write(partial(_tried, number=number, detail=_words(error)))
    if tries == TRIES_MAX:
        words = "delivery %s of %s is given up after %d tries: see `shoutgraph webhooks show`, and `replay` it"
        logger.error(words, number, stored.instance, tries)


def _tried(tx: Tx, *, number: int, detail: str) -> int:
    return notices.tried(tx, number, pause=AGAIN, detail=detail)


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:DETAIL_CHARS_MAX]


async def _settle(tools: Tools, handlers: Handlers, stored: Stored, delivery: sdk.Delivery) -> NoticeState:
    state = await _apply_all(tools, handlers, stored.instance, delivery)
    await _mark(tools, stored, state)
    return state


def _number(stored: Stored) -> int:
    assert stored.number is not None, "what is taken up is stored"
    return stored.number


def _raw(stored: Stored) -> sdk.RawWebhook:
    return sdk.RawWebhook(stored.body, stored.headers, stored.query, stored.received_at, stored.remote)


def _receipt(delivery: sdk.Delivery, state: NoticeState) -> Receipt:
    return Receipt(delivery.ack, delivery.ack_type, state)


async def _apply_all(tools: Tools, handlers: Handlers, instance: str, delivery: sdk.Delivery) -> NoticeState:
    states = []
    until = tools.clock() + ASKING
    for notice in delivery.notices:
        handle = handlers.get(notice.kind)
        if handle is None:
            continue
        state = await _apply(tools, handle, instance, notice)
        if state is NoticeState.UNMATCHED and delivery.proof.trust is sdk.Webhooks.SIGNED:
            named = await _named(tools, instance, notice, until=until)
            state = state if named is None else await _apply(tools, handle, instance, named)
        states.append(state)
    for state in (NoticeState.APPLIED, NoticeState.REPEATED, NoticeState.UNMATCHED):
        if state in states:
            return state
    return NoticeState.APPLIED


async def _apply(tools: Tools, handle: Handle, instance: str, notice: sdk.Notice) -> NoticeState:
    def work(tx: Tx) -> NoticeState:
        told = notice.observation is not None
        if told and notices.is_claimed(tx, instance=instance, notice_id=notice.notice_id):
            return NoticeState.REPEATED
        if not handle(tools, tx, instance, notice):
            return NoticeState.UNMATCHED
        # A hint says nothing, so that every one of them is worth a look. What is claimed by now came in twice at once.
        if told and not notices.claim(tx, instance=instance, notice_id=notice.notice_id):
            return NoticeState.REPEATED
        return NoticeState.APPLIED

    return await tools.store.write(work)


async def _named(tools: Tools, instance: str, notice: sdk.Notice, *, until: datetime) -> sdk.Notice | None:
    """The same hint under the name that we know, where the provider named another object of the payment.

    A dispute, for one, names the charge that is disputed: whoever asks for it learns which payment that was. Only what
    is signed makes us ask.

    Raises:
        PluginFaultError: nobody knows now; the delivery is taken up again.
    """
    way = tools.providers.topups.get(instance)
    if way is None or notice.kind is not sdk.NoticeKind.TOPUP or notice.observation is not None:
        return None
    target = notice.target
    if target.ref is None:
        return None
    if tools.clock() + NAMING > until:
        raise PluginFaultError(f"{instance} takes too long to say which payments a webhook is about")
    seen = await way.fetch(target, sdk.Call(target.operation_id, target.idempotency_key, NAMING))
    if isinstance(seen, sdk.Absent | sdk.NotExecuted):
        return None
    if seen.ref is None:
        raise PluginFaultError(f"{instance} cannot say which payment a webhook is about")
    return None if seen.ref == target.ref else replace(notice, target=replace(target, ref=seen.ref))


async def _mark(tools: Tools, stored: Stored, state: NoticeState, detail: str | None = None) -> None:
    number = _number(stored)
    await tools.store.write(lambda tx: notices.mark(tx, number, state, detail=detail))
