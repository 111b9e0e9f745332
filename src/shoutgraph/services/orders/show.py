"""Showing finished videos on profiles: the fan agrees, the creator publishes and arranges, staff take down.

What is published and taken away is a revision of its order, and a line in the journal of it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from shoutgraph.domain import errors, ids, journal, samples as rules
from shoutgraph.domain.authenticity import Delivered, MarkState
from shoutgraph.domain.media import Video, VideoState
from shoutgraph.domain.orders import order as order_values
from shoutgraph.domain.orders.order import Order, Visibility
from shoutgraph.domain.orders.states import Actor
from shoutgraph.domain.requests import Request
from shoutgraph.domain.samples import Sample, SampleState
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.files.links import Link
from shoutgraph.services.orders import advance, moves
from shoutgraph.services.orders.moves import Turn
from shoutgraph.storage import (
    authenticity,
    creators,
    journal as journal_rows,
    media as videos,
    orders,
    policies,
    samples,
)
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once

VISIBILITY: Final = "set_visibility"
PUBLISH: Final = "publish_sample"
WITHDRAW: Final = "withdraw_sample"
TAKE_DOWN: Final = "take_down_sample"
ARRANGED: Final = "samples.arranged"
"""What the journal calls it, as a line of the creator's."""

Films = dict[str, tuple[Video, Delivered | None]]
"""Videos by id, each with what is known of its copy with the watermark."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A sample, and its video with links that this viewer may follow; None where it does not show."""

    sample: Sample
    video: Video | None = None
    watch: Link | None = None
    poster: Link | None = None


async def set_visibility(
    tools: Tools, viewer: Viewer, request: Request, turn: Turn, visibility: Visibility
) -> Done[Order]:
    """The fan agrees that the finished video may be shown, or takes that back, which takes a sample of it away.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not this order's fan.
        NotFoundError: there is no such order for this viewer.
        StaleRevisionError: the order changed since the viewer read it.
        ValidationError: the brief was erased.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    viewer.require_user()

    def work(tx: Tx) -> Order:
        order = moves.find(tx, viewer, turn)
        moves.check_actor(order, viewer, Actor.FAN)
        brief = orders.find_brief(tx, order.id)
        if brief is None:
            msg = "The brief of this order was erased, and nothing of it shows."
            raise errors.ValidationError(msg, code="BRIEF_ERASED", path=("input", "orderId"))
        if brief.visibility is visibility:
            return order
        if visibility is Visibility.PRIVATE:
            withdraw_of(tx, order.id)
        orders.save_brief(tx, order.id, replace(brief, visibility=visibility))
        return advance.note(tools, tx, order, VISIBILITY, Actor.FAN)

    return await once(tools, request, work, orders.get)


async def publish(tools: Tools, viewer: Viewer, request: Request, order_id: str) -> Done[Sample]:
    """Shows the video of a completed order on its creator's profile, after the others; one that shows stays.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not this order's creator.
        NotFoundError: there is no such order for this viewer.
        OrderStateError: the order is not completed.
        ValidationError: the fan does not agree, or staff took the sample down.
        LimitExceededError: the creator shows as many as one may.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    viewer.require_creator()

    def work(tx: Tx) -> Sample:
        order = orders.get_visible(tx, order_id, viewer)
        moves.check_actor(order, viewer, Actor.CREATOR)
        video_id = rules.check_publishable(order, orders.find_brief(tx, order.id))
        found = samples.find_by_order(tx, order.id)
        creators.hold(tx, order.creator_id)
        position = samples.next_position(tx, order.creator_id)
        if found is not None:
            after = rules.show_again(found, video_id=video_id, position=position, now=tx.now)
            if after is found:
                return found
            _check_room(tx, order.creator_id)
            samples.save(tx, after)
        else:
            _check_room(tx, order.creator_id)
            new_id = tools.new_id(ids.SAMPLE)
            of = (order.id, order.creator_id, video_id, SampleState.SHOWN, position, tx.now, tx.now)
            after = Sample(new_id, *of)
            samples.insert(tx, after)
        advance.note(tools, tx, order, PUBLISH, Actor.CREATOR)
        return after

    return await once(tools, request, work, _load)


async def withdraw(tools: Tools, viewer: Viewer, sample_id: str) -> Sample:
    """Takes a sample off the viewer's own profile; one that does not show stays as it is.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer has no creator profile.
        NotFoundError: the viewer has no such sample.
    """
    creator_id = viewer.require_creator()

    def change(tx: Tx, sample: Sample) -> Sample:
        if sample.creator_id != creator_id:
            raise errors.NotFoundError("There is no such sample.", path=("input", "sampleId"))
        return rules.withdraw(sample, now=tx.now)

    return await _change(tools, sample_id, (WITHDRAW, Actor.CREATOR), change)


async def take_down(tools: Tools, viewer: Viewer, sample_id: str, *, reason: str, note: str) -> Sample:
    """Takes a sample down for good, with a statement of reasons; one that was taken down stays as it is.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not moderate.
        NotFoundError: there is no such sample.
        ValidationError: the reason or the note is empty or too long.
    """
    viewer.require(Scope.MODERATION)
    order_values.check_reason(reason)
    order_values.check_note("note", note)

    def change(tx: Tx, sample: Sample) -> Sample:
        return rules.take_down(sample, reason=reason, note=note, by=viewer.principal, now=tx.now)

    return await _change(tools, sample_id, (TAKE_DOWN, Actor.MODERATOR), change)


