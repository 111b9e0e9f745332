# ruff: noqa: ARG002 -- protocols name their arguments
"""A rail that only writes files and reads statements, and asks whom it pays: in memory, in lines of text.

A file has a line `<item> <minor> <account>` for each payout; a statement has lines `<word> <item> <minor>`, and the
currency where it is not EUR.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from tests.services.bare import BarePayouts, Nothing

from shoutgraph import sdk

TYPE = "text/x-bank"
INSTANCE = "bank"
SOON = timedelta(hours=1)


@dataclass
class Rail:
    """What the rail does next. `salt` makes its files differ; `silent` loses the answers about recipients; one that is
    `sure` can be asked about payouts, and has none; `busy` makes so many calls move nothing; one that `reads`
    understands statements.
    """

    salt: str = ""
    silent: int = 0
    restricted: bool = False
    files: bool = True
    asks: bool = False
    calls: list[str] = field(default_factory=list)
    values: list[Mapping[str, str]] = field(default_factory=list)
    known: dict[str, str] = field(default_factory=dict)
    ready: bool = False
    sure: bool = False
    busy: int = 0
    reads: bool = True
    currencies: frozenset[str] = frozenset({"EUR"})
    limits: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    granularity: Mapping[str, int] = field(default_factory=dict)


class RailPayouts(BarePayouts):
    """Sends money by files."""

    def __init__(self, rail: Rail, host: sdk.Host) -> None:
        self.rail = rail
        self.host = host

    async def submit(self, batch: sdk.PayoutBatch) -> sdk.BatchOutcome:
        self.rail.calls.append(f"submit {batch.call.attempt}")
        if self.rail.busy:
            self.rail.busy -= 1
            return sdk.BatchOutcome({item.item_id: sdk.NotExecuted(sdk.UNAVAILABLE) for item in batch.items})
        lines = [f"{item.item_id} {item.amount.minor} {item.recipient_ref}" for item in batch.items]
        body = "\n".join([batch.call.idempotency_key, self.rail.salt, *lines]).encode()
        items = {item.item_id: sdk.Pending(None, SOON) for item in batch.items}
        files = (sdk.Artifact("payouts.txt", TYPE, body),) if self.rail.files else ()
        return sdk.BatchOutcome(items, f"M-{batch.call.idempotency_key[:8]}", files)

    async def fetch(self, targets: Sequence[sdk.Target], call: sdk.Call) -> Mapping[str, sdk.ItemObservation]:
        seen = sdk.Absent() if self.rail.sure else sdk.Unknown("files_only")
        return {target.operation_id: seen for target in targets}

    def ingest(self, document: sdk.Artifact) -> Sequence[sdk.Notice]:
        if document.body.startswith(b"crash"):
            raise RuntimeError("it cannot")
        if not self.rail.reads:
            raise sdk.MalformedNotice("this is of a newer version")
        try:
            lines = document.body.decode().split("\n")
            return [self._notice(*line.split(" ")) for line in lines if line]
        except (UnicodeDecodeError, TypeError, ValueError):
            raise sdk.MalformedNotice("these are no lines") from None

    def _notice(self, word: str, item: str, minor: str, currency: str = "EUR") -> sdk.Notice:
        now, amount = self.host.now(), sdk.Money(int(minor), currency)
        seen: dict[str, sdk.ItemOutcome] = {
            "took": sdk.Pending(None, SOON),
            "paid": sdk.Paid(f"paid-{item}", amount, now),
            "back": sdk.Returned(f"paid-{item}", amount, "AC04", now),
            "no": sdk.Rejected(None, "AC01"),
        }
        if word not in seen:
            return sdk.Notice(f"{word}-{item}", sdk.Target(item, ""), sdk.NoticeKind.IGNORED)
        told = f"{word}-{item}-{minor}" + ("" if currency == "EUR" else currency)
        return sdk.Notice(told, sdk.Target(item, ""), sdk.NoticeKind.PAYOUT, seen[word])

    def requirements(self, country: str, currency: str) -> Sequence[sdk.Requirement]:
        if country != "DE":
            return ()
        account = sdk.Requirement("account", "Account", pattern="[0-9]{4,20}", secret=True)
        return (account, sdk.Requirement("holder", "Holder", required=False))

    async def onboard(self, request: sdk.OnboardRequest) -> sdk.RecipientOutcome:
        self.rail.calls.append("onboard")
        if request.values:
            self.rail.values.append(dict(request.values))
        ref = self.rail.known.setdefault(request.call.idempotency_key, f"acct-{len(self.rail.known) + 1}")
        if self.rail.silent:
            self.rail.silent -= 1
            raise ConnectionError("the answer is lost")
        return self._seen(ref)

    async def recipient_status(self, ref: str, call: sdk.Call) -> sdk.RecipientOutcome:
        self.rail.calls.append("status")
        return self._seen(ref)

    def _seen(self, ref: str) -> sdk.RecipientOutcome:
        if self.rail.restricted:
            return sdk.Restricted(ref, "under_review")
        if self.rail.ready:
            return sdk.Ready(ref)
        page = sdk.Redirect(f"https://bank.example/{ref}/{len(self.rail.calls)}")
        return sdk.NeedsAction(ref, page, self.host.now() + SOON)

    async def quote(self, request: sdk.QuoteRequest) -> sdk.QuoteOutcome:
        fee = sdk.Money(25, request.amount.currency)
        arrives = sdk.Money(request.amount.minor - fee.minor, fee.currency)
        return sdk.Quote(request.amount, fee, arrives, self.host.now() + SOON)

    def receive(self, raw: sdk.RawWebhook) -> sdk.Delivery:
        target = sdk.Target("", "", raw.body.decode())
        return sdk.Delivery(sdk.hint_proof(raw), (sdk.Notice("hint", target, sdk.NoticeKind.RECIPIENT),))


class RailPlugin:
    """The rail as a plugin."""

    def __init__(self, rail: Rail) -> None:
        self.rail = rail

    @sdk.hookimpl
    def shoutgraph_payout_plugins(self) -> list[sdk.AnyPayoutPlugin]:
        caps = sdk.PayoutCaps(
            currencies=self.rail.currencies,
            limits=self.rail.limits,
            granularity=self.rail.granularity,
            max_batch=100,
            webhooks=sdk.Webhooks.HINT,
            artifacts=True,
            ingest=frozenset({TYPE}),
            onboarding=self.rail.asks,
            quotes=self.rail.asks,
            lookup=sdk.Lookup(by_key=self.rail.sure, absence_after=SOON if self.rail.sure else None),
            return_window=timedelta(days=60),
        )
        build = lambda _config, host: RailPayouts(self.rail, host)  # noqa: E731
        return [sdk.PayoutPlugin("bank", "Bank", caps, Nothing, build, lambda _config: frozenset())]
