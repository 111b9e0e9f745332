"""A disk that fails: what SQLite wrote since the last fsync may be lost, torn or reordered, in any combination.

The disk is a VFS of apsw. It keeps every call in a log, so that one life of a database can be cut at any of its calls,
many times over. At a cut, each 512-byte sector of each write that no fsync covered is kept or lost on its own, and so
is each entry of the directory: what was created, deleted or cut short. What a kept write does not touch keeps its bytes
(SQLite's "powersafe overwrite", which its unix VFS assumes too); where a file had grown and the sector is lost, there
are zeros, or noise.

It can also be full, refuse to write, or fail to sync: then some of what was unsynced is kept, the rest never will be,
and a later fsync that succeeds says nothing about it.
"""

import itertools
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Self

import apsw

SECTOR_BYTES: Final = 512
UNIX_SECTOR_BYTES: Final = 4_096
UNIX_PROMISES: Final = apsw.SQLITE_IOCAP_POWERSAFE_OVERWRITE | apsw.SQLITE_IOCAP_SUBPAGE_READ
"""What SQLite's own unix VFS says of a file system."""

LOGS: Final = apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL
"""Files whose first fsync makes their entry in the directory durable too, as the unix VFS does it."""

_NUMBERS: Final = itertools.count()


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes at a place in a file; no bytes cut the file short there."""

    file: int
    at: int
    data: bytes | None


@dataclass(frozen=True, slots=True)
class Sync:
    """All of a file is durable, and the directory too where `directory` is on; or it failed."""

    file: int
    directory: bool
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """The directory names a file, or nothing, and is durable where `directory` is on."""

    name: str
    file: int | None
    directory: bool = False


Call = Write | Sync | Entry


@dataclass(frozen=True, slots=True)
class Weather:
    """How likely what was not synced is kept: for a whole write, and then for each sector of one."""

    write: float
    sector: float
    noise: bool
    in_order: bool
    """Whether a file keeps its writes from the first one on, and loses the rest."""

    @classmethod
    def of(cls, chance: random.Random) -> Self:
        """One of the many ways in which a disk can fail."""
        return cls(
            write=chance.choice((0.0, 0.1, 0.5, 0.5, 0.9, 1.0)),
            sector=chance.choice((0.1, 0.5, 0.9, 1.0, 1.0)),
            noise=chance.random() < 0.3,
            in_order=chance.random() < 0.2,
        )


@dataclass(frozen=True, slots=True)
class Cut:
    """The power failed after so many calls: the files that are found then, and where something was not yet durable."""

    place: int
    files: dict[str, bytes]
    hit: frozenset[str]


@dataclass
class Surface:
    """What is durable after some of the calls, and what is not yet."""

    files: dict[int, bytearray]
    names: dict[str, int]
    chance: random.Random
    unsynced: dict[int, list[Write]] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)

    def play(self, call: Call) -> None:
        """Takes one call of the log."""
        match call:
            case Write():
                self.unsynced.setdefault(call.file, []).append(call)
            case Sync(failed=True):
                self.files[call.file] = self._content(call.file, Weather.of(self.chance))
                self.unsynced.pop(call.file, None)
            case Sync():
                content = self.files.setdefault(call.file, bytearray())
                for write in self.unsynced.pop(call.file, ()):
                    put(content, write.at, write.data)
                if call.directory:
                    self.settle()
            case Entry():
                self.entries.append(call)
                if call.directory:
                    self.settle()

    def settle(self) -> None:
        """Makes the directory durable."""
        for entry in self.entries:
            name_it(self.names, entry)
        self.entries = []

    @property
    def hit(self) -> frozenset[str]:
        """The names of files with writes that are not yet durable; an empty one for the directory."""
        names = {file: name for name, file in self.names.items()}
        names |= {entry.file: entry.name for entry in self.entries if entry.file is not None}
        return frozenset({names[file] for file in self.unsynced if file in names} | ({""} if self.entries else set()))

    def left(self) -> dict[str, bytes]:
        """The files that somebody finds who turns the power on again, this time."""
        names, weather = dict(self.names), Weather.of(self.chance)
        for entry in self.entries:
            if self.chance.random() < weather.write:
                name_it(names, entry)
        return {name: bytes(self._content(file, weather)) for name, file in sorted(names.items())}

    def _content(self, file: int, weather: Weather) -> bytearray:
        content, chance = bytearray(self.files.get(file, b"")), self.chance
        for write in self._kept(self.unsynced.get(file, []), chance, weather):
            if write.data is None:
                put(content, write.at, None)
                continue
            for start, data in sectors(write.at, write.data):
                if start + len(data) > len(content) and weather.noise:
                    put(content, start, chance.randbytes(len(data)))
                if chance.random() < weather.sector:
                    put(content, start, data)
        return content

    @staticmethod
    def _kept(writes: list[Write], chance: random.Random, weather: Weather) -> Iterable[Write]:
        if weather.in_order:
            return writes[: chance.randint(0, len(writes))]
        return [write for write in writes if chance.random() < weather.write]


def put(content: bytearray, at: int, data: bytes | None) -> None:
    """Writes into a file, with zeros where nothing was; or cuts it short."""
    if data is None:
        del content[at:]
        return
    if len(content) < at:
        content.extend(bytes(at - len(content)))
    content[at : at + len(data)] = data


def name_it(names: dict[str, int], entry: Entry) -> None:
    """Changes a directory."""
    if entry.file is None:
        names.pop(entry.name, None)
    else:
        names[entry.name] = entry.file


def sectors(at: int, data: bytes) -> Iterator[tuple[int, bytes]]:
    """The parts of a write that a disk writes on their own."""
    start = 0
    while start < len(data):
        end = min(len(data), start + SECTOR_BYTES - (at + start) % SECTOR_BYTES)
        yield at + start, data[start:end]
        start = end


class Trouble(Enum):
    """What a disk cannot do now."""

    NONE = "it works"
    FULL = "it takes no more than fits"
    WRITE = "it fails to write"
    SYNC = "it fails to sync"


class Disk:
    """A disk with some files on it, for one life of a database."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.log: list[Call] = []
        self.trouble = Trouble.NONE
        self.capacity_bytes = 0
        """How much fits on it while that is its trouble."""
        self.lies = False
        """Whether it says that what it was told to sync is durable, and does nothing."""
        self.names = {name: number for number, name in enumerate(files)}
        self.files = {number: bytearray(files[name]) for name, number in self.names.items()}
        self.began: Final = (dict(self.names), {number: bytes(content) for number, content in self.files.items()})
        self._system = _System(self)

    @property
    def vfs(self) -> str:
        """The name under which SQLite finds it."""
        return self._system.name

    def cuts(self, places: Iterable[int], chance: random.Random) -> Iterator[Cut]:
        """Cuts the power after so many calls, for each of these numbers."""
        names, files = self.began
        surface = Surface({number: bytearray(content) for number, content in files.items()}, dict(names), chance)
        done = 0
        for place in sorted(places):
            for call in self.log[done:place]:
                surface.play(call)
            done = place
            yield Cut(place, surface.left(), surface.hit)

    def write(self, file: int, at: int, data: bytes) -> None:
        """Writes what fits.

        Raises:
            FullError: not all of it did.
            IOError: it cannot write.
        """
        if self.trouble is Trouble.WRITE:
            raise apsw.IOError("the disk cannot write")
        fits = data[: self._room(file, at, len(data))]
        put(self.files[file], at, fits)
        self.log.append(Write(file, at, fits))
        if len(fits) < len(data):
            raise apsw.FullError("the disk is full")

    def _room(self, file: int, at: int, wanted: int) -> int:
        if self.trouble is not Trouble.FULL:
            return wanted
        others = self.used_bytes - len(self.files[file])
        return min(wanted, max(len(self.files[file]) - at, self.capacity_bytes - others - at, 0))

    @property
    def used_bytes(self) -> int:
        """How much lies on it."""
        return sum(len(self.files[number]) for number in self.names.values())

    def truncate(self, file: int, size: int) -> None:
        """Cuts a file short."""
        put(self.files[file], size, None)
        self.log.append(Write(file, size, None))

    def sync(self, file: int, *, directory: bool) -> None:
        """Makes a file durable.

        Raises:
            IOError: nobody knows what of it is.
        """
        if self.trouble is Trouble.SYNC:
            self.log.append(Sync(file, directory=False, failed=True))
            raise apsw.IOError("the disk cannot sync")
        if not self.lies:
            self.log.append(Sync(file, directory))

    def find(self, name: str, *, create: bool) -> int:
        """The file of this name; a new one where there is none."""
        if name not in self.names and create:
            number = self.names[name] = len(self.files)
            self.files[number] = bytearray()
            self.log.append(Entry(name, number))
        return self.names[name]

    def delete(self, name: str, *, directory: bool) -> None:
        """Removes a name."""
        del self.names[name]
        self.log.append(Entry(name, None, directory and not self.lies))

    def remove(self) -> None:
        """Takes the disk out of the machine."""
        self._system.unregister()


