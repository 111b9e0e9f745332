"""Exports: a person asks for a copy of what is kept about them, a job writes it, and it can be fetched for a while."""

import asyncio
import hashlib
import zipfile
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any, Final

import orjson

from shoutgraph.domain import clock, errors, ids, journal, privacy as rules
from shoutgraph.domain.privacy import Export, ExportState
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.files.links import Access, Link, export_path
from shoutgraph.files.store import FileKind
from shoutgraph.services.privacy import files
from shoutgraph.storage import journal as journal_rows, personal, policies, privacy, users
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once

CHANGED: Final = "export.changed"
LEASE: Final = timedelta(minutes=15)
"""How long one job may take before another one tries."""
LINK: Final = timedelta(minutes=10)
FILES_BYTES_MAX: Final = 2 * 1024**3
"""Videos beyond so many bytes are named in the archive, and watched through the API."""
READ_BYTES: Final = 256 * 1024
FORMAT: Final = 1
"""The version of the archive's form."""


@dataclass(frozen=True, slots=True)
class Archive:
    """A file that is being fetched. Units: bytes."""

    export: Export
    path: Path
    size_bytes: int


async def request(tools: Tools, viewer: Viewer, asked: Request) -> Done[Export]:
    """Asks for a copy of everything that is kept about the caller; one at a time.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person.
        LimitExceededError: one is being made already.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    user_id = viewer.require_user()

    def work(tx: Tx) -> Export:
        users.hold(tx, user_id)
        rules.check_underway(privacy.newest_export(tx, user_id))
        export = Export(tools.new_id(ids.EXPORT), user_id, ExportState.REQUESTED, tx.now, due_at=tx.now)
        privacy.insert_export(tx, export)
        _tell(tools, tx, export)
        return export

    return await once(tools, asked, work, privacy.get_export)


async def newest(tools: Tools, viewer: Viewer) -> Export | None:
    """The caller's last export, or None."""
    user_id = viewer.user_id
    return None if user_id is None else await tools.store.read(lambda tx: privacy.newest_export(tx, user_id))


async def list_visible(tools: Tools, viewer: Viewer, export_ids: list[str]) -> list[Export | None]:
    """Exports by id, None where it is not the caller's own: nobody else fetches one."""
    found = await tools.store.read(lambda tx: privacy.list_of_exports(tx, export_ids))
    return [each if each and each.user_id == viewer.user_id else None for each in found]


def link_of(tools: Tools, viewer: Viewer, export: Export) -> Link | None:
    """Where the caller fetches an export, for a short time; None while there is nothing to fetch."""
    if export.state is not ExportState.READY or export.expires_at is None or export.user_id != viewer.user_id:
        return None
    return tools.links.export(export.id, viewer, expires_at=min(export.expires_at, tools.clock() + LINK))


async def find(tools: Tools, export_id: str, token: str | None) -> Archive:
    """The archive behind a signed link.

    Raises:
        ForbiddenError: the link is not valid or has expired.
        NotFoundError: there is no such archive any more.
    """
    tools.links.require(Access.READ, export_path(export_id), token, now=tools.clock())
    export = await tools.store.read(lambda tx: privacy.get_export(tx, export_id))
    if export.state is not ExportState.READY or export.size_bytes is None:
        raise errors.NotFoundError("There is no such export any more.")
    return Archive(export, tools.files.archive_of(export.id), export.size_bytes)


async def read(archive: Archive) -> AsyncGenerator[bytes, None]:
    """The bytes of an archive, in chunks."""
    with await asyncio.to_thread(archive.path.open, "rb") as file:
        while chunk := await asyncio.to_thread(file.read, READ_BYTES):
            yield chunk


async def run_due(tools: Tools) -> int:
    """Makes the exports that were asked for and removes the files of those that have expired; says how many."""
    due = await tools.store.read(privacy.list_of_due_exports)
    for export in due:
        if export.state is ExportState.READY:
            await tools.files.delete_archive(export.id)
            await tools.store.write(partial(_expire, tools, export_id=export.id))
        elif (ours := await tools.store.write(partial(_take, tools, export=export))) is not None:
            await _make(tools, ours)
    return len(due)


async def write_for(tools: Tools, viewer: Viewer, user_id: str, path: Path) -> None:
    """Writes a copy of everything that is kept about somebody into a file, as an operator does who was asked.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not an administrator.
        NotFoundError: there is no such user.
        ValidationError: the text is no user's id.
    """
    viewer.require(Scope.ADMIN)
    who = ids.UserId(ids.parse(ids.USER, user_id, path=("userId",)))
    await tools.store.read(lambda tx: users.get(tx, who))
    await _write(tools, who, path)


