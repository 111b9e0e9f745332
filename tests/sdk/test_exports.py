"""The public face of the SDK."""

import ast
import sys
from pathlib import Path

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


def test_everything_in_all_has_a_docstring_or_is_a_value() -> None:
    classes = [getattr(sdk, name) for name in sdk.__all__ if isinstance(getattr(sdk, name), type)]
    assert classes
    assert [each.__name__ for each in classes if not each.__doc__] == []


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
