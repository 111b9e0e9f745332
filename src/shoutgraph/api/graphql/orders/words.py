"""The enumerations of orders, with the words that the SDL says about each value."""

from typing import Final

from shoutgraph.api.graphql import enums
from shoutgraph.domain.orders.checklist import ItemKind
from shoutgraph.domain.orders.order import Occasion, RedoGround, Side, Usage, Visibility
from shoutgraph.domain.orders.states import State
from shoutgraph.services.orders.read import Queue, Role, Sort

enums.describe(
    State,
    name="OrderStatus",
    description="Where an order stands; clients must accept values added later.",
    values={
        State.DRAFT: "Written down, not paid.",
        State.SCREENING: "Paid; the platform reads the brief.",
        State.AWAITING_ACCEPTANCE: "The creator has not answered yet.",
        State.IN_PRODUCTION: "The creator took it on and films.",
        State.IN_REVIEW: "The platform watches the video.",
        State.CHANGES_REQUIRED: "The platform asked the creator for another cut.",
        State.DELIVERED: "The fan has the video and may object.",
        State.REDO_REQUESTED: "The fan asked for a redo on an objective ground.",
        State.DISPUTED: "The platform decides between the two sides.",
        State.COMPLETED: "Done: the creator earned.",
        State.DECLINED: "The creator said no; the coins went back.",
        State.EXPIRED: "The creator was late; the coins went back.",
        State.CANCELLED: "Called off; the coins went back.",
        State.REJECTED: "The platform refused it; the coins went back.",
        State.REFUNDED: "Ended for the fan; the coins went back.",
        State.SPLIT: "Ended in the middle; the price was shared.",
    },
)
enums.describe(
    Occasion,
    name="Occasion",
    description="What a video is for.",
    values={
        Occasion.BIRTHDAY: "A birthday.",
        Occasion.WEDDING: "A wedding.",
        Occasion.GRADUATION: "A graduation.",
        Occasion.PEP_TALK: "Encouragement.",
        Occasion.THANK_YOU: "Thanks.",
        Occasion.HOLIDAY: "A holiday.",
        Occasion.QUESTION: "An answer to a question.",
        Occasion.OTHER: "Anything else.",
    },
)
enums.describe(
    Usage,
    name="OrderUsage",
    description="Whether a video is for private people or for a business.",
    values={Usage.PERSONAL: "For private people.", Usage.BUSINESS: "For a business."},
)
enums.describe(
    Visibility,
    name="OrderVisibility",
    description="Whether a finished video may be shown on the creator's profile.",
    values={Visibility.PRIVATE: "Only the fan may show it.", Visibility.PUBLIC: "The profile may show it."},
)
enums.describe(
    RedoGround,
    name="RedoGround",
    description="The objective grounds of a redo.",
    values={
        RedoGround.WRONG_NAME: "A name is wrong.",
        RedoGround.WRONG_RECIPIENT: "It speaks to someone else.",
        RedoGround.WRONG_OCCASION: "It is about another occasion.",
        RedoGround.MUST_SAY_MISSING: "Something that must be said is missing.",
        RedoGround.UNUSABLE_MEDIA: "It cannot be watched or heard.",
    },
)
enums.describe(
    ItemKind,
    name="ChecklistItemKind",
    description="Whether something must be said or must not.",
    values={ItemKind.MUST_SAY: "It must be said.", ItemKind.MUST_NOT_SAY: "It must not be said."},
)
enums.describe(
    Side,
    name="DisputeSide",
    description="A side of a dispute.",
    values={Side.FAN: "The fan.", Side.CREATOR: "The creator."},
)
enums.describe(
    Role,
    name="OrderRole",
    description="Whose orders a list holds.",
    values={
        Role.FAN: "Those the caller placed.",
        Role.CREATOR: "Those the caller received as a creator.",
        Role.ANYONE: "Everyone's; needs the scope ORDERS_READ.",
    },
)
enums.describe(
    Sort,
    name="OrderSortField",
    description="Keys that orders sort by, each with an index behind it.",
    values={Sort.CREATED_AT: "Time created.", Sort.UPDATED_AT: "Time of the last change."},
)
enums.describe(
    Queue,
    name="ModerationQueue",
    description="What waits for a moderator.",
    values={
        Queue.SCREENING: "Briefs to read.",
        Queue.REVIEW: "Videos to watch.",
        Queue.DISPUTES: "Disputes to settle.",
    },
)

EFFECTS: Final = "Every coin goes back to the lot it came from."
"""A sentence that several mutations share."""