def _take(tools: Tools, tx: Tx, *, export: Export) -> Export | None:
    """The export leased to this job, with one try fewer; None where another one has it."""
    now = privacy.get_export(tx, export.id)
    if now.due_at != export.due_at or now.state is not ExportState.REQUESTED:
        return None
    tried = rules.failed(now, now=tx.now)
    if tried.state is ExportState.FAILED:
        _keep(tools, tx, tried)
        return None
    taken = replace(tried, due_at=tx.now + LEASE)
    privacy.save_export(tx, taken)
    return taken


async def _make(tools: Tools, export: Export) -> None:
    path = tools.files.archive_of(export.id)
    half = path.with_name(f"{path.name}.{tools.new_id(ids.CALL)}")
    try:
        await _write(tools, export.user_id, half)
        digest = await asyncio.to_thread(_sha256, half)
        size_bytes = (await asyncio.to_thread(half.stat)).st_size
        await asyncio.to_thread(half.replace, path)
    finally:
        await asyncio.to_thread(half.unlink, missing_ok=True)

    def work(tx: Tx) -> None:
        now = privacy.get_export(tx, export.id)
        if now.due_at == export.due_at and now.state is ExportState.REQUESTED:
            policy = policies.current(tx)
            made = rules.ready(now, size_bytes=size_bytes, sha256=digest, policy=policy, now=tx.now)
            _keep(tools, tx, made)

    await tools.store.write(work)


async def _write(tools: Tools, user_id: ids.UserId, path: Path) -> None:
    """Everything of the database as of one moment, then the videos, as far as there is room."""
    at = await tools.store.read(partial(_write_rows, user_id=user_id, path=path))
    room, left = FILES_BYTES_MAX, list[str]()
    async for chunk in files.chunks(tools, user_id, shown=True):
        sizes = await tools.files.list_of_sizes(FileKind.VIDEO, chunk)
        for video_id, size in zip(chunk, sizes, strict=True):
            if size is not None and size <= room:
                source = tools.files.path_of(FileKind.VIDEO, video_id)
                await asyncio.to_thread(_add, path, source, f"files/{video_id}")
                room -= size
            elif size is not None:
                left.append(video_id)
    await asyncio.to_thread(_close, path, {"format": FORMAT, "user": user_id, "at": at, "filesLeftOut": left})


def _write_rows(tx: Tx, *, user_id: ids.UserId, path: Path) -> str:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in personal.tell(tx, user_id):
            _write_table(archive, f"{name}.jsonl", rows)
    return clock.to_text(tx.now)


def _write_table(archive: zipfile.ZipFile, name: str, rows: Iterator[Mapping[str, Any]]) -> None:
    first = next(rows, None)
    if first is None:
        return
    with archive.open(name, "w") as file:
        file.write(_line(first))
        for row in rows:
            file.write(_line(row))


def _line(row: Mapping[str, Any]) -> bytes:
    return orjson.dumps({name: _plain(value) for name, value in row.items()}) + b"\n"


def _plain(value: Any) -> Any:  # noqa: ANN401 - any value of a column
    if isinstance(value, datetime):
        return clock.to_text(value)
    if isinstance(value, Enum):
        return value.value
    return sorted(value) if isinstance(value, (set, frozenset)) else value


def _add(path: Path, source: Path, name: str) -> None:
    with zipfile.ZipFile(path, "a", zipfile.ZIP_STORED) as archive, suppress(FileNotFoundError):
        archive.write(source, name)  # unless it was discarded meanwhile


def _close(path: Path, about: Mapping[str, Any]) -> None:
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("this-copy.json", orjson.dumps(about))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _expire(tools: Tools, tx: Tx, *, export_id: str) -> None:
    export = privacy.get_export(tx, export_id)
    if export.state is ExportState.READY:
        _keep(tools, tx, rules.expired(export))


def _keep(tools: Tools, tx: Tx, export: Export) -> None:
    """Stores and tells what became of an export. Whoever does has read it, and so holds it."""
    privacy.save_export(tx, export)
    _tell(tools, tx, export)


def _tell(tools: Tools, tx: Tx, export: Export) -> None:
    body: journal.Body = {"user": export.user_id, "status": export.state.value}
    event = journal.NewEvent(id=tools.new_id(ids.EVENT), topic=export.id, type=CHANGED, body=body)
    journal_rows.append(tx, event)
