"""Weakened schemas of PostgreSQL: every guard of the books taken out, one at a time, by a statement that does so.

A guard is a trigger or one of its events, a constraint or a part of its condition, and in the body of a function a
statement, a condition, a part of one, or a word in a list. `by` says who refuses where it stands: the names of
constraints or of a function, or the words of a refusal.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tests.storage import mutants
from tests.storage.postgresql.scene import Raw

BOOKS: Final = (mutants.BOOKS - {"order_ok", "wallet_ok"}) | {"topic", "outbox", "outbox_dead", "sequencer"}
DOORS: Final = ("post", "close_account", "extend_lot")
"""Functions that are called, and check what they are given."""

_OF_BOOKS: Final = f"c.relname IN ({', '.join(repr(table) for table in sorted(BOOKS))})"
_TRIGGERS: Final = f"""
SELECT c.relname, t.tgname, p.proname, t.tgargs, pg_get_triggerdef(t.oid)
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
  WHERE NOT t.tgisinternal AND {_OF_BOOKS} ORDER BY 1, 2"""  # noqa: S608 - constants
_CONSTRAINTS: Final = f"""
SELECT c.relname, k.conname, k.contype::text, pg_get_constraintdef(k.oid),
    ARRAY(SELECT r.conname::text FROM pg_constraint r WHERE r.contype = 'f' AND r.conindid = k.conindid)
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
  WHERE k.contype IN ('c', 'f', 'u', 'p') AND {_OF_BOOKS} ORDER BY 1, 2"""  # noqa: S608 - constants
_FUNCTIONS: Final = f"""
SELECT DISTINCT p.proname, pg_get_functiondef(p.oid), p.prosrc
  FROM pg_proc p LEFT JOIN pg_trigger t ON t.tgfoid = p.oid LEFT JOIN pg_class c ON c.oid = t.tgrelid
  WHERE p.pronamespace = 'public'::regnamespace AND p.proname <> 'refuse'
    AND ({_OF_BOOKS} OR p.proname IN ({", ".join(map(repr, DOORS))})) ORDER BY 1"""  # noqa: S608 - constants

_EVENTS: Final = re.compile(r" (?:BEFORE|AFTER) ((?:INSERT|UPDATE|DELETE)(?: OR (?:INSERT|UPDATE|DELETE))+) ON ")
_IF: Final = re.compile(r"(?<!END )\bIF\b(.+?)\bTHEN\b", re.DOTALL)
_WHERE: Final = re.compile(r"\bWHERE\b")
_WHERE_END: Final = re.compile(r"[();]|\bORDER BY\b|\bFOR NO KEY\b|\bRETURNING\b")
_STATEMENT: Final = re.compile(r"(?<=\n) *((?:INSERT|UPDATE|PERFORM|WITH|NEW\.\w+ :=)[^;]*);", re.DOTALL)
_WORD: Final = re.compile(r"'[A-Z_]+'")


@dataclass(frozen=True)
class Mutant:
    """What is taken out, how, and who refused there."""

    name: str
    change: str
    by: tuple[str, ...]


def all_of(raw: Raw) -> dict[str, Mutant]:
    """By name; what has the same name as another is counted."""
    found: dict[str, Mutant] = {}
    for mutant in _all(raw):
        again = sum(name.partition(" #")[0] == mutant.name for name in found)
        found[f"{mutant.name} #{again + 1}" if again else mutant.name] = mutant
    return found


def _all(raw: Raw) -> Iterator[Mutant]:
    for table, name, function, words, definition in raw.execute(_TRIGGERS).fetchall():
        by = (words.rstrip(b"\0").decode() if function == "refuse" else function,)
        drop = f"DROP TRIGGER {name} ON {table}"
        yield Mutant(f"{table}.{name}: the trigger", drop, by)
        for event, fewer in _fewer_events(definition):
            yield Mutant(f"{table}.{name}: on {event}", f"{drop}; {fewer}", by)
    for table, name, kind, definition, leaning in raw.execute(_CONSTRAINTS).fetchall():
        drop = f"ALTER TABLE {table} DROP CONSTRAINT {name} CASCADE"
        yield Mutant(f"{table}: {name}", drop, (name, *leaning))
        if kind == "c":
            for what, changed in _weaker(definition, where="CHECK"):
                again = f"ALTER TABLE {table} ADD CONSTRAINT {name} {changed}"
                yield Mutant(f"{table}: {name} without [{what}]", f"{drop}; {again}", (name,))
    for name, definition, body in raw.execute(_FUNCTIONS).fetchall():
        for what, changed in _of_conditions(body, refusing=True) if name in DOORS else _of_body(body):
            yield Mutant(f"{name}: {what}", definition.replace(body, changed), (name,))


def _fewer_events(definition: str) -> Iterator[tuple[str, str]]:
    found = _EVENTS.search(definition)
    events = found[1].split(" OR ") if found else []
    for event in events:
        rest = " OR ".join(other for other in events if other != event)
        yield event, definition.replace(found[1], rest, 1)  # type: ignore[index]


def _of_body(body: str) -> Iterator[tuple[str, str]]:
    for found in _STATEMENT.finditer(body):
        start, end = found.span(1)
        yield f"without {_short(found[1])}", f"{body[:start]}NULL{body[end:]}"
    yield from _of_conditions(body, refusing=False)
    for found in _WHERE.finditer(_without_ifs(body)):
        start, end = found.start(), _end_of_where(body, found.end())
        for what, changed in _weaker(body[start:end], where="WHERE"):
            yield f"looking beyond [{what}]", f"{body[:start]}{changed}{body[end:]}"
    for word in _WORD.finditer(body):
        if word[0] not in {"'INSERT'", "'UPDATE'"}:
            yield f"without {word[0]}", f"{body[: word.start()]}'-'{body[word.end() :]}"


def _of_conditions(body: str, *, refusing: bool) -> Iterator[tuple[str, str]]:
    for found in _IF.finditer(body):
        start, end = found.span(1)
        if refusing and not body[found.end() :].lstrip().startswith("RAISE"):
            continue
        yield f"never [{_short(found[1])}]", f"{body[:start]} false {body[end:]}"
        for what, changed in _weaker(found[1]):
            yield f"without [{what}]", f"{body[:start]}{changed}{body[end:]}"


def _end_of_where(body: str, start: int) -> int:
    """Where the condition ends: at a word of its own level, or where its query does."""
    depth = 0
    for token in _WHERE_END.finditer(body, start):
        depth += (token[0] == "(") - (token[0] == ")")
        if depth < 0 or (depth == 0 and token[0] not in "()"):
            return token.start()
    return len(body)


def _without_ifs(body: str) -> str:
    """The same length, so that places stay; their conditions are looked at for themselves."""
    return _IF.sub(lambda found: " " * len(found[0]), body)


def _weaker(condition: str, *, where: str = "IF") -> Iterator[tuple[str, str]]:
    """The condition with each operand of an AND or OR, at any depth, made to refuse nothing."""
    for start, end, joined_by in mutants.operands(condition):
        neutral = "false" if joined_by == "OR" and where == "IF" else "true"
        yield _short(condition[start:end]), f"{condition[:start]} {neutral} {condition[end:]}"


def _short(text: str) -> str:
    return " ".join(text.split())
