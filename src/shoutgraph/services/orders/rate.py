"""Ratings: the fan rates what was delivered, the creator replies, and moderators hide and restore.

Each is a revision of the rating and of its order, and a line in the journal of both.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from shoutgraph.domain import errors, ids, journal
from shoutgraph.domain.orders import order as order_values, rating as rules
from shoutgraph.domain.orders.machine import Command
from shoutgraph.domain.orders.order import Order
from shoutgraph.domain.orders.rating import Decision, Given, Rating
from shoutgraph.domain.orders.states import Actor, State
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import Viewer
from shoutgraph.services.orders import advance, moves
from shoutgraph.services.orders.advance import Did
from shoutgraph.services.orders.moves import Turn
from shoutgraph.storage import creators, journal as journal_rows, orders, policies, ratings
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once

CHANGED = "rating.changed"

Change = Callable[[Tx, Rating, Order], Rating]


@dataclass(frozen=True, slots=True)
class Rated:
    """A rating, and its order after it."""

    rating: Rating
    order: Order

    @property
    def id(self) -> str:
        """The rating's id."""
        return self.rating.id


@dataclass(frozen=True, slots=True)
class Subject:
    """Which rating is to change, and the revision the viewer read (None gives up the check)."""

    rating_id: str
    expected_revision: int | None = None


async def rate(tools: Tools, viewer: Viewer, request: Request, turn: Turn, given: Given) -> Done[Rated]:
    """Rates a delivered video, once. An order that waits for its fan is completed by it, as if it were confirmed.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not this order's fan.
        NotFoundError: there is no such order for this viewer.
        StaleRevisionError: the order changed since the viewer read it.
        OrderStateError: the order is not delivered or completed, is rated already, or the time to rate it is over.
        ValidationError: the stars are out of range, or the opinion is too long or has a hidden character (an
            `ExceptionGroup` where both break rules).
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    checked = rules.check_given(given)
    viewer.require_user()

    def work(tx: Tx) -> Rated:
        order = moves.find(tx, viewer, turn)
        moves.check_actor(order, viewer, Actor.FAN)
        if ratings.is_rated(tx, order.id):
            raise errors.OrderStateError("This order is rated already.", state=order.state, code="ALREADY_RATED")
        creators.hold(tx, order.creator_id)
        if order.state is State.DELIVERED:
            order = advance.advance(tools, tx, order, Command("confirm", Actor.FAN))
        policy = policies.get(tx, order.terms.policy_version)
        rating = rules.rate(order, checked, rating_id=tools.new_id(ids.RATING), policy=policy, now=tx.now)
        ratings.insert(tx, rating)
        return _tell(tools, tx, Rated(rating, order), "rate", Actor.FAN)

    return await once(tools, request, work, _load)


async def update(tools: Tools, viewer: Viewer, request: Request, subject: Subject, given: Given) -> Done[Rated]:
    """The fan changes a rating, as long as the policy lets them; the same again changes nothing.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer did not write this rating.
        NotFoundError: there is no such rating for this viewer.
        StaleRevisionError: the rating changed since the viewer read it.
        ValidationError: the stars are out of range, the opinion is too long or has a hidden character, the rating is
            hidden, or the time to change it is over (an `ExceptionGroup` where stars and opinion break rules).
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    checked = rules.check_given(given)

    def change(tx: Tx, rating: Rating, order: Order) -> Rating:
        after = rules.update(rating, checked, now=tx.now)
        if after.stars != rating.stars:
            creators.hold(tx, order.creator_id)
        return after

    return await _change(tools, viewer, request, subject, ("rating_update", Actor.FAN, change))


