"""Who gave a creator the most, in a day, a week or all of time."""

from datetime import datetime
from typing import Annotated

import strawberry

from shoutgraph.api.graphql import enums, fields, loaders, pages as graph_pages
from shoutgraph.api.graphql.context import Context, Info
from shoutgraph.api.graphql.directives import PAGED
from shoutgraph.api.graphql.pages import After, Before, Connection, First, Last
from shoutgraph.domain import ids, pages
from shoutgraph.domain.gifts import Span
from shoutgraph.domain.money import Coins
from shoutgraph.services.gifts import read
from shoutgraph.services.gifts.read import Giver, Ranking

enums.describe(
    Span,
    name="GiftSpan",
    description="Over what a ranking adds up.",
    values={
        Span.DAY: "A day of UTC, from midnight.",
        Span.WEEK: "A week of UTC, from Monday's midnight.",
        Span.ALL: "All of time.",
    },
)


@strawberry.type(name="GiftRank", description="A fan's place in a ranking of givers.")
class GiftRankType:
    value: strawberry.Private[Giver]
    rank: int = strawberry.field(description="The place, from 1; fans with equal coins share one.")
    coins: Coins = strawberry.field(description="What they gave.")
    gift_count: int = strawberry.field(description="How many gifts that was.")

    @classmethod
    def of(cls, giver: Giver) -> "GiftRankType":
        """The graph's view of a place."""
        total = giver.total
        return cls(value=giver, rank=total.rank, coins=Coins(total.coins), gift_count=total.gifts)

    @fields.resolver(description="Whether it is the caller's own place.")
    def mine(self, info: Info) -> bool:
        return info.context.viewer.user_id == self.value.total.user_id

    @loaders.batch(description="What the fan is called: for the creator, the fan and staff; null for everybody else.")
    @staticmethod
    async def giver_name(parents: "list[GiftRankType]", context: Context) -> list[str | None]:
        return await read.names_of_ranked(context.tools, context.viewer, [parent.value for parent in parents])


@strawberry.type
class GiftRankingQuery:
    @fields.resolver(description="Who gave a creator the most, those first.", directives=[PAGED])
    async def gift_ranking(
        self,
        info: Info,
        creator_id: Annotated[strawberry.ID, strawberry.argument(description="Whose fans.")],
        span: Annotated[Span, strawberry.argument(description="Over what.")] = Span.ALL,
        at: Annotated[
            datetime | None, strawberry.argument(description="A time inside the day or week; now if not given.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[GiftRankType] | None:
        tools = info.context.tools
        creator = ids.parse(ids.CREATOR, creator_id, path=("creatorId",))
        listing = Ranking.of(creator, span, at or tools.clock())
        args = pages.read_args(
            scope=listing.scope, first=first, after=after, last=last, before=before, kinds=(int, str)
        )
        return graph_pages.connect(await read.ranking(tools, listing, args), GiftRankType.of)
