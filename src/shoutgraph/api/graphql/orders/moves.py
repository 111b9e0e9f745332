"""One mutation for every transition of an order, made from a table: they differ in their words, not in their shape.

Each takes `input: {idempotencyKey, orderId, expectedRevision, ...}` and answers `{order, replayed, errors}`.
"""

import functools
import operator
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

import strawberry

from shoutgraph.api.graphql import errors, mutations
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.directives import requires
from shoutgraph.api.graphql.orders.order import OrderType
from shoutgraph.api.graphql.orders.words import EFFECTS
from shoutgraph.api.graphql.request import request_of
from shoutgraph.api.graphql.scalars import IdempotencyKey
from shoutgraph.domain import ids
from shoutgraph.domain.money import Coins
from shoutgraph.domain.orders.checklist import Ticks
from shoutgraph.domain.orders.machine import Command
from shoutgraph.domain.orders.order import Order, RedoGround, Visibility
from shoutgraph.domain.orders.states import Actor
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.services.orders import attach, deliver, moves, others, show, speak
from shoutgraph.services.orders.moves import Turn
from shoutgraph.services.orders.speak import Words
from shoutgraph.tools import Done, Tools

REFUSALS: Final = (
    errors.ForbiddenErrorType,
    errors.IdempotencyKeyReusedErrorType,
    errors.NotFoundErrorType,
    errors.OrderStateErrorType,
    errors.StaleRevisionErrorType,
    errors.ValidationErrorType,
)
"""What every move of an order may answer."""

Run = Callable[[Tools, Viewer, Request, Turn, Any], Awaitable[Done[Order]]]


@dataclass(frozen=True, slots=True)
class Extra:
    """A field that a move's input has beside the usual three."""

    name: str
    type: Any
    description: str
    optional: bool = False


REASON: Final = Extra("reason", str, "Reason code, such as TERMS or SAFETY.")
ITEM: Final = Extra("item_key", str, "The checklist's item that is missing; with MUST_SAY_MISSING only.", optional=True)
EVIDENCE: Final = Extra(
    "attachment_ids", list[strawberry.ID], "Evidence for it, ready: 5 pieces at most.", optional=True
)
ARGUES: Final = (*REFUSALS, errors.MediaRejectedErrorType)
"""What a move that takes evidence may answer."""
NOTE: Final = Extra("note", str, "In words, for the other side.", optional=True)
STATEMENT: Final = Extra("note", str, "The statement of reasons, for both sides.")


@dataclass(frozen=True, slots=True)
class Move:
    """A mutation that moves an order: its name, the service behind it, and its own words.

    `scope` is what staff need for it; None where it is for the fan or the creator.
    """

    mutation: str
    description: str
    run: Run
    extras: tuple[Extra, ...] = ()
    refusals: tuple[type, ...] = field(default=REFUSALS)
    scope: Scope | None = None


def _takes(name: str, actor: Actor) -> Run:
    """Runs one transition of the machine as this actor."""

    def run(tools: Tools, viewer: Viewer, request: Request, turn: Turn, given: Any) -> Awaitable[Done[Order]]:  # noqa: ANN401
        return moves.take(tools, viewer, request, turn, _command(name, actor, given))

    return run


def _objects(name: str, actor: Actor) -> Run:
    """Runs one transition by which this actor says what is wrong, or what is not."""

    def run(tools: Tools, viewer: Viewer, request: Request, turn: Turn, given: Any) -> Awaitable[Done[Order]]:  # noqa: ANN401
        evidence = _ids(given, "attachment_ids")
        return speak.take(tools, viewer, request, turn, _command(name, actor, given), evidence)

    return run


def _ids(given: Any, name: str) -> tuple[str, ...]:  # noqa: ANN401 - an input made below
    found = getattr(given, name, None) or ()
    return tuple(ids.parse(ids.ATTACHMENT, each, path=("input", "attachmentIds")) for each in found)


def _says_name(tools: Tools, viewer: Viewer, request: Request, turn: Turn, given: Any) -> Awaitable[Done[Order]]:  # noqa: ANN401
    attachment_id = given.attachment_id
    if attachment_id is not None:
        ids.parse(ids.ATTACHMENT, attachment_id, path=("input", "attachmentId"))
    return attach.say_name(tools, viewer, request, turn, attachment_id)


def _command(name: str, actor: Actor, given: Any) -> Command:  # noqa: ANN401 - an input made below
    return Command(
        name,
        actor,
        reason=getattr(given, "reason", None),
        note=getattr(given, "note", None),
        ground=getattr(given, "ground", None),
        item=getattr(given, "item_key", None),
        back_coins=getattr(given, "back_coins", None),
    )


def _delivers(tools: Tools, viewer: Viewer, request: Request, turn: Turn, given: Any) -> Awaitable[Done[Order]]:  # noqa: ANN401
    ticks = Ticks(tuple(given.ticked_keys or ()), given.note)
    return deliver.deliver(tools, viewer, request, turn, given.video_id, ticks)


