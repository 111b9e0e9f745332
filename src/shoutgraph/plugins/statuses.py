"""What became of each installed plugin and of each configured instance."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """The state of a plugin or of an instance."""

    ACTIVE = "active"
    DISABLED = "disabled"
    INCOMPATIBLE = "incompatible"
    IMPORT_ERROR = "import_error"
    INVALID = "invalid"
    MISCONFIGURED = "misconfigured"
    MISSING = "missing"


FINE: Final = frozenset({State.ACTIVE, State.DISABLED})
"""The states that nobody has to look at."""


@dataclass(frozen=True, slots=True)
class PluginStatus:
    """One entry point: where it comes from, what became of it, and the plugin keys that it offers."""

    name: str
    distribution: str
    version: str
    state: State
    detail: str = ""
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InstanceStatus:
    """One configured instance, and the hosts that it may speak to.

    `MISSING` says that no active plugin has the key which it names.
    """

    instance: str
    plugin: str
    state: State
    detail: str = ""
    hosts: tuple[str, ...] = ()


class PluginsBrokenError(Exception):
    """Strict loading found something that is not fine; the message names all of it."""
