"""The figures as a picture that reads on light and on dark pages: each bar is how much of its target was reached."""

from collections.abc import Sequence
from html import escape
from typing import Final

from benchmarks.rows import Row

WIDTH: Final = 960
LINE: Final = 26
TOP: Final = 52
LABELS: Final = 430
TARGET_AT: Final = 640
"""Where the line of the target stands; a bar that reaches twice as far has doubled it."""
BAR_MAX: Final = 840
TEXT, GOOD, BAD, FRAME = "#768390", "#2da44e", "#cf6a3c", "#76839066"


def svg(rows: Sequence[Row], title: str) -> str:
    """A picture of the rows that have a target."""
    aimed = [row for row in rows if row.reached is not None]
    height = TOP + LINE * len(aimed) + 16
    bars = "\n".join(_bar(row, TOP + LINE * at) for at, row in enumerate(aimed))
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"
  role="img" font-family="ui-sans-serif, system-ui, sans-serif" font-size="13" fill="{TEXT}">
<title>{escape(title)}</title>
<text x="0" y="16" font-size="15" font-weight="600">{escape(title)}</text>
<text x="{TARGET_AT}" y="38" text-anchor="middle">target</text>
<line x1="{TARGET_AT}" x2="{TARGET_AT}" y1="44" y2="{height - 12}" stroke="{TEXT}" stroke-dasharray="3 3"/>
{bars}
</svg>
"""


def _bar(row: Row, y: int) -> str:
    reached = row.reached or 0
    width = min(reached * (TARGET_AT - LABELS), BAR_MAX - LABELS)
    _, measured, _, _, ratio, _, _ = row.cells()
    value = f"{ratio} of the limit" if ratio else measured
    return f"""<text x="{LABELS - 10}" y="{y + 15}" text-anchor="end">{escape(row.what)}</text>
<rect x="{LABELS}" y="{y + 3}" width="{BAR_MAX - LABELS}" height="{LINE - 8}" rx="3" fill="none" stroke="{FRAME}"/>
<rect x="{LABELS}" y="{y + 3}" width="{width:.0f}" height="{LINE - 8}" rx="3" fill="{GOOD if row.met else BAD}"/>
<text x="{BAR_MAX + 8}" y="{y + 15}">{escape(value)}</text>"""
