"""A catalogue in memory, to see what answering costs where no database is asked.

20 creators of 4 fields, with a rating of 2 and 3 offers of 3: 341 fields,
as plain dictionaries by hand, by the compiled engine, and by stock Strawberry.
"""

from typing import Any, Final

import orjson
import strawberry
from strawberry.extensions import ParserCache, ValidationCache

from shoutgraph.api.graphql import fields, loaders
from shoutgraph.api.graphql.assembly import assemble
from shoutgraph.api.graphql.context import Context, Info
from shoutgraph.api.graphql.room import Room

CREATORS: Final = 20
OFFERS: Final = 3
CACHED: Final = 100
QUERY: Final = "query Page { creators { id handle name country rating { count average } offers { id title price } } }"


@strawberry.type(name="Rating", description="A rating.")
class RatingType:
    count: int = strawberry.field(description="How many.")
    average: float = strawberry.field(description="On average.")


@strawberry.type(name="Offer", description="An offer.")
class OfferType:
    id: strawberry.ID = strawberry.field(description="Id.")
    title: str = strawberry.field(description="Title.")
    price: int = strawberry.field(description="Price.")


@strawberry.type(name="Creator", description="A creator.")
class CreatorType:
    id: strawberry.ID = strawberry.field(description="Id.")
    handle: str = strawberry.field(description="Handle.")
    name: str = strawberry.field(description="Name.")
    country: str = strawberry.field(description="Country.")
    rating: RatingType = strawberry.field(description="Rating.")

    @loaders.batch(description="Offers.")
    @staticmethod
    async def offers(parents: "list[CreatorType]", context: Context) -> list[list[OfferType]]:  # noqa: ARG004 - its shape
        return [SOLD[parent.id] for parent in parents]


@strawberry.type(name="Creator", description="The same creator, as stock Strawberry likes it best: attributes alone.")
class PlainCreatorType:
    id: strawberry.ID = strawberry.field(description="Id.")
    handle: str = strawberry.field(description="Handle.")
    name: str = strawberry.field(description="Name.")
    country: str = strawberry.field(description="Country.")
    rating: RatingType = strawberry.field(description="Rating.")
    offers: list[OfferType] = strawberry.field(description="Offers.")


def _offers(creator: int) -> list[OfferType]:
    return [
        OfferType(id=strawberry.ID(f"offer_{creator:022d}{at:04d}"), title=f"A greeting of kind {at}", price=1_000 + at)
        for at in range(OFFERS)
    ]


def _facts(at: int) -> dict[str, Any]:
    rating = RatingType(count=100 + at, average=4.5)
    return {
        "id": strawberry.ID(f"creator_{at:026d}"),
        "handle": f"bench{at}",
        "name": f"Bench the {at}th",
        "country": "DE",
        "rating": rating,
    }


MADE: Final = [CreatorType(**_facts(at)) for at in range(CREATORS)]
SOLD: Final = {creator.id: _offers(at) for at, creator in enumerate(MADE)}
PLAIN: Final = [PlainCreatorType(**_facts(at), offers=_offers(at)) for at in range(CREATORS)]


@strawberry.type
class MemoryQuery:
    @fields.resolver(description="Everybody.")
    async def creators(self, info: Info) -> list[CreatorType]:  # noqa: ARG002 - as resolvers are
        return MADE


@strawberry.type(name="Query")
class PlainQuery:
    @strawberry.field(description="Everybody.")
    def creators(self) -> list[PlainCreatorType]:
        return PLAIN


SCHEMA: Final = assemble([Room(query=MemoryQuery)])
GRAPH: Final = SCHEMA._schema  # noqa: SLF001 - Strawberry has no public way
STOCK: Final = strawberry.Schema(
    query=PlainQuery, extensions=[lambda: ParserCache(maxsize=CACHED), lambda: ValidationCache(maxsize=CACHED)]
)


def by_hand() -> bytes:
    """The answer by hand-written dictionaries."""
    creators = [
        {
            "id": each.id,
            "handle": each.handle,
            "name": each.name,
            "country": each.country,
            "rating": {"count": each.rating.count, "average": each.rating.average},
            "offers": [{"id": one.id, "title": one.title, "price": one.price} for one in SOLD[each.id]],
        }
        for each in MADE
    ]
    return orjson.dumps({"data": {"creators": creators}})