async def reply(tools: Tools, viewer: Viewer, request: Request, subject: Subject, text: str) -> Done[Rated]:
    """The creator replies to a rating, once, and may change the reply as long as the policy lets them.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer has no creator profile, or is not the one who was rated.
        NotFoundError: there is no such rating for this viewer.
        StaleRevisionError: the rating changed since the viewer read it.
        ValidationError: the text is empty or too long, the rating is hidden, or the time to change the reply is over.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    checked = rules.check_reply(text)

    def change(tx: Tx, rating: Rating, order: Order) -> Rating:
        policy = policies.get(tx, order.terms.policy_version)
        return rules.reply(rating, checked, policy=policy, now=tx.now)

    return await _change(tools, viewer, request, subject, ("rating_reply", Actor.CREATOR, change))


async def decide(tools: Tools, viewer: Viewer, request: Request, subject: Subject, statement: Decision) -> Done[Rated]:
    """A moderator hides a rating, which then does not count, or restores it; the statement of reasons is kept.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not moderate, or is a side of the order.
        NotFoundError: there is no such rating.
        StaleRevisionError: the rating changed since the viewer read it.
        ValidationError: the rating is so already, or the reason or the note is empty or too long.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    order_values.check_reason(statement.reason)
    order_values.check_note("note", statement.note)

    def change(tx: Tx, rating: Rating, order: Order) -> Rating:
        decisions = ratings.count_decisions(tx, rating.id)
        after = rules.decide(rating, hidden=statement.hidden, decisions=decisions, now=tx.now)
        creators.hold(tx, order.creator_id)
        ratings.decide(tx, after, replace(statement, by=viewer.principal, at=tx.now))
        return after

    name = "rating_hide" if statement.hidden else "rating_restore"
    return await _change(tools, viewer, request, subject, (name, Actor.MODERATOR, change))


def decide_about(tools: Tools, tx: Tx, viewer: Viewer, rating_id: str, statement: Decision) -> Rated:
    """Hides or restores a rating in a unit of work of another room; one that is so already stays as it is."""
    order = orders.get(tx, ratings.order_of(tx, rating_id))
    rating = ratings.get_beside(tx, rating_id, viewer)
    if rating.hidden is statement.hidden:
        return Rated(rating, order)
    decisions = ratings.count_decisions(tx, rating.id)
    after = rules.decide(rating, hidden=statement.hidden, decisions=decisions, now=tx.now)
    creators.hold(tx, order.creator_id)
    ratings.decide(tx, after, replace(statement, by=viewer.principal, at=tx.now))
    ratings.save(tx, after)
    name = "rating_hide" if statement.hidden else "rating_restore"
    return _tell(tools, tx, Rated(after, order), name, Actor.MODERATOR)


async def _change(
    tools: Tools, viewer: Viewer, request: Request, subject: Subject, how: tuple[str, Actor, Change]
) -> Done[Rated]:
    name, actor, change = how
    moves.check_signed_in(viewer, actor)

    def work(tx: Tx) -> Rated:
        order = orders.get(tx, ratings.order_of(tx, subject.rating_id))
        rating = ratings.get_beside(tx, subject.rating_id, viewer)
        moves.check_actor(order, viewer, actor)
        if subject.expected_revision not in {None, rating.revision}:
            raise errors.StaleRevisionError(current_revision=rating.revision)
        after = change(tx, rating, order)
        if after is rating:
            return Rated(rating, order)
        ratings.save(tx, after)
        return _tell(tools, tx, Rated(after, order), name, actor)

    return await once(tools, request, work, _load)


def _tell(tools: Tools, tx: Tx, rated: Rated, name: str, actor: Actor) -> Rated:
    """Tells the journal, in the line of the order and in that of the rating."""
    rating, before = rated.rating, rated.order
    order = replace(before, revision=before.revision + 1, updated_at=tx.now)
    policy = policies.get(tx, order.terms.policy_version)
    advance.keep(tools, tx, order, policy, did=Did(name, actor, before=before))
    body = {
        "transition": name,
        "actor": actor.value,
        "order": rating.order_id,
        "fan": rating.fan_id,
        "creator": rating.creator_id,
        "stars": rating.stars,
        "hidden": rating.hidden,
        "revision": rating.revision,
    }
    event = journal.NewEvent(tools.new_id(ids.EVENT), rating.id, CHANGED, body, topic_seq=rating.revision)
    journal_rows.append(tx, event)
    return Rated(rating, order)


def _load(tx: Tx, rating_id: str) -> Rated:
    rating = ratings.get(tx, rating_id)
    return Rated(rating, orders.get(tx, rating.order_id))
