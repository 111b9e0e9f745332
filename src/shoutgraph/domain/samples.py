"""Samples: finished videos that a creator shows on the profile, as long as the fan agrees and nobody took them down."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shoutgraph.domain import errors, ids
from shoutgraph.domain.orders.order import Brief, Order, Visibility
from shoutgraph.domain.orders.states import State
from shoutgraph.domain.users import Scope, Viewer


class SampleState(StrEnum):
    """Whether a sample shows."""

    SHOWN = "SHOWN"
    WITHDRAWN = "WITHDRAWN"
    TAKEN_DOWN = "TAKEN_DOWN"


@dataclass(frozen=True, slots=True)
class Sample:
    """A finished video on a profile: nothing of its order but the film. `position` is its place among the others.

    `reason`, `note` and `decided_by` are those of staff who took it down.
    """

    id: str
    order_id: ids.OrderId
    creator_id: ids.CreatorId
    video_id: ids.VideoId
    state: SampleState
    position: int
    published_at: datetime
    updated_at: datetime
    reason: str | None = None
    note: str | None = None
    decided_by: str | None = None


def check_publishable(order: Order, brief: Brief | None) -> ids.VideoId:
    """The video of an order that may be shown.

    Raises:
        OrderStateError: the order is not completed.
        ValidationError: its fan does not agree, or took that back.
    """
    if order.state is not State.COMPLETED or order.passed_video_id is None:
        raise errors.OrderStateError("Only the video of a completed order is shown.", state=order.state)
    if brief is None or brief.visibility is not Visibility.PUBLIC:
        msg = "The fan did not agree that this video is shown, or no longer does."
        raise errors.ValidationError(msg, code="NO_CONSENT", path=("input", "orderId"))
    return order.passed_video_id


def show_again(sample: Sample, *, video_id: ids.VideoId, position: int, now: datetime) -> Sample:
    """A sample that was withdrawn, shown again at the end of the others; one that shows is left as it is.

    Raises:
        ValidationError: staff took it down.
    """
    if sample.state is SampleState.TAKEN_DOWN:
        msg = "The platform took this sample down."
        raise errors.ValidationError(msg, code="SAMPLE_TAKEN_DOWN", path=("input", "orderId"))
    if sample.state is SampleState.SHOWN:
        return sample
    return replace(
        sample,
        state=SampleState.SHOWN,
        video_id=video_id,
        position=position,
        published_at=now,
        updated_at=now,
    )


def withdraw(sample: Sample, *, now: datetime) -> Sample:
    """A sample that no longer shows; one that does not is left as it is."""
    if sample.state is not SampleState.SHOWN:
        return sample
    return replace(sample, state=SampleState.WITHDRAWN, updated_at=now)


def put_back(sample: Sample, *, shows: bool, now: datetime) -> Sample:
    """A sample that was taken down, shown again where it may be, withdrawn where not; any other is left as it is."""
    if sample.state is not SampleState.TAKEN_DOWN:
        return sample
    state = SampleState.SHOWN if shows else SampleState.WITHDRAWN
    return replace(sample, state=state, reason=None, note=None, decided_by=None, updated_at=now)


def take_down(sample: Sample, *, reason: str, note: str, by: str, now: datetime) -> Sample:
    """A sample that nobody shows again but an appeal; one that was taken down is left as it is."""
    if sample.state is SampleState.TAKEN_DOWN:
        return sample
    return replace(sample, state=SampleState.TAKEN_DOWN, reason=reason, note=note, decided_by=by, updated_at=now)


def visible(sample: Sample, viewer: Viewer) -> bool:
    """Whether the viewer may know of a sample: everybody of one that shows."""
    mine = viewer.creator_id is not None and sample.creator_id == viewer.creator_id
    return sample.state is SampleState.SHOWN or mine or viewer.has(Scope.MODERATION)
