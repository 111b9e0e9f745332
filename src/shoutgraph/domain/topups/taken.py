"""What refunds took back of a top-up, kept so that it can return when the money comes back to us after all.

A refund that was done may fail later or be reversed. Totals say how much came back, not of which refund: it is taken
for that of a refund of exactly this amount, of ours before others', the newest first.
Source: docs/adr/0003-ledger.md, row 6b.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from shoutgraph.domain import ids, ledger
from shoutgraph.domain.ledger import LotMove
from shoutgraph.domain.topups.parts import EMPTY, Slice, share


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What one refund took. `back` is what of it returned since.

    `taken` are the moves of the wallet's lots; `order_coins` came from open orders, `owed_coins` became debt, and
    `bonus_coins` are granted coins that went because all of the money had gone.
    """

    ref: str
    topup_id: ids.TopupId
    part: Slice
    taken: tuple[LotMove, ...]
    at: datetime
    order_coins: int = 0
    owed_coins: int = 0
    bonus_coins: int = 0
    back: Slice = EMPTY

    @property
    def left(self) -> Slice:
        """What is still taken."""
        return self.part.less(self.back)

    def next_back(self, minor: int) -> Slice:
        """The part that so much more money returns: cumulative shares, so that the parts sum to what was taken."""
        return share(self.part, self.back.minor + minor).less(self.back)


@dataclass(frozen=True, slots=True)
class WayBack:
    """How coins return: debt is undone, lots get theirs, and what finds no room there comes as a new lot."""

    undone_coins: int
    given: tuple[LotMove, ...]
    fresh_coins: int


def choose(taken: Sequence[TakenBack], minor: int, *, ours: frozenset[str]) -> TakenBack:
    """The refund whose money came back.

    Args:
        taken: those that still hold something, the oldest first.
        ours: the names of refunds that we asked for.
    """

    def fitness(at: int) -> tuple[bool, bool, bool, int]:
        left = taken[at].left.minor
        return left == minor, taken[at].ref in ours, left < minor, at

    return taken[max(range(len(taken)), key=fitness)]


def way_again(record: TakenBack, room: Mapping[str, int], *, coins: int, debt_coins: int) -> WayBack:
    """Splits coins of a refund that came back: debt first, then the lots that they came from, the last taken first.

    Args:
        room: what fits into the lots that the refund took from.
    """
    undone = min(coins, debt_coins, record.owed_coins)
    holds = fitting(record.taken, room)
    to_lots = min(coins - undone, sum(hold.coins for hold in holds))
    return WayBack(undone, merged(ledger.give_back(holds, to_lots)), coins - undone - to_lots)


def fitting(taken: Sequence[LotMove], room: Mapping[str, int]) -> tuple[LotMove, ...]:
    """What was taken of each lot, as far as it fits back there."""
    holds = (LotMove(move.lot_id, min(-move.coins, room.get(move.lot_id, 0))) for move in merged(taken))
    return tuple(hold for hold in holds if hold.coins > 0)


def merged(moves: Sequence[LotMove]) -> tuple[LotMove, ...]:
    """One move a lot."""
    coins: dict[str, int] = {}
    for move in moves:
        coins[move.lot_id] = coins.get(move.lot_id, 0) + move.coins
    return tuple(LotMove(lot_id, total) for lot_id, total in coins.items())
