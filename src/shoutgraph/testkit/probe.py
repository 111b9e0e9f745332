"""Imports a plugin in a process of its own, and tells what the import did. Run as `python -m shoutgraph.testkit.probe`.

Input, as JSON: the entry point, the module that it names, the plugin's packages, and all other entry points. Output, as
JSON: whether it was imported while it was disabled, what it did, and how long the import took.
"""

import importlib
import json
import os
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, Final

from shoutgraph.plugins import loading

FRAMES_MAX: Final = 200
SPINS: Final = 300_000
SPIN_S: Final = 0.02
"""What the spins take on an ordinary machine. Units: seconds of CPU."""

_STDLIB: Final = sysconfig.get_paths()["stdlib"]
_NETWORK: Final = frozenset(
    {"socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto", "subprocess.Popen"}
)
_WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Environment(dict[str, str]):
    """The environment, which says who reads it."""

    def __init__(self, values: dict[str, str], seen: Callable[[str], None]) -> None:
        super().__init__(values)
        self._seen = seen

    def __getitem__(self, name: str) -> str:
        """A variable."""
        self._seen(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 -- as dict has it
        """A variable, or the default."""
        self._seen(name)
        return super().get(name, default)


class Witness:
    """Writes down what the import does: connections by anybody, files and the environment where the plugin did it."""

    def __init__(self, packages: tuple[str, ...]) -> None:
        self._packages = packages
        self.on = False
        self.seen: list[str] = []

    def audit(self, event: str, args: tuple[Any, ...]) -> None:
        """Sees an event of the interpreter."""
        if not self.on:
            return
        if event in _NETWORK:
            self.seen.append(f"{event} {args[-1] if args else ''}")
        elif event == "open" and str(args[0]) != os.devnull:
            writes = isinstance(args[2], int) and bool(args[2] & _WRITES)
            if writes or self._is_plugins():
                self.seen.append(f"{'wrote' if writes else 'read'} the file {args[0]}")

    def environ(self, name: str) -> None:
        """Sees a look at the environment."""
        if self.on and self._is_plugins():
            self.seen.append(f"read the environment variable {name}")

    def _is_plugins(self) -> bool:
        """Whether the plugin's own code is what caused it, rather than a library or the machinery of imports."""
        for frame in _frames():
            name, filename = str(frame.f_globals.get("__name__", "")), frame.f_code.co_filename
            if name == __name__ or (filename.startswith(_STDLIB) and "site-packages" not in filename):
                continue
            return name.startswith(self._packages)
        return False


def main() -> None:
    """Reads what to import, imports it, and says what happened."""
    wanted = json.load(sys.stdin)
    setup = loading.Setup(
        instances={}, environ={}, clock=_no_clock, monotonic=time.monotonic, disabled=frozenset(wanted["names"])
    )
    loading.load(setup)
    while_disabled = wanted["module"] in sys.modules
    witness = Witness(tuple(wanted["packages"]))
    sys.addaudithook(witness.audit)
    os.environ = Environment(dict(os.environ), witness.environ)  # type: ignore[assignment]  # noqa: B003 -- a witness
    slowness = max(1.0, _spin() / SPIN_S)
    started = time.process_time()
    witness.on = True
    importlib.import_module(wanted["module"])
    witness.on = False
    took_s = (time.process_time() - started) / slowness
    json.dump({"while_disabled": while_disabled, "seen": witness.seen, "took_s": took_s}, sys.stdout)


def _frames() -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 -- there is no other way to ask who calls
    for _ in range(FRAMES_MAX):
        if frame is None:
            return
        yield frame
        frame = frame.f_back


def _spin() -> float:
    started = time.process_time()
    total = 0
    for number in range(SPINS):
        total += number
    return time.process_time() - started


def _no_clock() -> Any:  # noqa: ANN401 -- never called
    raise RuntimeError("nobody asks for the time while nothing is configured")


if __name__ == "__main__":
    main()
