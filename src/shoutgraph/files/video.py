"""Asks the inspector about one file: starts it confined, waits a bounded time, reads a bounded answer."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path
from typing import Final

from shoutgraph.domain import errors, media
from shoutgraph.files import verdicts
from shoutgraph.files.store import InspectionError

INSPECTOR: Final = "shoutgraph.files.inspector"
WALL_S: Final = 60
"""The inspector's own limit is CPU time; this one holds when it waits."""
KEPT_ENVIRONMENT: Final = ("PYTHONPATH", "LD_LIBRARY_PATH")
"""No secret of the server reaches a process that reads strangers' files."""

FILE_TO_BLAME: Final = frozenset({signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE, signal.SIGILL})


async def inspect(path: Path, *words: str) -> verdicts.Inspection:
    """Measures the video at `path` in a process of its own; `words` say what else it may be.

    Raises:
        MediaRejectedError: it is no video, is not accepted, does not play, or asks for too much.
        InspectionError: the inspector itself failed.
    """
    with await asyncio.to_thread(path.open, "rb") as file:
        size_bytes = os.fstat(file.fileno()).st_size
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", INSPECTOR, *words),
            stdin=file,
            stdout=PIPE,
            stderr=DEVNULL,
            env={name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ},
            start_new_session=True,
        )
    try:
        async with asyncio.timeout(WALL_S):
            answer = await _answer_of(process)
            status = await process.wait()
    except TimeoutError:
        msg = f"Playing this file takes more than {WALL_S} s."
        raise errors.MediaRejectedError(msg, code=media.RejectionCode.TOO_DEMANDING) from None
    finally:
        await _end(process)
    return _read(answer, status, size_bytes=size_bytes)


async def _answer_of(process: Process) -> bytes:
    assert process.stdout is not None, "standard output is a pipe"
    answer = bytearray()
    while len(answer) <= verdicts.ANSWER_BYTES_MAX and (data := await process.stdout.read(verdicts.ANSWER_BYTES_MAX)):
        answer += data
    return bytes(answer)


async def _end(process: Process) -> None:
    """Leaves no process behind, also when the waiting task is cancelled."""
    if process.returncode is None:
        process.kill()
        await process.wait()


def _read(answer: bytes, status: int, *, size_bytes: int) -> verdicts.Inspection:
    """Makes the verdict of the answer, or of the way the inspector ended.

    Raises:
        MediaRejectedError: the inspector refused the file, or the file ended the inspector.
        InspectionError: the inspector ended for another reason.
    """
    began = answer.startswith(verdicts.READY_LINE)
    if status == -signal.SIGXCPU:
        msg = "Playing this file takes too much computing."
        raise errors.MediaRejectedError(msg, code=media.RejectionCode.TOO_DEMANDING)
    if began and -status in FILE_TO_BLAME:
        msg = "This file cannot be played: a decoder gave up on it."
        raise errors.MediaRejectedError(msg, code=media.RejectionCode.NOT_PLAYABLE)
    if status != 0 or not began:
        raise InspectionError(f"the inspector ended with status {status}")
    return verdicts.read(answer[len(verdicts.READY_LINE) :], size_bytes=size_bytes)
