"""The inspector: a process of its own that reads one untrusted video from standard input and says what is in it.

It gives up every way to open files, sockets or processes before it reads the first byte: the kernel refuses them by
resource limits, whatever a file makes a decoder do. One JSON object comes out on standard output. Start it by
`files.video`, never with a path. Source: docs/adr/0010-media.md.
"""

import importlib
import io
import pkgutil
import resource
import sys
from typing import Final

import av

from shoutgraph.domain import errors, media
from shoutgraph.files import attached, examine, verdicts

CPU_S: Final = 20
CPU_GRACE_S: Final = 2
"""Between the signal that says why and the one that always ends a process."""
MEMORY_BYTES: Final = 1_536 * 1024**2
STANDARD_FILES_COUNT: Final = 3


def main() -> int:
    """Inspects standard input and writes the verdict to standard output."""
    _import_everything()
    _confine()
    out = sys.stdout.buffer
    out.write(verdicts.READY_LINE)
    out.flush()
    with io.FileIO(0, closefd=False) as file:
        out.write(answer_about(file, attachment=verdicts.ATTACHMENT in sys.argv[1:]))
    out.flush()
    return 0


def answer_about(file: io.RawIOBase, *, attachment: bool = False) -> bytes:
    """The verdict on a file, whatever is in it."""
    try:
        return verdicts.write(*(attached.examine_any(file) if attachment else examine.examine(file)))
    except errors.MediaRejectedError as refusal:
        code, msg = refusal.code, refusal.message
    except MemoryError:
        code, msg = media.RejectionCode.TOO_DEMANDING, "Playing this file takes too much memory."
    except (av.FFmpegError, ValueError, OverflowError):
        code, msg = media.RejectionCode.NOT_PLAYABLE, "This file cannot be played: its content is broken."
    return verdicts.write_rejection(code, msg)


def _import_everything() -> None:
    """PyAV imports parts of itself when a file needs them, which is too late once files cannot be opened."""
    for found in pkgutil.walk_packages(av.__path__, "av."):
        if not found.name.startswith("av.__"):
            importlib.import_module(found.name)


def _confine() -> None:
    """No further file, socket, process or byte on disk; bounded memory and time."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S + CPU_GRACE_S))
    for limit, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, STANDARD_FILES_COUNT),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (most, most))


if __name__ == "__main__":
    sys.exit(main())