def _answers(tools: Tools, viewer: Viewer, request: Request, turn: Turn, given: Any) -> Awaitable[Done[Order]]:  # noqa: ANN401
    return speak.answer(tools, viewer, request, turn, Words(given.text, _ids(given, "attachment_ids")))


_FAN, _CREATOR, _MODERATOR, _STAFF = Actor.FAN, Actor.CREATOR, Actor.MODERATOR, Actor.STAFF
_MODERATES: Final = Scope.MODERATION

MOVES: Final = (
    Move("orderAbandon", "Drops a draft.", _takes("abandon", _FAN)),
    Move("orderCancel", f"Calls an order off before the creator accepts. {EFFECTS}", _takes("fan_cancel", _FAN)),
    Move(
        "orderScreenPass", "Lets a brief through to the creator.", _takes("screen_pass", _MODERATOR), scope=_MODERATES
    ),
    Move(
        "orderScreenReject",
        f"Refuses a brief with a statement of reasons. {EFFECTS}",
        _takes("screen_reject", _MODERATOR),
        (REASON, STATEMENT),
        scope=_MODERATES,
    ),
    Move(
        "orderVoiceNoteSet",
        "Makes a voice note part of the brief, or takes it away; only before the brief is screened.",
        _says_name,
        (Extra("attachment_id", strawberry.ID, "A voice note, ready; null for none.", optional=True),),
        ARGUES,
    ),
    Move("orderAccept", "Takes an order on; the time to deliver starts.", _takes("accept", _CREATOR)),
    Move("orderDecline", f"Says no to an order. {EFFECTS}", _takes("decline", _CREATOR), (REASON, NOTE)),
    Move(
        "orderExtensionOffer",
        "Offers, once, to deliver later; nothing changes until the fan agrees.",
        lambda tools, viewer, request, turn, given: others.offer_extension(tools, viewer, request, turn, given.seconds),
        (Extra("seconds", int, "How much later, in seconds."),),
    ),
    Move("orderExtensionAgree", "Agrees to the creator's offer to deliver later.", _takes("extend", _FAN)),
    Move(
        "orderWithdraw",
        f"Gives up an accepted order; it counts against the creator's reliability. {EFFECTS}",
        _takes("creator_withdraw", _CREATOR),
        (REASON, NOTE),
    ),
    Move(
        "orderDeliver",
        "Hands an uploaded video in for review; the delivery clock stops.",
        _delivers,
        (
            Extra("video_id", strawberry.ID, "The uploaded video, ready."),
            Extra("ticked_keys", list[str], "The checklist's items that the video keeps to.", optional=True),
            Extra("note", str, "Why something that must be said is not ticked.", optional=True),
        ),
        (*REFUSALS, errors.MediaRejectedErrorType),
    ),
    Move("orderReviewPass", "Passes a video on to the fan.", _takes("review_pass", _MODERATOR), scope=_MODERATES),
    Move(
        "orderReviewRequireChanges",
        "Asks the creator for another cut; the delivery clock resumes with at least 48 hours.",
        _takes("review_changes", _MODERATOR),
        (REASON, STATEMENT),
        scope=_MODERATES,
    ),
    Move(
        "orderReviewReject",
        f"Refuses a first video for good. {EFFECTS}",
        _takes("review_reject", _MODERATOR),
        (REASON, STATEMENT),
        scope=_MODERATES,
    ),
    Move(
        "orderRedoReject",
        "Refuses the video of a redo; the platform then decides between the two sides.",
        _takes("redo_review_reject", _MODERATOR),
        (REASON, STATEMENT),
        scope=_MODERATES,
    ),
    Move(
        "orderReviewGiveUp",
        f"Gives up an order whose review is overdue. {EFFECTS} The platform pays the creator.",
        _takes("review_overdue", _FAN),
    ),
    Move(
        "orderVisibilitySet",
        "Agrees that the finished video may be shown on the profile, or takes that back, and the sample with it.",
        lambda tools, viewer, request, turn, given: show.set_visibility(tools, viewer, request, turn, given.visibility),
        (Extra("visibility", Visibility, "PUBLIC to agree, PRIVATE to take it back."),),
    ),
    Move("orderConfirm", "Accepts the video; the creator earns.", _takes("confirm", _FAN)),
    Move(
        "orderRedoRequest",
        "Asks once for a redo, on an objective ground.",
        _objects("request_redo", _FAN),
        (Extra("ground", RedoGround, "The objective ground."), ITEM, NOTE, EVIDENCE),
        ARGUES,
    ),
    Move(
        "orderRedoContest",
        "Contests a redo; the platform then decides.",
        _objects("contest_redo", _CREATOR),
        (REASON, STATEMENT, EVIDENCE),
        ARGUES,
    ),
    Move("orderRedoConcede", f"Gives the coins back instead of a redo. {EFFECTS}", _takes("redo_concede", _CREATOR)),
    Move(
        "orderDisputeOpen",
        "Objects to the video; a creator who stays silent loses.",
        _objects("open_dispute", _FAN),
        (REASON, STATEMENT, EVIDENCE),
        ARGUES,
    ),
    Move(
        "orderDisputeAnswer",
        "Speaks in a dispute, so that silence does not decide it.",
        _answers,
        (Extra("text", str, "What this side says."), EVIDENCE),
        (*ARGUES, errors.LimitExceededErrorType),
    ),
    Move(
        "orderDisputeRefund",
        f"Settles a dispute for the fan. {EFFECTS}",
        _takes("dispute_refund", _MODERATOR),
        (REASON, STATEMENT),
        scope=_MODERATES,
    ),
    Move(
        "orderDisputeRelease",
        "Settles a dispute for the creator, who earns.",
        _takes("dispute_release", _MODERATOR),
        (REASON, STATEMENT),
        scope=_MODERATES,
    ),
    Move(
        "orderDisputeSplit",
        "Settles a dispute in the middle.",
        _takes("dispute_split", _MODERATOR),
        (Extra("back_coins", Coins, "Coins that go back to the fan; the rest is paid as usual."), REASON, STATEMENT),
        scope=_MODERATES,
    ),
    Move(
        "orderDisputeRedo",
        "Settles a dispute by a redo, if none was made yet.",
        _objects("dispute_redo", _MODERATOR),
        (Extra("ground", RedoGround, "What the redo must put right."), ITEM, NOTE),
        scope=_MODERATES,
    ),
    Move(
        "orderPlatformCancel",
        f"Cancels an order for a legal or fraud reason. {EFFECTS}",
        _takes("platform_cancel", _STAFF),
        (REASON, STATEMENT),
        scope=Scope.ADMIN,
    ),
    Move(
        "orderFreeze",
        "Stops an order: its timers and coins stand still.",
        lambda tools, viewer, request, turn, _given: others.freeze(tools, viewer, request, turn),
        scope=Scope.ADMIN,
    ),
    Move(
        "orderUnfreeze",
        "Lets a frozen order go on, with the time it stood still added to its windows.",
        lambda tools, viewer, request, turn, _given: others.unfreeze(tools, viewer, request, turn),
        scope=Scope.ADMIN,
    ),
)


