"""Collects every refusal that the source can make: pairs of the class and the code."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.repo import source

from shoutgraph.domain import errors, media

LEAVES = {leaf.__name__: leaf for leaf in errors.ShoutgraphError.__subclasses__()}
CODE = re.compile(r"[A-Z][A-Z0-9_]+")


@cache
def made() -> frozenset[tuple[str, str]]:
    """Every (class, code) that some line of the source makes."""
    found = {(leaf, kind.default_code) for leaf, kind in LEAVES.items() if "code" not in _required(kind)}
    found |= {("MediaRejectedError", code.value) for code in media.RejectionCode}
    for path in source.core():
        found |= set(_of_file(path))
    return frozenset(found)


def _required(kind: type) -> set[str]:
    code = kind.__init__.__code__
    given = kind.__init__.__kwdefaults__ or {}
    return set(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]) - set(given)


def _of_file(path: Path) -> Iterator[tuple[str, str]]:
    tree = source.tree(path)
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    }
    carriers = _carriers(tree)
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        to = source.called(call)
        if to in LEAVES:
            given = [keyword.value for keyword in call.keywords if keyword.arg == "code"]
            yield from ((to, code) for value in given for code in _codes(value, constants))
        elif to in carriers:
            leaf, place, default = carriers[to]
            given = [keyword.value for keyword in call.keywords if keyword.arg == "code"] or call.args[
                place : place + 1
            ]
            codes = [code for value in given for code in _codes(value, constants)]
            yield from ((leaf, code) for code in codes or ([default] if default else []))


def _carriers(tree: ast.Module) -> dict[str, tuple[str, int, str | None]]:
    """Functions that make one class of refusal with a code they are given: the class, the code's place, its default."""
    found = {"add": ("ValidationError", 2, None)}  # domain.checks.Checks
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef):
            continue
        names = [argument.arg for argument in node.args.args if argument.arg not in {"self", "cls"}]
        leaves = {source.called(call) for call in ast.walk(node) if isinstance(call, ast.Call)} & LEAVES.keys()
        if "code" in names and len(leaves) == 1:
            place, defaults = names.index("code"), node.args.defaults
            default = defaults[place - len(names)] if len(names) - place <= len(defaults) else None
            text = default.value if isinstance(default, ast.Constant) and isinstance(default.value, str) else None
            found[node.name] = (leaves.pop(), place, text)
    return found


def _codes(value: ast.expr, constants: dict[str, str]) -> list[str]:
    if isinstance(value, ast.Name):
        return [constants[value.id]] if value.id in constants else []
    texts = (node.value for node in ast.walk(value) if isinstance(node, ast.Constant))
    return [text for text in texts if isinstance(text, str) and CODE.fullmatch(text)]
