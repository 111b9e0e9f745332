"""Statements of banks: kept as they came in, then read, then applied entry by entry like what a webhook tells.

A file that was read is answered from what became of it then. One that a crash left behind is read again, and so is one
that nobody understood, perhaps by a newer plugin; an entry that was applied changes nothing a second time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from shoutgraph import sdk
from shoutgraph.domain import bank_files as rules, errors, ids
from shoutgraph.domain.bank_files import BankFile, Content, Direction, FileState, Summary
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.plugins.statements import Statements
from shoutgraph.plugins.webhooks import PluginFaultError
from shoutgraph.services.payouts import apply, notice as notices_of_payouts
from shoutgraph.storage import bank_files, notices
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

RECEIVED: Final = "bank_file.received"
READ: Final = "bank_file.read"
ENTRIES_AT_ONCE: Final = 100
"""The most entries of one unit of work."""

UNREADABLE: Final = "STATEMENT_UNREADABLE"
BROKEN: Final = "STATEMENT_PLUGIN_FAULT"


@dataclass(frozen=True, slots=True)
class Ingested:
    """A statement that was taken in, and whether it was before."""

    file: BankFile
    repeated: bool


async def ingest(tools: Tools, reader: Statements, viewer: Viewer, instance: str, content: Content) -> Ingested:
    """Takes in a statement of a bank: keeps its bytes, then applies what it tells.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances.
        NotFoundError: there is no such provider.
        ValidationError: it is not a file that this provider reads (`UNSUPPORTED_MEDIA_TYPE`, `BANK_FILE`,
            `STATEMENT_UNREADABLE`), or its plugin broke over it (`STATEMENT_PLUGIN_FAULT`).
    """
    viewer.require(Scope.FINANCE_MANAGE)
    way = tools.providers.payouts.get(instance)
    if way is None:
        raise errors.NotFoundError("There is no such provider.")
    checked = rules.check(content, types=way.caps.ingest)
    file, is_new = await tools.store.write(lambda tx: _keep(tools, tx, viewer, instance, checked))
    if file.state is FileState.READ:
        return Ingested(file, repeated=True)
    artifact = sdk.Artifact(file.name, file.media_type, checked.body)
    try:
        told = await reader.read(way, artifact)
    except sdk.MalformedNotice as error:
        problem = str(error)[: rules.NAME_CHARS_MAX] or "it cannot be read"
        await _settle(tools, file, FileState.UNREADABLE, Summary(problem=problem))
        raise errors.ValidationError(f"This statement cannot be read: {problem}.", code=UNREADABLE) from None
    except PluginFaultError:
        msg = "The provider's plugin could not read this statement; it is kept, and can be sent again."
        raise errors.ValidationError(msg, code=BROKEN) from None
    summary = Summary()
    named = frozenset(each.target.operation_id for each in told)
    for start in range(0, len(told), ENTRIES_AT_ONCE):
        part = told[start : start + ENTRIES_AT_ONCE]
        summary = summary.joined(await tools.store.write(partial(_apply, tools, instance, part, named)))
    return Ingested(await _settle(tools, file, FileState.READ, summary), repeated=not is_new)


def _keep(tools: Tools, tx: Tx, viewer: Viewer, instance: str, content: Content) -> tuple[BankFile, bool]:
    known = bank_files.find_by_digest(tx, instance=instance, direction=Direction.IN, sha256=content.sha256)
    if known is not None:
        return known, False
    file = BankFile(
        id=tools.new_id(ids.BANK_FILE),
        instance=instance,
        direction=Direction.IN,
        sha256=content.sha256,
        media_type=content.media_type,
        name=content.name,
        size_bytes=len(content.body),
        batch_id=None,
        made_at=tx.now,
        made_by=viewer.principal,
        state=FileState.RECEIVED,
    )
    bank_files.insert(tx, file, content.body)
    apply.note(tools, tx, file.id, RECEIVED, {"sha256": file.sha256.hex(), "by": viewer.principal})
    return file, True


def _apply(tools: Tools, instance: str, part: Sequence[sdk.Notice], named: frozenset[str], tx: Tx) -> Summary:
    summary = Summary()
    for notice in part:
        summary = summary.joined(_apply_one(tools, tx, instance, notice, named))
    return summary


def _apply_one(tools: Tools, tx: Tx, instance: str, notice: sdk.Notice, named: frozenset[str]) -> Summary:
    if notice.kind is not sdk.NoticeKind.PAYOUT:
        return Summary(ignored=1)
    if notices.is_claimed(tx, instance=instance, notice_id=notice.notice_id):
        return Summary(repeated=1)
    if not notices_of_payouts.notified(tools, tx, instance, notice, named=named):
        return Summary(foreign_count=1, foreign=(notice.target.ref or notice.target.operation_id,))
    applied = notices.claim(tx, instance=instance, notice_id=notice.notice_id)
    return Summary(applied=1) if applied else Summary(repeated=1)


async def _settle(tools: Tools, file: BankFile, state: FileState, summary: Summary) -> BankFile:
    def work(tx: Tx) -> BankFile:
        known = bank_files.get(tx, file.id)
        if known.state in {FileState.READ, state}:
            return known  # somebody took it up at the same time, or before, and came as far
        bank_files.settle(tx, file.id, state, summary)
        counts = {"applied": summary.applied, "repeated": summary.repeated, "foreign": summary.foreign_count}
        apply.note(tools, tx, file.id, READ, {"state": state.value, **counts})
        return replace(known, state=state, summary=summary)

    return await tools.store.write(work)
