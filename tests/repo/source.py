"""Reads the repository for the tests in this folder: files, syntax trees and documents, each once."""

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src" / "shoutgraph"
DOCS = ROOT / "docs"

TEXT_SUFFIXES = {"", ".css", ".graphql", ".mako", ".md", ".py", ".sql", ".toml", ".txt", ".yml"}


@cache
def files() -> tuple[Path, ...]:
    """Every file that git tracks or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - git is on the path
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:  # an export without its history
        found = [path for top in ("src", "plugins", "tests", "docs", ".ci") for path in (ROOT / top).rglob("*")]
        return tuple(path for path in found if path.is_file() and "__pycache__" not in path.parts)
    return tuple(path for line in listed.stdout.splitlines() if (path := ROOT / line).is_file())


@cache
def text(path: Path) -> str:
    """The text of a file."""
    return path.read_text(encoding="utf-8")


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a Python file."""
    return ast.parse(text(path), str(path))


@cache
def texts() -> tuple[Path, ...]:
    """Every text file."""
    return tuple(path for path in files() if path.suffix in TEXT_SUFFIXES)


@cache
def core() -> tuple[Path, ...]:
    """Every Python file of the package `shoutgraph`."""
    return tuple(path for path in files() if path.suffix == ".py" and path.is_relative_to(SRC))


@cache
def product() -> tuple[Path, ...]:
    """Every Python file that is shipped: the package and the plugins, without their tests."""
    plugins = ROOT / "plugins"
    return core() + tuple(
        path
        for path in files()
        if path.suffix == ".py" and path.is_relative_to(plugins) and "tests" not in path.relative_to(plugins).parts
    )


def under(*rooms: str) -> list[Path]:
    """The Python files of some floors or rooms, such as `domain` or `services/orders`."""
    return [path for path in core() if any(name(path).startswith((f"{room}/", f"{room}.py")) for room in rooms)]


def name(path: Path) -> str:
    """A file by its place in the package, or in the repository where it is outside of the package."""
    return str(path.relative_to(SRC if path.is_relative_to(SRC) else ROOT))


def document(document_name: str) -> str:
    """The text of a document in `docs/`."""
    return text(DOCS / document_name)


def rows(document_name: str) -> list[list[str]]:
    """The cells of every table row of a document, without heads and rules."""
    lines = document(document_name).splitlines()
    found = []
    for at, line in enumerate(lines):
        ruled = at + 1 < len(lines) and set(lines[at + 1]) <= set("|-: ") and "-" in lines[at + 1]
        if line.startswith("|") and not set(line) <= set("|-: ") and not ruled:
            found.append([cell.strip() for cell in line.strip("|").replace("\\|", "\0").split("|")])
    return [[cell.replace("\0", "|") for cell in row] for row in found]


def called(call: ast.Call) -> str:
    """The last name of what is called: `LimitExceededError` for `errors.LimitExceededError(...)`."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""
