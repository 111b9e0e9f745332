"""What the kit says of a behaviour: passed, failed with a sentence, or skipped with a reason."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from shoutgraph.testkit.upstreams import NotSupported


class Broken(AssertionError):  # noqa: N818 -- the verdict
    """The plugin does not do what the host relies on."""


class Skipped(Exception):  # noqa: N818 -- the verdict
    """The plugin declares that it has no such thing."""


class Status(StrEnum):
    """How a behaviour came out."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one behaviour came out. `notes` says which parts of it do not apply."""

    id: str
    status: Status
    detail: str = ""
    notes: Sequence[str] = ()


def require(met: object, sentence: str) -> None:
    """States what must be so.

    Raises:
        Broken: it is not.
    """
    if not met:
        raise Broken(sentence)


def declared(met: object, reason: str) -> None:
    """Goes on only where the plugin declares something.

    Raises:
        Skipped: it does not.
    """
    if not met:
        raise Skipped(reason)


@contextmanager
def where_supported(notes: list[str]) -> Iterator[None]:
    """Leaves out a part that the provider has no such thing for, and takes a note of it."""
    try:
        yield
    except NotSupported as missing:
        notes.append(str(missing))
