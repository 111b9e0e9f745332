"""Payments, through the application's own loader."""

import json
import platform
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeAlias

import httpx
import pytest
from pydantic import SecretStr

from shoutgraph.sdk import (
    Absent,
    BadSignature,
    Declined,
    Money,
    NeedsAction,
    NotExecuted,
    NoticeKind,
    Pending,
    RawWebhook,
    Redirect,
    Settled,
    Unknown,
)
from shoutgraph.testkit.faults import saying
from shoutgraph.testkit.kinds import TopUpTrial
from shoutgraph.testkit.proxy import Which
from shoutgraph.testkit.upstreams import Act
from shoutgraph_mollie.simulator.books import Books
from shoutgraph_mollie.simulator.upstream import MollieUpstream

Staged: TypeAlias = Callable[[Callable[[TopUpTrial], Awaitable[Any]]], Any]

OTHERS = {"amount": {"value": "5.00", "currency": "EUR"}, "description": "A mug", "redirectUrl": "https://mugs.example"}


def books_of(trial: TopUpTrial) -> Books:
    assert isinstance(trial.upstream, MollieUpstream)
    return trial.upstream.books


def hint(trial: TopUpTrial, body: bytes) -> RawWebhook:
    return RawWebhook(body, {"content-type": "application/x-www-form-urlencoded"}, "", trial.clock(), "203.0.113.7")


