"""What callers may spend: a bucket of points for each, and how many connections they may hold.

Points are the cost that the schema shows. The static cost is set aside before an operation runs, and what it did not
use is given back after it. Who is signed in has a bucket of their own, everybody else shares that of their network
address. Where several processes serve, each spends at once and they put together what they spent in the background:
no request waits for the database, and what was spent twice over in between is paid back before anything more is.
"""

import asyncio
import functools
import hmac
import logging
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from shoutgraph.api.failures import RETRY_AFTER_MIN_S, Code, FailureError
from shoutgraph.domain.buckets import MICROS, Rate, Rates
from shoutgraph.domain.errors import FaultError, ShoutgraphError
from shoutgraph.domain.users import ANONYMOUS, CallerKind, Viewer, kind_of
from shoutgraph.services import buckets
from shoutgraph.tools import Tools

logger = logging.getLogger("shoutgraph.api")

BUCKETS_MAX: Final = 50_000
"""Callers whose buckets are kept; who was away longest is forgotten first."""
SHARE_S: Final = 1.0
"""How often processes put together what they let callers spend."""
BEGIN_PART: Final = 10
BEGIN_POINTS: Final = 3_000
"""Points that a process gives to whom it does not know yet, where others may know better: a part, or one operation."""
SHARED_AT_ONCE: Final = 1_000
FORGET_EVERY: Final = 300
"""Rounds of sharing between two in which full buckets are removed."""
REFUSED_COST: Final = 10
"""What a document costs that is refused: it is read anew each time."""
CREDENTIAL_PER_MINUTE: Final = 30
"""Wrong credentials that an address may send."""
MINUTE_US: Final = 60 * MICROS
NANOS: Final = 1_000
KEY_CHARS: Final = 32
NAMES_KEPT: Final = 4_096
"""Callers whose digest is remembered."""
MANY: Final = 10
"""How many times as many connections an address or a tool may hold as a person: others stand behind it."""

Share = Callable[[Mapping[str, int]], Awaitable[Mapping[str, int]]]
"""Spends from what all processes share: by key the time to regain it, and the time until it is full."""
Forget = Callable[[], Awaitable[object]]


def monotonic_us() -> int:
    """A time that only goes forward. Units: microseconds."""
    return time.monotonic_ns() // NANOS


class Bucket:
    """The points of one caller, as this process knows them. Units: microseconds."""

    __slots__ = ("full_at", "rate", "unshared_us")

    def __init__(self, rate: Rate) -> None:
        self.rate: Final = rate
        self.full_at = 0
        self.unshared_us = 0
        """What was spent here, or given back, since it was last put together; as the time to regain it."""

    def left(self, now: int) -> int:
        """The points that are left."""
        return self.rate.left(self.full_at - now)

    def wait_for(self, points: int, now: int) -> int:
        """How long until these points can be spent."""
        return self.rate.wait_for(points, self.full_at - now)

    def spend(self, points: int, now: int) -> None:
        """Spends points, or gives them back where the number is below zero; it may leave fewer than none."""
        micros = self.rate.time_of(points)
        self.full_at = max(self.full_at, now) + micros
        self.unshared_us += micros


