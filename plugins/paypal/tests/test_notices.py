"""What webhooks say, once they are proven."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from shoutgraph.sdk import MalformedNotice, Notice, NoticeKind, Paid, RawWebhook, Target
from shoutgraph_paypal import notices, words
from shoutgraph_paypal.config import PayPalConfig
from shoutgraph_paypal.signatures import Verifier
from shoutgraph_paypal.simulator.upstream import WEBHOOK_ID, config_for, present

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
ORDER, CAPTURE = "5O190127TN364715T", "3C679366HH908993F"
OURS = words.Ours("eu", "topup_1")
REF = words.ref_of(ORDER, OURS)
KNOWN = Target("topup_1", "topup_1", REF)
BY_NAME = Target("topup_1", "topup_1", None)
BY_CAPTURE = Target(f"capture:{CAPTURE}", f"capture:{CAPTURE}", f"capture:{CAPTURE}")
HREF = f"https://api.sandbox.paypal.com/v2/payments/captures/{CAPTURE}"
UNIT = [{"custom_id": "eu:topup_1"}]

TOLD: Mapping[str, tuple[str, Mapping[str, Any], Target]] = {
    "an approval": ("CHECKOUT.ORDER.APPROVED", {"id": ORDER, "purchase_units": UNIT}, KNOWN),
    "an end": ("CHECKOUT.PAYMENT-APPROVAL.REVERSED", {"order_id": ORDER, "purchase_units": UNIT}, KNOWN),
    "a capture": (
        "PAYMENT.CAPTURE.COMPLETED",
        {"custom_id": "eu:topup_1", "supplementary_data": {"related_ids": {"order_id": ORDER}}},
        KNOWN,
    ),
    "a refund": ("PAYMENT.CAPTURE.REFUNDED", {"custom_id": "eu:topup_1", "links": [{"href": HREF}]}, BY_NAME),
    "a refund of an order given up": ("PAYMENT.REFUND.FAILED", {"custom_id": "eu:topup_1:cancelled"}, BY_NAME),
    "a refund without our words": ("PAYMENT.CAPTURE.REVERSED", {"links": [{"href": "x"}, {"href": HREF}]}, BY_CAPTURE),
    "a dispute": (
        "CUSTOMER.DISPUTE.CREATED",
        {"disputed_transactions": [{"seller_transaction_id": CAPTURE}]},
        BY_CAPTURE,
    ),
    "a dispute with our words": (
        "CUSTOMER.DISPUTE.RESOLVED",
        {"disputed_transactions": [{"seller_transaction_id": CAPTURE, "custom": "eu:topup_1"}]},
        BY_NAME,
    ),
}

NOT_OURS = {
    "another instance's order": ("CHECKOUT.ORDER.APPROVED", {"id": ORDER, "purchase_units": [{"custom_id": "us:x"}]}),
    "an order of a shop": ("CHECKOUT.ORDER.APPROVED", {"id": ORDER, "purchase_units": [{"custom_id": "mug 7"}]}),
    "an order without a unit": ("CHECKOUT.ORDER.APPROVED", {"id": ORDER, "purchase_units": []}),
    "an id that is a path": ("CHECKOUT.ORDER.APPROVED", {"id": "../x", "purchase_units": UNIT}),
    "another instance's capture": ("PAYMENT.CAPTURE.COMPLETED", {"custom_id": "us:topup_1"}),
    "another instance's dispute": ("CUSTOMER.DISPUTE.CREATED", {"disputed_transactions": [{"custom": "us:topup_1"}]}),
    "a dispute about nothing": ("CUSTOMER.DISPUTE.CREATED", {"disputed_transactions": "?"}),
    "a refund of nothing": ("PAYMENT.CAPTURE.REFUNDED", {"links": {"href": HREF}}),
    "a plan": ("BILLING.PLAN.CREATED", {"id": "P-1"}),
}

MALFORMED: Mapping[str, Any] = {
    "no id": {"event_type": "X", "resource": {}},
    "an empty id": {"id": "", "event_type": "X", "resource": {}},
    "a long id": {"id": "x" * 201, "event_type": "X", "resource": {}},
    "no object": {"id": "WH-1", "event_type": "X", "resource": []},
    "a list": [],
}


def verifier() -> Verifier:
    return Verifier(PayPalConfig.model_validate(config_for("http://127.0.0.1:1")))


def raw(event: Any) -> RawWebhook:
    body = json.dumps(event).encode()
    return RawWebhook(body, present().headers(body, WEBHOOK_ID, NOW), "", NOW, "203.0.113.7")


def read(kind: str, resource: Mapping[str, Any]) -> Notice:
    event = {"id": "WH-1", "event_type": kind, "create_time": "2026-11-22T09:59:58.123Z", "resource": resource}
    (notice,) = notices.of_topups(raw(event), verifier(), "eu").notices
    return notice


@pytest.mark.parametrize(("kind", "resource", "target"), TOLD.values(), ids=TOLD)
def test_an_event_names_the_payment_and_says_nothing_of_it(
    kind: str, resource: Mapping[str, Any], target: Target
) -> None:
    assert read(kind, resource) == Notice("WH-1", target, NoticeKind.TOPUP)


@pytest.mark.parametrize(("kind", "resource"), NOT_OURS.values(), ids=NOT_OURS)
def test_what_is_not_ours_is_ignored(kind: str, resource: Mapping[str, Any]) -> None:
    assert read(kind, resource).kind is NoticeKind.IGNORED


@pytest.mark.parametrize("event", MALFORMED.values(), ids=MALFORMED)
def test_what_is_no_event_is_malformed(event: Any) -> None:
    with pytest.raises(MalformedNotice):
        notices.of_topups(raw(event), verifier(), "eu")


def test_an_item_tells_what_it_is_and_one_that_is_not_ours_is_ignored() -> None:
    item: dict[str, Any] = {
        "payout_item_id": "8AELMXH8UB2P8",
        "payout_batch_id": "Q8KF9YLBHQZLG",
        "sender_batch_id": "batch_1",
        "transaction_status": "SUCCESS",
        "payout_item": {"sender_item_id": "payout_1", "amount": {"currency": "USD", "value": "9.87"}},
        "payout_item_fee": {"currency": "USD", "value": "0.20"},
        "time_processed": "2026-11-22T09:59:58Z",
    }
    event = {"id": "WH-1", "event_type": "PAYMENT.PAYOUTS-ITEM.SUCCEEDED", "resource": item}
    (notice,) = notices.of_payouts(raw(event), verifier()).notices
    assert notice.target == Target("payout_1", "batch_1", "Q8KF9YLBHQZLG/payout_1")
    assert isinstance(notice.observation, Paid)
    assert notice.occurred_at == datetime(2026, 11, 22, 9, 59, 58, tzinfo=UTC)
    del item["payout_item"]["sender_item_id"]
    (notice,) = notices.of_payouts(raw(event), verifier()).notices
    assert notice.kind is NoticeKind.IGNORED
    item["payout_item"] = "?"
    with pytest.raises(MalformedNotice):
        notices.of_payouts(raw(event), verifier())


def test_a_batch_event_names_the_batch_and_one_without_a_name_is_ignored() -> None:
    header = {"sender_batch_header": {"sender_batch_id": "batch_1"}}
    event = {"id": "WH-1", "event_type": "PAYMENT.PAYOUTSBATCH.SUCCESS", "resource": {"batch_header": header}}
    (notice,) = notices.of_payouts(raw(event), verifier()).notices
    assert (notice.target.operation_id, notice.observation) == ("batch_1", None)
    event["resource"] = {}
    (notice,) = notices.of_payouts(raw(event), verifier()).notices
    assert notice.kind is NoticeKind.IGNORED
