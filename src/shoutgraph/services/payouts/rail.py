"""Batches and bank files as finance has them: looked at, handed to the bank by a person, fetched by short links."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from shoutgraph.domain import batches as rules, errors, ids, pages, payouts as payout_rules
from shoutgraph.domain.bank_files import BankFile, Content, FileFilter
from shoutgraph.domain.batches import Batch, BatchFilter
from shoutgraph.domain.pages import Page, PageArgs
from shoutgraph.domain.payouts import PayoutState, Seen
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.files.links import Link
from shoutgraph.services.payouts import apply
from shoutgraph.storage import bank_files, batches, payouts, rails
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once

HANDED_OVER: Final = "payout_batch.handed_over"
DISCARDED: Final = "payout_batch.discarded"
DOWNLOADED: Final = "bank_file.downloaded"
LINK_TIME: Final = timedelta(minutes=2)
"""How long a link to a bank file works."""


@dataclass(frozen=True, slots=True)
class Part:
    """How many payouts of a batch are in one state, and their sum. Units: minor units of `currency`."""

    state: PayoutState
    currency: str
    count: int
    total_minor: int


async def page_of_batches(tools: Tools, viewer: Viewer, only: BatchFilter, args: PageArgs, scope: str) -> Page[Batch]:
    """A page of batches, newest first.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not read finances.
    """
    viewer.require(Scope.FINANCE_READ)
    found = await tools.store.read(lambda tx: batches.list_of_page(tx, args, only))
    return pages.cut(found, args, scope=scope, key_of=lambda batch: (batch.id,))


async def page_of_files(tools: Tools, viewer: Viewer, only: FileFilter, args: PageArgs, scope: str) -> Page[BankFile]:
    """A page of bank files, newest first.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not read finances.
    """
    viewer.require(Scope.FINANCE_READ)
    found = await tools.store.read(lambda tx: bank_files.list_of_page(tx, args, only))
    return pages.cut(found, args, scope=scope, key_of=lambda file: (file.id,))


async def batches_by_id(tools: Tools, viewer: Viewer, batch_ids: Sequence[str]) -> list[Batch | None]:
    """Batches by id, None where there is none for this viewer."""
    if not viewer.has(Scope.FINANCE_READ):
        return [None for _ in batch_ids]
    found = await tools.store.read(lambda tx: batches.find_many(tx, batch_ids))
    return [found.get(batch_id) for batch_id in batch_ids]


async def files_by_id(tools: Tools, viewer: Viewer, file_ids: Sequence[str]) -> list[BankFile | None]:
    """Bank files by id, None where there is none for this viewer."""
    if not viewer.has(Scope.FINANCE_READ):
        return [None for _ in file_ids]
    return await tools.store.read(lambda tx: bank_files.list_of(tx, file_ids))


async def files_of(tools: Tools, viewer: Viewer, batch_ids: Sequence[str]) -> list[list[BankFile]]:
    """The files of each batch, the oldest first."""
    viewer.require(Scope.FINANCE_READ)
    found = await tools.store.read(lambda tx: bank_files.list_of_batches(tx, batch_ids))
    return [found[batch_id] for batch_id in batch_ids]


async def parts_of(tools: Tools, viewer: Viewer, batch_ids: Sequence[str]) -> list[list[Part]]:
    """For each batch, how its payouts stand."""
    viewer.require(Scope.FINANCE_READ)
    found = await tools.store.read(lambda tx: rails.states_of_batches(tx, batch_ids))
    return [[Part(*row) for row in found[batch_id]] for batch_id in batch_ids]


async def hand_over(tools: Tools, viewer: Viewer, asked: Request, batch_id: str) -> Done[Batch]:
    """Says that the files of a batch were given to the bank; from now on its answer is waited for.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances.
        NotFoundError: there is no such batch.
        ValidationError: the text is no batch's id, it has no files, it was handed over or discarded before, or earnings
            of it went back since its files were written.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    viewer.require(Scope.FINANCE_MANAGE)
    ids.parse(ids.BATCH, batch_id, path=("input", "batchId"))

    def work(tx: Tx) -> Batch:
        group = payouts.list_of_batch(tx, batch_id)  # held before their batch, as everybody takes them
        batch = batches.get(tx, batch_id, to_change=True)
        ended_at = [each.closed_at for each in group]
        after = rules.handed_over(batch, by=viewer.principal, now=tx.now, ended_at=ended_at)
        batches.save(tx, after)
        rails.await_bank(tx, after)
        apply.note(tools, tx, batch.id, HANDED_OVER, {"by": viewer.principal, "instance": batch.instance})
        return after

    return await once(tools, asked, work, batches.get)


async def discard(tools: Tools, viewer: Viewer, asked: Request, batch_id: str) -> Done[Batch]:
    """Says that the files of a batch will not go to the bank, or were refused there before it took them.

    No earnings go back by that: somebody may have given the file away all the same. Its payouts are unknown from now
    on, for two people to settle with evidence, and what the bank says of them still counts.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances.
        NotFoundError: there is no such batch.
        ValidationError: the text is no batch's id, it has no files, it was discarded before, or the bank has spoken.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    viewer.require(Scope.FINANCE_MANAGE)
    ids.parse(ids.BATCH, batch_id, path=("input", "batchId"))

    def work(tx: Tx) -> Batch:
        group = payouts.list_of_batch(tx, batch_id)
        before = batches.get(tx, batch_id, to_change=True)
        after = rules.discarded(before)
        batches.save(tx, after)
        for payout in group:
            if payout.state is PayoutState.SUBMITTING:
                doubted = apply.keep(tools, tx, payout, Seen(payout_rules.doubted(payout, now=tx.now)))
                apply.look_again(tx, doubted, after, looks=0, return_window=timedelta())
        body = {"by": viewer.principal, "instance": after.instance, "previous": before.state.value}
        apply.note(tools, tx, after.id, DISCARDED, body)
        return after

    return await once(tools, asked, work, batches.get)


def link_of(tools: Tools, viewer: Viewer, file: BankFile) -> Link | None:
    """Where this viewer may fetch a file, for a short time; None for those who only read."""
    if not viewer.has(Scope.FINANCE_MANAGE):
        return None
    return tools.links.bank_file(file.id, viewer, expires_at=tools.clock() + LINK_TIME)


async def download(tools: Tools, file_id: str, token: str | None) -> Content:
    """A file and its bytes, for whoever holds a link; that they were fetched, and by whom, stays in the journal.

    Raises:
        ForbiddenError: the link is not valid or has expired.
        NotFoundError: there is no such file.
    """
    who = tools.links.require_bank_file(file_id, token, now=tools.clock())
    if ids.prefix_of(file_id) is None:
        raise errors.NotFoundError("There is no such file.")

    def work(tx: Tx) -> Content:
        file = bank_files.get(tx, file_id)
        apply.note(tools, tx, file.id, DOWNLOADED, {"by": who, "sha256": file.sha256.hex()})
        return bank_files.read(tx, file_id)

    return await tools.store.write(work)
