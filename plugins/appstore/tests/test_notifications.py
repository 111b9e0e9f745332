"""App Store Server Notifications, version 2."""

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, TypeAlias

import pytest

from shoutgraph.sdk import BadSignature, MalformedNotice, Notice, NoticeKind, RawWebhook, Settled, Webhooks
from shoutgraph.testkit.kinds import RedeemTrial
from shoutgraph_appstore.simulator import authority
from shoutgraph_appstore.simulator.app import Store
from shoutgraph_appstore.simulator.authority import Authority
from shoutgraph_appstore.simulator.sales import Sales
from shoutgraph_appstore.simulator.upstream import APP, AppStoreUpstream

Staged: TypeAlias = Callable[[Callable[[RedeemTrial], Awaitable[Any]]], Any]


def store_of(trial: RedeemTrial) -> Store:
    assert isinstance(trial.upstream, AppStoreUpstream)
    return trial.upstream.store


def sales_of(trial: RedeemTrial) -> Sales:
    return store_of(trial).sales


def changed(
    trial: RedeemTrial, raw: RawWebhook, change: Callable[[dict[str, Any]], Mapping[str, object]]
) -> RawWebhook:
    """The notification with something else in it, signed by the store all the same."""
    said = authority.payload_of(json.loads(raw.body)["signedPayload"])
    body = json.dumps({"signedPayload": store_of(trial).authority.signed(change(said))}).encode()
    return RawWebhook(body, raw.headers, raw.query, raw.received_at, raw.remote)


def in_data(**more: object) -> Callable[[dict[str, Any]], Mapping[str, object]]:
    return lambda said: {**said, "data": {**said["data"], **more}}


async def told(trial: RedeemTrial) -> list[Notice]:
    return [notice for raw in await trial.deliveries() for notice in trial.receive(raw).notices]


def test_a_life_is_told_in_totals(staged: Staged) -> None:
    async def story(trial: RedeemTrial) -> None:
        _, ref = await trial.begun()
        sales_of(trial).refund(ref, 40_000)
        sales_of(trial).refund(ref)
        sales_of(trial).reverse(ref)
        notices = await told(trial)
        assert len({notice.notice_id for notice in notices}) == len(notices) == 4
        assert all(notice.kind is NoticeKind.TOPUP and notice.target.ref == ref for notice in notices)
        seen = [each.observation for each in notices if isinstance(each.observation, Settled)]
        assert [each.totals.refunded.minor for each in seen] == [0, 200, 499, 499]
        came_back = [each.totals.refunds_failed and each.totals.refunds_failed.minor for each in seen]
        assert came_back == [None, None, None, 499]
        assert all(each.totals.settled.minor == 499 for each in seen)

    staged(story)


def test_what_is_not_about_coins_says_nothing(staged: Staged) -> None:
    async def story(trial: RedeemTrial) -> None:
        _, ref = await trial.begun()
        (bought,) = await trial.deliveries()
        sales_of(trial).tell("TEST", None)
        sales_of(trial).tell("CONSUMPTION_REQUEST", sales_of(trial).sold[ref])
        sales_of(trial).tell("SOMETHING_NEW", sales_of(trial).sold[ref])
        ignored = await told(trial)
        sale = sales_of(trial).sold[ref].payload(APP, sales_of(trial).now())
        subscribed = store_of(trial).authority.signed({**sale, "type": "Auto-Renewable Subscription"})
        ignored += trial.receive(changed(trial, bought, in_data(signedTransactionInfo=subscribed))).notices
        assert [each.kind for each in ignored] == [NoticeKind.IGNORED] * 4
        assert all(each.observation is None for each in ignored)

    staged(story)


def test_a_notification_of_another_app_or_store_is_not_believed(staged: Staged) -> None:
    async def story(trial: RedeemTrial) -> None:
        await trial.begun()
        (raw,) = await trial.deliveries()
        assert trial.receive(raw).proof.trust is Webhooks.SIGNED
        for change in (
            in_data(bundleId="com.example.another"),
            in_data(appAppleId=7),
            in_data(environment="Sandbox"),
            in_data(environment="LocalTesting"),
            in_data(signedTransactionInfo="a.b.c"),
            in_data(signedTransactionInfo=store_of(trial).authority.unsigned({"transactionId": "1"})),
            in_data(signedTransactionInfo=Authority("Store").signed({"transactionId": "1"})),
            lambda said: {**said, "data": None},
        ):
            with pytest.raises(BadSignature):
                trial.receive(changed(trial, raw, change))
        with pytest.raises(MalformedNotice):
            trial.receive(changed(trial, raw, lambda said: {**said, "notificationUUID": None}))

    staged(story)


def test_a_week_old_notification_is_believed_and_one_from_tomorrow_is_not(staged: Staged) -> None:
    async def story(trial: RedeemTrial) -> None:
        await trial.begun()
        (raw,) = await trial.deliveries()
        assert trial.receive(RawWebhook(raw.body, {}, "", raw.received_at + timedelta(days=7), ""))
        with pytest.raises(BadSignature):
            trial.receive(RawWebhook(raw.body, {}, "", raw.received_at - timedelta(days=1), ""))

    staged(story)
