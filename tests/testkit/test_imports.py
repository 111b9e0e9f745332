"""C01, with distributions that are made on the spot: what an import may not do."""

import textwrap
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest
from tests.testkit import good
from tests.testkit.subjects import Subject, checked, failed

QUIET = "import json\n"
LOUD = """
    import os
    from pathlib import Path

    KEY = os.environ.get("ACME_KEY")
    TEXT = Path(__file__).read_text()
"""
Distribute = Callable[[str, str], Subject]


@pytest.fixture
def distribute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Distribute:
    place = tmp_path / "site"
    place.mkdir()
    monkeypatch.syspath_prepend(str(place))
    monkeypatch.setenv("PYTHONPATH", str(place), prepend=":")

    def made(name: str, source: str) -> Subject:
        module = name.replace("-", "_")
        (place / f"{module}.py").write_text(textwrap.dedent(source))
        info = place / f"{module}-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\nRequires-Dist: shoutgraph>=0.1,<0.2\n"
        )
        (info / "entry_points.txt").write_text(f"[shoutgraph]\n{name} = {module}\n")
        return Subject(good.topup(), distribution=name)

    return made


def test_an_import_without_effects_is_fine(distribute: Distribute, tmp_path: Path) -> None:
    subject = distribute("acme-quiet", QUIET)
    assert metadata.version("acme-quiet") == "1"
    assert failed(checked(subject, tmp_path, "C01")) == {}


def test_an_import_that_looks_around_is_told(distribute: Distribute, tmp_path: Path) -> None:
    found = failed(checked(distribute("acme-loud", LOUD), tmp_path, "C01"))
    assert "read the environment variable ACME_KEY" in found["C01"]
    assert "read the file" in found["C01"]


def test_an_import_that_fails_is_told(distribute: Distribute, tmp_path: Path) -> None:
    found = failed(checked(distribute("acme-broken", "raise LookupError('gone')\n"), tmp_path, "C01"))
    assert "LookupError: gone" in found["C01"]


def test_a_distribution_that_offers_something_else_is_told(distribute: Distribute, tmp_path: Path) -> None:
    found = failed(checked(distribute("acme-other", QUIET), tmp_path, "C02"))
    assert "its entry point offers (), and not acme" in found["C02"]
