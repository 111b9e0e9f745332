"""Telling endpoints of events: from the journal, after the commit, in order, and at least once.

Every endpoint has a place of its own in the journal, which one worker at a time moves on. An event that an endpoint
does not take is sent again, later each time, and the events after it wait; other endpoints do not. The place moves once
an event was taken, so whoever dies before that has it sent again, under the same id. No unit of work is open while
something is sent.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from shoutgraph.domain import cursors, endpoints as rules, ids
from shoutgraph.domain.endpoints import (
    Answer,
    Attempt,
    Delivery,
    DeliveryState,
    DisabledReason,
    Endpoint,
    EndpointState,
    Outcome,
    Place,
    Secret,
)
from shoutgraph.domain.journal import Event
from shoutgraph.domain.leases import Lease
from shoutgraph.outbound.courier import CALL_S, Courier, Parcel
from shoutgraph.services.endpoints import manage
from shoutgraph.storage import deliveries, endpoints as rows, epochs, journal as journal_rows, turns
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools, side_by_side

logger = logging.getLogger("shoutgraph.webhooks")

PAGE: Final = 50
"""The most events of one reading."""
PAGES_MAX: Final = 20
"""The most readings of one turn."""
TURN: Final = timedelta(seconds=2)
"""No call begins later in a turn than this, so that a slow endpoint holds up the others' new events no longer."""
CALL: Final = timedelta(seconds=CALL_S)
LEASE: Final = timedelta(seconds=15)
"""Longer than a turn and a call."""
NO_KEY: Final = timedelta(minutes=1)
"""How long an endpoint waits for a process that has its key."""
IDLE_LINES: Final = 1_000
"""A place moves on without anything to tell once so many lines were written after it."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What is told next: an endpoint, its secrets, and events with their cursors, up to a number of the journal."""

    endpoint: Endpoint
    secrets: tuple[Secret, ...]
    events: tuple[tuple[Event, str], ...]
    until: int


async def deliver_all(tools: Tools) -> int:
    """Tells every endpoint whose turn it is what it was not told; gives how many calls were made."""
    courier = tools.courier
    if courier is None:
        return 0
    now = tools.clock()
    due = await tools.store.read(lambda tx: _list_of_due(tx, now))
    return sum(await side_by_side("turn of", due, partial(_take_turn, tools, courier)))


async def prune(tools: Tools) -> int:
    """Forgets old deliveries; says how many."""
    oldest = await tools.store.read(deliveries.find_oldest)
    if oldest is None or oldest > tools.clock() - rules.KEPT:
        return 0

    def work(tx: Tx) -> int:
        return deliveries.prune(tx, before=tx.now - rules.KEPT) if turns.take(tx, "webhooks") else 0

    return await tools.store.write(work)


def attempted(tools: Tools, parcel_of: Delivery, answer: Answer, now: datetime) -> tuple[Delivery, Attempt]:
    """A first attempt as it is kept: the delivery that it makes, and itself."""
    state = DeliveryState.DELIVERED if answer.outcome is Outcome.DELIVERED else DeliveryState.FAILED
    made = replace(parcel_of, id=tools.new_id(ids.DELIVERY), state=state, created_at=now, changed_at=now)
    given = (answer.outcome, answer.status, answer.duration_ms, answer.excerpt)
    return made, Attempt(made.id, made.attempts, *given, at=now)


def secrets_for(courier: Courier, secrets: Sequence[Secret]) -> tuple[bytes, ...]:
    """What signs for an endpoint; what was made with another key than this process has is left out."""
    found = [courier.secret(each.endpoint_id, each.salt) for each in secrets]
    return tuple(each for each, kept in zip(found, secrets, strict=True) if rules.digest_of(each) == kept.digest)


def _list_of_due(tx: Tx, now: datetime) -> tuple[str, ...]:
    """Endpoints that there is something to tell, or whose place fell far behind; of the others nothing is written."""
    found = []
    for place, types in rows.list_of_due(tx, now=now):
        events, until = journal_rows.read_after(tx, place.seq, limit=1, types=types or rules.TYPES)
        if events or until - place.seq >= IDLE_LINES:
            found.append(place.endpoint_id)
    return tuple(found)


