"""The effects that use-cases need, chosen in `app` and handed down as their first argument."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from shoutgraph.domain import errors
from shoutgraph.domain.clock import Clock
from shoutgraph.domain.errors import ShoutgraphError
from shoutgraph.domain.ids import NewId
from shoutgraph.domain.requests import Request, StoredRequest
from shoutgraph.domain.rests import Rests
from shoutgraph.files.anchors import AnchorFolder
from shoutgraph.files.links import Links
from shoutgraph.files.signing import Signer
from shoutgraph.files.store import Files
from shoutgraph.outbound.courier import Courier
from shoutgraph.plugins.providers import Providers
from shoutgraph.storage import requests
from shoutgraph.storage.bell import Bell
from shoutgraph.storage.tx import Tx

logger = logging.getLogger("shoutgraph.jobs")

R = TypeVar("R")
T = TypeVar("T")


class Store(Protocol):
    """Runs units of work against the database."""

    async def write(
        self, work: Callable[[Tx], T], *, refused: Callable[[Tx, ShoutgraphError], None] | None = None
    ) -> T:
        """Runs a unit of work and returns after COMMIT.

        `work` may be run again, so it must have no effect outside of its `Tx`. A refusal takes back what it did; then
        `refused` may write in the same transaction, and the refusal is raised. Cancelling the caller does not cancel
        the work.
        """

    async def read(self, query: Callable[[Tx], T]) -> T:
        """Runs a query; all its statements see one state."""


def _no_clock() -> datetime:
    raise RuntimeError("this deployment has no clock of its own")


def _no_secret() -> str:
    raise RuntimeError("this deployment makes no secrets")


@dataclass(frozen=True, slots=True)
class Tools:
    """Everything that reaches outside. `travel` moves the test clock; None where time is real.

    `anchors` is where the journal is anchored, if anywhere; `manifests` signs what was delivered, where anything does.
    `courier` carries webhooks to those who asked for them. `real_clock` is the time that tokens live in, whatever the
    test clock says. `rests` remembers what broke in this process.
    """

    store: Store
    clock: Clock
    new_id: NewId
    bell: Bell
    providers: Providers
    files: Files
    links: Links
    public_url: str = ""
    travel: Callable[[timedelta], datetime] | None = None
    new_secret: Callable[[], str] = _no_secret
    anchors: AnchorFolder | None = None
    manifests: Signer | None = None
    courier: Courier | None = None
    real_clock: Clock = _no_clock
    rests: Rests = field(default_factory=Rests)


class Identified(Protocol):
    """Anything with a global id."""

    @property
    def id(self) -> str:
        """The global id."""


I = TypeVar("I", bound=Identified)  # noqa: E741 - the identified thing


@dataclass(frozen=True, slots=True)
class Done(Generic[I]):
    """What a mutation made, and whether an earlier request with the same key had made it."""

    value: I
    replayed: bool = False


async def side_by_side(
    what: str, items: Sequence[T], work: Callable[[T], Awaitable[R]], *, name: Callable[[T], object] = str
) -> list[R]:
    """Does the same for each of some together, and gives what that came to once all of them have ended.

    One that fails is told of in the log, holds up no other, and is left out.

    Args:
        what: says in the log what it was that failed.
        name: names an item in the log.

    Raises:
        OverloadedError: as of one of them, since it lies with none of them.
        StoreUnavailableError: likewise.
    """
    done = await asyncio.gather(*map(work, items), return_exceptions=True)
    for each, result in zip(items, done, strict=True):
        if isinstance(result, errors.OverloadedError | errors.StoreUnavailableError):
            raise result
        if isinstance(result, BaseException):
            logger.error("the %s %s failed", what, name(each), exc_info=result)
    return [result for result in done if not isinstance(result, BaseException)]


async def one_by_one(
    what: str, items: Sequence[T], work: Callable[[T], Awaitable[R]], *, name: Callable[[T], object] = str
) -> list[R]:
    """As `side_by_side`, but one after the other: for what takes long, or holds much.

    Raises:
        OverloadedError: as of one of them; the others are not begun.
        StoreUnavailableError: likewise.
    """
    done: list[R] = []
    for each in items:
        done += await side_by_side(what, [each], work, name=name)
    return done


async def in_one_or_each(
    store: Store,
    what: str,
    items: Sequence[T],
    work: Callable[[Tx, Sequence[T]], R],
    *,
    name: Callable[[T], object] = str,
) -> list[R]:
    """Does the same for some in one unit of work; where that breaks, for each in a unit of its own.

    So one that breaks costs those beside it nothing but a commit. It is told of in the log, and left out of what this
    gives: what `work` gave for all of them, or for each that it could be done for.

    Raises:
        OverloadedError: as of one of them, since it lies with none of them.
        StoreUnavailableError: likewise.
    """
    try:
        return [await store.write(lambda tx: work(tx, items))]
    except (errors.OverloadedError, errors.StoreUnavailableError):
        raise
    except Exception:  # noqa: BLE001 - whichever of them it was breaks again, and is told of then
        return await one_by_one(what, items, lambda each: store.write(lambda tx: work(tx, [each])), name=name)


async def in_its_turn(
    tools: Tools,
    what: str,
    find: Callable[[Tx, int], Sequence[T]],
    work: Callable[[Tx, Sequence[T]], int],
    *,
    limit: int,
    name: Callable[[T], object],
) -> int:
    """Does what is due, as `in_one_or_each` does it; what breaks rests, longer each time, and takes nobody's place.

    Args:
        find: so many of what is due, and holds it.
        work: does it; gives how many.

    Raises:
        OverloadedError: too much waits for the database; the next round goes on.
        StoreUnavailableError: the database is not there; likewise.
    """
    resting = tools.rests.of(what, tools.clock())
    size = limit + len(resting)
    found = await tools.store.write(lambda tx: find(tx, size))
    due = [each for each in found if name(each) not in resting][:limit]
    if not due:
        return 0

    def take(tx: Tx, part: Sequence[T]) -> tuple[set[object], int]:
        wanted = {name(each) for each in part}
        return wanted, work(tx, [each for each in find(tx, size) if name(each) in wanted])  # as it is by now

    done = await in_one_or_each(tools.store, what, due, take, name=name)
    went = {each for names, _ in done for each in names}
    broken = [name(each) for each in due if name(each) not in went]
    if broken:
        tools.rests.begin(what, broken, tools.clock())
    return sum(count for _, count in done)


def is_repeat(tx: Tx, request: Request) -> bool:
    """Whether the request's key was used before, by the same person for the same mutation."""
    found = requests.find_by_key(tx, principal=request.principal, mutation=request.mutation, key=request.key)
    return found is not None


