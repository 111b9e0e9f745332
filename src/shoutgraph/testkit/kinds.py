"""The three kinds of trials: taking money, redeeming receipts, sending money."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from shoutgraph.plugins.payouts import Payouts
from shoutgraph.plugins.providers import Providers
from shoutgraph.plugins.topups import TopUps
from shoutgraph.sdk import (
    BatchOutcome,
    Call,
    ItemObservation,
    ItemOutcome,
    Money,
    Notice,
    Observation,
    OnboardRequest,
    Paid,
    PayoutBatch,
    PayoutItem,
    Pending,
    Redemption,
    RefundRequest,
    Rejected,
    Returned,
    Target,
    TopUpOutcome,
    TopUpRequest,
    Unknown,
)
from shoutgraph.testkit.proxy import Which
from shoutgraph.testkit.trials import INSTANCE, TIMEOUT, Deal, Outcome, Subject, Trial, ref_of
from shoutgraph.testkit.upstreams import Act, Receipt, Recipient

COUNTRY: Final = "DE"

NOT_TOLD: Final = Unknown("not_told")

_RANKS: Final[Mapping[type, int]] = {Returned: 3, Paid: 2, Rejected: 2, Pending: 1}


class TopUpTrial(Trial):
    """A provider that takes money."""

    def guarded(self, providers: Providers) -> TopUps:
        """The provider behind the fence."""
        return providers.topup(INSTANCE)

    async def deal(self, amount: Money | None = None) -> Deal:
        """A new top-up."""
        operation_id, key, who = self._new("topup key user")
        return Deal(operation_id, key, amount or self.fair(), who)

    def request(self, deal: Deal, *, country: str | None = None) -> TopUpRequest:
        """The top-up as the host asks for it."""
        countries = getattr(self.plugin.caps, "countries", None)
        return TopUpRequest(
            call=self.call(deal),
            amount=deal.amount,
            customer_ref=deal.who,
            country=country or (min(countries) if countries else COUNTRY),
            locale="en",
            return_url="https://shop.example/back?topup=1",
            cancel_url="https://shop.example/cancel",
            webhook_url=f"https://api.shop.example/hooks/{INSTANCE}",
            descriptor="700 coins",
            metadata={"topup": deal.operation_id},
        )

    def target(self, deal: Deal, ref: str | None, amount: Money | None = None) -> Target:
        """Which one to look up."""
        return Target(deal.operation_id, deal.key, ref, amount)

    async def send(self, deal: Deal, providers: Providers | None = None) -> TopUpOutcome:
        """Starts the payment."""
        return await self.guarded(providers or self.providers).create(self.request(deal))

    async def send_straight(self, deal: Deal) -> Outcome:
        """Starts the payment, without the fence."""
        outcome: Outcome = await self.straight("create", self.request(deal))
        return outcome

    async def look(self, deal: Deal, ref: str | None, providers: Providers | None = None) -> Observation:
        """Looks at the payment."""
        return await self.guarded(providers or self.providers).fetch(self.target(deal, ref), self.call(deal))

    async def look_where(self, target: Target) -> Observation:
        """Looks at the payment that a webhook names."""
        call = Call(target.operation_id, target.idempotency_key, TIMEOUT)
        return await self.guarded(self.providers).fetch(target, call)

    async def look_straight(self, deal: Deal, ref: str | None) -> Outcome:
        """Looks at the payment, without the fence."""
        outcome: Outcome = await self.straight("fetch", self.target(deal, ref, deal.amount), self.call(deal))
        return outcome

    async def cancel(self, deal: Deal, ref: str, providers: Providers | None = None) -> TopUpOutcome:
        """Ends the payment."""
        return await self.guarded(providers or self.providers).cancel(self.target(deal, ref), self.call(deal))

    async def refund(
        self, deal: Deal, ref: str, amount: Money, *, key: str, providers: Providers | None = None
    ) -> TopUpOutcome:
        """Gives some of it back."""
        request = RefundRequest(self.call(deal, key=key), ref, amount, deal.amount, "asked")
        return await self.guarded(providers or self.providers).refund(request)

    async def paid(self, amount: Money | None = None) -> tuple[Deal, str]:
        """A payment that the fan has made."""
        deal, ref = await self.begun(await self.deal(amount))
        await self.act(Act.PAY, ref)
        return deal, ref


class RedeemTrial(TopUpTrial):
    """A provider that redeems receipts."""

    which = Which.ANY

    async def deal(self, amount: Money | None = None) -> Deal:
        """A new purchase in the store, which says what it costs."""
        del amount
        return await self.purchase(Receipt.GENUINE)

    async def purchase(self, kind: Receipt) -> Deal:
        """A purchase with such a receipt."""
        operation_id, key, who = self._new("topup key user")
        proof = await self.far(self.upstream.receipt(kind, who))
        return Deal(operation_id, key, self.fair(), who, proof)

    async def send(self, deal: Deal, providers: Providers | None = None) -> TopUpOutcome:
        """Redeems the receipt."""
        request = Redemption(self.call(deal), deal.proof, deal.who, self.upstream.product)
        return await self.guarded(providers or self.providers).redeem(request)

    async def send_straight(self, deal: Deal) -> Outcome:
        """Redeems the receipt, without the fence."""
        request = Redemption(self.call(deal), deal.proof, deal.who, self.upstream.product)
        outcome: Outcome = await self.straight("redeem", request)
        return outcome

    async def paid(self, amount: Money | None = None) -> tuple[Deal, str]:
        """A receipt that was redeemed: the store took the money before."""
        return await self.begun(await self.deal(amount))


class PayoutTrial(Trial):
    """A provider that sends money."""

    def __init__(self, subject: Subject, folder: Path) -> None:
        super().__init__(subject, folder)
        self._made_at: dict[str, datetime] = {}
        self._items_of: dict[str, tuple[str, ...]] = {}
        self._told: dict[str, ItemOutcome] = {}
        self._uploaded: set[bytes] = set()

    def guarded(self, providers: Providers) -> Payouts:
        """The provider behind the fence."""
        return providers.payout(INSTANCE)

    @property
    def by_file(self) -> bool:
        """Whether the money goes by files, and news of it come by files."""
        return bool(self.guarded(self.providers).caps.artifacts)

    async def deal(self, amount: Money | None = None) -> Deal:
        """A new payout."""
        return await self.payout_to(Recipient.GOOD, amount)

    async def payout_to(self, kind: Recipient, amount: Money | None = None, *, batch_key: str | None = None) -> Deal:
        """A payout to such a recipient."""
        item_id, key = self._new("payout batch")
        who = await self.far(self.upstream.recipient(kind))
        return Deal(item_id, batch_key or key, amount or self.fair(), who)

    def onboarding(self) -> OnboardRequest:
        """A new recipient, who answers what the upstream says a good one does."""
        recipient_id, key = self._new("recipient key")
        return OnboardRequest(
            call=Call(recipient_id, key, TIMEOUT),
            recipient_id=recipient_id,
            country=COUNTRY,
            currency=self.fair().currency,
            values=self.upstream.answers(),
            return_url="https://shop.example/payouts",
            refresh_url="https://shop.example/payouts/again",
            email="creator@shop.example",
        )

    def batch(self, *deals: Deal) -> PayoutBatch:
        """Payouts as the host asks for them, under the key of the first; dated when they were asked for first."""
        items = tuple(PayoutItem(each.operation_id, each.amount, each.who, "Earnings") for each in deals)
        made_at = self._made_at.setdefault(deals[0].key, self.clock())
        self._items_of[deals[0].key] = tuple(each.operation_id for each in deals)
        return PayoutBatch(self.call(deals[0]), items, made_at)

    def targets(self, deals: Sequence[Deal], refs: Mapping[str, str | None]) -> list[Target]:
        """Which ones to look up."""
        return [Target(each.operation_id, each.key, refs.get(each.operation_id)) for each in deals]

    async def submit(self, *deals: Deal, providers: Providers | None = None) -> BatchOutcome:
        """Hands a batch over, and its files to the bank, each of them once."""
        outcome = await self.guarded(providers or self.providers).submit(self.batch(*deals))
        for artifact in outcome.artifacts:
            if artifact.body in self._uploaded:
                continue
            self._uploaded.add(artifact.body)
            try:
                await self.far(self.upstream.upload(artifact))
            except ValueError as refused:
                return BatchOutcome(dict.fromkeys(outcome.items, Unknown("refused_by_bank", detail=str(refused))))
        return outcome

    async def send(self, deal: Deal, providers: Providers | None = None) -> ItemOutcome:
        """Hands a batch of one over."""
        return (await self.submit(deal, providers=providers)).items[deal.operation_id]

    async def send_straight(self, deal: Deal) -> Outcome:
        """Hands a batch of one over, without the fence."""
        outcome = await self.straight("submit", self.batch(deal))
        seen: Outcome = outcome.items[deal.operation_id]
        return seen

    async def look(self, deal: Deal, ref: str | None, providers: Providers | None = None) -> ItemObservation:
        """Looks at one payout."""
        return (await self.look_at((deal,), {deal.operation_id: ref}, providers))[deal.operation_id]

    async def look_where(self, target: Target) -> ItemObservation:
        """Looks at the payout that a webhook names."""
        call = Call(target.operation_id, target.idempotency_key, TIMEOUT)
        return (await self.guarded(self.providers).fetch((target,), call))[target.operation_id]

    async def look_straight(self, deal: Deal, ref: str | None) -> Outcome:
        """Looks at one payout, without the fence."""
        targets = self.targets((deal,), {deal.operation_id: ref})
        seen: Mapping[str, Outcome] = await self.straight("fetch", targets, self.call(deal))
        return seen[deal.operation_id]

    async def look_at(
        self, deals: Sequence[Deal], refs: Mapping[str, str | None], providers: Providers | None = None
    ) -> Mapping[str, ItemObservation]:
        """Looks at several payouts: at the provider, or in the bank's files."""
        if self.by_file:
            return await self._look_in_files(deals)
        guarded = self.guarded(providers or self.providers)
        return await guarded.fetch(self.targets(deals, refs), self.call(deals[0]))

    async def _look_in_files(self, deals: Sequence[Deal]) -> Mapping[str, ItemObservation]:
        for document in await self.far(self.upstream.documents()):
            for notice in self.guarded(self.providers).ingest(document):
                self._hear(notice)
        return {each.operation_id: self._told.get(each.operation_id, NOT_TOLD) for each in deals}

    def _hear(self, notice: Notice) -> None:
        """Keeps what is said of an item, or of those items of the batch with this key that were not named before."""
        seen, name = notice.observation, notice.target.operation_id
        if not isinstance(seen, Paid | Returned | Rejected | Pending):
            return
        unnamed = [each for each in self._items_of.get(name, ()) if ref_of(self._told.get(each, NOT_TOLD)) is None]
        for each in unnamed if name in self._items_of else (name,):
            self._told[each] = later(self._told.get(each), seen)

    async def paid(self, amount: Money | None = None) -> tuple[Deal, str]:
        """A payout that has reached its recipient."""
        deal, ref = await self.begun(await self.deal(amount))
        await self.act(Act.PAY, ref)
        return deal, ref


def later(one: ItemOutcome | None, other: ItemOutcome) -> ItemOutcome:
    """Which of two observations of one payout says more: what came back was paid before."""
    if one is None:
        return other
    return other if _RANKS.get(type(other), 0) >= _RANKS.get(type(one), 0) else one
