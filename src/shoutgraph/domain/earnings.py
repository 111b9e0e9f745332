"""What creators earn: pending inside the hold, then available, then paid out; oldest first.

An earning's coins are always in exactly one place: still free, in a payout under way, paid, or taken back.
Units: coins. Source: docs/adr/0003-ledger.md, rows 15 to 25.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, NewType

from shoutgraph.domain import ids, money
from shoutgraph.domain.checks import Checks, tidy

EarningId = NewType("EarningId", str)
REASON_CHARS_MAX: Final = 500


class EarningKind(StrEnum):
    """What the coins were earned with."""

    ORDER = "ORDER"
    COMPENSATION = "COMPENSATION"
    GIFT = "GIFT"


class EarningState(StrEnum):
    """Where an earning stands."""

    PENDING = "PENDING"
    AVAILABLE = "AVAILABLE"
    PAID = "PAID"
    REVERSED = "REVERSED"


class EarningsPart(StrEnum):
    """Which of a creator's coins a line of the statement moved."""

    PENDING = "PENDING"
    AVAILABLE = "AVAILABLE"
    RESERVE = "RESERVE"


@dataclass(frozen=True, slots=True)
class Earning:
    """Coins that a creator earned with one order, compensation or gift.

    `coins` are the creator's own, after the fee; `fee_coins` is what the platform kept. `subject_id` names the order
    or the gift.
    """

    id: str
    creator_id: ids.CreatorId
    kind: EarningKind
    subject_id: str
    coins: int
    fee_coins: int
    earned_at: datetime
    matures_at: datetime
    state: EarningState = EarningState.PENDING
    in_payout_coins: int = 0
    paid_coins: int = 0
    reversed_coins: int = 0
    matured_at: datetime | None = None
    reserved_coins: int = 0
    reserved_until: datetime | None = None

    def __post_init__(self) -> None:
        assert self.coins > 0, "an earning is of at least one coin"
        assert 0 <= self.reserved_coins <= self.remaining_coins, "what is in reserve is neither paid nor on its way"
        assert min(self.remaining_coins, self.in_payout_coins, self.paid_coins, self.reversed_coins) >= 0, (
            "an earning's coins are each in one place"
        )

    @property
    def price_coins(self) -> int:
        """What the fan's side of it was: the earning and the fee."""
        return self.coins + self.fee_coins

    @property
    def remaining_coins(self) -> int:
        """Coins that are neither paid, nor on their way, nor taken back."""
        return self.coins - self.in_payout_coins - self.paid_coins - self.reversed_coins

    @property
    def free_coins(self) -> int:
        """Coins that may go into a payout: what remains, less what is in reserve."""
        return self.remaining_coins - self.reserved_coins


@dataclass(frozen=True, slots=True)
class ReserveRate:
    """What share of a creator's earnings is kept in reserve, and who says so; None for the policy's share."""

    creator_id: ids.CreatorId
    basis_points: int | None
    reason: str
    set_by: str

    @property
    def id(self) -> str:
        """Whose it is: one for each creator."""
        return self.creator_id


@dataclass(frozen=True, slots=True)
class Reserve:
    """What a creator has in reserve, when the first of it is released, and when the last."""

    coins: int
    next_at: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Part:
    """Coins of one earning that go into a payout."""

    earning_id: str
    coins: int


@dataclass(frozen=True, slots=True)
class Drawn:
    """Where coins come from that are taken back after the hold. `owed_coins` were paid out, or are on their way."""

    available_coins: int
    reserve_coins: int
    owed_coins: int


@dataclass(frozen=True, slots=True)
class Balances:
    """What a creator has earned, by where it is."""

    pending_coins: int
    available_coins: int
    in_payout_coins: int
    paid_coins: int


def matured(earning: Earning, *, now: datetime) -> Earning:
    """The earning after its hold."""
    assert earning.state is EarningState.PENDING, "only a pending earning matures"
    return _settled(replace(earning, state=EarningState.AVAILABLE, matured_at=now))


def reserved(earning: Earning, *, bps: int, until: datetime) -> Earning:
    """The earning with a share of what remains in reserve, rounded down in its creator's favour."""
    assert earning.state is EarningState.AVAILABLE, "only what has matured is kept in reserve"
    coins = earning.remaining_coins * bps // money.BPS
    return replace(earning, reserved_coins=coins, reserved_until=until) if coins else earning


