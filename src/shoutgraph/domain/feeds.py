"""The feeds of the journal: what each is about, and who may read which of its events.

A feed is all that `services/events` needs to serve pages and streams of one kind of subject.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from shoutgraph.domain import ids
from shoutgraph.domain.journal import Event
from shoutgraph.domain.users import Scope, Viewer


@dataclass(frozen=True, slots=True)
class Feed:
    """Events of one kind of subject.

    `scopes` read all of it, `owned` says whose an event is. `types` are those that it tells; None for all.
    """

    prefix: str
    scopes: tuple[Scope, ...]
    owned: Callable[[Event, Viewer], bool]
    types: frozenset[str] | None = None

    @property
    def topic(self) -> str:
        """What the ids of its subjects begin with."""
        return f"{self.prefix}_"

    def tells(self, event: Event) -> bool:
        """Whether the event belongs to this feed."""
        return self.types is None or event.type in self.types

    def visible(self, event: Event, viewer: Viewer) -> bool:
        """Whether the event is the viewer's, or the viewer reads all of this feed."""
        return viewer.has(*self.scopes) or self.owned(event, viewer)


def of_user(event: Event, viewer: Viewer) -> bool:
    """Whether the event's subject belongs to the viewer, as its field `user` says."""
    return viewer.user_id is not None and event.body.get("user") == viewer.user_id


def of_creator(event: Event, viewer: Viewer) -> bool:
    """Whether the event's subject belongs to the viewer's profile, as its field `creator` says."""
    return viewer.creator_id is not None and event.body.get("creator") == viewer.creator_id


def _of_order(event: Event, viewer: Viewer) -> bool:
    """Whether the viewer is a side of the event's order. A draft is only its fan's."""
    body = event.body
    if viewer.user_id is not None and body.get("fan") == viewer.user_id:
        return True
    drafted = body.get("status") == "DRAFT" or (body.get("previous") == "DRAFT" and body.get("status") == "CANCELLED")
    return viewer.creator_id is not None and body.get("creator") == viewer.creator_id and not drafted


def _of_sides(event: Event, viewer: Viewer) -> bool:
    """Whether the viewer is the fan or the creator of the event's order, as its fields say."""
    fan = viewer.user_id is not None and event.body.get("fan") == viewer.user_id
    return fan or of_creator(event, viewer)


def _of_report(event: Event, viewer: Viewer) -> bool:
    """Whether the viewer reported, or it was decided about what is theirs, as its fields say."""
    body = event.body
    filed = body.get("reporter") == viewer.user_id
    return viewer.user_id is not None and (
        filed or (body.get("affected") == viewer.user_id and body.get("status") != "OPEN")
    )


ORDERS: Final = Feed(ids.ORDER, (Scope.EVENTS_READ, Scope.ORDERS_READ), _of_order)
TOPUPS: Final = Feed(ids.TOPUP, (Scope.FINANCE_READ,), of_user, frozenset({"topup.status_changed", "topup.changed"}))
GIFTS: Final = Feed(
    ids.CREATOR,
    (Scope.FINANCE_READ, Scope.MODERATION),
    lambda event, viewer: of_user(event, viewer) or of_creator(event, viewer),
    frozenset({"gift.sent", "gift.thanked", "gift.hidden", "gift.restored"}),
)
PAYOUTS: Final = Feed(
    ids.PAYOUT, (Scope.FINANCE_READ,), of_creator, frozenset({"payout.status_changed", "payout.changed"})
)
USERS: Final = Feed(
    ids.USER,
    (Scope.FINANCE_READ,),
    of_user,
    frozenset(
        {
            "age.attested",
            "closure.changed",
            "payout_hold.placed",
            "payout_hold.released",
            "spending.limits_set",
            "spending.paused",
            "spending.excluded",
            "spending.review_asked",
            "spending.review_cleared",
            "tax.profile_set",
        }
    ),
)
RATINGS: Final = Feed(ids.RATING, (Scope.EVENTS_READ, Scope.ORDERS_READ), _of_sides, frozenset({"rating.changed"}))
WAITLIST: Final = Feed(ids.WAITLIST, (Scope.EVENTS_READ, Scope.ORDERS_READ), _of_sides, frozenset({"waitlist.changed"}))
FEATURES: Final = Feed(ids.FEATURE, (Scope.EVENTS_READ,), lambda _event, _viewer: True, frozenset({"feature.changed"}))
"""That a rule changed is told to everyone; whom it names is told to nobody."""
CAMPAIGNS: Final = Feed(
    ids.CAMPAIGN,
    (Scope.EVENTS_READ, Scope.CATALOGUE_MANAGE, Scope.FINANCE_MANAGE),
    lambda event, viewer: event.body.get("open") is True or of_creator(event, viewer),
    frozenset({"campaign.changed"}),
)
"""What is approved is everybody's to follow; the rest is its creator's."""
REPORTS: Final = Feed(ids.REPORT, (Scope.MODERATION,), _of_report, frozenset({"report.changed"}))
"""Who reported follows it from the start; whose content it is from the decision on."""
WEBHOOKS: Final = Feed(
    ids.ENDPOINT, (Scope.WEBHOOKS_MANAGE,), lambda _event, _viewer: False, frozenset({"webhook.changed"})
)
"""That an endpoint changed, or was disabled."""