async def _take_turn(tools: Tools, courier: Courier, endpoint_id: str) -> int:
    claimed = await tools.store.write(partial(rows.claim, endpoint_id=endpoint_id, lease=LEASE))
    if claimed is None:
        return 0
    place, lease = claimed
    calls, pause = 0, timedelta()
    for _ in range(PAGES_MAX):
        batch = await tools.store.read(partial(_read, endpoint_id=endpoint_id, seq=place.seq, now=lease.since))
        keys = secrets_for(courier, batch.secrets)
        if not keys:
            logger.error("the secrets of %s were made with another webhooks.key", endpoint_id)
            pause = NO_KEY
            break
        for event, cursor in batch.events:
            now = tools.clock()
            if now > lease.since + TURN or not lease.leaves(CALL, now=now):
                break
            calls += 1
            message = rules.message_of(event, cursor)
            answer = await courier.send(Parcel(batch.endpoint.url, event.id, message, keys))
            if not await tools.store.write(partial(_keep, tools, place, event, answer, lease)):
                return calls
            place = replace(place, seq=event.seq, failures=0, failing_since=None)
        else:
            ended = batch.until == place.seq
            place = replace(place, seq=max(place.seq, batch.until))
            if batch.events or not ended:
                continue
        break
    await tools.store.write(lambda tx: rows.give_back(tx, place, due_at=tx.now + pause, lease=lease))
    return calls


def _read(tx: Tx, *, endpoint_id: str, seq: int, now: datetime) -> Batch:
    endpoint, mark = rows.get(tx, endpoint_id), epochs.current(tx).mark
    secrets = rows.secrets_of(tx, [endpoint_id], now=now).get(endpoint_id, ())
    events, until = journal_rows.read_after(tx, seq, limit=PAGE, types=endpoint.tells)
    told = tuple((each, cursors.write_cursor(cursors.Place(mark, each.seq))) for each in events)
    return Batch(endpoint, secrets, told, until)


def _keep(tools: Tools, place: Place, event: Event, answer: Answer, lease: Lease, tx: Tx) -> bool:
    """Keeps what came of an attempt; says whether the turn goes on."""
    ours = _moves_on(tools, tx, place, event, answer, lease)
    found = Delivery("", place.endpoint_id, event.id, event.type, event.seq, DeliveryState.FAILED, 1, tx.now, tx.now)
    deliveries.record(tx, *attempted(tools, found, answer, tx.now))
    return ours and answer.outcome is Outcome.DELIVERED


def _moves_on(tools: Tools, tx: Tx, place: Place, event: Event, answer: Answer, lease: Lease) -> bool:
    """Moves the place behind what was taken; or says when it is sent again, or that it never is."""
    if answer.outcome is Outcome.DELIVERED:
        return rows.advance(tx, place.endpoint_id, seq=event.seq, lease=lease)
    since = place.failing_since or tx.now
    failed = replace(place, failures=place.failures + 1, failing_since=since)
    again = rules.next_attempt(failed, answer, now=tx.now)
    if again is not None and answer.status != rules.GONE_STATUS:
        return rows.fail(tx, replace(failed, due_at=again), lease)
    endpoint = rows.get(tx, place.endpoint_id)
    if not rows.fail(tx, replace(failed, due_at=tx.now), lease):
        return False
    _disable(tools, tx, endpoint, DisabledReason.GONE if answer.status == rules.GONE_STATUS else DisabledReason.FAILING)
    return True


def _disable(tools: Tools, tx: Tx, endpoint: Endpoint, reason: DisabledReason) -> None:
    if endpoint.state is EndpointState.DISABLED:
        return
    revision = endpoint.revision + 1
    ended = replace(endpoint, state=EndpointState.DISABLED, reason=reason, revision=revision, changed_at=tx.now)
    rows.save(tx, ended)
    manage.tell(tools, tx, ended)
    logger.error("the webhook endpoint %s is disabled: %s", endpoint.id, reason)