def released(earning: Earning) -> Earning:
    """The earning after its reserve has aged."""
    return replace(earning, reserved_coins=0)


def rate(creator_id: ids.CreatorId, basis_points: int | None, reason: str, *, by: str) -> ReserveRate:
    """A share of a creator's own.

    Raises:
        ValidationError: the share is none, or the reason is empty or too long.
    """
    checks, kept = Checks(), tidy(reason)
    checks.text("reason", kept, chars_max=REASON_CHARS_MAX, lines=True)
    if basis_points is not None:
        checks.between("reserveBasisPoints", basis_points, 0, money.BPS)
    checks.settle()
    return ReserveRate(creator_id, basis_points, kept, by)


def draw(earnings: Iterable[Earning], coins: int) -> tuple[tuple[Earning, ...], Drawn]:
    """Takes coins back from matured earnings: first what is available, then what is in reserve; the rest is owed.

    Of each kind in the order given: the earning that the coins came with is the first. Gives those that change, as
    they are then.
    """
    found = {earning.id: earning for earning in earnings if earning.state is not EarningState.PENDING}
    drawn = {False: 0, True: 0}
    changed: set[str] = set()
    for from_reserve in drawn:
        for earning in tuple(found.values()):
            there = earning.reserved_coins if from_reserve else earning.free_coins
            taken = min(coins - sum(drawn.values()), there)
            if taken:
                found[earning.id] = _drawn(earning, taken, from_reserve=from_reserve)
                drawn[from_reserve] += taken
                changed.add(earning.id)
    after = tuple(earning for earning in found.values() if earning.id in changed)
    return after, Drawn(drawn[False], drawn[True], coins - sum(drawn.values()))


def withheld(earning: Earning, coins: int) -> Earning:
    """The earning after some of what is free paid what its creator owes."""
    return _drawn(earning, coins, from_reserve=False)


def allocate(earnings: Iterable[Earning], coins: int) -> tuple[Part, ...]:
    """Takes coins from available earnings, first in first out. They must hold enough."""
    parts: list[Part] = []
    missing = coins
    for earning in earnings:
        if missing == 0:
            break
        assert earning.state is EarningState.AVAILABLE, "only available earnings are paid out"
        taken = min(earning.free_coins, missing)
        if taken:
            parts.append(Part(earning.id, taken))
            missing -= taken
    assert missing == 0, "the earnings hold as many coins as the available balance"
    return tuple(parts)


def sent(earning: Earning, coins: int) -> Earning:
    """The earning after some of it went into a payout."""
    return replace(earning, in_payout_coins=earning.in_payout_coins + coins)


def given_back(earning: Earning, coins: int) -> Earning:
    """The earning after a payout failed before any money left."""
    return replace(earning, in_payout_coins=earning.in_payout_coins - coins)


def paid(earning: Earning, coins: int) -> Earning:
    """The earning after its part of a payout arrived."""
    moved = replace(earning, in_payout_coins=earning.in_payout_coins - coins, paid_coins=earning.paid_coins + coins)
    return _settled(moved)


def returned(earning: Earning, coins: int) -> Earning:
    """The earning after paid money came back: it is available again."""
    return replace(earning, paid_coins=earning.paid_coins - coins, state=EarningState.AVAILABLE)


def taken_back(earning: Earning, coins: int) -> Earning:
    """The earning after a refund took some of it while it was pending."""
    assert earning.state is EarningState.PENDING, "an earning is taken back only while it is pending"
    return _settled(replace(earning, reversed_coins=earning.reversed_coins + coins))


def _drawn(earning: Earning, coins: int, *, from_reserve: bool) -> Earning:
    kept = earning.reserved_coins - coins if from_reserve else earning.reserved_coins
    return _settled(replace(earning, reversed_coins=earning.reversed_coins + coins, reserved_coins=kept))


def _settled(earning: Earning) -> Earning:
    if earning.reversed_coins == earning.coins:
        return replace(earning, state=EarningState.REVERSED)
    if earning.paid_coins + earning.reversed_coins == earning.coins:
        return replace(earning, state=EarningState.PAID)
    return earning
