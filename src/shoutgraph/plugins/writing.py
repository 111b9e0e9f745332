"""Writes a new plugin: a complete small one for a vendor called Acme, under another name.

The template is that plugin as it is, file by file with `.tmpl` behind the names; writing one replaces a word. So it
can be read, linted and tested like any other plugin.
"""

import keyword
import re
from collections.abc import Iterator
from enum import StrEnum
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

SUFFIX: Final = ".tmpl"
COMMON: Final = "common"
DEPTH_MAX: Final = 8
NAME: Final = re.compile("[a-z][a-z0-9]*(-[a-z0-9]+)*")
NAME_CHARS_MAX: Final = 40


class Kind(StrEnum):
    """What a new plugin does."""

    TOPUP = "topup"
    PAYOUT = "payout"
    REDEEM = "redeem"


class WritingError(ValueError):
    """A plugin of this name cannot be written there."""


def write(name: str, kind: Kind, folder: Path) -> list[Path]:
    """Writes `shoutgraph-<name>` into a folder that is not there yet; gives its files.

    Raises:
        WritingError: the name is none, or the folder is there already.
    """
    if not NAME.fullmatch(name) or len(name) > NAME_CHARS_MAX or keyword.iskeyword(name):
        raise WritingError(f"a plugin's name reads {NAME.pattern}, with at most {NAME_CHARS_MAX} characters")
    if folder.exists():
        raise WritingError(f"{folder} is there already")
    written = []
    for path, text in sorted(files(kind)):
        target = folder / _named(path, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_named(text, name), encoding="utf-8")
        written.append(target)
    return written


def files(kind: Kind) -> Iterator[tuple[str, str]]:
    """The files of the template, as they are for Acme."""
    root = resources.files("shoutgraph.plugins") / "template"
    for part in (COMMON, kind.value):
        yield from _files(root / part, "", 0)


def _files(folder: Traversable, path: str, depth: int) -> Iterator[tuple[str, str]]:
    assert depth <= DEPTH_MAX, "the template is a few folders deep"
    for each in folder.iterdir():
        if each.is_dir():
            yield from _files(each, f"{path}{each.name}/", depth + 1)
        elif each.name.endswith(SUFFIX):
            yield path + each.name.removesuffix(SUFFIX), each.read_text(encoding="utf-8")


def _named(text: str, name: str) -> str:
    words = name.split("-")
    module, camel = "_".join(words), "".join(word.capitalize() for word in words)
    text = text.replace("shoutgraph_acme", f"shoutgraph_{module}")
    text = re.sub(r"\bAcme's", " ".join(word.capitalize() for word in words) + "'s", text)
    text = re.sub(r"\bAcme\b", " ".join(word.capitalize() for word in words), text)
    return text.replace("ACME", module.upper()).replace("Acme", camel).replace("acme", name)
