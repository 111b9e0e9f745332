"""Sends euros to creators by files, and learns from the bank's files what became of them.

Nobody can be asked: a look says `Unknown`, and silence stays silence. The plugin neither speaks to the network nor
keeps anything; the host keeps the files, and people, or a connection to the bank, carry them.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from shoutgraph.sdk import (
    Artifact,
    BadSignature,
    BatchOutcome,
    Call,
    Delivery,
    Host,
    Idempotency,
    ItemObservation,
    ItemOutcome,
    NotExecuted,
    Notice,
    OnboardRequest,
    PayoutBatch,
    PayoutCaps,
    PayoutItem,
    PayoutPlugin,
    Pending,
    RawWebhook,
    RecipientOutcome,
    Requirement,
    Target,
    Unknown,
)
from shoutgraph_sepa import identifiers, initiation, news, recipients, vendors
from shoutgraph_sepa.config import SepaConfig
from shoutgraph_sepa.initiation import InvalidFileError, Order, Transfer
from shoutgraph_sepa.recipients import CURRENCY
from shoutgraph_sepa.statuses import POLL_AFTER

BATCH_MAX: Final = 1_000
AMOUNT_CENTS_MAX: Final = 99_999_999_999
"""EUR 999 999 999.99. Source: EPC125-05."""

MEDIA_TYPE: Final = "application/xml"
INGEST: Final = frozenset({MEDIA_TYPE, "text/xml"})

RETURN_WINDOW: Final = timedelta(days=400)
"""Returns come within days; a recall after a fraud may come for 13 months. Source: EPC125-05."""

IDEMPOTENCY: Final = Idempotency(scope="account", window=timedelta(days=30))
"""The same batch is the same file under the same message id, and banks refuse an id that they know for longer."""

ID_UNSUPPORTED: Final = "id_unsupported"
UNDATED: Final = "undated"
FILE_INVALID: Final = "file_invalid"
FILES_ONLY: Final = "files_only"
"""Why a look shows nothing: only the bank's files do."""


class SepaPayouts:
    """The provider of payouts."""

    def __init__(self, config: SepaConfig, host: Host) -> None:
        vendors.load()
        self._config = config
        self._host = host

    def submit(self, batch: PayoutBatch) -> BatchOutcome:
        """Writes the batch's file. What cannot stand in it is not executed; the others go."""
        message_id = identifiers.to_bank(batch.call.idempotency_key)
        if message_id is None or batch.made_at is None:
            why = NotExecuted(UNDATED if message_id else ID_UNSUPPORTED)
            return BatchOutcome({item.item_id: why for item in batch.items})
        read = {item.item_id: _transfer(item) for item in batch.items}
        transfers = [each for each in read.values() if isinstance(each, Transfer)]
        items: dict[str, ItemOutcome] = {
            item_id: each if isinstance(each, NotExecuted) else Pending(None, POLL_AFTER)
            for item_id, each in read.items()
        }
        if not transfers:
            return BatchOutcome(items)
        try:
            body = initiation.made(self._config, Order(message_id, batch.made_at, transfers))
        except InvalidFileError as error:
            self._host.log("sepa.file_invalid", batch=batch.call.operation_id, reason=str(error))
            return BatchOutcome({item.item_id: NotExecuted(FILE_INVALID) for item in batch.items})
        artifact = Artifact(f"{message_id.replace(':', '-')}.xml", MEDIA_TYPE, body)
        return BatchOutcome(items, batch_ref=message_id, artifacts=(artifact,))

    def fetch(self, targets: Sequence[Target], call: Call) -> Mapping[str, ItemObservation]:
        """Knows nothing: only the bank's files do."""
        del call
        return {each.operation_id: Unknown(FILES_ONLY, each.ref) for each in targets}

    def cancel(self, target: Target, call: Call) -> ItemOutcome:
        """Cannot stop anything: people ask the bank."""
        del call
        return Unknown(FILES_ONLY, target.ref)

    def requirements(self, country: str, currency: str) -> Sequence[Requirement]:
        """A name, an IBAN, and a BIC where it is needed."""
        return recipients.requirements(country, currency)

    def onboard(self, request: OnboardRequest) -> RecipientOutcome:
        """Ready at once: an account needs nobody's consent to be paid."""
        return recipients.onboarded(request)

    def recipient_status(self, ref: str, call: Call) -> RecipientOutcome:
        """What the ref itself says."""
        del call
        return recipients.status(ref)

    def receive(self, raw: RawWebhook) -> Delivery:
        """Believes none.

        Raises:
            BadSignature: always.
        """
        raise BadSignature(f"a bank sends no webhooks, and none of {len(raw.body)} bytes")

    def ingest(self, document: Artifact) -> Sequence[Notice]:
        """Reads a file of the bank.

        Raises:
            MalformedNotice: it is none that is read here.
        """
        return news.read(document.body)

    def close(self) -> None:
        """Holds nothing."""


def _transfer(item: PayoutItem) -> Transfer | NotExecuted:
    reference = identifiers.to_bank(item.item_id)
    recipient = recipients.parsed(item.recipient_ref)
    if reference is None:
        return NotExecuted(ID_UNSUPPORTED)
    if isinstance(recipient, str):
        return NotExecuted(recipient)
    return Transfer(reference, recipient, item.amount.minor, item.descriptor)


PAYOUT: Final = PayoutPlugin(
    key="sepa",
    label="SEPA credit transfers",
    caps=PayoutCaps(
        currencies=frozenset({CURRENCY}),
        max_batch=BATCH_MAX,
        onboarding=True,
        artifacts=True,
        ingest=INGEST,
        limits={CURRENCY: (1, AMOUNT_CENTS_MAX)},
        return_window=RETURN_WINDOW,
        idempotency=IDEMPOTENCY,
    ),
    config=SepaConfig,
    build=SepaPayouts,
    api_hosts=lambda _: frozenset(),
    threaded=True,
)
