"""The process that looks at a video: from standard input, with limits that the kernel keeps.

It decodes key frames only, as many as a limit says, and counts those that are black.
"""

import importlib
import io
import json
import pkgutil
import resource
import sys
from itertools import islice
from typing import Final

import av

CPU_S: Final = 20
MEMORY_BYTES: Final = 1_536 * 1024**2
STANDARD_FILES_COUNT: Final = 3
FRAMES_MAX: Final = 300
SIDE_PX: Final = 32
BLACK: Final = 24
"""Frames whose mean brightness is below this are black. Units: of 255."""


def main() -> int:
    """Looks at standard input and writes what it saw to standard output."""
    for found in pkgutil.walk_packages(av.__path__, "av."):
        if not found.name.startswith("av.__"):
            importlib.import_module(found.name)  # later it could not be opened any more
    for limit, value in (
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, STANDARD_FILES_COUNT),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    with io.FileIO(0, closefd=False) as file:
        frames, black = count(file)
    if frames == 0:
        return 1
    sys.stdout.write(json.dumps({"frames": frames, "black": black}))
    return 0


def count(file: io.RawIOBase) -> tuple[int, int]:
    """The key frames of a video, and how many of them are black."""
    frames = black = 0
    with av.open(file, "r") as container:
        picture = container.streams.video[0]
        picture.codec_context.skip_frame = "NONKEY"
        for frame in islice(container.decode(picture), FRAMES_MAX):
            small = bytes(frame.reformat(SIDE_PX, SIDE_PX, format="gray").planes[0])
            frames += 1
            black += sum(small) < BLACK * len(small)
    return frames, black


if __name__ == "__main__":
    sys.exit(main())
