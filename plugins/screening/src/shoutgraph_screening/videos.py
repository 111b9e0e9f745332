"""Videos: how long they are, and how much of them is black, measured by a process that can do nothing else."""

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shoutgraph.sdk import OrderVideo, Verdict
from shoutgraph_screening.rules import VideoRules

LOOK_TIMEOUT_S: Final = 40.0
ANSWER_BYTES_MAX: Final = 10_000
LOOKER: Final = Path(__file__).with_name("looker.py")
"""It is never imported here: the decoder belongs to the other process alone."""


class LookError(Exception):
    """The video could not be looked at: a person must."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen of a video."""

    frames: int
    black: int

    @property
    def black_share(self) -> float:
        """How much of it is black."""
        return self.black / self.frames


async def verdict(video: OrderVideo, rules: VideoRules | None) -> Verdict | None:
    """DENY sends a dark video back to its creator."""
    if rules is None:
        return None
    if video.duration_s < rules.duration_min_s:
        return Verdict.HOLD
    sight = await look(video.path)
    if sight.black_share > rules.black_share_max:
        return Verdict.DENY
    return Verdict.ALLOW if rules.passes else Verdict.HOLD


async def look(path: Path) -> Sight:
    """Looks at a file in a process of its own.

    Raises:
        LookError: it cannot be decoded, or takes too much time or memory.
    """
    with path.open("rb") as file:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            LOOKER,
            stdin=file,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    try:
        async with asyncio.timeout(LOOK_TIMEOUT_S):
            assert process.stdout is not None, "it was asked for"
            answer = await process.stdout.read(ANSWER_BYTES_MAX)
            status = await process.wait()
    except TimeoutError:
        raise LookError("looking takes too long") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if status != 0:
        raise LookError(f"the looker ended with {status}")
    told = json.loads(answer)
    return Sight(frames=int(told["frames"]), black=int(told["black"]))
