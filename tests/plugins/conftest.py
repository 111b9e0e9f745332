"""Distributions that are made on the spot, and a clock that a test moves."""

import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.plugins.written import Ticks


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def distribute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Installs a distribution for one test: its metadata, an entry point and a module."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(
        name: str,
        source: str,
        *,
        requires: tuple[str, ...] = ("shoutgraph>=0.1,<0.2",),
        entry_points: str | None = None,
    ) -> None:
        module = name.replace("-", "_")
        (tmp_path / f"{module}.py").write_text(textwrap.dedent(source))
        info = tmp_path / f"{module}-1.2.3.dist-info"
        info.mkdir()
        wanted = "".join(f"Requires-Dist: {each}\n" for each in requires)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2.3\n{wanted}")
        (info / "entry_points.txt").write_text(entry_points or f"[shoutgraph]\n{name} = {module}\n")

    yield install
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]
