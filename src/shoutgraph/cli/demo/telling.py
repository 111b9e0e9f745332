"""How the story is told: one panel a step, in the terminal and in the picture of the README."""

import re
from collections.abc import Iterable
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Column, Table
from rich.text import Text

WIDTH: Final = 100
INDENT: Final = 15
"""Where what is told begins, behind the number and the name."""

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
        line = Table.grid(Column(width=2, justify="right"), Column(width=INDENT - 4), Column(), padding=(0, 1, 0, 0))
        line.add_row(f"[dim]{self._steps}[/]", f"[bold {COLOURS[role]}]{who}[/]", what)
        self.console.print(line)
        for fact in facts:
            self._indented(f"[dim]{fact}[/]")

    def chapter(self, title: str) -> None:
        """What the next steps are about."""
        self.console.rule(f"[bold]{title}[/]", style="dim")

    def event(self, line: str) -> None:
        """What the internal tool saw on its subscription."""
        self._indented(f"[dim]subscription[/] {line}")

    def table(self, title: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
        """A table, numbers to the right."""
        table = Table(title=title, title_style="bold", border_style="dim")
        for at, column in enumerate(columns):
            table.add_column(column, justify="right" if at else "left")
        for row in rows:
            table.add_row(*map(escape, row))
        self.console.print(table)

    def _indented(self, text: str) -> None:
        """Long lines go on below where they began."""
        self.console.print(Padding(text, (0, 0, 0, INDENT), expand=False), highlight=False)


def picture(console: Console) -> str:
    """What a recording console has shown, as SVG that fetches nothing from elsewhere."""
    svg = console.export_svg(title="shoutgraph demo")
    return re.sub(r"@font-face \{.*?\}|<!--.*?-->", "", svg, flags=re.DOTALL)


def coins(amount: str | int) -> str:
    """An amount of coins for people."""
    return f"{int(amount):,} coin{'' if int(amount) == 1 else 's'}"


def money(value: dict[str, object]) -> str:
    """An amount of money of the API for people."""
    digits = int(str(value["exponent"]))
    minor = int(str(value["minorUnits"]))
    whole, part = divmod(abs(minor), 10**digits)
    sign = "-" if minor < 0 else ""
    return f"{value['currency']} {sign}{whole:,}" + (f".{part:0{digits}d}" if digits else "")
