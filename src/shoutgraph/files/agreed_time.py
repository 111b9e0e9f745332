"""The last moment at which the time of this machine was agreed to, in a file that outlives the process."""

import functools
import secrets
import time
from datetime import timedelta
from pathlib import Path
from typing import Final

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from shoutgraph.domain import clock
from shoutgraph.domain.jumps import Counted, Moment
from shoutgraph.files import key_files

NAME: Final = "agreed-time"
BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
NAME_BYTES: Final = 16
NS_OF_MICROSECOND: Final = 1_000


class _Text(BaseModel):
    """What the file holds. Units: microseconds."""

    model_config = ConfigDict(extra="forbid", strict=True)

    at: int
    since_boot: int
    boot: str


class AgreedTime:
    """One file, replaced whole; the processes of a folder share it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME

    def read(self) -> Moment | None:
        """The moment, or None where there is none that can be read."""
        try:
            text = _Text.model_validate(orjson.loads(self._path.read_bytes()))
        except (FileNotFoundError, orjson.JSONDecodeError, ValidationError):
            return None
        return Moment(clock.from_micros(text.at), Counted(timedelta(microseconds=text.since_boot), text.boot))

    def write(self, moment: Moment) -> None:
        """Keeps a moment instead of the one before."""
        text = _Text(
            at=clock.to_micros(moment.at),
            since_boot=moment.counted.since_boot // clock.MICROSECOND,
            boot=moment.counted.boot,
        )
        key_files.write_over(self._path, orjson.dumps(text.model_dump()))


def counted() -> Counted:
    """How long this machine has run, asleep or awake, and since which start of it."""
    clock_id = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # elsewhere the monotonic one counts sleep
    micros = time.clock_gettime_ns(clock_id) // NS_OF_MICROSECOND
    return Counted(timedelta(microseconds=micros), _boot())


@functools.cache
def _boot() -> str:
    """The name of the machine's start; where it has none, one of this process, which no other one shares."""
    return BOOT.read_text().strip() if BOOT.is_file() else secrets.token_hex(NAME_BYTES)