class Meter:
    """The buckets and connections of everybody who is served here."""

    def __init__(self, rates: Rates, *, key: bytes, monotonic: Callable[[], int] = monotonic_us) -> None:
        self._rates = rates
        self._key = key
        self._monotonic = monotonic
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()
        self._connections: Counter[str] = Counter()
        self._shares = False

    def account_of(self, viewer: Viewer, address: str) -> "Account | None":
        """The account of whoever asks now; None where there is no limit for them.

        Args:
            address: where they ask from, for those who are not signed in.
        """
        match kind_of(viewer):
            case CallerKind.ANONYMOUS:
                return self._account(f"address {address}", self._rates.anonymous)
            case CallerKind.PERSON:
                return self._account(f"principal {viewer.principal}", self._rates.person)
            case CallerKind.STAFF:
                return self._account(f"principal {viewer.principal}", self._rates.staff)

    def _account(self, owner: str, rate: Rate | None) -> "Account | None":
        return None if rate is None else Account(self, owner, self.bucket(owner, rate))

    def refuse_guessing(self, address: str) -> None:
        """Counts a wrong credential.

        Raises:
            FailureError: there were too many of them from this address.
        """
        if self._rates.anonymous is not None:
            bucket = self.door("credential", f"address {address}", CREDENTIAL_PER_MINUTE)
            _enter(bucket, "credential", 1, self._monotonic())

    def bucket(self, name: str, rate: Rate) -> Bucket:
        """The bucket of this name, by its digest."""
        key = _digest(self._key, name)
        found = self._buckets.get(key)
        if found is None or found.rate != rate:
            found = self._buckets[key] = Bucket(rate)
            if self._shares:
                points = max(rate.capacity // BEGIN_PART, min(rate.capacity, BEGIN_POINTS))
                found.full_at = self._monotonic() + rate.fill_us - rate.time_of(points)
            if len(self._buckets) > BUCKETS_MAX:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(key)
        return found

    def door(self, door: str, owner: str, per_minute: int) -> Bucket:
        """The bucket of one door for one caller, which holds what a minute gives."""
        return self.bucket(f"door {door} {owner}", Rate(per_minute, MINUTE_US))

    def now(self) -> int:
        """The time that buckets fill by. Units: microseconds."""
        return self._monotonic()

    @contextmanager
    def connection(self, viewer: Viewer | None, address: str) -> Iterator[None]:
        """Holds one connection of a caller; of nobody yet, one of an address.

        Raises:
            FailureError: they hold too many.
        """
        signed_in = viewer is not None and viewer.principal != ANONYMOUS.principal
        owner = f"principal {viewer.principal}" if viewer is not None and signed_in else f"address {address}"
        if self._rates.connections_max is not None:
            alone = viewer is not None and kind_of(viewer) is CallerKind.PERSON
            most = self._rates.connections_max * (1 if alone else MANY)
            if self._connections[owner] >= most:
                message = f"At most {most} connections at once: close one, and try again."
                raise FailureError(Code.RATE_LIMITED, message, limit=most, retryAfter=RETRY_AFTER_MIN_S)
        self._connections[owner] += 1
        try:
            yield
        finally:
            self._connections[owner] -= 1
            if not self._connections[owner]:
                del self._connections[owner]

    async def share(self, share: Share) -> int:
        """Puts together with other processes what was spent here; says of how many buckets."""
        changed = [key for key, each in self._buckets.items() if each.unshared_us]
        for start in range(0, len(changed), SHARED_AT_ONCE):
            found = {key: self._buckets.get(key) for key in changed[start : start + SHARED_AT_ONCE]}
            await _share({key: each for key, each in found.items() if each is not None}, share, self._monotonic)
        return len(changed)

    @asynccontextmanager
    async def shared(self, tools: Tools) -> AsyncIterator[None]:
        """Has the limits hold for all processes together, until the block ends."""
        share, forget = functools.partial(buckets.share, tools), functools.partial(buckets.forget, tools)
        self._shares = True
        task = asyncio.create_task(self._keep_sharing(share, forget))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def _keep_sharing(self, share: Share, forget: Forget) -> None:
        """Puts together what is spent for as long as the process serves; a store that is away is asked again."""
        rounds = 0
        while True:
            await asyncio.sleep(SHARE_S)
            rounds += 1
            try:
                await self.share(share)
                if rounds % FORGET_EVERY == 0:
                    await forget()
            except (FaultError, ShoutgraphError) as error:
                logger.warning("rate limits hold for this process only: %s", error)


class Account:
    """What one caller may spend, for as long as one operation takes."""

    __slots__ = ("_bucket", "_meter", "_owner")

    def __init__(self, meter: Meter, owner: str, bucket: Bucket) -> None:
        self._meter = meter
        self._owner = owner
        self._bucket = bucket

    def check(self) -> None:
        """Refuses a caller who has nothing left, before anything is read for them.

        Raises:
            FailureError: they have to wait.
        """
        _require(self._bucket, 1, self._meter.now())

    def punish(self) -> None:
        """Charges for a document that is refused."""
        self._bucket.spend(REFUSED_COST, self._meter.now())

    def reserve(self, cost: int, doors: Mapping[str, tuple[int, int]]) -> "Charge":
        """Sets the cost of an operation aside.

        Args:
            doors: how often the operation goes through doors with a rate of their own: times, and times per minute.

        Raises:
            FailureError: there is not enough left, of points or for a door.
        """
        now = self._meter.now()
        asked = max(cost, 1)
        _require(self._bucket, asked, now)
        for door, (times, per_minute) in doors.items():
            _enter(self._meter.door(door, self._owner, per_minute), door, times, now)
        self._bucket.spend(asked, now)
        return Charge(self._bucket, self._meter, asked)


class Charge:
    """The cost of one operation, set aside."""

    __slots__ = ("_bucket", "_meter", "requested")

    def __init__(self, bucket: Bucket, meter: Meter, requested: int) -> None:
        self._bucket = bucket
        self._meter = meter
        self.requested: Final = requested

    def settle(self, actual: int) -> dict[str, object]:
        """Gives back what was not used; says what the client is told of it."""
        used = max(actual, 1)
        now = self._meter.now()
        self._bucket.spend(used - self.requested, now)
        return told(self._bucket, now, requested=self.requested, actual=used)


@functools.lru_cache(NAMES_KEPT)
def _digest(key: bytes, name: str) -> str:
    return hmac.digest(key, name.encode(), "sha256").hex()[:KEY_CHARS]


def told(bucket: Bucket, now: int, *, requested: int, actual: int | None = None) -> dict[str, object]:
    """What `extensions.cost` says."""
    cost: dict[str, object] = {"requested": requested}
    if actual is not None:
        cost["actual"] = actual
    rate = bucket.rate
    return cost | {"limit": rate.capacity, "remaining": max(bucket.left(now), 0), "restoreRate": rate.per_s}


def _require(bucket: Bucket, points: int, now: int) -> None:
    wait_us = bucket.wait_for(points, now)
    if wait_us > 0:
        message = "You have spent your points: ask again later, or for less."
        cost = told(bucket, now, requested=points)
        raise FailureError(Code.RATE_LIMITED, message, retryAfter=_seconds(wait_us), cost=cost)


def _enter(bucket: Bucket, door: str, times: int, now: int) -> None:
    wait_us = bucket.wait_for(times, now)
    if wait_us > 0:
        message = f"At most {bucket.rate.capacity} a minute: {door}."
        limit = bucket.rate.capacity
        raise FailureError(Code.RATE_LIMITED, message, retryAfter=_seconds(wait_us), door=door, limit=limit)
    bucket.spend(times, now)


def _seconds(micros: int) -> int:
    return max(-(-micros // MICROS), RETRY_AFTER_MIN_S)


async def _share(found: Mapping[str, Bucket], share: Share, monotonic: Callable[[], int]) -> None:
    spent = {key: each.unshared_us for key, each in found.items()}
    for each in found.values():
        each.unshared_us = 0
    try:
        known = await share(spent)
    except BaseException:
        for key, each in found.items():
            each.unshared_us += spent[key]
        raise
    now = monotonic()
    for key, empty_us in known.items():
        bucket = found[key]  # what was spent meanwhile comes on top
        bucket.full_at = now + max(empty_us, 0) + bucket.unshared_us
