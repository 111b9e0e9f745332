"""What a run says: each figure beside its limit, their ratio, the target, and whether it is met."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table

HEADS = ("what", "measured", "limit", "beside", "ratio", "target", "met")


@dataclass(frozen=True)
class Row:
    """One figure. Its target is about the ratio where there is a limit, else about the figure itself."""

    name: str
    """The measurement that it belongs to, as `--only` takes it."""
    what: str
    measured: float
    unit: str
    limit: float | None = None
    beside: str = ""
    """What the limit is."""
    target: float | None = None
    at_most: bool = False
    """Whether the target is a ceiling rather than a floor."""

    @property
    def ratio(self) -> float | None:
        """The measured figure as a share of its limit."""
        return None if self.limit is None else self.measured / self.limit

    @property
    def reached(self) -> float | None:
        """How much of the target was reached: 1 is the target, and more is better, whichever side is good."""
        if self.target is None:
            return None
        value = self.measured if self.ratio is None else self.ratio
        return self.target / max(value, 1e-9) if self.at_most else value / self.target

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        return None if self.reached is None else self.reached >= 1

    def cells(self) -> tuple[str, ...]:
        """The row of a table."""
        told = "" if self.target is None else f"{'at most' if self.at_most else 'at least'} {_number(self.target)}"
        ratio = "" if self.ratio is None else f"{self.ratio:,.2f}"
        limit = "" if self.limit is None else _number(self.limit)
        measured = f"{_number(self.measured)} {self.unit}"
        return self.what, measured, limit, self.beside, ratio, told, {True: "yes", False: "NO", None: ""}[self.met]


def _number(value: float) -> str:
    return (
        f"{value:,.0f}" if value >= 100 else f"{value:,.1f}" if value >= 10 or value == int(value) else f"{value:.2f}"
    )


def table(rows: Iterable[Row], title: str) -> Table:
    """All rows for a terminal."""
    made = Table(*HEADS, title=title)
    for row in rows:
        made.add_row(*row.cells(), style="red" if row.met is False else None)
    return made


def markdown(rows: Iterable[Row], title: str) -> str:
    """All rows for a document."""
    lines = [title, "", "| " + " | ".join(HEADS) + " |", "|---" * len(HEADS) + "|"]
    lines += ["| " + " | ".join(row.cells()) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def as_json(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """All rows for another program."""
    return [asdict(row) | {"ratio": row.ratio, "met": row.met} for row in rows]
