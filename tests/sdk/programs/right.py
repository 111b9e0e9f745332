# ruff: noqa: ARG002 -- protocols name their arguments
"""A plugin that follows the protocols, in every form there is. It type-checks."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel, SecretStr

from shoutgraph import sdk


class Config(BaseModel):
    api_key: SecretStr
    host: str


class Pays:
    """Takes money."""

    def __init__(self, config: Config, host: sdk.Host) -> None:
        self.config, self.host = config, host

    async def create(self, request: sdk.TopUpRequest) -> sdk.TopUpOutcome:
        if request.amount.minor > 5:
            return sdk.Declined(None, "too_much")
        return sdk.Settled("ref", sdk.Totals.of(request.amount), self.host.now())

    async def fetch(self, target: sdk.Target, call: sdk.Call) -> sdk.Observation:
        return sdk.Absent() if target.ref is None else sdk.Pending(target.ref, call.timeout)

    async def refund(self, request: sdk.RefundRequest) -> sdk.TopUpOutcome:
        return sdk.Unknown("no_answer", request.ref)

    async def cancel(self, target: sdk.Target, call: sdk.Call) -> sdk.TopUpOutcome:
        return sdk.Unknown("no_answer", target.ref)

    def receive(self, raw: sdk.RawWebhook) -> sdk.Delivery:
        proof = sdk.hmac_proof(raw, [self.config.api_key], [raw.header("signature") or ""])
        return sdk.Delivery(proof, ())

    async def aclose(self) -> None:
        return None


class Redeems:
    """Redeems receipts."""

    async def redeem(self, request: sdk.Redemption) -> sdk.TopUpOutcome:
        return sdk.Declined(None, sdk.OTHER_PRODUCT if request.product else "no_receipt")

    async def fetch(self, target: sdk.Target, call: sdk.Call) -> sdk.Observation:
        return sdk.Absent()

    def receive(self, raw: sdk.RawWebhook) -> sdk.Delivery:
        return sdk.Delivery(sdk.hint_proof(raw), ())

    async def aclose(self) -> None:
        return None


class Blocks:
    """Takes money, and blocks."""

    def create(self, request: sdk.TopUpRequest) -> sdk.TopUpOutcome:
        return sdk.NotExecuted("closed", timedelta(seconds=1))

    def fetch(self, target: sdk.Target, call: sdk.Call) -> sdk.Observation:
        return sdk.Absent()

    def refund(self, request: sdk.RefundRequest) -> sdk.TopUpOutcome:
        return sdk.NotExecuted("closed")

    def cancel(self, target: sdk.Target, call: sdk.Call) -> sdk.TopUpOutcome:
        return sdk.Unknown("closed")

    def receive(self, raw: sdk.RawWebhook) -> sdk.Delivery:
        raise sdk.BadSignature

    def close(self) -> None:
        return None


class Sends:
    """Sends money."""

    async def submit(self, batch: sdk.PayoutBatch) -> sdk.BatchOutcome:
        return sdk.BatchOutcome({each.item_id: sdk.Rejected(None, "closed") for each in batch.items})

    async def fetch(self, targets: Sequence[sdk.Target], call: sdk.Call) -> Mapping[str, sdk.ItemObservation]:
        return {each.operation_id: sdk.Absent() for each in targets}

    async def cancel(self, target: sdk.Target, call: sdk.Call) -> sdk.ItemOutcome:
        return sdk.Unknown("closed")

    def receive(self, raw: sdk.RawWebhook) -> sdk.Delivery:
        target = sdk.Target("recipient_1", "key", "acct_1")
        notice = sdk.Notice("event_1", target, sdk.NoticeKind.RECIPIENT, sdk.Ready("acct_1"))
        return sdk.Delivery(sdk.hint_proof(raw), (notice,))

    def ingest(self, document: sdk.Artifact) -> Sequence[sdk.Notice]:
        raise sdk.MalformedNotice

    def requirements(self, country: str, currency: str) -> Sequence[sdk.Requirement]:
        return (sdk.Requirement("iban", f"IBAN in {country} for {currency}"),)

    async def onboard(self, request: sdk.OnboardRequest) -> sdk.RecipientOutcome:
        return sdk.NeedsAction("acct_1", sdk.Redirect(request.return_url), datetime.now(UTC))  # noqa: TID251

    async def recipient_status(self, ref: str, call: sdk.Call) -> sdk.RecipientOutcome:
        return sdk.Restricted(ref, "closed")

    async def quote(self, request: sdk.QuoteRequest) -> sdk.QuoteOutcome:
        return sdk.NotExecuted("closed")

    async def list_since(self, since: datetime, call: sdk.Call) -> Sequence[sdk.Listed]:
        return (sdk.Listed(sdk.Target("payout_1", "key"), sdk.Unknown("closed"), since),)

    async def aclose(self) -> None:
        return None


def hosts(config: Config) -> frozenset[str]:
    return frozenset({config.host})


def redeeming(_config: Config, _host: sdk.Host) -> Redeems:
    return Redeems()


def blocking(_config: Config, _host: sdk.Host) -> Blocks:
    return Blocks()


def sending(_config: Config, _host: sdk.Host) -> Sends:
    return Sends()


CAPS = sdk.TopUpCaps(currencies=frozenset({"EUR"}))
SENDS = sdk.PayoutCaps(currencies=frozenset({"EUR"}), onboarding=True, quotes=True)

ONBOARDS: sdk.Onboards = Sends()
QUOTES: sdk.Quotes = Sends()
LISTS: sdk.Lists = Sends()


@sdk.hookimpl
def shoutgraph_topup_plugins() -> Iterable[sdk.AnyTopUpPlugin]:
    yield sdk.TopUpPlugin("pays", "Pays", CAPS, Config, Pays, hosts)
    yield sdk.TopUpPlugin("redeems", "Redeems", CAPS, Config, redeeming, hosts)
    yield sdk.TopUpPlugin("blocks", "Blocks", CAPS, Config, blocking, hosts, threaded=True)


@sdk.hookimpl
def shoutgraph_payout_plugins() -> list[sdk.AnyPayoutPlugin]:
    return [sdk.PayoutPlugin("sends", "Sends", SENDS, Config, sending, hosts)]


@sdk.hookimpl
async def shoutgraph_screen(subject: sdk.OrderRequest | sdk.OrderVideo) -> sdk.Verdict | None:
    return sdk.Verdict.HOLD if isinstance(subject, sdk.OrderVideo) else None
