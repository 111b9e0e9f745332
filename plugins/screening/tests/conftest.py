"""Rules in a file, and the plugin as the host calls it."""

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

import shoutgraph_screening
from shoutgraph.plugins import loading
from shoutgraph.sdk import OrderRequest, OrderVideo, Verdict

Screen = Callable[[OrderRequest | OrderVideo], Awaitable[Verdict]]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def screen() -> Screen:
    """The plugin behind the host's hooks."""
    setup = loading.Setup(
        instances={},
        environ={},
        clock=lambda: datetime(2026, 5, 17, tzinfo=UTC),
        monotonic=time.monotonic,
        discover=False,
        extra={"screening": shoutgraph_screening},
        strict=True,
    )
    return loading.load(setup).hooks.screen


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Writes the operator's rules."""

    def write(text: str) -> None:
        file = tmp_path / "rules.toml"
        file.write_text(text, encoding="utf-8")
        monkeypatch.setenv("SCREENING_RULES", str(file))

    return write
