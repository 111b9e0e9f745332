"""Webhooks as the simulator really sends them, and as somebody else might."""

import base64
import hashlib
import hmac
import itertools
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shoutgraph.sdk import (
    BadSignature,
    MalformedNotice,
    NeedsAction,
    NoticeKind,
    RawWebhook,
    Settled,
    Webhooks,
    joined,
)

pytestmark = pytest.mark.anyio


async def told(world: Any, minor: int = 10_000, count: int = 1) -> list[RawWebhook]:
    """The webhooks of a payment that the fan has paid."""
    outcome = await world.topups.create(world.request(minor))
    await world.control(f"payments/{outcome.ref}/pay", {})
    return await world.webhooks(count)


async def test_a_paid_payment_is_told_with_a_proof_and_what_there_is_to_see(world: Any) -> None:
    (raw,) = await told(world)
    delivery = world.registry.receive("sandbox", raw)
    (notice,) = delivery.notices
    assert delivery.proof.trust is Webhooks.SIGNED
    assert (notice.kind, notice.notice_id) == (NoticeKind.TOPUP, raw.header("webhook-id"))
    assert notice.target == world.target(notice.target.ref, 10_000)
    assert isinstance(notice.observation, Settled)
    assert await world.topups.fetch(notice.target, world.call()) == notice.observation


async def test_reading_a_webhook_twice_gives_the_same(world: Any) -> None:
    (raw,) = await told(world)
    assert world.registry.receive("sandbox", raw) == world.registry.receive("sandbox", raw)


async def test_a_replayed_webhook_has_the_same_notice_id(world: Any) -> None:
    (raw,) = await told(world)
    await world.control(f"notices/{raw.header('webhook-id')}/replay", {})
    first, second = [world.registry.receive("sandbox", each) for each in await world.webhooks(2)]
    assert first.notices == second.notices


async def test_10_is_told_twice_and_out_of_order_and_the_totals_do_not_care(world: Any) -> None:
    await told(world, 1010, 2)
    await world.control("advance", {"seconds": 600})
    notices = [world.registry.receive("sandbox", raw).notices[0] for raw in await world.webhooks(3)]
    kinds = [type(each.observation) for each in notices]
    assert kinds == [Settled, Settled, NeedsAction]
    assert len({each.notice_id for each in notices}) == 2
    assert notices[2].occurred_at <= notices[0].occurred_at


async def test_a_whole_life_in_any_order_joins_to_the_same_totals(world: Any) -> None:
    (raw,) = await told(world, 10_000)
    ref = world.registry.receive("sandbox", raw).notices[0].target.ref
    await world.control(f"payments/{ref}/refund", {"amount": 1000})
    await world.control(f"payments/{ref}/dispute", {"outcome": "open"})
    await world.control(f"payments/{ref}/dispute", {"outcome": "lost"})
    seen = [world.registry.receive("sandbox", each).notices[0] for each in await world.webhooks(4)]
    orders = list(itertools.permutations([each.observation.totals for each in seen]))
    results = set()
    for order in orders:
        result = order[0]
        for totals in (*order, *order):
            result = joined(result, totals)
        results.add(result)
    assert results == {(await world.topups.fetch(world.target(ref), world.call())).totals}


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
async def test_a_webhook_without_one_of_its_headers_is_refused(world: Any, name: str) -> None:
    (raw,) = await told(world)
    headers = {key: value for key, value in raw.headers.items() if key != name}
    with pytest.raises(BadSignature):
        world.registry.receive("sandbox", replace(raw, headers=headers))


async def test_a_webhook_with_one_changed_byte_is_refused(world: Any) -> None:
    (raw,) = await told(world)
    forged = raw.body.replace(b'"settled": 10000', b'"settled": 90000')
    assert forged != raw.body
    with pytest.raises(BadSignature):
        world.registry.receive("sandbox", replace(raw, body=forged))


@pytest.mark.parametrize("away", [timedelta(minutes=6), timedelta(minutes=-6)])
async def test_a_webhook_from_long_ago_or_from_the_future_is_refused(world: Any, away: timedelta) -> None:
    (raw,) = await told(world)
    with pytest.raises(BadSignature, match="too old, or in the future"):
        world.registry.receive("sandbox", replace(raw, received_at=raw.received_at + away))


async def test_a_rotated_secret_is_accepted_while_both_are_configured(world: Any) -> None:
    (raw,) = await told(world)
    old, new = {"env": "SANDBOX_WEBHOOKS_OLD"}, {"env": "SANDBOX_WEBHOOKS"}
    assert world.loaded(webhook_secrets=[old, new]).receive("sandbox", raw)
    with pytest.raises(BadSignature):
        world.loaded(webhook_secrets=[old]).receive("sandbox", raw)


async def test_a_proven_webhook_that_cannot_be_read_is_malformed(world: Any) -> None:
    # Signed with our own secret, so that only the body is wrong.
    (raw,) = await told(world)
    key = base64.b64decode(world.secret.removeprefix("whsec_"))

    def signed(body: bytes) -> RawWebhook:
        message = b".".join((raw.headers["webhook-id"].encode(), raw.headers["webhook-timestamp"].encode(), body))
        signature = base64.b64encode(hmac.digest(key, message, hashlib.sha256)).decode()
        return replace(raw, body=body, headers={**raw.headers, "webhook-signature": f"v1,{signature}"})

    for body in (b"", b"[]", b"<h1>", b"[" * 100_000, b'{"id": 1}', b"\xff"):
        with pytest.raises(MalformedNotice):
            world.registry.receive("sandbox", signed(body))
    unheard_of = signed(json.dumps({"id": "n", "type": "new.thing", "created_at": "2026-01-01T00:00:00Z"}).encode())
    assert world.registry.receive("sandbox", unheard_of).notices[0].kind is NoticeKind.IGNORED


async def test_a_webhook_that_is_turned_away_is_sent_again(world: Any) -> None:
    world.served.refuse, world.served.refuse_about = 2, f'"topup_{world.serial}"'.encode()
    outcome = await world.topups.create(world.request(10_000))
    await world.control(f"payments/{outcome.ref}/pay", {})

    async def is_delivered() -> bool:
        await world.control("advance", {"seconds": 1})
        listed = (await world.control("notices"))["notices"]
        mine = [each for each in listed if each["body"].get("payment", {}).get("id") == outcome.ref]
        return [(each["state"], each["attempts"], each["status"]) for each in mine] == [("delivered", 3, 204)]

    await world.until(is_delivered)
    assert len(await world.webhooks(1)) == 1


async def test_a_webhook_of_a_payout_is_no_top_up(world: Any) -> None:
    batch = world.batch(5000)
    await world.payouts.submit(batch)
    await world.control(f"payouts/{batch.items[0].item_id}/pay", {})
    (raw,) = await world.webhooks(1)
    assert world.registry.receive("sandbox", raw).notices[0].kind is NoticeKind.IGNORED
    assert world.registry.receive("sandbox-payouts", raw).notices[0].kind is NoticeKind.PAYOUT
