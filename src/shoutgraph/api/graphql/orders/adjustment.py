"""What was given back of an order after its end, as the API shows it to its sides and to staff."""

from datetime import datetime

import strawberry

from shoutgraph.api.graphql import enums
from shoutgraph.domain.adjustments import Adjustment, AdjustmentKind, AdjustmentReason, AdjustmentState
from shoutgraph.domain.money import Coins
from shoutgraph.domain.users import Scope, Viewer

enums.describe(
    AdjustmentKind,
    name="OrderAdjustmentKind",
    description="Who bears what is given back.",
    values={
        AdjustmentKind.REFUND: "The creator and the platform, each their share.",
        AdjustmentKind.GOODWILL: "The platform alone.",
    },
)
enums.describe(
    AdjustmentState,
    name="OrderAdjustmentStatus",
    description="Where an adjustment stands.",
    values={
        AdjustmentState.PROPOSED: "One person proposed it; nothing moved.",
        AdjustmentState.DONE: "The coins are the fan's.",
        AdjustmentState.DENIED: "Somebody denied it; nothing moved.",
    },
)
enums.describe(
    AdjustmentReason,
    name="OrderAdjustmentReason",
    description="Why something is given back; clients must accept values added later.",
    values={
        AdjustmentReason.QUALITY: "The video is poor.",
        AdjustmentReason.NOT_AS_ORDERED: "It is not what was asked for.",
        AdjustmentReason.LATE: "It came too late to be of use.",
        AdjustmentReason.TECHNICAL: "It could not be watched, or the platform failed.",
        AdjustmentReason.DUPLICATE: "It was ordered twice.",
        AdjustmentReason.UNAUTHORISED: "Somebody else ordered it with the fan's coins.",
        AdjustmentReason.COURTESY: "A kindness.",
        AdjustmentReason.OTHER: "Something else; the note says what.",
    },
)


@strawberry.type(
    name="OrderAdjustment",
    description="Coins given back of an order after its end. The order's status stays; both sides see what is done.",
)
class OrderAdjustmentType:
    id: strawberry.ID = strawberry.field(description="Names the adjustment; it is not a node.")
    order_id: strawberry.ID = strawberry.field(description="Which order.")
    kind: AdjustmentKind = strawberry.field(description="Who bears it.")
    status: AdjustmentState = strawberry.field(description="Where it stands.")
    reason: AdjustmentReason = strawberry.field(description="Why.")
    coins: Coins = strawberry.field(description="How many coins; they return to the lots that paid.")
    paid_coins: Coins = strawberry.field(description="Bought coins that the fan got; 0 until it is done.")
    promo_coins: Coins = strawberry.field(description="Granted coins that the fan got; 0 until it is done.")
    creator_coins: Coins = strawberry.field(description="What the creator lost, or owes since.")
    fee_coins: Coins = strawberry.field(description="What the platform's fee lost.")
    note: str | None = strawberry.field(description="What staff wrote about it, for staff; null for everybody else.")
    proposed_by: str | None = strawberry.field(description="Who asked for it, for staff; null for everybody else.")
    proposed_at: datetime = strawberry.field(description="When it was asked for.")
    decided_by: str | None = strawberry.field(description="The second person, for staff; null for everybody else.")
    decided_at: datetime | None = strawberry.field(description="When it was done or denied.")

    @classmethod
    def of(cls, adjustment: Adjustment, viewer: Viewer) -> "OrderAdjustmentType":
        """The graph's view of an adjustment: names and words are for those who read finances."""
        staff = viewer.has(Scope.FINANCE_READ)
        return cls(
            id=strawberry.ID(adjustment.id),
            order_id=strawberry.ID(adjustment.order_id),
            kind=adjustment.kind,
            status=adjustment.state,
            reason=adjustment.reason,
            coins=Coins(adjustment.coins),
            paid_coins=Coins(adjustment.paid_coins),
            promo_coins=Coins(adjustment.promo_coins),
            creator_coins=Coins(adjustment.creator_coins),
            fee_coins=Coins(adjustment.fee_coins),
            note=adjustment.note if staff else None,
            proposed_by=adjustment.proposed_by if staff else None,
            proposed_at=adjustment.proposed_at,
            decided_by=adjustment.decided_by if staff else None,
            decided_at=adjustment.decided_at,
        )
