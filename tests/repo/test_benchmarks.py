"""The benchmarks still run: every measurement is told of, and the cheap ones give figures, a picture and a table."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from benchmarks import __main__ as command, scale
from benchmarks.rows import Row
from tests.storage.databases import Kind, Place

from shoutgraph.cli import proof
from shoutgraph.settings import Settings

DOCUMENT = Path("docs/BENCHMARKS.md")


def test_measurements_give_rows_a_picture_and_the_document(tmp_path: Path) -> None:
    (tmp_path / DOCUMENT.name).write_text(f"before\n{command.BEGIN}\nold\n{command.END}\nafter\n", encoding="utf-8")
    asked = ["--quick", "--seconds", "0.05", "--database", "sqlite", "--only", "engine", "--only", "statements"]
    where = ["--json", str(tmp_path / "found.json"), "--docs", str(tmp_path)]
    assert command.main([*asked, *where]) == 0, "with tiny sizes no target counts"
    rows = json.loads((tmp_path / "found.json").read_text())["rows"]
    assert [row["name"] for row in rows] == ["engine"] + ["statements"] * 3
    assert rows[0]["ratio"] == pytest.approx(rows[0]["measured"] / rows[0]["limit"])
    assert rows[1]["met"], "a page takes as many statements however long it is"
    picture = ET.parse(tmp_path / command.PICTURE).getroot()  # noqa: S314 - our own
    assert picture.tag.endswith("svg")
    text = (tmp_path / DOCUMENT.name).read_text()
    assert text.startswith(f"before\n{command.BEGIN}\n")
    assert text.endswith(f"\n{command.END}\nafter\n")
    assert "old" not in text
    assert all(row["what"] in text for row in rows)


@pytest.mark.parametrize(
    ("measured", "limit", "target", "at_most", "met"),
    [
        (30, 100, 0.3, False, True),
        (29, 100, 0.3, False, False),
        (20, 10, 2, True, True),
        (21, 10, 2, True, False),
        (500, None, 500, False, True),
        (501, None, 500, True, False),
        (1, 2, None, False, None),
    ],
)
def test_a_target_is_about_the_ratio_where_there_is_a_limit(
    measured: float,
    limit: float | None,
    target: float | None,
    at_most: bool,  # noqa: FBT001
    met: bool | None,  # noqa: FBT001
) -> None:
    assert Row("any", "any", measured, "", limit, "", target, at_most=at_most).met is met


def test_a_generated_market_proves(place: Place) -> None:
    where = place.database("shoutgraph")
    scale.fill(where, creators=30, postings=130)
    chosen = {} if place.kind is Kind.SQLITE else {"database_url": where}
    found = proof.prove(Settings(data_dir=place.folder, **chosen))  # type: ignore[arg-type]
    assert (found.postings, found.violations) == (130, [])


def test_the_document_has_a_place_for_the_figures() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text.index(command.BEGIN) < text.index(command.END)
    assert all(f"`{name}`" in text for name in command.MEASURES)
