"""How the story is told: one panel a step, in the terminal and in the picture of the README."""

import re
from collections.abc import Iterable
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

WIDTH: Final = 100
COLOURS: Final = {
    "fan": "magenta",
    "creator": "cyan",
    "moderator": "yellow",
    "finance": "green",
    "platform": "blue",
    "tool": "bright_black",
}


class Teller:
    """Tells steps and keeps count of them."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._steps = 0

    def title(self, text: str, *, subtitle: str) -> None:
        """The first thing that is seen."""
        self.console.print(Panel(Text(text, justify="center", style="bold"), subtitle=subtitle, border_style="blue"))

    def step(self, who: str, role: str, what: str, *facts: str) -> None:
        """One step: who did what, and what came of it in coins and money."""
        self._steps += 1
        colour = COLOURS[role]
        self.console.print(
            f"[dim]{self._steps:>2}[/] [bold {colour}]{who:<11}[/] {what}", soft_wrap=False, highlight=False
        )
        for fact in facts:
            self.console.print(f"{'':15}[dim]{fact}[/]", highlight=False)

    def event(self, line: str) -> None:
        """What the internal tool saw on its subscription."""
        self.console.print(f"{'':15}[dim]subscription[/] {line}", highlight=False)

    def table(self, title: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
        """A table, numbers to the right."""
        table = Table(title=title, title_style="bold", border_style="dim")
        for at, column in enumerate(columns):
            table.add_column(column, justify="right" if at else "left")
        for row in rows:
            table.add_row(*map(escape, row))
        self.console.print(table)


def picture(console: Console) -> str:
    """What a recording console has shown, as SVG that fetches nothing from elsewhere."""
    svg = console.export_svg(title="shoutgraph demo")
    return re.sub(r"@font-face \{.*?\}|<!--.*?-->", "", svg, flags=re.DOTALL)


def coins(amount: str | int) -> str:
    """An amount of coins for people."""
    return f"{int(amount):,} coins"


def money(value: dict[str, object]) -> str:
    """An amount of money of the API for people."""
    digits = int(str(value["exponent"]))
    minor = int(str(value["minorUnits"]))
    whole, part = divmod(abs(minor), 10**digits)
    sign = "-" if minor < 0 else ""
    return f"{value['currency']} {sign}{whole:,}" + (f".{part:0{digits}d}" if digits else "")
