"""How much is measured: what a figure needs to be believed, or just enough to see that everything still runs."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Sizes:
    """How long, how often and how much."""

    seconds: float
    """How long each turn takes."""
    rounds: int
    """How many turns each candidate has; the median counts."""
    warm: int
    """Rounds before those that count."""
    creators: int
    fans: int
    in_flight: int
    sockets: int
    events: int
    """Events that are sent to all sockets."""
    starts: int
    page_creators: tuple[int, int]
    """Creators of a small market and of a large one."""
    order_postings: tuple[int, int]
    """Postings of young books and of old ones, on SQLite."""
    shared_postings: tuple[int, int]
    """The same on PostgreSQL."""
    shared_creators: tuple[int, int]


FULL: Final = Sizes(
    seconds=3,
    rounds=5,
    warm=1,
    creators=400,
    fans=1_000,
    in_flight=64,
    sockets=1_000,
    events=15,
    starts=5,
    page_creators=(1_000, 1_000_000),
    order_postings=(0, 10_000_000),
    shared_postings=(0, 2_000_000),
    shared_creators=(1_000, 200_000),
)
QUICK: Final = Sizes(
    seconds=0.2,
    rounds=1,
    warm=0,
    creators=40,
    fans=8,
    in_flight=8,
    sockets=20,
    events=2,
    starts=1,
    page_creators=(50, 500),
    order_postings=(0, 5_000),
    shared_postings=(0, 5_000),
    shared_creators=(50, 500),
)
