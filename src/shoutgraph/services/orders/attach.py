"""What the sides add to an order beside words: how a name is said, and evidence for what they say."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shoutgraph.domain import attachments as rules, errors, ids
from shoutgraph.domain.attachments import Attachment, Purpose
from shoutgraph.domain.media import VideoState
from shoutgraph.domain.orders.order import Order, Side
from shoutgraph.domain.orders.states import Actor, State
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import Viewer
from shoutgraph.files.links import Link
from shoutgraph.services.orders import advance, moves
from shoutgraph.services.orders.moves import Turn
from shoutgraph.storage import attachments, orders, policies
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once

VOICE: Final = "voice_note"
"""What the journal calls it."""

BRIEFED: Final = frozenset({State.DRAFT, State.SCREENING})
"""A voice note is part of what the platform screens."""
ARGUED: Final[dict[Side, frozenset[State]]] = {
    Side.FAN: frozenset({State.DELIVERED, State.DISPUTED}),
    Side.CREATOR: frozenset({State.REDO_REQUESTED, State.CHANGES_REQUIRED, State.DISPUTED}),
}
"""When a side has something to show: before it objects or answers, and while the platform decides."""


@dataclass(frozen=True, slots=True)
class File:
    """What somebody is about to upload, and for what. Units: bytes."""

    purpose: Purpose
    size_bytes: int
    media_type: str


@dataclass(frozen=True, slots=True)
class Shown:
    """An attachment with the links that this viewer may follow."""

    attachment: Attachment
    open: Link | None
    preview: Link | None


async def open_upload(
    tools: Tools, viewer: Viewer, request: Request, order_id: str, file: File
) -> tuple[Done[Attachment], Link]:
    """Gives a side of an order a target that takes a file by resumable upload; it is part of nothing until it is used.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person, or not the side that adds this.
        NotFoundError: there is no such order for this viewer.
        OrderStateError: the order takes no such file now.
        ValidationError: the size is not a positive number.
        MediaRejectedError: the file is too large or of a kind that is not accepted.
        LimitExceededError: this side has added as many files as it may.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    user_id = viewer.require_user()

    def work(tx: Tx) -> Attachment:
        order = orders.get_visible(tx, order_id, viewer)
        side = _side_that_adds(order, viewer, file.purpose)
        policy = policies.get(tx, order.terms.policy_version)
        limits = rules.limits_of(file.purpose, policy)
        rules.check_wish(file.purpose, file.size_bytes, file.media_type, limits)
        attachment = Attachment(
            id=ids.VideoId(tools.new_id(ids.ATTACHMENT)),
            order_id=order.id,
            creator_id=order.creator_id,
            state=VideoState.UPLOADING,
            media_type=file.media_type,
            size_bytes=file.size_bytes,
            limits=limits,
            opened_at=tx.now,
            expires_at=tx.now + rules.LIFE,
            purpose=file.purpose,
            uploader_id=user_id,
            side=side,
        )
        attachments.insert(tx, attachment, most=rules.count_max(file.purpose, policy))
        return attachment

    done = await once(tools, request, work, attachments.get)
    return done, tools.links.upload(done.value.id, viewer, expires_at=done.value.expires_at)


