"""Payouts against the simulator over HTTP, through the loader and its fence."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shoutgraph.sdk import (
    Absent,
    Artifact,
    MalformedNotice,
    Money,
    NotExecuted,
    NoticeKind,
    Paid,
    Pending,
    Rejected,
    Returned,
    Target,
    Unknown,
)

pytestmark = pytest.mark.anyio


async def looked(world: Any, batch: Any) -> list[Any]:
    seen = await world.payouts.fetch(world.payout_targets(batch), world.call())
    return [seen[item.item_id] for item in batch.items]


async def advance(world: Any, seconds: int) -> None:
    await world.control("advance", {"seconds": seconds})


async def test_a_batch_is_pending_and_then_paid(world: Any) -> None:
    batch = world.batch(5000, 7000)
    outcome = await world.payouts.submit(batch)
    assert {type(each) for each in outcome.items.values()} == {Pending}
    assert outcome.batch_ref is not None
    await advance(world, 400)
    seen = await looked(world, batch)
    assert [(type(each), each.amount.minor) for each in seen] == [(Paid, 5000), (Paid, 7000)]


async def test_one_bad_recipient_does_not_stop_the_others(world: Any) -> None:
    batch = world.batch(5000, 5021, 7000)
    outcome = await world.payouts.submit(batch)
    assert [type(outcome.items[item.item_id]) for item in batch.items] == [Pending, Rejected, Pending]
    await advance(world, 400)
    assert [type(each) for each in await looked(world, batch)] == [Paid, Rejected, Paid]


async def test_22_is_paid_and_then_comes_back_under_the_same_ref(world: Any) -> None:
    batch = world.batch(5022)
    submitted = (await world.payouts.submit(batch)).items[batch.items[0].item_id]
    await advance(world, 400)
    (paid,) = await looked(world, batch)
    await advance(world, 300)
    (returned,) = await looked(world, batch)
    assert [type(each) for each in (submitted, paid, returned)] == [Pending, Paid, Returned]
    assert submitted.ref == paid.ref == returned.ref
    notices = [world.registry.receive("sandbox-payouts", raw).notices[0] for raw in await world.webhooks(2)]
    assert {type(each.observation) for each in notices} == {Paid, Returned}


async def test_23_stays_silent_for_ever(world: Any) -> None:
    batch = world.batch(5023)
    await world.payouts.submit(batch)
    await advance(world, 86_400)
    assert [type(each) for each in await looked(world, batch)] == [Pending]


async def test_a_hundred_items_each_have_their_own_outcome(world: Any) -> None:
    batch = world.batch(*(10_000 + at * 100 + (21 if at % 10 == 0 else 50) for at in range(100)))
    outcome = await world.payouts.submit(batch)
    assert outcome.items.keys() == {item.item_id for item in batch.items}
    assert [type(each) for each in outcome.items.values()].count(Rejected) == 10
    await advance(world, 400)
    assert [type(each) for each in await looked(world, batch)].count(Paid) == 90


async def test_a_hundred_and_one_items_never_leave(world: Any) -> None:
    batch = world.batch(*range(5000, 5101))
    outcome = await world.payouts.submit(batch)
    assert set(outcome.items.values()) == {NotExecuted("batch_too_large")}
    assert await looked(world, replace(batch, items=batch.items[:1])) == [Absent()]


async def test_the_same_batch_twice_pays_once(world: Any) -> None:
    batch = world.batch(5000, 7000)
    outcomes = await asyncio.gather(*(world.payouts.submit(batch) for _ in range(10)))
    assert len({each.batch_ref for each in outcomes}) == 1
    listed = (await world.control("payouts"))["payouts"]
    assert len([each for each in listed if each["item_id"].startswith(f"payout_{world.serial}_")]) == 2


async def test_the_same_key_with_other_items_is_unknown_and_pays_nothing(world: Any) -> None:
    batch = world.batch(5000)
    await world.payouts.submit(batch)
    other = await world.payouts.submit(world.batch(5000, 7000))
    assert set(other.items.values()) == {Unknown("idempotency_key_reused")}


async def test_a_payout_that_was_never_handed_over_is_absent(world: Any) -> None:
    batch = world.batch(5000)
    assert await looked(world, batch) == [Absent()]


async def test_a_payout_is_found_by_its_ref_and_by_its_batch_key(world: Any) -> None:
    batch = world.batch(5000)
    item_id = batch.items[0].item_id
    ref = (await world.payouts.submit(batch)).items[item_id].ref
    for target in world.payout_targets(batch) + world.payout_targets(batch, {item_id: ref}):
        assert isinstance((await world.payouts.fetch([target], world.call()))[item_id], Pending)
    foreign = Target(item_id, batch.call.idempotency_key, "payout_of_nobody")
    assert await world.payouts.fetch([foreign], world.call()) == {item_id: Absent()}


async def test_a_payout_that_is_under_way_can_be_cancelled_and_a_paid_one_cannot(world: Any) -> None:
    batch = world.batch(5000, 7000)
    outcome = await world.payouts.submit(batch)
    first, second = (item.item_id for item in batch.items)
    await world.control(f"payouts/{second}/pay", {})
    refs = {name: each.ref for name, each in outcome.items.items()}
    targets = world.payout_targets(batch, refs)
    seen = [await world.payouts.cancel(target, world.call()) for target in targets]
    assert [type(each) for each in seen] == [Rejected, Paid]
    assert await world.payouts.cancel(Target(first, "key", None), world.call()) == Unknown("no_ref")


async def test_the_controls_reject_and_return_payouts(world: Any) -> None:
    batch = world.batch(5000, 7000)
    await world.payouts.submit(batch)
    first, second = (item.item_id for item in batch.items)
    await world.control(f"payouts/{first}/reject", {})
    await world.control(f"payouts/{second}/pay", {})
    await world.control(f"payouts/{second}/return", {})
    assert [type(each) for each in await looked(world, batch)] == [Rejected, Returned]
    assert await world.control(f"payouts/{second}/return", {}) == 409
    assert await world.control(f"payouts/{second}/explode", {}) == 404


async def test_what_was_paid_can_be_compared_with_the_books(world: Any) -> None:
    before = await world.control("totals")
    await world.payouts.submit(batch := world.batch(5000, 7000))
    for item in batch.items:
        await world.control(f"payouts/{item.item_id}/pay", {})
    after = await world.control("totals")

    def paid(totals: Any) -> int:
        rows = [each for each in totals["payouts"] if each["status"] == "paid" and each["currency"] == "EUR"]
        return sum(each["amount"] for each in rows)

    assert paid(after) - paid(before) == 12_000
    listed = await world.payouts.list_since(world.now(), world.call())
    assert listed == ()


async def test_an_amount_of_another_currency_is_unknown(world: Any) -> None:
    batch = world.batch(5000)
    await world.payouts.submit(batch)
    await world.control(f"payouts/{batch.items[0].item_id}/pay", {})
    (target,) = world.payout_targets(batch)
    seen = await world.payouts.fetch([replace(target, amount=Money(5000, "USD"))], world.call())
    assert [each.reason for each in seen.values()] == ["currency_mismatch"]


async def test_there_are_no_statement_files(world: Any) -> None:
    with pytest.raises(MalformedNotice):
        world.payouts.ingest(Artifact("camt.xml", "application/xml", b"<x/>"))


@pytest.mark.parametrize(
    ("way", "outcome", "looked_at"),
    [
        ("html", Unknown("unreadable"), Unknown("unreadable")),
        ("failing", Unknown("provider_error"), Unknown("provider_error")),
        ("busy", NotExecuted("rate_limited", timedelta(seconds=7)), Unknown("rate_limited")),
    ],
)
async def test_an_answer_that_makes_no_sense_leaves_every_item_unknown(
    world: Any, way: str, outcome: object, looked_at: object
) -> None:
    registry = world.loaded(base_url=f"{world.served.url}/broken/{way}")
    payouts, batch = registry.payout("sandbox-payouts"), world.batch(5000, 7000)
    assert set((await payouts.submit(batch)).items.values()) == {outcome}
    targets = world.payout_targets(batch, {item.item_id: "ref" for item in batch.items})
    assert set((await payouts.fetch(targets, world.call())).values()) == {looked_at}
    assert await payouts.cancel(targets[0], world.call()) == looked_at
    assert await payouts.list_since(world.now(), world.call()) is None
    await registry.aclose()


async def test_a_wrong_key_pays_nobody(world: Any) -> None:
    registry, batch = world.loaded(api_key={"env": "SANDBOX_WEBHOOKS"}), world.batch(5000)
    outcome = await registry.payout("sandbox-payouts").submit(batch)
    assert set(outcome.items.values()) == {NotExecuted("unauthorized")}
    assert await looked(world, batch) == [Absent()]
    await registry.aclose()


async def test_what_was_handed_over_can_be_listed_with_our_ids(world: Any) -> None:
    started, batch = world.now(), world.batch(5000)
    await world.payouts.submit(batch)
    listed = await world.payouts.list_since(started, world.call())
    (found,) = [each for each in listed if each.target.operation_id == batch.items[0].item_id]
    assert replace(found.target, ref=None) == world.payout_targets(batch)[0]


async def test_a_top_up_webhook_is_no_payout(world: Any) -> None:
    outcome = await world.topups.create(world.request(10_000))
    await world.control(f"payments/{outcome.ref}/pay", {})
    (raw,) = await world.webhooks(1)
    assert world.registry.receive("sandbox-payouts", raw).notices[0].kind is NoticeKind.IGNORED
