"""Weakened schemas: every guard of the books taken out, one at a time.

A guard is a trigger, a statement of its body, a column it watches, a part of its condition, a word in one of its lists,
or a CHECK, FOREIGN KEY or UNIQUE clause of a table.
"""

import re
from collections.abc import Iterator

Schema = tuple[tuple[str, str, str, str], ...]

BOOKS = frozenset(
    {
        "asset",
        "account",
        "transfer",
        "posting",
        "entry",
        "lot",
        "lot_move",
        "order_ok",
        "wallet_ok",
        "orders",
        "event",
        "request",
        "deadline",
    }
)

_CLAUSE = re.compile(r"CHECK|FOREIGN KEY|UNIQUE")
_WORD = re.compile(r"'[A-Z_]+'")


def all_of(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """The name of each weakening and the schema with it."""
    for at, (kind, name, table, sql) in enumerate(schema):
        if table not in BOOKS:
            continue
        changes = _of_table(sql) if kind == "table" else _of_trigger(sql) if kind == "trigger" else ()
        for what, changed in changes:
            yield f"{name}: {what}", (*schema[:at], (kind, name, table, changed), *schema[at + 1 :])
        if kind == "trigger":
            yield f"{name}: the trigger", (*schema[:at], *schema[at + 1 :])


def _of_table(sql: str) -> Iterator[tuple[str, str]]:
    """Each table constraint stands on a line of its own."""
    head, body, tail = re.fullmatch(r"(.*?\(\n)(.*)(\n\).*)", sql, re.DOTALL).groups()  # type: ignore[union-attr]
    lines = [line.strip().rstrip(",") for line in body.split("\n")]
    for at, line in enumerate(lines):
        if line.startswith(("CONSTRAINT", "CHECK", "FOREIGN KEY", "UNIQUE")) and _CLAUSE.search(line):
            yield line, head + ", ".join(lines[:at] + lines[at + 1 :]) + tail
        if "CHECK (" in line:
            start = line.index("CHECK (") + len("CHECK (")
            for what, changed in _weaker(line[start:-1], guards_when=False):
                kept = [*lines[:at], f"{line[:start]}{changed})", *lines[at + 1 :]]
                yield f"{line} without [{what}]", head + ", ".join(kept) + tail


def _of_trigger(sql: str) -> Iterator[tuple[str, str]]:
    head, body = re.fullmatch(r"(.*?)\bBEGIN\b(.*)END", sql, re.DOTALL).groups()  # type: ignore[union-attr]
    statements = [statement.strip() for statement in body.split(";") if statement.strip()]
    for at, statement in enumerate(statements):
        rest = [*statements[:at], *statements[at + 1 :]] or ["SELECT 1"]
        yield f"without {_short(statement)}", f"{head}BEGIN {'; '.join(rest)}; END"
    watched = re.search(r"UPDATE OF (.*?) ON ", head, re.DOTALL)
    columns = [column.strip() for column in watched.group(1).split(",")] if watched else []
    for column in columns if len(columns) > 1 else []:
        kept = ", ".join(other for other in columns if other != column)
        yield f"not watching {column}", sql.replace(watched.group(1), kept, 1)  # type: ignore[union-attr]
    if re.search(r"\bWHEN\b", head):
        start = re.search(r"\bWHEN\b", head).end()  # type: ignore[union-attr]
        for what, changed in _weaker(head[start:], guards_when=True):
            yield f"without [{what}]", f"{head[:start]} {changed} BEGIN{body}END"
        for word in _WORD.finditer(head, start):
            changed = f"{head[: word.start()]}'-'{head[word.end() :]}"
            yield f"without {word.group()}", f"{changed}BEGIN{body}END"


def _weaker(condition: str, *, guards_when: bool) -> Iterator[tuple[str, str]]:
    """The condition with each operand of an AND or OR, at any depth, made to refuse nothing.

    A trigger refuses when its condition is true, so an operand of OR becomes false; inside NOT EXISTS, and in a CHECK,
    what must be true becomes true.
    """
    for start, end, joined_by in operands(condition):
        operand = condition[start:end]
        neutral = "0" if joined_by == "OR" and guards_when else "1"
        yield _short(operand), f"{condition[:start]} {neutral} {condition[end:]}"


def operands(text: str, offset: int = 0) -> Iterator[tuple[int, int, str]]:
    """Where each operand is, and what joins it to its neighbours."""
    marks = list(_marks(text))
    if marks:
        words = {word for _, _, word in marks} - {"WHERE"} or {"AND"}
        assert len(words) == 1, f"parentheses tell AND from OR: {text}"
        begins_here = all(word != "WHERE" for _, _, word in marks)
        starts = ([0] if begins_here else []) + [end for _, end, _ in marks]
        ends = [start for start, _, word in marks if word != "WHERE"] + [len(text)]
        for start, end in zip(starts, ends, strict=True):
            yield offset + start, offset + end, *words
    for start, end in _groups(text):
        yield from operands(text[start:end], offset + start)


def _marks(text: str) -> Iterator[tuple[int, int, str]]:
    """The words outside of parentheses that join or begin operands; the AND of a BETWEEN joins nothing."""
    depth, between = 0, False
    for token in re.finditer(r"[()]|\bAND\b|\bOR\b|\bBETWEEN\b|\bWHERE\b", text):
        word = token.group()
        depth += (word == "(") - (word == ")")
        if depth or word in "()":
            continue
        if word == "BETWEEN":
            between = True
        elif word == "AND" and between:
            between = False
        else:
            yield token.start(), token.end(), word


def _groups(text: str) -> Iterator[tuple[int, int]]:
    """The insides of the outermost parentheses."""
    depth, begin = 0, 0
    for at, char in enumerate(text):
        if char == "(":
            depth += 1
            begin = at + 1 if depth == 1 else begin
        elif char == ")":
            depth -= 1
            if depth == 0:
                yield begin, at


def _short(text: str) -> str:
    return " ".join(text.split())