async def say_name(
    tools: Tools, viewer: Viewer, request: Request, turn: Turn, attachment_id: str | None
) -> Done[Order]:
    """Makes a voice note part of the brief, in place of any other, before it is screened; None takes it away.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not this order's fan.
        NotFoundError: there is no such order for this viewer, or no such voice note of theirs.
        StaleRevisionError: the order changed since the viewer read it.
        OrderStateError: the brief was screened.
        MediaRejectedError: the voice note was refused, or is not ready yet.
        ValidationError: it is part of the order already.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    user_id = viewer.require_user()

    def work(tx: Tx) -> Order:
        order = moves.find(tx, viewer, turn)
        moves.check_actor(order, viewer, Actor.FAN)
        _check_state(order, BRIEFED)
        if order.frozen_at is not None:
            msg = "This order is frozen while the platform looks into it."
            raise errors.OrderStateError(msg, state=order.state, code="FROZEN")
        for before in attachments.list_of_orders(tx, [order.id], Purpose.VOICE_NOTE).get(order.id, []):
            if before.id != attachment_id:
                attachments.take_away(tx, attachments.get(tx, before.id))
        if attachment_id is not None:
            found = attachments.get(tx, attachment_id)
            rules.require_usable(found, order_id=order.id, purpose=Purpose.VOICE_NOTE, by=user_id)
            attachments.use(tx, found, revision=order.revision + 1)
        return advance.note(tools, tx, order, VOICE, Actor.FAN)

    return await once(tools, request, work, orders.get)


def use_evidence(tx: Tx, order: Order, by: ids.UserId, attachment_ids: Sequence[str]) -> None:
    """Makes files part of the statement that an order's revision makes.

    Raises:
        NotFoundError: one is not this order's, or somebody else's.
        MediaRejectedError: one was refused, or is not ready yet.
        ValidationError: they are too many, one is named twice, or was used before.
    """
    most = rules.EVIDENCE_PER_STATEMENT_MAX
    if len(attachment_ids) > most or len(set(attachment_ids)) < len(attachment_ids):
        msg = f"A statement has at most {most} pieces of evidence, each of them once."
        raise errors.ValidationError(msg, code="EVIDENCE_COUNT", path=("input", "attachmentIds"))
    for attachment_id in sorted(attachment_ids):
        try:
            found = attachments.get(tx, attachment_id)
            rules.require_usable(found, order_id=order.id, purpose=Purpose.EVIDENCE, by=by)
        except errors.NotFoundError as error:
            raise errors.NotFoundError(str(error), path=("input", "attachmentIds")) from error
        attachments.use(tx, found, revision=order.revision)


async def list_shown(tools: Tools, viewer: Viewer, attachment_ids: Sequence[str]) -> list[Shown | None]:
    """Attachments by id in the order asked, None where there is none that this viewer may know of."""

    def query(tx: Tx) -> list[Attachment | None]:
        found = attachments.list_of_ids(tx, attachment_ids)
        of = {
            order.id: order for order in orders.list_visible(tx, [a.order_id for a in found.values()], viewer) if order
        }
        return [
            each if (each := found.get(i)) and rules.visible(each, of.get(each.order_id), viewer) else None
            for i in attachment_ids
        ]

    found = await tools.store.read(query)
    return [None if attachment is None else _show(tools, viewer, attachment) for attachment in found]


async def list_used(tools: Tools, viewer: Viewer, of: Sequence[Order], purpose: Purpose) -> list[list[Shown]]:
    """What is part of each order for this purpose, for its two sides and moderators."""
    shown = [order.id for order in of if rules.beside(order, viewer)]
    found = await tools.store.read(lambda tx: attachments.list_of_orders(tx, shown, purpose)) if shown else {}
    return [[_show(tools, viewer, attachment) for attachment in found.get(order.id, ())] for order in of]


def _side_that_adds(order: Order, viewer: Viewer, purpose: Purpose) -> Side:
    if purpose is Purpose.VOICE_NOTE:
        moves.check_actor(order, viewer, Actor.FAN)
        _check_state(order, BRIEFED)
        return Side.FAN
    side = Side.CREATOR if order.creator_id == viewer.creator_id else Side.FAN
    moves.check_actor(order, viewer, Actor(side))
    _check_state(order, ARGUED[side])
    return side


def _check_state(order: Order, states: frozenset[State]) -> None:
    if order.state not in states:
        msg = f"Nothing of this kind is added while the order is {order.state}."
        raise errors.OrderStateError(msg, state=order.state)


def _show(tools: Tools, viewer: Viewer, attachment: Attachment) -> Shown:
    if attachment.state is not VideoState.READY:
        return Shown(attachment, open=None, preview=None)
    now, links = tools.clock(), tools.links
    drawn = links.poster(attachment.id, viewer, now=now)
    match attachment.medium:
        case rules.Medium.PICTURE:
            return Shown(attachment, open=drawn, preview=drawn)
        case rules.Medium.SOUND:
            return Shown(attachment, open=links.video(attachment.id, viewer, now=now), preview=None)
        case _:
            return Shown(attachment, open=links.video(attachment.id, viewer, now=now), preview=drawn)
