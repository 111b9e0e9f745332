"""Receipts and looks, through the application's own loader."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeAlias

from pydantic import SecretStr

from shoutgraph.sdk import OTHER_PRODUCT, Declined, Settled, TopUpOutcome, Unknown
from shoutgraph.testkit.faults import saying
from shoutgraph.testkit.kinds import RedeemTrial
from shoutgraph.testkit.proxy import Which
from shoutgraph.testkit.trials import Deal
from shoutgraph.testkit.upstreams import Receipt
from shoutgraph_appstore.simulator.sales import Sale
from shoutgraph_appstore.simulator.upstream import APP, AppStoreUpstream

Staged: TypeAlias = Callable[[Callable[[RedeemTrial], Awaitable[Any]]], Any]


def store_of(trial: RedeemTrial) -> AppStoreUpstream:
    assert isinstance(trial.upstream, AppStoreUpstream)
    return trial.upstream


def last_of(trial: RedeemTrial) -> Sale:
    return list(store_of(trial).store.sales.sold.values())[-1]


async def redeemed(trial: RedeemTrial, **changes: object) -> TopUpOutcome:
    """Redeems a receipt of the store's whose payload was changed before it was signed."""
    deal = await trial.deal()
    said = {**last_of(trial).payload(APP, store_of(trial).store.sales.now()), **changes}
    return await trial.send(replace(deal, proof=store_of(trial).store.authority.signed(said)))


def test_a_receipt_is_worth_what_the_store_says_now(staged: Staged) -> None:
    async def story(trial: RedeemTrial) -> None:
        deal = await trial.deal()
        store_of(trial).store.sales.refund(last_of(trial).number)
        seen = await trial.send(deal)  # the receipt is as it was when the device got it
        assert isinstance(seen, Settled)
        assert seen.ref == last_of(trial).number
        assert (seen.totals.settled.minor, seen.totals.refunded.minor) == (499, 499)

    staged(story)


def test_what_is_wrong_with_a_receipt_is_named(staged: Staged) -> None:
    async def story(trial: RedeemTrial) -> None:
        assert await redeemed(trial, type="Auto-Renewable Subscription") == Declined(None, "not_consumable")
        assert await redeemed(trial, productId="coins1500") == Declined(None, OTHER_PRODUCT)
        assert await redeemed(trial, appAccountToken=None) == Declined(None, "other_buyer")
        assert await redeemed(trial, transactionId="") == Declined(None, "unreadable")
        assert await redeemed(trial, bundleId="com.example.another") == Declined(None, "other_app")
        assert await redeemed(trial, environment="Sandbox") == Declined(None, "other_environment")
        assert await redeemed(trial, environment="Xcode") == Declined(None, "other_environment")
        asked = len(trial.proxy.asked)
        for kind in (Receipt.FORGED_CHAIN, Receipt.WRONG_KEY, Receipt.UNSIGNED):
            assert await trial.send(await trial.purchase(kind)) == Declined(None, "not_genuine")
        for proof in ("", "a.b.c", "x" * 100_000, "é"):
            assert await trial.send(replace(await trial.deal(), proof=proof)) == Declined(None, "not_genuine")
        assert len(trial.proxy.asked) == asked, "the store is asked about genuine receipts only"

    staged(story)


def test_a_genuine_receipt_that_the_store_does_not_know_is_unknown(staged: Staged) -> None:
    async def story(trial: RedeemTrial) -> None:
        seen = await redeemed(trial, transactionId="999")
        assert seen == Unknown("not_found", ref="999")

    staged(story)


def test_an_answer_about_another_purchase_is_unknown(staged: Staged) -> None:
    async def story(trial: RedeemTrial) -> None:
        other = await trial.deal()
        deal, ref = await trial.begun()
        for answer, reason in ((other.proof, "other_object"), ("a.b.c", "not_genuine")):
            body = f'{{"signedTransactionInfo": "{answer}"}}'.encode()
            trial.proxy.plan(saying("another purchase", body), which=Which.ANY)
            assert await trial.look(deal, ref) == Unknown(reason, ref=ref)

    staged(story)


def test_the_store_lets_in_only_who_signs_with_the_configured_key(staged: Staged) -> None:
    async def story(trial: RedeemTrial) -> None:
        stranger = AppStoreUpstream(trial.upstream._stage)  # type: ignore[attr-defined]  # noqa: SLF001 -- the same stage
        key = stranger.config(trial.proxy.url)["signing_key"]
        assert isinstance(key, SecretStr)
        strangers = trial.loaded({**trial.config(), "signing_key": key})
        deal: Deal = await trial.deal()
        seen = await trial.send(deal, strangers)
        assert seen == Unknown("refused", ref=last_of(trial).number, detail="401")
        assert isinstance(await trial.send(deal), Settled)

    staged(story)


def test_a_wait_is_told_in_seconds_or_as_a_moment(staged: Staged) -> None:
    async def story(trial: RedeemTrial) -> None:
        for told, least_s, most_s in ((7, 7, 7), (int((trial.clock().timestamp() + 30) * 1000), 20, 31)):
            fault = saying("slow down", b"{}", status=429)
            given = replace(fault.instead, headers=(*fault.instead.headers, (b"retry-after", str(told).encode())))
            trial.proxy.plan(replace(fault, given=given), which=Which.ANY)
            seen = await trial.send(await trial.deal())
            wait = getattr(seen, "retry_after", None)
            assert wait is not None
            assert least_s <= wait.total_seconds() <= most_s

    staged(story)
