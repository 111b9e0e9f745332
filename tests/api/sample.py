"""A small graph with one of everything that the transport must carry."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, cast

import strawberry

from shoutgraph.api.drain import Drain
from shoutgraph.api.graphql import directives, errors, fields, loaders, mutations, node, pages, scalars
from shoutgraph.api.graphql.assembly import assemble
from shoutgraph.api.graphql.context import Context, Info
from shoutgraph.api.graphql.execution import Runner
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.transport import Transport
from shoutgraph.domain import errors as refusals, money, pages as page_rules
from shoutgraph.domain.ids import UserId
from shoutgraph.domain.users import ANONYMOUS, Scope, Viewer

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
NAMES = ("ada", "bob", "cleo", "dan", "eve")


class Log:
    """A log of ticks that grows from another thread."""

    def __init__(self) -> None:
        self.length = 0
        self.reads = 0
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def append(self) -> None:
        self.length += 1
        waiting, self._waiting = self._waiting, []
        for loop, event in waiting:
            loop.call_soon_threadsafe(event.set)

    async def wait_past(self, number: int) -> None:
        if self.length <= number:
            event = asyncio.Event()
            self._waiting.append((asyncio.get_running_loop(), event))
            await event.wait()


@dataclass
class World:
    """What the sample's resolvers read and change, and what they did."""

    version: int = 1
    calls: list[str] = field(default_factory=list)
    now: datetime = NOON
    log: Log = field(default_factory=Log)
    down: bool = False

    def begin_anew(self) -> None:
        self.version, self.now, self.log, self.calls, self.down = 1, NOON, Log(), [], False


def world_of(context: Context) -> World:
    return cast("World", context.tools)


@strawberry.type(name="Star", description="A made-up creator.")
class StarType(node.NodeType):
    handle: str = strawberry.field(description="Public handle.")
    secret: str | None = strawberry.field(
        description="For moderators.", directives=[directives.requires(Scope.MODERATION)]
    )

    @loaders.batch(description="The world's version, read once for all stars.")
    @staticmethod
    async def version(parents: list["StarType"], context: Context) -> list[int]:
        world = world_of(context)
        world.calls.append(f"version of {len(parents)}")
        return [world.version for _ in parents]

    @fields.resolver(description="The star itself, to nest for ever.")
    def again(self) -> "StarType":
        return self


def star_of(handle: str) -> StarType:
    return StarType(id=strawberry.ID(star_id(handle)), handle=handle, secret="hidden")


def star_id(handle: str) -> str:
    return "star_" + f"{NAMES.index(handle):026d}"


async def stars_by_id(context: Context, ids: Sequence[str]) -> list[StarType | None]:
    world_of(context).calls.append(f"stars {len(ids)}")
    known = {star_id(handle): handle for handle in NAMES}
    return [star_of(known[each]) if each in known else None for each in ids]


Text = Annotated[str, strawberry.argument(description="Any text.")]
Milliseconds = Annotated[int, strawberry.argument(description="How long.")]
Since = Annotated[str | None, strawberry.argument(description="Resume after this cursor.")]
Several = Annotated[int, strawberry.argument(description="How many.")]


