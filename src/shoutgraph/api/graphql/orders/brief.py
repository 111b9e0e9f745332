"""The brief of an order: as input and as the API shows it."""

import strawberry

from shoutgraph.api.graphql.directives import ListSize
from shoutgraph.domain.orders.order import Brief, Occasion, Usage, Visibility

_ITEMS = [ListSize(assumed_size=5)]


@strawberry.type(name="OrderBrief", description="What the fan asks for. Personal data: only the two sides and staff.")
class BriefType:
    occasion: Occasion = strawberry.field(description="What the video is for.")
    recipient_name: str = strawberry.field(description="Who it is for.")
    for_self: bool = strawberry.field(description="Whether the fan is the recipient.")
    pronunciation: str | None = strawberry.field(description="How to say the name.")
    instructions: str = strawberry.field(description="What to say.")
    must_say: list[str] = strawberry.field(description="What must be said.", directives=_ITEMS)
    must_not_say: list[str] = strawberry.field(description="What must not be said.", directives=_ITEMS)
    language: str = strawberry.field(description="BCP 47 tag of the language.")
    pronouns: str | None = strawberry.field(description="What to call the recipient, such as she or they.")
    usage: Usage = strawberry.field(description="Personal or business.")
    visibility: Visibility = strawberry.field(description="Private or public.")

    @classmethod
    def of(cls, brief: Brief) -> "BriefType":
        """The graph's view of a brief."""
        return cls(
            occasion=brief.occasion,
            recipient_name=brief.recipient_name,
            for_self=brief.for_self,
            pronunciation=brief.pronunciation,
            instructions=brief.instructions,
            must_say=list(brief.must_say),
            must_not_say=list(brief.must_not_say),
            language=brief.language,
            usage=brief.usage,
            visibility=brief.visibility,
            pronouns=brief.pronouns,
        )


@strawberry.input(name="OrderBriefInput", description="What the fan asks for.")
class BriefInput:
    occasion: Occasion = strawberry.field(description="What the video is for.")
    recipient_name: str = strawberry.field(description="Who it is for; at most 60 characters.")
    instructions: str = strawberry.field(description="What to say; at most 300 characters, 500 for a business.")
    language: str = strawberry.field(description="BCP 47 tag of the language, such as en.")
    for_self: bool = strawberry.field(default=False, description="Whether the fan is the recipient.")
    pronunciation: str | None = strawberry.field(default=None, description="How to say the name.")
    must_say: list[str] = strawberry.field(default_factory=list, description="At most 5 things that must be said.")
    must_not_say: list[str] = strawberry.field(default_factory=list, description="At most 5 that must not.")
    usage: Usage = strawberry.field(
        default=Usage.PERSONAL,
        description="BUSINESS needs an offer with a businessSurcharge, which is added to the price.",
    )
    visibility: Visibility = strawberry.field(
        default=Visibility.PRIVATE,
        description="PUBLIC is the fan's consent to show the finished video on the profile; it can be taken back.",
    )
    pronouns: str | None = strawberry.field(
        default=None, description="What to call the recipient, such as she or they; at most 30 characters."
    )

    def read(self) -> Brief:
        """The brief that this input describes."""
        return Brief(
            occasion=self.occasion,
            recipient_name=self.recipient_name,
            instructions=self.instructions,
            language=self.language,
            for_self=self.for_self,
            pronunciation=self.pronunciation,
            must_say=tuple(self.must_say),
            must_not_say=tuple(self.must_not_say),
            usage=self.usage,
            visibility=self.visibility,
            pronouns=self.pronouns,
        )
