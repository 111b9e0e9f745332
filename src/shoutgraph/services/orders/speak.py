"""What the two sides say about a video: a redo asked for or contested, a dispute opened and answered."""

from dataclasses import dataclass
from typing import Final

from shoutgraph.domain import errors
from shoutgraph.domain.orders import checklist, machine, order as order_values
from shoutgraph.domain.orders.machine import Command
from shoutgraph.domain.orders.order import Order, Side, Statement
from shoutgraph.domain.orders.states import Actor
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import Viewer
from shoutgraph.services.orders import advance, attach, moves
from shoutgraph.services.orders.advance import Did
from shoutgraph.services.orders.moves import Turn
from shoutgraph.storage import disputes, orders, policies
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once

ANSWER: Final = "answer_dispute"


@dataclass(frozen=True, slots=True)
class Words:
    """What a side says, and the evidence for it, by id."""

    text: str | None
    evidence: tuple[str, ...] = ()


async def take(
    tools: Tools, viewer: Viewer, request: Request, turn: Turn, command: Command, evidence: tuple[str, ...] = ()
) -> Done[Order]:
    """Takes a transition by which a side objects or answers; its note is kept as a statement, with the evidence.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not the actor of this transition.
        NotFoundError: there is no such order for this viewer, or no such evidence of theirs.
        StaleRevisionError: the order changed since the viewer read it.
        OrderStateError: the transition is not possible now.
        ValidationError: the reason or the note is empty or too long, the ground does not fit the brief, or the evidence
            is too much, was used before or has no note.
        MediaRejectedError: a piece of evidence was refused, or is not ready yet.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    moves.check_words(command)
    moves.check_signed_in(viewer, command.actor)

    def work(tx: Tx) -> Order:
        order = moves.find(tx, viewer, turn)
        moves.check_actor(order, viewer, command.actor)
        if command.ground is not None:
            checklist.check_ground(orders.find_brief(tx, order.id), command.ground, command.item)
        after = advance.advance(tools, tx, order, command)
        if command.actor in {Actor.FAN, Actor.CREATOR}:
            said = (Side(command.actor), Words(command.note, evidence))
            _keep(tx, viewer, after, said, command)
        return after

    return await once(tools, request, work, orders.get)


async def answer(tools: Tools, viewer: Viewer, request: Request, turn: Turn, words: Words) -> Done[Order]:
    """A side speaks in a dispute, so that it does not lose by silence.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person.
        NotFoundError: there is no such order for this viewer, or no such evidence of theirs.
        StaleRevisionError: the order changed since the viewer read it.
        OrderStateError: the order is not disputed.
        LimitExceededError: this side has said as much as one may.
        ValidationError: the text is empty or too long, or the evidence is too much or was used before.
        MediaRejectedError: a piece of evidence was refused, or is not ready yet.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    order_values.check_note("text", words.text or "")
    moves.check_signed_in(viewer, Actor.FAN)

    def work(tx: Tx) -> Order:
        order = moves.find(tx, viewer, turn)
        side = _side_of(order, viewer)
        moves.check_actor(order, viewer, Actor(side))
        after = machine.answer_dispute(order, side, now=tx.now)
        if disputes.count(tx, order.id, side) >= disputes.STATEMENTS_OF_SIDE_MAX:
            limit = disputes.STATEMENTS_OF_SIDE_MAX
            msg = f"A side makes at most {limit} statements: the platform decides upon them."
            raise errors.LimitExceededError(msg, code="STATEMENTS_MAX", limit=limit)
        _keep(tx, viewer, after, (side, words), None)
        policy = policies.get(tx, order.terms.policy_version)
        advance.keep(tools, tx, after, policy, did=Did(ANSWER, Actor(side), before=order))
        return after

    return await once(tools, request, work, orders.get)


def _keep(tx: Tx, viewer: Viewer, after: Order, said: tuple[Side, Words], command: Command | None) -> None:
    side, words = said
    if words.text is None:
        if words.evidence:
            msg = "Say in a note what the evidence shows."
            raise errors.ValidationError(msg, code="NOTE_REQUIRED", path=("input", "note"))
        return
    ground, item = (None, None) if command is None else (command.ground, command.item)
    if words.evidence:
        attach.use_evidence(tx, after, viewer.require_user(), words.evidence)
    disputes.append(tx, after.id, Statement(side, words.text, tx.now, after.revision, ground, item))


def _side_of(order: Order, viewer: Viewer) -> Side:
    mine = viewer.creator_id is not None and order.creator_id == viewer.creator_id
    return Side.CREATOR if mine else Side.FAN