class _System(apsw.VFS):  # type: ignore[misc]
    """SQLite's view of the disk."""

    def __init__(self, disk: Disk) -> None:
        self.name = f"disk-{next(_NUMBERS)}"
        self._disk = disk
        super().__init__(self.name, "")

    def xOpen(self, name: Any, flags: list[int]) -> "_File":  # noqa: N802 - SQLite's word
        assert name is not None, "what is temporary stays in memory"
        path = name if isinstance(name, str) else name.filename()
        create = bool(flags[0] & apsw.SQLITE_OPEN_CREATE)
        if not create and path not in self._disk.names:
            raise apsw.CantOpenError(path)
        fresh = path not in self._disk.names
        return _File(self._disk, self._disk.find(path, create=create), log=fresh and bool(flags[0] & LOGS))

    def xDelete(self, name: str, sync: bool) -> None:  # noqa: FBT001, N802
        if name not in self._disk.names:
            raise apsw.IOError(name)
        self._disk.delete(name, directory=sync)

    def xAccess(self, name: str, _flags: int) -> bool:  # noqa: N802
        return name in self._disk.names

    def xFullPathname(self, name: str) -> str:  # noqa: N802
        return name


class _File:
    """An open file of the disk."""

    def __init__(self, disk: Disk, number: int, *, log: bool) -> None:
        self._disk = disk
        self._number = number
        self._fresh_log = log

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        return bytes(self._disk.files[self._number][offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._disk.write(self._number, offset, bytes(data))

    def xTruncate(self, size: int) -> None:  # noqa: N802
        self._disk.truncate(self._number, size)

    def xSync(self, _flags: int) -> None:  # noqa: N802
        self._disk.sync(self._number, directory=self._fresh_log)
        self._fresh_log = False

    def xFileSize(self) -> int:  # noqa: N802
        return len(self._disk.files[self._number])

    def xClose(self) -> None:  # noqa: N802
        """Nothing: the disk keeps the file."""

    def xLock(self, level: int) -> None:  # noqa: N802
        """Nothing: nobody else is here."""

    def xUnlock(self, level: int) -> None:  # noqa: N802
        """Nothing: nobody else is here."""

    def xCheckReservedLock(self) -> bool:  # noqa: N802
        return False

    def xFileControl(self, _op: int, _pointer: int) -> bool:  # noqa: N802
        return False

    def xSectorSize(self) -> int:  # noqa: N802
        return UNIX_SECTOR_BYTES

    def xDeviceCharacteristics(self) -> int:  # noqa: N802
        return UNIX_PROMISES