def test_what_is_asked_for_is_written_as_mollie_wants_it(staged: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        for money, value in ((Money(1005, "EUR"), "10.05"), (Money(700, "JPY"), "700"), (Money(700, "ISK"), "700")):
            deal = await trial.deal(money)
            await trial.send(deal)
            asked = trial.proxy.asked[-1]
            headers = dict(asked.headers)
            said = json.loads(asked.body)
            assert said["amount"] == {"value": value, "currency": money.currency}
            assert said["metadata"] == {"instance": "conformance", "operation_id": deal.operation_id, "key": deal.key}
            assert (said["locale"], said["webhookUrl"]) == ("en_US", trial.request(deal).webhook_url)
            assert headers[b"idempotency-key"] == deal.key.encode()
            assert headers[b"x-mollie-client-info"] == b"", "what this machine is called is nobody's business"
            assert platform.node().encode() not in b"".join(headers.values())

    staged(story)


def test_the_hosted_page_leads_back_and_only_a_look_counts(staged: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        deal = await trial.deal()
        sent = await trial.send(deal)
        assert isinstance(sent, NeedsAction)
        assert isinstance(sent.action, Redirect)
        async with httpx.AsyncClient(trust_env=False) as fan:
            page = await fan.get(sent.action.url)
            assert "EUR 30.00" in page.text
            back = await fan.post(sent.action.url, data={"status": "paid"})
            again = await fan.post(sent.action.url, data={"status": "failed"})
        assert (back.status_code, back.headers["location"]) == (303, trial.request(deal).return_url)
        assert again.status_code == 422
        seen = await trial.look(deal, sent.ref)
        assert isinstance(seen, Settled)
        assert seen.totals.settled == deal.amount

    staged(story)


def test_a_webhook_is_a_hint_and_a_made_up_one_changes_nothing(staged: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        deal, ref = await trial.begun()
        before = await trial.look(deal, ref)
        for body, about in ((f"id={ref}".encode(), NoticeKind.TOPUP), (b"id=ord_pbjz8x", NoticeKind.IGNORED)):
            (notice,) = trial.receive(hint(trial, body)).notices
            assert (notice.kind, notice.observation) == (about, None)
        (notice,) = trial.receive(hint(trial, b"id=tr_thisOneNobodyMade")).notices
        assert notice.target.ref == "tr_thisOneNobodyMade"
        stranger = await trial.deal()
        assert await trial.look(stranger, notice.target.ref) == Absent()
        assert await trial.look(stranger, ref) == Unknown("other_object", ref=ref), "it is another's"
        assert await trial.look(deal, ref) == before
        assert len(await trial.objects()) == 1

    staged(story)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"id=",
        b"id=tr_1",
        b"id=tr_../../refunds",
        b"id=tr_abcdef&status=paid",
        b"ID=tr_abcdef",
        b"id=tr_abcdef\n",
        b"status=paid",
        b'{"id": "tr_abcdef"}',
        b"id=tr_" + b"a" * 5_000,
        b"id=tr_%61bcdef",
        "id=tr_äöüäöü".encode(),
    ],
)
def test_what_mollie_would_not_send_is_refused(staged: Staged, body: bytes) -> None:
    async def story(trial: TopUpTrial) -> None:
        with pytest.raises(BadSignature):
            trial.receive(hint(trial, body))

    staged(story)


def test_a_payment_is_found_by_key_on_a_later_page_and_given_up_at_the_end(staged: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        deal, ref = await trial.begun()
        for _ in range(300):
            books_of(trial).create(dict(OTHERS))
        asked = len(trial.proxy.asked)
        seen = await trial.look(deal, None)
        assert isinstance(seen, NeedsAction)
        assert seen.ref == ref
        assert len(trial.proxy.asked) - asked == 3, "two pages, and the payment itself"
        assert await trial.look(await trial.deal(), None) == Absent()
        for _ in range(1_800):
            books_of(trial).create(dict(OTHERS))
        assert await trial.look(deal, None) == Unknown("not_listed"), "that it was not seen proves nothing"

    staged(story)


def test_what_is_ours_is_listed_with_what_became_of_it(staged: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        await trial.begun()
        trial.clock.advance(timedelta(days=1))
        since = trial.clock()
        trial.clock.advance(timedelta(minutes=1))
        first, first_ref = await trial.paid()
        await trial.act(Act.REFUND, first_ref, Money(100, "EUR"))
        books_of(trial).create(dict(OTHERS))
        other = await trial.deal()
        trial.clock.advance(timedelta(minutes=1))
        await trial.send(other)
        listed = await trial.guarded(trial.providers).list_since(since, trial.call(first))
        assert listed is not None
        assert [each.target.operation_id for each in listed] == [first.operation_id, other.operation_id]
        seen = listed[0].observation
        assert isinstance(seen, Settled)
        assert seen.totals.refunded == Money(100, "EUR")
        assert isinstance(listed[1].observation, NeedsAction)

    staged(story)


def test_a_refund_counts_when_it_has_arrived(staged: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        deal, ref = await trial.paid()
        await trial.act(Act.HOLD_REFUND, ref)
        part = Money(1000, "EUR")
        assert isinstance(await trial.refund(deal, ref, part, key="refund_1"), Pending)
        (refund,) = books_of(trial).payments[ref].refunds
        for status, minor in (("queued", 0), ("processing", 0), ("refunded", 1000)):
            refund.status = status
            seen = await trial.look(deal, ref)
            assert isinstance(seen, Settled)
            assert seen.totals.refunded.minor == minor
        assert await trial.refund(deal, ref, Money(2001, "EUR"), key="refund_2") == NotExecuted("amount")
        other = await trial.refund(deal, ref, Money(500, "EUR"), key="refund_1")
        assert other == Unknown("idempotency_key_reused", ref=ref), "the key stands for another amount"
        body = {**json.loads(_refund_of(ref)), "status": "failed"}
        trial.proxy.plan(saying("a refund that fails at once", json.dumps(body).encode()))
        assert await trial.refund(deal, ref, part, key="refund_3") == Declined(ref, "refund_failed")

    staged(story)


def _refund_of(ref: str) -> str:
    amount = {"value": "10.00", "currency": "EUR"}
    return json.dumps({"id": "re_1", "amount": amount, "paymentId": ref, "status": "pending"})


@pytest.mark.parametrize(
    ("status", "said", "outcome"),
    [
        (422, {"title": "Unprocessable Entity", "detail": "too high", "field": "amount"}, NotExecuted("amount")),
        (403, {"title": "Not allowed", "detail": "the profile is blocked"}, NotExecuted("not_allowed")),
        (
            422,
            {"title": "Unprocessable Entity", "detail": "The Idempotency-Key was used"},
            Unknown("idempotency_key_reused"),
        ),
        (409, {"title": "Conflict", "detail": "in progress"}, Unknown("provider_error", detail="409")),
        (418, {"title": "Teapot", "detail": "short and stout"}, Unknown("provider_error", detail="418")),
    ],
)
def test_a_no_is_told_apart_from_a_perhaps(
    staged: Staged, status: int, said: dict[str, object], outcome: NotExecuted | Unknown
) -> None:
    async def story(trial: TopUpTrial) -> None:
        body = json.dumps({"status": status, **said}).encode()
        trial.proxy.plan(saying(f"{status}", body, "application/hal+json", status))
        assert await trial.send(await trial.deal()) == outcome

    staged(story)


def test_a_key_that_mollie_does_not_know_moves_nothing(staged: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        strangers = trial.loaded({**trial.config(), "api_key": SecretStr("test_" + "x" * 32)})
        assert await trial.send(await trial.deal(), strangers) == NotExecuted("unauthorized")
        deal, ref = await trial.begun()
        assert await trial.look(deal, ref, strangers) == Unknown("unauthorized", ref=ref)

    staged(story)


def test_an_answer_without_end_is_not_read_to_the_end(staged: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        deal, ref = await trial.begun()
        trial.proxy.plan(saying("five megabytes", b"[" + b" " * 5_000_000), which=Which.ANY)
        assert await trial.look(deal, ref) == Unknown("no_answer")
        assert isinstance(await trial.look(deal, ref), NeedsAction)

    staged(story)
