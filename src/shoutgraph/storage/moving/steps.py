"""Lines in suspense, whose guard lets them take one step at a time: each walks to where it stands."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from shoutgraph.domain.suspense import SuspenseState
from shoutgraph.storage.moving import tables
from shoutgraph.storage.moving.sides import Side

NAME: Final = "suspense_line"

_KEY: Final = "id"
_ALERTED: Final = "alerted_at"
_BORN: Final = tables.BORN[NAME]
_STEPPING: Final = tuple(name for name in _BORN if name != _ALERTED)
_PROPOSAL: Final[Mapping[str, object]] = {"account": "-", "reason": "-", "proposed_by": "-", "proposed_at": 0}
"""What was proposed and rejected is not kept; something was."""


def walk(old: Side, new: Side) -> None:
    """Lets lines that were just written take every step that they took."""
    table = tables.named(NAME)
    alert, step = tables.update(table, [_ALERTED]), tables.update(table, _STEPPING)
    for chunk in tables.chunks(old.tx.each(tables.select(table, [_KEY, *_BORN]))):
        lines: list[dict[str, Any]] = [dict(zip((_KEY, *_BORN), row, strict=True)) for row in chunk]
        called = [{"of": line[_KEY], f"to_{_ALERTED}": line[_ALERTED]} for line in lines if line[_ALERTED] is not None]
        if called:
            new.tx.many(alert, called)
        for revision in range(2, max(line["revision"] for line in lines) + 1):
            taken = [_at(line, revision) for line in lines if line["revision"] >= revision]
            new.tx.many(step, [{"of": line[_KEY], **dict(_changes(line))} for line in taken])


def _at(line: dict[str, Any], revision: int) -> dict[str, Any]:
    """The line as it was at a revision, as far as that is known."""
    if revision == line["revision"]:
        return line
    before = {_KEY: line[_KEY], **_BORN, "revision": revision}
    if revision % 2:
        return before
    kept = line if line["state"] == SuspenseState.PLACED else _PROPOSAL
    return before | {"state": SuspenseState.PROPOSED.value} | {name: kept[name] for name in _PROPOSAL}


def _changes(line: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in _STEPPING:
        yield f"to_{name}", line[name]