def build(table: tuple[Move, ...] = MOVES) -> type:
    """The root mutation fields of this table."""
    fields = {_snake(move.mutation): _field_of(move) for move in table}
    return strawberry.type(type("OrderMoves", (), fields))


def _field_of(move: Move) -> object:
    title = move.mutation[0].upper() + move.mutation[1:]
    takes, payload = _input_of(move, title), _payload_of(move, title)

    async def resolve(info: Any, input: Any) -> Any:  # noqa: ANN401 - set below
        viewer = info.context.viewer
        request = request_of(viewer, move.mutation, input)
        turn = Turn(ids.parse(ids.ORDER, input.order_id, path=("input", "orderId")), input.expected_revision)
        done = await move.run(info.context.tools, viewer, request, turn, input)
        return payload(order=OrderType.of(done.value), replayed=done.replayed)

    resolve.__annotations__ = {
        "info": Info,
        "input": Annotated[takes, strawberry.argument(description="Which order, and why.")],
        "return": payload | None,
    }
    resolve.__name__ = _snake(move.mutation)
    directives = () if move.scope is None else (requires(move.scope),)
    return mutations.mutation(description=move.description, directives=directives)(resolve)


def _input_of(move: Move, title: str) -> Any:  # noqa: ANN401 - a class made here
    annotations: dict[str, Any] = {
        "idempotency_key": IdempotencyKey,
        "order_id": strawberry.ID,
        **{extra.name: extra.type for extra in move.extras if not extra.optional},
        "expected_revision": int | None,
        **{extra.name: extra.type | None for extra in move.extras if extra.optional},
    }
    body: dict[str, Any] = {
        "__annotations__": annotations,
        "idempotency_key": strawberry.field(description="One key per intended effect."),
        "order_id": strawberry.field(description="Which order."),
        "expected_revision": strawberry.field(
            default=None, description="Revision the caller read; null gives up the check."
        ),
    }
    for extra in move.extras:
        if extra.optional:
            body[extra.name] = strawberry.field(default=None, description=extra.description)
        else:
            body[extra.name] = strawberry.field(description=extra.description)
    made = type(f"{title}Input", (), body)
    return strawberry.input(made, description=f"Input of {move.mutation}.")


def _payload_of(move: Move, title: str) -> Any:  # noqa: ANN401 - a class made here
    union: Any = Annotated[functools.reduce(operator.or_, move.refusals), errors.failures_of(move.mutation)]
    body = {
        "__annotations__": {"order": OrderType | None, "replayed": bool, "errors": list[union]},
        "order": mutations.outcome("The order as it now stands."),
        "replayed": mutations.replayed(),
        "errors": mutations.refusals(),
    }
    made = type(f"{title}Payload", (), body)
    return strawberry.type(made, description=f"Result of {move.mutation}.")


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
