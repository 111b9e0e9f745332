"""The public face of the SDK."""

import ast
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import shoutgraph.sdk
from shoutgraph import sdk

SOURCES = sorted(Path(shoutgraph.sdk.__file__).parent.glob("*.py"))
ALLOWED = {"pluggy", "pydantic", "shoutgraph"}


def kind_then_name(name: str) -> tuple[bool, bool, str]:
    return not name.isupper(), not name[0].isupper(), name


def test_all_is_sorted_constants_first_and_every_name_in_it_exists() -> None:
    assert sdk.__all__ == sorted(set(sdk.__all__), key=kind_then_name)
    assert all(hasattr(sdk, name) for name in sdk.__all__)


def test_the_package_offers_nothing_that_all_does_not_name() -> None:
    modules = {path.stem for path in SOURCES}
    offered = {name for name in vars(sdk) if not name.startswith(("_", "@"))} - modules
    assert offered == set(sdk.__all__)


def undocumented(path: Path) -> Iterator[str]:
    """What is public in a module and says nothing of itself; a value says it in a text below."""
    tree = ast.parse(path.read_text())
    if ast.get_docstring(tree) is None:
        yield path.name
    for node, below in itertools.zip_longest(tree.body, tree.body[1:]):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            told = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
            if node.target.id in sdk.__all__ and not told:
                yield f"{path.name}: {node.target.id}"
    for node in ast.walk(tree):
        named = isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if named and not node.name.startswith("_") and ast.get_docstring(node) is None:
            yield f"{path.name}: {node.name}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_everything_public_says_what_it_is(path: Path) -> None:
    assert list(undocumented(path)) == []


def test_the_sdk_imports_only_pluggy_pydantic_and_the_standard_library() -> None:
    imported = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module)
    roots = {name.partition(".")[0] for name in imported} - set(sys.stdlib_module_names)
    assert roots <= ALLOWED
    ours = {name for name in imported if name.startswith("shoutgraph")}
    assert all(name.startswith("shoutgraph.sdk") for name in ours)
