"""Buckets that several processes share: what one lets a caller spend, the others know a moment later."""

import asyncio
from collections.abc import Mapping

import pytest
from tests.services.world import World

from shoutgraph.api import metering
from shoutgraph.api.graphql import cost
from shoutgraph.api.metering import Account, Meter
from shoutgraph.domain import errors
from shoutgraph.domain.buckets import MICROS, Rate, Rates
from shoutgraph.domain.users import Viewer
from shoutgraph.services import buckets
from shoutgraph.storage import buckets as rows

FAN = Viewer(user_id=None, principal="fan")
RATE = Rate(100, 10 * MICROS)


def left(account: Account) -> int:
    charge = account.reserve(1, {})
    remaining = charge.settle(1)["remaining"]
    assert isinstance(remaining, int)
    return remaining


def test_processes_add_up_what_they_let_a_caller_spend(world: World) -> None:
    meters = [Meter(Rates(staff=RATE), key=b"key", monotonic=lambda: 0) for _ in range(2)]
    mine, yours = (account for meter in meters if (account := meter.account_of(FAN, "")) is not None)

    def share(meter: Meter) -> int:
        return world.run(meter.share(lambda spent: buckets.share(world.tools, spent)))

    shared = world.tools.store.shared  # type: ignore[attr-defined]
    mine.reserve(60, {}).settle(40)
    assert [left(mine), left(yours)] == [59, 99]
    assert [share(each) for each in meters] == [1, 1]
    assert left(yours) == (57 if shared else 98), "41 there, and 2 here"
    assert share(meters[0]) == 0, "nothing was spent since"
    mine.reserve(59, {})
    yours.reserve(57 if shared else 98, {})
    for meter in (*meters, *meters):
        share(meter)
    if shared:
        with pytest.raises(metering.FailureError) as refused:
            yours.check()
        assert refused.value.extensions["retryAfter"] == 6, "what was spent twice over is paid back first"
        world.clock.move(seconds=16)
        assert world.run(buckets.forget(world.tools)) == 1


@pytest.mark.postgresql_only
def test_whoever_is_new_to_a_process_gets_little_until_the_others_were_asked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert metering.BEGIN_POINTS == cost.COST_MAX, "the dearest operation runs for whoever is new"
    monkeypatch.setattr(metering, "SHARE_S", 0.01)
    rate = Rate(100_000, 100 * MICROS)

    async def visit() -> tuple[int, int]:
        meter = Meter(Rates(staff=rate), key=b"key", monotonic=lambda: 0)
        async with meter.shared(world.tools):
            account = meter.account_of(FAN, "")
            assert account is not None
            first = left(account)
            for _ in range(500):
                await asyncio.sleep(0.01)
                bucket = meter.bucket("principal fan", rate)
                if not bucket.unshared_us and bucket.left(0) > first:
                    break
            return first, bucket.left(0)

    assert [world.run(visit()) for _ in range(2)] == [(9_999, 99_999), (9_999, 99_998)]


def test_what_could_not_be_shared_is_not_lost(world: World) -> None:
    meter = Meter(Rates(staff=RATE), key=b"key", monotonic=lambda: 0)
    account = meter.account_of(FAN, "")
    assert account is not None
    account.reserve(7, {})

    async def away(_spent: Mapping[str, int]) -> Mapping[str, int]:
        raise errors.StoreUnavailableError("away", retry_after_s=1)

    told: list[Mapping[str, int]] = []

    async def here(spent: Mapping[str, int]) -> Mapping[str, int]:
        told.append(spent)
        return {}

    with pytest.raises(errors.StoreUnavailableError):
        world.run(meter.share(away))
    world.run(meter.share(here))
    assert [list(each.values()) for each in told] == [[700_000]]


def test_nobody_is_shut_out_for_long(world: World) -> None:
    def spend(micros: int) -> int:
        return world.run(world.tools.store.write(lambda tx: rows.spend(tx, {"k" * 16: micros})["k" * 16]))

    assert spend(5) == 5
    assert spend(rows.DEBT_US_MAX) == rows.DEBT_US_MAX
    assert rows.DEBT_US_MAX - 9 <= spend(-7) <= rows.DEBT_US_MAX - 7, "time passes by a microsecond"
