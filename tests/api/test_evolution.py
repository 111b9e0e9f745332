"""What the gate of releases says of a changed schema, by the command that people and machines run."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from shoutgraph.api.graphql.evolution import Weight, changes_between
from shoutgraph.app import wall_clock
from shoutgraph.cli import main

SERVED = Path(__file__).parents[2] / "schema.graphql"


def compared(tmp_path: Path, before: str, told: str = "") -> Result:
    """Runs the gate against a release and a changelog."""
    (tmp_path / "released.graphql").write_text(before, encoding="utf-8")
    (tmp_path / "CHANGELOG.md").write_text(f"# Changelog\n\n## 0.2.0\n\n{told}\n\n## 0.1.0\n\n`Query.order`\n")
    asked = ["schema", "--since", str(tmp_path / "released.graphql"), "--changelog", str(tmp_path / "CHANGELOG.md")]
    return CliRunner().invoke(main, asked)


def test_the_same_schema_passes(tmp_path: Path) -> None:
    said = compared(tmp_path, SERVED.read_text(encoding="utf-8"))
    assert (said.exit_code, "go on as they are" in said.output) == (0, True)


def with_old(sdl: str, name: str, reason: str | None = None) -> str:
    """A release that had one more field on Creator."""
    mark = f' @deprecated(reason: "{reason}")' if reason else ""
    assert "\ntype Creator implements Node {\n" in sdl
    return sdl.replace(
        "\ntype Creator implements Node {\n", f"\ntype Creator implements Node {{\n  {name}: Int{mark}\n"
    )


def test_a_field_that_was_never_announced_stays(tmp_path: Path) -> None:
    said = compared(tmp_path, with_old(SERVED.read_text(encoding="utf-8"), "fame"), "`Creator.fame`")
    assert (said.exit_code, "would break: Creator.fame" in said.output) == (1, True), said.output


@pytest.mark.parametrize(
    ("days", "weight"),
    [(None, Weight.BREAKING), (1, Weight.BREAKING), (0, Weight.ANNOUNCED), (-400, Weight.ANNOUNCED)],
    ids=["never announced", "tomorrow", "today", "long ago"],
)
def test_a_field_goes_when_its_day_has_come(days: int | None, weight: Weight) -> None:
    today = wall_clock().date()
    before = "type Query { fame: Int rating: Int }"
    if days is not None:
        before = with_reason(f"Use rating. Removal on or after {today + timedelta(days=days)}.")
    found = [
        (each.weight, each.coordinate) for each in changes_between(before, "type Query { rating: Int }", today=today)
    ]
    assert found == [(weight, "Query.fame")]


@pytest.mark.parametrize(("days", "weights"), [(179, [Weight.BREAKING]), (180, [])])
def test_a_deprecation_gives_clients_half_a_year(days: int, weights: list[Weight]) -> None:
    today = wall_clock().date()
    before = "type Query { fame: Int rating: Int }"
    after = with_reason(f"Use rating. Removal on or after {today + timedelta(days=days)}.")
    found = [each.weight for each in changes_between(before, after, today=today) if each.weight is not Weight.SAFE]
    assert found == weights
    assert [each for each in changes_between(after, after, today=today) if each.weight is not Weight.SAFE] == []


def with_reason(reason: str) -> str:
    """A schema of two fields, the first of them deprecated."""
    return f'type Query {{ fame: Int @deprecated(reason: "{reason}") rating: Int }}'


def test_what_goes_and_what_may_surprise_needs_a_line_of_the_newest_section(tmp_path: Path) -> None:
    reason = f"Use rating. Removal on or after {wall_clock().date()}."
    before = with_old(without_a_state(SERVED.read_text(encoding="utf-8")), "fame", reason)
    silent = compared(tmp_path, before)
    assert silent.exit_code == 1
    (untold,) = re.findall(r"does not name: ([^\n]*)", silent.output)
    assert sorted(untold.strip().split(", ")) == ["Creator.fame", "OrderStatus.COMPLETED"]
    told = compared(tmp_path, before, "`OrderStatus.COMPLETED` is new, `Creator.fame` is gone.")
    assert told.exit_code == 0, told.output


def without_a_state(sdl: str) -> str:
    """A release whose orders had one state less."""
    head, rest = sdl.split("\nenum OrderStatus {", 1)
    body, tail = rest.split("\n}", 1)
    lines = body.split("\n")
    at = lines.index("  COMPLETED")
    return head + "\nenum OrderStatus {" + "\n".join(lines[: at - 1] + lines[at + 1 :]) + "\n}" + tail
