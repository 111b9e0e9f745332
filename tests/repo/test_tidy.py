"""The tree stays small, plain and documented. Exceptions stand here, each with its reason."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.repo import source

MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60

LONG_MODULES: dict[str, str] = {}
"""Modules that are longer, and why."""

LONG_FUNCTIONS: dict[str, str] = {
    "storage/migrations/versions/r0001_first.py:orders": "one column a line, as a table is read",
}
"""`module:function` that are longer, and why."""

VAGUE = {"utils", "util", "helpers", "helper", "common", "core", "base", "manager", "misc", "stuff"}

MARKS = ("TO" + "DO", "FIX" + "ME", "HA" + "CK")
FORBIDDEN = {
    rf"\b({'|'.join(MARKS)})\b": "finish it, or write an issue",
    r"\b(pypi|pythonhosted|npmjs|yarnpkg|rubygems)\.(org|com)\b|\bcrates\.io\b|\bproxy\.golang\b": "no registry hosts",
    r"(?<![\w.:/)])/(home|root|Users|work|mnt)/\w": "no paths of one machine",
    r"\bthe (ro" + r"bot|mod" + r"el|ass" + r"istant) (wrote|built|made)\b": "the text is ours",
}


def test_no_module_is_longer_than_one_sitting():
    long = {source.name(p): n for p in source.product() if (n := len(source.text(p).splitlines())) > MODULE_LINES_MAX}
    assert long.keys() == LONG_MODULES.keys(), long


def test_no_function_is_longer_than_a_screen():
    long = {
        f"{source.name(path)}:{node.name}": lines
        for path in source.product()
        for node in ast.walk(source.tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (lines := _lines(node)) > FUNCTION_LINES_MAX
    }
    assert long.keys() == LONG_FUNCTIONS.keys(), long


def test_no_module_has_a_name_that_says_nothing():
    assert [source.name(path) for path in source.product() if VAGUE & set(path.with_suffix("").parts)] == []


def test_every_public_thing_has_a_docstring():
    missing = [f"{source.name(path)}: {what}" for path in source.product() for what in _undocumented(path)]
    assert missing == []


def test_the_domain_has_no_float():
    found = [
        f"{source.name(path)}:{node.lineno}"
        for path in source.under("domain")
        for node in ast.walk(source.tree(path))
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Name) and node.id == "float")
        or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div))
    ]
    assert found == []


def test_storage_and_services_never_make_a_float():
    found = [
        f"{source.name(path)}:{node.lineno}"
        for path in source.under("storage", "services")
        if not source.name(path).startswith("storage/migrations")  # joins paths
        for node in ast.walk(source.tree(path))
        if (isinstance(node, ast.Call) and source.called(node) in {"float", "Float", "Numeric"})
        or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div))
    ]
    assert found == []


def test_no_file_has_a_mark_that_says_it_is_not_finished():
    found = []
    for path in source.texts():
        for pattern, instead in FORBIDDEN.items():
            if path.name != "test_tidy.py" and (match := re.search(pattern, source.text(path))):
                found.append(f"{source.name(path)}: {match.group()!r}: {instead}")
    assert found == []


def test_only_storage_commits():
    found = [
        source.name(path)
        for path in source.core()
        if ".commit(" in source.text(path) and not source.name(path).startswith("storage/")
    ]
    assert found == []


def _undocumented(path: Path) -> Iterator[str]:
    tree = source.tree(path)
    if path.name != "__main__.py" and not ast.get_docstring(tree):
        yield "the module"
    in_graph = source.name(path).startswith("api/graphql/")
    for node, inside in _public(tree):
        if ast.get_docstring(node) or _is_second(node):
            continue
        if in_graph and (inside is not None or _is_of_the_schema(node)):
            continue  # what the schema shows is described in the schema: tests/api says so
        if path.is_relative_to(source.SRC / "storage" / "migrations" / "versions"):
            continue  # upgrade and downgrade are alembic's words
        yield node.name if inside is None else f"{inside}.{node.name}"


Documented = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def _public(tree: ast.Module) -> Iterator[tuple[Documented, str | None]]:
    for node in _public_of(tree.body):
        yield node, None
        if isinstance(node, ast.ClassDef):
            yield from ((member, node.name) for member in _public_of(node.body))


def _public_of(body: list[ast.stmt]) -> Iterator[Documented]:
    return (node for node in body if isinstance(node, Documented) and not node.name.startswith("_"))


def _is_of_the_schema(node: Documented) -> bool:
    return any("strawberry" in ast.unparse(each) for each in node.decorator_list)


def _is_second(node: Documented) -> bool:
    """Whether another of the same name has the docstring: an overload, or a property's setter."""
    return any(ast.unparse(each).endswith(("overload", ".setter")) for each in node.decorator_list)


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1
