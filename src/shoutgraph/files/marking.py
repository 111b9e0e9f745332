"""Has the marker make a copy with a visible watermark: confined, in bounded time, kept whole or not at all."""

import asyncio
import base64
import hashlib
import json
import os
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shoutgraph.files import parts, verdicts
from shoutgraph.files.store import CopyFacts, InspectionError, MarkingError
from shoutgraph.files.video import KEPT_ENVIRONMENT

MARKER: Final = "shoutgraph.files.marker"
WALL_S: Final = 1_200
"""The marker's own limit is CPU time; this one holds when it waits."""
LINES_MAX: Final = 2
LINE_CHARS_MAX: Final = 32
DRAFT_SUFFIX: Final = ".draft"

_UNKNOWN: Final = re.compile(r"[^A-Za-z0-9@._!?'-]+", re.ASCII)
"""What has no letter of ours."""


@dataclass(frozen=True, slots=True)
class Marked:
    """What is known of the copy, and its poster as a JPEG."""

    facts: CopyFacts
    poster: bytes


async def mark(source: Path, target: Path, words: Sequence[str]) -> Marked:
    """Makes a copy of the video at `source` with these lines drawn into it; `target` is there whole, or not at all.

    Raises:
        MarkingError: the file is gone, or nothing can be drawn into it within the limits.
        InspectionError: the marker itself failed; another attempt may succeed.
    """
    assert 0 < len(words) <= LINES_MAX, "a watermark has a line or two"
    draft = target.with_name(target.name + DRAFT_SUFFIX)
    try:
        answer = await _run(source, draft, words)
        if "fault" in answer:
            raise MarkingError(answer["fault"])
        facts = await asyncio.to_thread(_keep, draft, target)
    finally:
        await asyncio.to_thread(draft.unlink, missing_ok=True)
    return Marked(facts, base64.b64decode(answer["poster"]))


def words_of(name: str, handle: str) -> tuple[str, ...]:
    """What is drawn: whose platform it is, and who films."""
    lines = (_UNKNOWN.sub(" ", line).strip()[:LINE_CHARS_MAX] for line in (name, f"@{handle}" if handle else ""))
    return tuple(line for line in lines if line) or ("*",)


async def _run(source: Path, draft: Path, words: Sequence[str]) -> dict[str, str]:
    try:
        file = await asyncio.to_thread(source.open, "rb")
    except FileNotFoundError:
        raise MarkingError("the file is gone") from None
    with file:
        copy = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, parts.FILE_MODE)
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", MARKER, str(copy), *words),
                stdin=file,
                stdout=PIPE,
                stderr=DEVNULL,
                pass_fds=(copy,),
                env={name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ},
                start_new_session=True,
            )
        finally:
            os.close(copy)
    return await _answer_of(process)


async def _answer_of(process: Process) -> dict[str, str]:
    assert process.stdout is not None, "standard output is a pipe"
    answer = bytearray()
    try:
        async with asyncio.timeout(WALL_S):
            while len(answer) <= verdicts.ANSWER_BYTES_MAX and (
                data := await process.stdout.read(verdicts.ANSWER_BYTES_MAX)
            ):
                answer += data
            status = await process.wait()
    except TimeoutError:
        raise MarkingError(f"it takes more than {WALL_S} s") from None
    finally:
        if process.returncode is None:  # nothing stays behind, also when the waiting task is cancelled
            process.kill()
            await process.wait()
    if status < 0 and answer.startswith(verdicts.READY_LINE):
        raise MarkingError(f"signal {-status}: it takes too much computing, or a decoder gave up on it")
    if status != 0 or not answer.startswith(verdicts.READY_LINE):
        raise InspectionError(f"the marker ended with status {status}")
    said: dict[str, str] = json.loads(answer[len(verdicts.READY_LINE) :])
    return said


def _keep(draft: Path, target: Path) -> CopyFacts:
    """Makes a whole copy durable, under its name; gives its size and digest."""
    with draft.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
        size_bytes = os.fstat(file.fileno()).st_size
    draft.replace(target)
    parts.sync_folder(target.parent)
    return CopyFacts(digest, size_bytes)