async def once(
    tools: Tools,
    request: Request,
    work: Callable[[Tx], I],
    load: Callable[[Tx, str], I],
    *,
    foresee: Callable[[Tx], None] | None = None,
    made: str | None = None,
) -> Done[I]:
    """Runs a unit of work once for ever per (principal, mutation, key); a repeat gives the stored answer.

    The key, the digest of the input and the answer are stored in the transaction of the effect. Refusals are stored
    too, so that a repeat is refused alike; crashes are not.

    Args:
        foresee: asks ahead what `work` will ask, along with the look for the key.
        made: the id that `work` gives what it makes, where that is known before: one statement finds and keeps the key.

    Raises:
        IdempotencyKeyReusedError: the key was used before with other input.
        ShoutgraphError: whatever `work` refuses, now or when the key was first used.
    """
    name = (request.principal, request.mutation, request.key)

    def run(tx: Tx) -> Done[I]:
        if foresee is not None:
            _foresee_key(tx, request, made)
            foresee(tx)
        stored = _find_or_claim(tx, request, made)
        if stored is not None:
            return Done(load(tx, _result_of(stored, request)), replayed=True)
        value = work(tx)
        if made is None:
            requests.insert(tx, name, request.digest, result=value.id)
        assert made in {None, value.id}, "a key that was claimed names what was made"
        return Done(value)

    def refused(tx: Tx, refusal: ShoutgraphError) -> None:
        if not refusal.replayed and not isinstance(refusal, errors.IdempotencyKeyReusedError):
            requests.insert(tx, name, request.digest, refusal=refusal.to_data())

    return await tools.store.write(run, refused=refused)


def _foresee_key(tx: Tx, request: Request, made: str | None) -> None:
    principal, mutation, key = request.principal, request.mutation, request.key
    if made is None:
        requests.foresee_by_key(tx, principal=principal, mutation=mutation, key=key)
    else:
        requests.foresee_claim(tx, (principal, mutation, key), request.digest, result=made)


def _find_or_claim(tx: Tx, request: Request, made: str | None) -> StoredRequest | None:
    """What the key was used for before, or None; then it is kept already for what is `made`, if that is known."""
    name = (request.principal, request.mutation, request.key)
    if made is not None and requests.claim(tx, name, request.digest, result=made):
        return None
    found = requests.find_by_key(tx, principal=request.principal, mutation=request.mutation, key=request.key)
    if made is not None and found is None:  # it was taken, and forgotten between the two statements for its age
        requests.insert(tx, name, request.digest, result=made)
    return found


def _result_of(stored: StoredRequest, request: Request) -> str:
    """The reference to what a repeated request made, or what it was refused with."""
    if stored.digest != request.digest:
        raise errors.IdempotencyKeyReusedError
    if stored.refusal is not None:
        raise errors.from_data(stored.refusal)
    return str(stored.result)
