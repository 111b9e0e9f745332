"""A use-case's docstring names each refusal that its body raises."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.repo import source
from tests.repo.codes import LEAVES

LISTED = re.compile(r"^\s*(\w+Error): ", re.MULTILINE)


def test_every_refusal_that_a_use_case_raises_is_in_its_docstring():
    missing = []
    for path, function in _functions("services"):
        if function.name.startswith("_"):
            continue
        listed = _listed(function)
        missing += [f"{source.name(path)}:{function.name}: {leaf}" for leaf in sorted(_raised(function) - listed)]
    assert missing == []


def test_every_raises_list_names_errors_that_exist():
    names = set(LEAVES) | _error_classes()
    unknown = []
    for path, function in _functions("services", "domain", "storage"):
        unknown += [f"{source.name(path)}:{function.name}: {leaf}" for leaf in sorted(_listed(function) - names)]
    assert unknown == []


def _functions(*floors: str) -> Iterator[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path in source.under(*floors):
        for node in ast.walk(source.tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(node):
                yield path, node


def _raised(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """What is raised in this function, and in the units of work that it defines."""
    found = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Raise) and node.exc is not None:
            raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            found.add(raised.attr if isinstance(raised, ast.Attribute) else getattr(raised, "id", ""))
    return found & LEAVES.keys()


def _listed(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    _, _, raises = (ast.get_docstring(function) or "").partition("Raises:")
    return set(LISTED.findall(raises))


def _error_classes() -> set[str]:
    builtin = {"ValueError", "TypeError", "KeyError", "LookupError", "OSError", "ImportError", "TimeoutError"}
    return builtin | {
        node.name
        for path in source.core()
        for node in ast.walk(source.tree(path))
        if isinstance(node, ast.ClassDef) and node.name.endswith("Error")
    }