@strawberry.type
class SampleQuery:
    @fields.resolver(description="Says it back.")
    def echo(self, text: Text) -> str | None:
        return text

    @fields.resolver(description="Scalars, there and back.")
    def scalars(
        self,
        coins: Annotated[money.Coins | None, strawberry.argument(description="Coins.")] = None,
        big: Annotated[scalars.BigInt | None, strawberry.argument(description="A number.")] = None,
        at: Annotated[datetime | None, strawberry.argument(description="An instant.")] = None,
        currency: Annotated[scalars.CurrencyCode | None, strawberry.argument(description="A code.")] = None,
        key: Annotated[scalars.IdempotencyKey | None, strawberry.argument(description="A key.")] = None,
    ) -> "ScalarsType | None":
        return ScalarsType(coins=coins, big=big, at=at, currency=currency, key=key)

    @fields.resolver(description="Whether a secret is right.", directives=[directives.GUESSABLE])
    def guess(self, text: Text) -> bool | None:
        return text == "secret"

    @fields.resolver(description="Waits.")
    async def slow(self, milliseconds: Milliseconds) -> str | None:
        await asyncio.sleep(milliseconds / 1000)
        return "done"

    @fields.resolver(description="Breaks in an unforeseen way.")
    def broken(self) -> str | None:
        raise RuntimeError("secret: postgres://root:hunter2@db")

    @fields.resolver(description="Null where null cannot be.")
    def missing(self) -> StarType | None:
        return StarType(id=strawberry.ID("x"), handle=cast("str", None), secret=None)

    @fields.resolver(description="A number that is no 32-bit integer.")
    def huge(self) -> int | None:
        return 2**40

    @fields.resolver(description="Refuses what it is told to.")
    def refuse(self, name: Text) -> str | None:
        raise REFUSALS[name]

    @fields.resolver(description="Stars by page.", directives=[directives.PAGED])
    async def stars(
        self,
        info: Info,
        first: pages.First = None,
        after: pages.After = None,
        last: pages.Last = None,
        before: pages.Before = None,
    ) -> pages.Connection[StarType] | None:
        scope = page_rules.scope_of("stars")
        args = page_rules.read_args(scope=scope, first=first, after=after, last=last, before=before)
        names = [name for name in NAMES if args.key is None or _beyond(name, cast("str", args.key[0]), args)]
        if args.backward:
            names.reverse()
        page = page_rules.cut(names[: args.size + 1], args, scope=scope, key_of=lambda name: (name,))

        async def count() -> int:
            world_of(info.context).calls.append("count")
            return 12_345

        return pages.connect(page, star_of, count=count)

    @fields.resolver(description="Who asks.")
    def viewer(self, info: Info) -> str | None:
        return info.context.viewer.principal


def _beyond(name: str, key: str, args: page_rules.PageArgs) -> bool:
    return name < key if args.backward else name > key


@strawberry.type(name="Scalars", description="One of each scalar.")
class ScalarsType:
    coins: money.Coins | None = strawberry.field(description="Coins.")
    big: scalars.BigInt | None = strawberry.field(description="A number.")
    at: datetime | None = strawberry.field(description="An instant.")
    currency: scalars.CurrencyCode | None = strawberry.field(description="A code.")
    key: scalars.IdempotencyKey | None = strawberry.field(description="A key.")


REFUSALS: dict[str, Exception] = {
    "validation": refusals.ValidationError("Too long.", code="TOO_LONG", path=("text",)),
    "not_found": refusals.NotFoundError("No such order."),
    "forbidden": refusals.ForbiddenError("Not you.", code="NOT_A_CREATOR"),
    "unauthenticated": refusals.UnauthenticatedError("Sign in."),
    "coins": refusals.InsufficientCoinsError(required_coins=2**40, available_coins=7),
    "revision": refusals.StaleRevisionError(current_revision=4),
    "price": refusals.PriceChangedError(current_price_coins=300),
    "locked": refusals.WalletLockedError(),
    "repeated": refusals.from_data(refusals.ValidationError("Too long.").to_data()),
}

LiftError = Annotated[
    errors.ValidationErrorType
    | errors.InsufficientCoinsErrorType
    | errors.StaleRevisionErrorType
    | errors.PriceChangedErrorType
    | errors.NotFoundErrorType,
    errors.failures_of("lift"),
]


@strawberry.input(name="LiftInput", description="Input of lift.")
class LiftInput:
    name: str | None = strawberry.field(default=None, description="Which refusal, if any.")
    milliseconds: int = strawberry.field(default=0, description="How long it takes.")


@strawberry.type(name="LiftPayload", description="Result of lift.")
class LiftPayload:
    star: StarType | None = mutations.outcome("The first star.")
    replayed: bool = mutations.replayed()
    errors: list[LiftError] = mutations.refusals()


@strawberry.type
class SampleMutation:
    @mutations.mutation(description="Lifts the world's version, or refuses.")
    async def lift(
        self,
        info: Info,
        input: Annotated[LiftInput, strawberry.argument(description="What to do.")],  # noqa: A002 - the schema's
    ) -> LiftPayload | None:
        world = world_of(info.context)
        if input.milliseconds:
            await asyncio.sleep(input.milliseconds / 1000)
        if input.name == "two":
            raise ExceptionGroup("two", [REFUSALS["validation"], REFUSALS["coins"]])
        if input.name == "mixed":
            raise ExceptionGroup("mixed", [REFUSALS["coins"], KeyError("a bug")])
        if input.name is not None:
            raise REFUSALS[input.name]
        world.version += 1
        world.calls.append("lifted")
        return LiftPayload(star=star_of("ada"))


