"""Webhooks as strangers and providers send them: proof first, bounded, once, and resumable after a crash."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from functools import partial

import pytest
from pydantic import SecretStr
from tests.services.till import SECRET, Till, open_till
from tests.storage.databases import Place

from shoutgraph import sdk
from shoutgraph.domain.notices import (
    BODY_BYTES_MAX,
    UNPROVEN_BYTES_MAX,
    UNPROVEN_HOUR_MAX,
    NoticeState,
    Stored,
    kept_headers,
)
from shoutgraph.domain.topups.topup import Status, Topup
from shoutgraph.jobs import reconcile
from shoutgraph.services import notices as inbox
from shoutgraph.services.money import deliveries
from shoutgraph.storage import notices
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

STRANGER = {"x-stranger": "1"}


@pytest.fixture
def till(place: Place) -> Iterator[Till]:
    with open_till(place) as till:
        yield till


@pytest.fixture
def topup(till: Till) -> Topup:
    return till.buy(till.world.person("ada"), 1_000).value


def paid_notice(till: Till, topup: Topup) -> bytes:
    """What the provider says when the top-up is paid."""
    till.control(f"payments/{topup.id}/pay")
    (found,) = [each["body"] for each in till.seen("notices") if each["body"]["payment"]["operation_id"] == topup.id]
    return json.dumps(found).encode()


def signed(till: Till, body: bytes, *, secret: str = SECRET, late_s: int = 0) -> Mapping[str, str]:
    message_id, seconds = json.loads(body)["id"], str(int(till.world.clock().timestamp()) - late_s)
    message = b".".join((message_id.encode(), seconds.encode(), body))
    signature = base64.b64encode(hmac.digest(sdk.standard_key(SecretStr(secret)), message, "sha256")).decode()
    return STRANGER | {
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": f"v1,{signature}",
    }


def count(till: Till, state: NoticeState) -> int:
    return till.world.read(lambda tx: notices.count(tx, state))


def test_a_proven_webhook_is_applied_and_a_repeat_is_answered_alike(till: Till, topup: Topup) -> None:
    body = paid_notice(till, topup)
    for _ in range(3):
        assert till.post_hook(body, signed(till, body)).status_code == 200
    assert till.topup(topup).status is Status.PAID
    assert till.world.wallet(till.world.person("ada")) == (1_000, 0, 0)
    assert (count(till, NoticeState.APPLIED), count(till, NoticeState.REPEATED)) == (1, 2)


@pytest.mark.parametrize("flaw", ["wrong secret", "no signature", "old", "future", "changed body"])
def test_a_webhook_without_proof_changes_nothing(till: Till, topup: Topup, flaw: str) -> None:
    body = paid_notice(till, topup)
    headers = {
        "wrong secret": lambda: signed(till, body, secret="whsec_" + "QUFBQUFBQUFBQUFBQUFBQUFBQUE="),
        "no signature": lambda: STRANGER,
        "old": lambda: signed(till, body, late_s=400),
        "future": lambda: signed(till, body, late_s=-400),
        "changed body": lambda: signed(till, body),
    }[flaw]()
    sent = body.replace(b"1000", b"9000") if flaw == "changed body" else body
    answer = till.post_hook(sent, headers)
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (400, "BAD_SIGNATURE")
    assert till.topup(topup).status is Status.ACTION_REQUIRED
    assert till.world.read(notices.find_oldest) is None, "what a stranger sends is not stored"


def test_strangers_fill_neither_the_disk_nor_the_log(till: Till, caplog: pytest.LogCaptureFixture) -> None:
    for at in range(30):
        assert till.post_hook(b"%d" % at, STRANGER).status_code == 400
    assert till.world.read(notices.find_oldest) is None
    assert [record.name for record in caplog.records if "not proven" in record.message] == ["shoutgraph.notices"]
    till.world.clock.move(minutes=6)
    till.post_hook(b"{}", STRANGER)
    (_, line) = [record.message for record in caplog.records if "not proven" in record.message]
    assert line.startswith("30 webhooks of sandbox")


def test_what_cannot_be_read_is_kept_in_small_numbers(till: Till) -> None:
    for at in range(UNPROVEN_HOUR_MAX + 5):
        body = json.dumps({"id": f"notice_{at}", "payment": {"amount": "lots"}}).encode()
        assert till.post_hook(body, signed(till, body)).status_code == 400
    assert count(till, NoticeState.UNREADABLE) == UNPROVEN_HOUR_MAX
    till.world.clock.move(hours=1)
    large = json.dumps({"id": "notice_l", "payment": {"amount": "x" * UNPROVEN_BYTES_MAX}}).encode()
    small = json.dumps({"id": "notice_s", "payment": {}}).encode()
    for body in (large, small):
        assert till.post_hook(body, signed(till, body)).status_code == 400
    assert count(till, NoticeState.UNREADABLE) == UNPROVEN_HOUR_MAX + 1


def test_a_genuine_webhook_is_not_shut_out_by_a_forged_one_with_the_same_bytes(till: Till, topup: Topup) -> None:
    body = paid_notice(till, topup)
    assert till.post_hook(body, STRANGER).status_code == 400
    assert till.post_hook(body, signed(till, body)).status_code == 200
    assert till.topup(topup).status is Status.PAID


def test_a_webhook_that_is_proven_and_makes_no_sense_is_refused(till: Till) -> None:
    body = json.dumps({"id": "notice_1", "payment": {"amount": "lots"}}).encode()
    answer = till.post_hook(body, signed(till, body))
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (400, "MALFORMED_NOTICE")
    assert count(till, NoticeState.UNREADABLE) == 1


def test_a_webhook_is_bounded(till: Till) -> None:
    answer = till.post_hook(b"x" * (BODY_BYTES_MAX + 1), STRANGER)
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (413, "BODY_TOO_LARGE")


def test_nobody_is_told_about_instances_that_are_not_there(till: Till) -> None:
    answer = till.post_hook(b"{}", STRANGER, "nobody")
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (404, "NOT_FOUND")


def test_a_webhook_about_something_that_is_not_ours_is_kept_and_changes_nothing(till: Till, topup: Topup) -> None:
    body = paid_notice(till, topup).replace(topup.id.encode(), b"topup_00000000000000000000000000")
    body = body.replace(b"pay_", b"other_")
    assert till.post_hook(body, signed(till, body)).status_code == 200
    assert till.topup(topup).status is Status.ACTION_REQUIRED
    assert count(till, NoticeState.UNMATCHED) == 1


def test_a_webhook_of_another_instance_does_not_touch_this_one(till: Till, topup: Topup) -> None:
    body = paid_notice(till, topup)
    assert till.post_hook(body, signed(till, body), "sandbox-payouts").status_code == 200
    assert till.topup(topup).status is Status.ACTION_REQUIRED


def leave_behind(till: Till, body: bytes) -> int:
    """Keeps a delivery as a crash does before it is applied; gives its number."""
    left = Stored(
        number=None,
        instance="sandbox",
        sha256=hashlib.sha256(body).digest(),
        body=body,
        headers=kept_headers(signed(till, body)),
        query="",
        remote="127.0.0.1",
        received_at=till.world.clock(),
    )
    return till.world.write(lambda tx: notices.insert(tx, left))


def test_a_delivery_that_a_crash_left_behind_is_taken_up(till: Till, topup: Topup) -> None:
    leave_behind(till, paid_notice(till, topup))
    till.tick(seconds=1)
    assert count(till, NoticeState.RECEIVED) == 1
    till.tick(minutes=10)
    assert count(till, NoticeState.APPLIED) == 1
    assert till.topup(topup).status is Status.PAID


def test_a_delivery_that_breaks_holds_up_none_beside_it_and_waits_for_a_person_in_the_end(
    till: Till, topup: Topup, caplog: pytest.LogCaptureFixture
) -> None:
    world, other, tries = till.world, till.buy(till.world.person("bob"), 1_000).value, []
    broken, sound = [leave_behind(till, paid_notice(till, each)) for each in (topup, other)]
    wrong = leave_behind(till, b'{"id": "notice_1", "payment": {}}')
    world.clock.move(minutes=2)

    def breaks(tools: Tools, tx: Tx, instance: str, notice: sdk.Notice) -> bool:
        if notice.target.operation_id == topup.id:
            tries.append(notice.notice_id)
            raise ZeroDivisionError("a bug of ours")
        return reconcile.HANDLERS[sdk.NoticeKind.TOPUP](tools, tx, instance, notice)

    for at in range(inbox.TRIES_MAX + 2):
        taken = world.run(inbox.replay(world.tools, {sdk.NoticeKind.TOPUP: breaks}))
        assert taken == (3 if at == 0 else 1 if at < inbox.TRIES_MAX else 0)
        assert world.run(inbox.replay(world.tools, {sdk.NoticeKind.TOPUP: breaks})) == 0, "it has a pause"
        world.clock.move(minutes=6)
    kept = [world.read(partial(deliveries.get, number=number)) for number in (broken, sound, wrong)]
    assert [each.state for each in kept] == [NoticeState.RECEIVED, NoticeState.APPLIED, NoticeState.UNREADABLE]
    assert (kept[0].tries, kept[0].detail) == (len(tries), "ZeroDivisionError: a bug of ours")
    assert till.topup(other).status is Status.PAID
    told = [record for record in caplog.records if record.name == "shoutgraph.notices" and record.exc_info]
    assert len(told) == inbox.TRIES_MAX
    assert [record.message.split(":")[0] for record in caplog.records if "given up" in record.message] == [
        f"delivery {broken} of sandbox is given up after {inbox.TRIES_MAX} tries"
    ]

    world.run(deliveries.replay(world.tools, world.staff("admin"), broken))
    till.tick()
    again = world.read(partial(deliveries.get, number=broken))
    assert (again.state, again.tries, again.detail) == (NoticeState.APPLIED, 0, None)
    assert till.topup(topup).status is Status.PAID


def test_old_deliveries_go(till: Till, topup: Topup) -> None:
    body = paid_notice(till, topup)
    till.post_hook(body, signed(till, body))
    till.tick(days=29)
    assert count(till, NoticeState.APPLIED) == 1
    till.tick(days=2)
    assert count(till, NoticeState.APPLIED) == 0


def test_old_ids_of_notices_go_also_where_no_webhook_ever_came_in(till: Till) -> None:
    claim = partial(notices.claim, instance="bank", notice_id="line 7 of a statement")
    assert [till.world.write(claim) for _ in range(2)] == [True, False]
    for days, gone in ((29, False), (2, True)):
        till.tick(days=days)
        assert till.world.write(claim) is gone


def test_credentials_are_not_kept() -> None:
    kept = kept_headers({"Authorization": "Bearer x", "Cookie": "a", "Webhook-Id": "1", "long": "x" * 5_000})
    assert kept == {"webhook-id": "1"}
