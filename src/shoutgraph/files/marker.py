"""The marker: a process of its own that reads one video from standard input and writes a copy with words drawn into it.

The copy goes to a file that it is handed open, by number; the original is open for reading only. Like the inspector it
gives up every way to open files, sockets or processes before it reads the first byte. One JSON object comes out on
standard output. Start it by `files.marking`. Source: docs/adr/0021-authenticity.md.
"""

import base64
import importlib
import io
import json
import os
import pkgutil
import resource
import sys
from typing import Final

import av

from shoutgraph.domain import errors
from shoutgraph.files import verdicts, watermark

CPU_S: Final = 900
"""Enough for the longest video that an offer can promise."""
CPU_GRACE_S: Final = 2
MEMORY_BYTES: Final = 1_536 * 1024**2
COPY_BYTES_MAX: Final = 1024**3
STANDARD_FILES_COUNT: Final = 3
NICENESS: Final = 10
"""Nobody waits for a copy: whoever serves goes first."""


def main(number: str, words: list[str]) -> int:
    """Draws into standard input and writes the answer to standard output.

    Args:
        number: of the open file that takes the copy.
        words: the lines to draw.
    """
    _import_everything()
    confine()
    out = sys.stdout.buffer
    out.write(verdicts.READY_LINE)
    out.flush()
    with io.FileIO(0, closefd=False) as file, io.FileIO(int(number), "r+", closefd=False) as copy:
        out.write(json.dumps(answer_about(file, copy, words)).encode())
    out.flush()
    return 0


def answer_about(file: io.RawIOBase, copy: io.RawIOBase, words: list[str]) -> dict[str, str]:
    """The poster of the copy, or why there is none."""
    try:
        return {"poster": base64.b64encode(watermark.mark(file, copy, words)).decode()}
    except (watermark.UnmarkableError, errors.MediaRejectedError) as refusal:
        return {"fault": str(refusal)}
    except MemoryError:
        return {"fault": "it takes too much memory"}
    except (av.FFmpegError, ValueError, OverflowError, OSError) as error:
        return {"fault": f"{type(error).__name__}: its content is broken, or the copy is too large"}


def confine() -> None:
    """No further file, socket or process; bounded memory and time, and a bounded copy."""
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S + CPU_GRACE_S))
    for limit, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, COPY_BYTES_MAX),
        (resource.RLIMIT_NOFILE, STANDARD_FILES_COUNT),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (most, most))


def _import_everything() -> None:
    """PyAV imports parts of itself when a file needs them, which is too late once files cannot be opened."""
    for found in pkgutil.walk_packages(av.__path__, "av."):
        if not found.name.startswith("av.__"):
            importlib.import_module(found.name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