@strawberry.type(name="TickEvent", description="A tick of the sample's clock.")
class TickEventType:
    cursor: str = strawberry.field(description="Place in the stream.")
    number: int = strawberry.field(description="Which tick.")

    @fields.resolver(description="The first star, as of now.")
    def star(self) -> StarType:
        return star_of("ada")


@strawberry.type
class SampleSubscription:
    @fields.subscription(description="The log: from now on, or after a cursor.", shared=True)
    async def log(self, info: Info, after: Since = None) -> AsyncIterator[TickEventType]:
        world = world_of(info.context)
        calls = world.calls
        resume = info.context.last_event_id or after
        if resume == "expired":
            raise refusals.ValidationError("Too old.", code="CURSOR_EXPIRED", path=("after",))
        number = world.log.length if resume is None else int(resume)
        calls.append(f"log opened after {resume}")
        try:
            while True:
                await world.log.wait_past(number)
                number += 1
                world.log.reads += 1
                yield TickEventType(cursor=str(number), number=number)
        finally:
            calls.append(f"log closed after {resume}")

    @fields.subscription(description="Ticks, the world a version further after each.")
    async def ticks(self, info: Info, count: Several, after: Since = None) -> AsyncIterator[TickEventType]:
        world = world_of(info.context)
        calls = world.calls
        start = int(info.context.last_event_id or after or 0)
        try:
            for number in range(start + 1, count + 1):
                yield TickEventType(cursor=str(number), number=number)
                world.version += 1
        finally:
            calls.append("ticks ended")

    @fields.subscription(description="Waits for ever after the first.")
    async def waiting(self, info: Info) -> AsyncIterator[TickEventType]:
        calls = world_of(info.context).calls
        try:
            yield TickEventType(cursor="1", number=1)
            await asyncio.Event().wait()
        finally:
            calls.append("waiting ended")

    @fields.subscription(description="Breaks after the first, or refuses at once.")
    async def breaking(self, name: Text) -> AsyncIterator[TickEventType]:
        if name in REFUSALS:
            raise REFUSALS[name]
        yield TickEventType(cursor="1", number=1)
        raise RuntimeError("secret")

    @fields.subscription(description="For moderators.", directives=[directives.requires(Scope.MODERATION)])
    async def secrets(self, info: Info) -> AsyncIterator[TickEventType]:
        world_of(info.context).calls.append("secrets opened")
        yield TickEventType(cursor="1", number=1)

    @fields.subscription(description="Large events without an end.")
    async def flood(self, info: Info) -> AsyncIterator[TickEventType]:
        calls = world_of(info.context).calls
        try:
            number = 0
            while True:
                number += 1
                yield TickEventType(cursor=str(number) + "x" * 10_000, number=number)
        finally:
            calls.append("flood ended")


SAMPLE = Room(query=SampleQuery, mutation=SampleMutation, subscription=SampleSubscription, nodes={"star": stars_by_id})
SCHEMA = assemble([SAMPLE])

TOKENS: dict[str, Viewer] = {
    "Bearer fan": Viewer(user_id=UserId("user_fan"), principal="fan"),
    "Bearer staff": Viewer(scopes=frozenset({Scope.MODERATION}), principal="staff"),
    "Bearer brief": Viewer(principal="brief", expires_at=NOON + timedelta(seconds=0.3)),
}


async def authenticate(world: World, authorization: str | None) -> Viewer:
    """A stand-in for the real doorkeeper, which has tests of its own."""
    if world.down:
        raise refusals.StoreUnavailableError("the database is away", retry_after_s=1)
    if authorization is None:
        return ANONYMOUS
    if authorization not in TOKENS:
        raise refusals.UnauthenticatedError("The token is not valid.")
    return TOKENS[authorization]


def transport_of(world: World, **changes: Any) -> Transport:
    """The sample behind a transport."""
    settings: dict[str, Any] = {
        "runner": Runner(SCHEMA),
        "tools": world,
        "authenticate": lambda authorization: authenticate(world, authorization),
        "new_request_id": lambda: "request-0001",
        "drain": Drain(),
        "clock": lambda: world.now,
    }
    return Transport(**(settings | changes))