async def arrange(tools: Tools, viewer: Viewer, sample_ids: Sequence[str]) -> list[Sample]:
    """Puts samples of the viewer's own profile first, in this order; the others follow as they were.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer has no creator profile.
        NotFoundError: one of them does not show on the viewer's profile.
        ValidationError: one is named twice.
    """
    creator_id = viewer.require_creator()
    if len(set(sample_ids)) < len(sample_ids):
        raise errors.ValidationError("A sample is named twice.", code="REPEATED", path=("input", "sampleIds"))

    def work(tx: Tx) -> list[Sample]:
        creators.hold(tx, creator_id)
        shown = {sample.id: sample for sample in samples.list_of_creators(tx, [creator_id]).get(creator_id, [])}
        if not shown.keys() >= set(sample_ids):
            raise errors.NotFoundError("There is no such sample.", path=("input", "sampleIds"))
        first = [shown[each] for each in sample_ids]
        rest = [sample for sample in shown.values() if sample.id not in sample_ids]
        arranged = [replace(sample, position=at) for at, sample in enumerate([*first, *rest])]
        moved = [sample for sample in arranged if sample != shown[sample.id]]
        for sample in moved:
            samples.save(tx, sample)
        if moved:
            journal_rows.append(tx, _arranged(tools, creator_id, arranged))
        return arranged

    return await tools.store.write(work)


def withdraw_of(tx: Tx, order_id: str) -> None:
    """Takes the sample of an order away, if it shows; whoever does holds the order."""
    found = samples.find_by_order(tx, order_id)
    if found is not None and found.state is SampleState.SHOWN:
        samples.save(tx, rules.withdraw(found, now=tx.now))


async def list_of_creators(tools: Tools, viewer: Viewer, creator_ids: Sequence[str]) -> list[list[Shown]]:
    """What each creator shows, in their order, with fresh links for anybody."""

    def query(tx: Tx) -> tuple[dict[str, list[Sample]], Films]:
        found = samples.list_of_creators(tx, creator_ids)
        wanted = [sample.video_id for several in found.values() for sample in several]
        return found, _films(tx, wanted)

    found, films = await tools.store.read(query)
    shown = {of: [_show(tools, viewer, each, films) for each in several] for of, several in found.items()}
    return [[each for each in shown.get(of, ()) if each.video is not None] for of in creator_ids]


async def list_by_id(tools: Tools, viewer: Viewer, sample_ids: Sequence[str]) -> list[Shown | None]:
    """Samples by id, None where there is none that this viewer may know of."""

    def query(tx: Tx) -> tuple[dict[str, Sample], Films]:
        found = samples.list_of_ids(tx, sample_ids)
        return found, _films(tx, [sample.video_id for sample in found.values()])

    found, films = await tools.store.read(query)
    return [
        _show(tools, viewer, sample, films) if (sample := found.get(each)) and rules.visible(sample, viewer) else None
        for each in sample_ids
    ]


async def list_of_orders(tools: Tools, viewer: Viewer, of: Sequence[Order]) -> list[Shown | None]:
    """The samples of orders for those who may see the order, None where there is none."""

    def query(tx: Tx) -> tuple[dict[str, Sample], Films]:
        found = samples.list_of_orders(tx, [order.id for order in of if orders.visible(order, viewer)])
        return found, _films(tx, [sample.video_id for sample in found.values()])

    found, films = await tools.store.read(query)
    return [_show(tools, viewer, sample, films) if (sample := found.get(order.id)) else None for order in of]


def _show(tools: Tools, viewer: Viewer, sample: Sample, films: Films) -> Shown:
    video, copy = films.get(sample.video_id, (None, None))
    if video is None or video.state is not VideoState.READY or sample.state is not SampleState.SHOWN:
        return Shown(sample)
    now, links = tools.clock(), tools.links
    if copy is not None and copy.mark is MarkState.WAITING:
        return Shown(sample)  # what shows in public has the watermark
    if copy is not None and copy.mark is MarkState.READY:
        watch, poster = links.copy(video.id, viewer, now=now), links.copy_poster(video.id, viewer, now=now)
    else:  # none could be made, or this deployment makes none
        watch, poster = links.video(video.id, viewer, now=now), links.poster(video.id, viewer, now=now)
    return Shown(sample, video, watch, poster)


def _films(tx: Tx, video_ids: Sequence[str]) -> Films:
    """Videos by id, each with what is known of its copy."""
    if not video_ids:
        return {}
    copies = authenticity.list_of(tx, video_ids)
    return {each: (video, copies.get(each)) for each, video in videos.list_of_ids(tx, video_ids).items()}


async def _change(
    tools: Tools, sample_id: str, how: tuple[str, Actor], change: Callable[[Tx, Sample], Sample]
) -> Sample:
    name, actor = how

    def work(tx: Tx) -> Sample:
        order = orders.get(tx, samples.order_of(tx, sample_id))
        sample = samples.find_by_order(tx, order.id)
        assert sample is not None, "a sample that has an order is there"
        after = change(tx, sample)
        if after is not sample:
            samples.save(tx, after)
            advance.note(tools, tx, order, name, actor)
        return after

    return await tools.store.write(work)


def _arranged(tools: Tools, creator_id: ids.CreatorId, arranged: Sequence[Sample]) -> journal.NewEvent:
    body: journal.Body = {"creator": creator_id, "samples": [sample.id for sample in arranged]}
    return journal.NewEvent(tools.new_id(ids.EVENT), creator_id, ARRANGED, body)


def _check_room(tx: Tx, creator_id: ids.CreatorId) -> None:
    most = min(policies.current(tx).samples_max, samples.READ_MAX)
    if samples.count_shown(tx, creator_id) >= most:
        msg = f"A profile shows at most {most} samples: take one away first."
        raise errors.LimitExceededError(msg, code="SAMPLES_MAX", limit=most)


def _load(tx: Tx, sample_id: str) -> Sample:
    return samples.list_of_ids(tx, [sample_id])[sample_id]
