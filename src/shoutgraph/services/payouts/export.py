"""Files that hand payouts over: kept with what became of the call that wrote them, and never written twice.

A call that writes a file moves no money: until somebody gives the file to the bank, its payouts are being handed over.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Final

from shoutgraph import sdk
from shoutgraph.domain import bank_files as rules, batches, ids, payout_looks
from shoutgraph.domain.bank_files import BankFile, Content, Direction, FileState
from shoutgraph.domain.batches import Batch
from shoutgraph.domain.payouts import Payout, PayoutState, Seen
from shoutgraph.plugins.payouts import Payouts
from shoutgraph.services.payouts import apply
from shoutgraph.storage import bank_files, batches as batch_rows, payouts
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

logger = logging.getLogger("shoutgraph.payouts")

SYSTEM: Final = "system"
MADE: Final = "bank_file.made"
DIFFERS: Final = "payout_batch.file_differs"


def outcomes_of(
    way: Payouts, answer: sdk.BatchOutcome, outcomes: Mapping[str, sdk.ItemObservation]
) -> Mapping[str, sdk.ItemObservation]:
    """The outcomes of a batch; what would wait for a file that cannot be kept is unknown, so that it is made again."""
    fault = rules.fault_of(contents_of(answer))
    if not way.caps.artifacts or fault is None:
        return outcomes
    lost = sdk.Unknown(fault)
    return {item: lost if isinstance(seen, sdk.Pending) else seen for item, seen in outcomes.items()}


def contents_of(answer: sdk.BatchOutcome) -> tuple[Content, ...]:
    """The files of an answer."""
    return tuple(Content(each.name, each.media_type, bytes(each.body)) for each in answer.artifacts)


def is_export(way: Payouts, answer: sdk.BatchOutcome) -> bool:
    """Whether the answer is files for the bank."""
    return way.caps.artifacts and rules.fault_of(contents_of(answer)) is None


def keep(tools: Tools, tx: Tx, batch: Batch, contents: Sequence[Content]) -> Batch:
    """Keeps the files of a batch with it. Files that were made again and differ are an alarm, and are not kept."""
    before = bank_files.list_of_batches(tx, [batch.id])[batch.id]
    if before:
        return _compared(tools, tx, batch, before, contents)
    for content in contents:
        file = BankFile(
            id=tools.new_id(ids.BANK_FILE),
            instance=batch.instance,
            direction=Direction.OUT,
            sha256=content.sha256,
            media_type=content.media_type,
            name=content.name,
            size_bytes=len(content.body),
            batch_id=batch.id,
            made_at=tx.now,
            made_by=SYSTEM,
            state=FileState.MADE,
        )
        bank_files.insert(tx, file, content.body)
        apply.note(tools, tx, file.id, MADE, {"batch": batch.id, "sha256": file.sha256.hex(), "by": SYSTEM})
    exported = batches.exported(batch, now=tx.now)
    batch_rows.save(tx, exported)
    return exported


def waits_for_bank(tools: Tools, tx: Tx, payout: Payout, batch: Batch, ref: str | None) -> None:
    """Keeps that a payout stands in a file; nobody looks at it before the file is handed over.

    Of a file that may not be handed over it is not waited for: what is unknown of it stays unknown.
    """
    if batch.alarm is not None and payout.state is PayoutState.UNKNOWN:
        return
    kept = apply.keep(tools, tx, payout, Seen(payout_looks.exported(payout, ref=ref, now=tx.now)))
    if kept.state is PayoutState.SUBMITTING:
        due = None if batch.handed_over_at is None else batch.answer_due_at
        payouts.schedule(tx, kept.id, look_at=due, looks=0)


def answered(tx: Tx, payout: Payout) -> None:
    """Keeps that the bank has spoken of the file that a payout stands in."""
    if payout.batch_id is None:
        return
    batch = batch_rows.get(tx, payout.batch_id, to_change=True)
    after = batches.answered(batch, now=tx.now)
    if after != batch:
        batch_rows.save(tx, after)


def _compared(tools: Tools, tx: Tx, batch: Batch, before: Sequence[BankFile], contents: Sequence[Content]) -> Batch:
    if {file.sha256 for file in before} == {content.sha256 for content in contents} or batch.alarm is not None:
        return batch
    logger.error("batch %s of %s: its files came out differently when they were made again", batch.id, batch.instance)
    alarmed = batches.alarmed(batch)
    batch_rows.save(tx, alarmed)
    apply.note(tools, tx, batch.id, DIFFERS, {"made": [file.sha256.hex() for file in before]})
    return alarmed
