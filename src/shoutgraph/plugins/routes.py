"""Which instances may take a payment, and which of them goes first: the operator's routes. Pure.

The first choice of a user stays the same as long as the route's names and weights do, on every process. When a weight
changes, only as many users move as it needs: each instance draws a number for each user, and the highest wins.

Source: weighted rendezvous hashing.
"""

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from shoutgraph.domain.packages import Market, Platform

DRAW_BYTES: Final = 8
DRAWS: Final = 2 ** (8 * DRAW_BYTES)


@dataclass(frozen=True, slots=True)
class Choice:
    """An instance and its share of the users. One without weight is taken only when no other can."""

    instance: str
    weight: int


@dataclass(frozen=True, slots=True)
class Route:
    """Where it holds (None everywhere), and who takes the payments there."""

    use: tuple[Choice, ...]
    countries: frozenset[str] | None = None
    currencies: frozenset[str] | None = None
    platform: Platform | None = None

    def fits(self, market: Market) -> bool:
        """Whether this route is for payments in this market."""
        return (
            (self.countries is None or market.country in self.countries)
            and (self.currencies is None or market.currency in self.currencies)
            and (self.platform is None or market.platform is self.platform)
        )

    def ordered(self, user_id: str) -> tuple[str, ...]:
        """The instances, the user's own first and the others by weight."""
        names = "\0".join(sorted(each.instance for each in self.use))
        first = max(self.use, key=lambda each: (_drawn(names, each, user_id), each.instance))
        others = sorted(
            (each for each in self.use if each is not first), key=lambda each: (-each.weight, each.instance)
        )
        return (first.instance, *(each.instance for each in others))


class Routes:
    """All routes. The first that fits a market counts; without any route, every instance takes everything."""

    def __init__(self, routes: Iterable[Route], instances: Iterable[str]) -> None:
        self._routes = tuple(routes)
        self._instances = tuple(sorted(instances))

    def candidates(self, market: Market, user_id: str) -> tuple[str, ...]:
        """The instances that may take a payment of this user there, the first choice first."""
        if not self._routes:
            return self._instances
        found = next((each for each in self._routes if each.fits(market)), None)
        return () if found is None else found.ordered(user_id)

    def strangers(self) -> tuple[str, ...]:
        """Names in routes that are no instance which takes money now."""
        named = {each.instance for route in self._routes for each in route.use}
        return tuple(sorted(named - set(self._instances)))


def _drawn(names: str, choice: Choice, user_id: str) -> float:
    if choice.weight == 0:
        return 0.0
    told = f"{names}\0{choice.instance}\0{user_id}".encode()
    number = int.from_bytes(hashlib.blake2b(told, digest_size=DRAW_BYTES).digest())
    # Between 0 and 1, neither of them included.
    return choice.weight / -math.log((number + 1) / (DRAWS + 2))
