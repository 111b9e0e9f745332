"""The plugins that an operator has switched off: a small file in the data folder, read by every process at its start.

It is beside the configuration, so that a plugin can be stopped at once, without a change of what is deployed; and in
the data folder, which all processes of a deployment share.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

FILE: Final = "disabled-plugins.json"
NAMES_MAX: Final = 1000
FILE_BYTES_MAX: Final = 1_000_000


class SwitchesError(OSError):
    """The file cannot be read: which plugins may run is not for the loader to guess."""


def read(folder: Path) -> frozenset[str]:
    """The names of the entry points that are never imported.

    Raises:
        SwitchesError: the file is there, and is no list of names.
    """
    path = folder / FILE
    try:
        with path.open("rb") as file:
            names = json.loads(file.read(FILE_BYTES_MAX))
    except FileNotFoundError:
        return frozenset()
    except (OSError, ValueError, RecursionError) as error:
        raise SwitchesError(f"{path} cannot be read: {type(error).__name__}") from None
    if not isinstance(names, list) or len(names) > NAMES_MAX or not all(isinstance(each, str) for each in names):
        raise SwitchesError(f"{path} is not a list of names")
    return frozenset(names)


def write(folder: Path, names: Iterable[str]) -> None:
    """Replaces the file; a process that reads at the same time sees the one or the other."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    new = path.with_suffix(f".{os.getpid()}.new")
    with new.open("w", encoding="utf-8") as file:
        json.dump(sorted(names), file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
