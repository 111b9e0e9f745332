"""What a top-up still owes the books, step by step, and how taken-back coins are found.

`next_step` compares what was seen with what is booked, so that it does not matter in which order things were seen, or
how often: the same totals end in the same books. Reversed coins come first from the top-up's own unspent coins, then
from open orders that hold some of it, then from other coins of the wallet; what is spent becomes debt.

Totals do not say who asked for a refund. A refund of ours that the provider may have takes the next refunded money that
covers it: those that it is known to have before others, and then the oldest first. While none is covered and one is
open, that money waits for its end. So the same money is booked once, whichever of the answer, the webhook and the look
comes first, and whether or not the refund was ours.
Source: docs/adr/0003-ledger.md, rows 2 to 10.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from shoutgraph.domain import accounts, ids, ledger, money, postings
from shoutgraph.domain.ledger import Lot, LotMove, Transfer
from shoutgraph.domain.topups.parts import EMPTY, Slice, share
from shoutgraph.domain.topups.refund import Refund, RefundState
from shoutgraph.domain.topups.taken import TakenBack, WayBack, choose, fitting, merged
from shoutgraph.domain.topups.topup import Booked, Review, Topup

BONUS_LIFE: Final = timedelta(days=365)
"""Coins that came free with a package lapse after this, where their top-up does not say."""


class StepKind(StrEnum):
    """What is to be booked next."""

    CREDIT = "CREDIT"
    FEE = "FEE"
    DISPUTE = "DISPUTE"
    DECISION = "DECISION"
    REFUND = "REFUND"
    OWN_REFUND = "OWN_REFUND"
    REFUND_FAILED = "REFUND_FAILED"


@dataclass(frozen=True, slots=True)
class Dispute:
    """One withdrawal by the provider, decided once and whole.

    `taken` are the moves of the wallet's lots; `order_coins` came from open orders, `owed_coins` became debt.
    `until_minor` is what had ever been disputed when it was opened.
    """

    ref: str
    topup_id: ids.TopupId
    part: Slice
    until_minor: int
    taken: tuple[LotMove, ...]
    order_coins: int
    owed_coins: int
    opened_at: datetime
    decided_at: datetime | None = None
    lost_minor: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to book. `part` is what moves; a decision names its dispute and how much of it was lost.

    The part of a refund of ours is empty where other reversals took its place meanwhile: its coins go back first.
    `failed_minor` is how much of what was refunded came back, and `taken` which refund gives back what it took; that
    is None where the refund had found nothing left to take. What is `unseen` came back before it was booked as refunded
    and moves nothing: coins are not taken, nor orders ended, for money that is with us.
    """

    kind: StepKind
    part: Slice = EMPTY
    dispute: Dispute | None = None
    lost_minor: int = 0
    refund: Refund | None = None
    taken: TakenBack | None = None
    failed_minor: int = 0
    unseen: bool = False


@dataclass(frozen=True, slots=True)
class Open:
    """What is under way of a top-up: its disputes, the refunds that we asked for, and what any refund took."""

    disputes: Sequence[Dispute] = ()
    refunds: Sequence[Refund] = ()
    taken: Sequence[TakenBack] = ()


def next_step(
    topup: Topup,
    disputes: Sequence[Dispute],
    refunds: Sequence[Refund] = (),
    taken: Sequence[TakenBack] = (),
) -> Step | None:
    """The next thing to book, or None when the books say what was seen.

    Args:
        refunds: those that we asked for, the oldest first.
        taken: what refunds took back, the oldest first.
    """
    if not topup.paid:
        return None  # whatever else was seen: nothing was credited, so nothing can be taken back
    under_way = Open(disputes, refunds, taken)
    return next((step for find in _STEPS if (step := find(topup, under_way)) is not None), None)


def booked(topup: Topup, step: Step) -> Topup:
    """The top-up after a step was posted."""
    before, totals = topup.booked, topup.totals
    after = before
    match step.kind:
        case StepKind.CREDIT:
            after = replace(before, credited=True)
        case StepKind.FEE:
            after = replace(before, fee_minor=totals.fee_minor)
        case StepKind.DISPUTE:
            after = replace(_reversed(before, step.part), disputed_minor=totals.disputed_minor)
        case StepKind.REFUND:
            after = replace(_reversed(before, step.part), refunded_minor=totals.refunded_minor)
        case StepKind.OWN_REFUND:
            after = replace(_reversed(before, step.part), refunded_minor=before.refunded_minor + step.part.minor)
        case StepKind.REFUND_FAILED:
            failed_minor = before.refunds_failed_minor + step.failed_minor
            refunded_minor = before.refunded_minor + step.failed_minor * step.unseen
            less = _reversed(before, Slice().less(step.part))
            after = replace(less, refunded_minor=refunded_minor, refunds_failed_minor=failed_minor)
        case StepKind.DECISION:
            assert step.dispute is not None, "a decision is about a dispute"
            won = step.dispute.part.less(lost_part(step.dispute, step.lost_minor))
            after = _reversed(before, Slice().less(won))
    return _reviewed(replace(topup, booked=after))


def _reviewed(topup: Topup) -> Topup:
    if topup.review is None and topup.totals.gone_minor > topup.terms.price_minor:
        return replace(topup, review=Review.TOTALS_MISMATCH)
    return topup


def lost_part(dispute: Dispute, lost_minor: int) -> Slice:
    """The part of a dispute that is lost, rounded down in coins; the rest is won."""
    return share(dispute.part, lost_minor)


def books_cash(topup: Topup, part: Slice) -> postings.Cash:
    """The money of a part of this top-up at its provider."""
    units = part.minor * money.BOOK_UNITS_PER_MINOR
    return postings.Cash(topup.instance, topup.terms.currency, units, part.book_units)


def whole(topup: Topup) -> Slice:
    """All of a top-up."""
    return Slice(topup.terms.price_minor, topup.terms.coins, topup.terms.book_units)


def credit(books: postings.Books, topup: Topup, *, lot_id: str, bonus_lot_id: str, now: datetime) -> Transfer:
    """Row 2: the coins that the top-up buys, and the granted ones that come with it."""
    lot = fresh_lot(topup, lot_id, topup.terms.coins, now=now)
    bonus = None
    if topup.terms.bonus_coins:
        bonus = replace(
            lot,
            id=bonus_lot_id,
            account=accounts.promo(topup.user_id).code,
            granted=topup.terms.bonus_coins,
            remaining=topup.terms.bonus_coins,
            price_minor=0,
            expires_at=now + bonus_life(topup),
        )
    cash = books_cash(topup, whole(topup))
    return postings.topup_succeeded(books, ref=topup.id, cash=cash, lot=lot, bonus=bonus)


def bonus_life(topup: Topup) -> timedelta:
    """How long the granted coins of a top-up live."""
    return BONUS_LIFE if topup.terms.bonus_s is None else timedelta(seconds=topup.terms.bonus_s)


def fresh_lot(topup: Topup, lot_id: str, coins: int, *, now: datetime) -> Lot:
    """A lot of paid coins that this top-up stands for, with their share of its price."""
    return Lot(
        id=lot_id,
        account=accounts.paid(topup.user_id).code,
        user_id=topup.user_id,
        topup_id=topup.id,
        granted=coins,
        remaining=coins,
        price_minor=topup.terms.price_minor * coins // topup.terms.coins,
        currency=topup.terms.currency,
        country=topup.terms.country,
        granted_at=now,
    )


@dataclass(frozen=True, slots=True)
class Escrowed:
    """Coins of one top-up that an open order holds."""

    order_id: ids.OrderId
    coins: int


def orders_to_reverse(coins: int, own: Sequence[Lot], escrowed: Sequence[Escrowed]) -> tuple[tuple[Escrowed, ...], int]:
    """Which open orders must end so that `coins` can be taken back, and how much of each.

    Gives the orders with what is taken of each, and what must come from the wallet instead.
    """
    missing = coins - min(coins, sum(lot.remaining for lot in own))
    reversals = []
    for held in escrowed:
        if missing == 0:
            break
        part = min(missing, held.coins)
        reversals.append(Escrowed(held.order_id, part))
        missing -= part
    return tuple(reversals), coins - sum(each.coins for each in reversals)


def claw(coins: int, own: Sequence[Lot], others: Sequence[Lot]) -> tuple[tuple[LotMove, ...], int]:
    """Takes coins from the top-up's own lots, then from others; gives the moves and what is missing: the debt."""
    own_ids = {lot.id for lot in own}
    lots = [*own, *(lot for lot in others if lot.id not in own_ids)]
    there = min(coins, sum(lot.remaining for lot in lots))
    return ledger.take(lots, there), coins - there


def way_back(
    dispute: Dispute, own: Sequence[Lot], *, won_coins: int, debt_coins: int, room: Mapping[str, int]
) -> WayBack:
    """Splits won coins. Row 10: debt first, then the lots that they came from, the last taken first.

    Args:
        own: the top-up's own lots of paid coins, which get back what open orders had held of them.
        room: what fits into each of these lots, and of those that the dispute took from.
    """
    undone = min(won_coins, debt_coins, dispute.owed_coins)
    left = won_coins - undone
    taken = fitting(dispute.taken, room)
    holds = (*fill([lot.id for lot in own], dispute.order_coins, room=room, besides=taken), *taken)
    to_lots = min(left, sum(hold.coins for hold in holds))
    return WayBack(undone, merged(ledger.give_back(holds, to_lots)), left - to_lots)


def fill(
    lot_ids: Sequence[str], coins: int, *, room: Mapping[str, int], besides: Sequence[LotMove] = ()
) -> tuple[LotMove, ...]:
    """Gives coins to lots that have room for them, as far as it goes.

    Args:
        room: what fits into each lot besides what orders, cards, refunds and disputes will put back there.
        besides: what the lots will get anyway.
    """
    promised: dict[str, int] = {}
    for move in besides:
        promised[move.lot_id] = promised.get(move.lot_id, 0) + move.coins
    moves = []
    missing = coins
    for lot_id in lot_ids:
        part = min(missing, room.get(lot_id, 0) - promised.get(lot_id, 0))
        if part > 0:
            moves.append(LotMove(lot_id, part))
            missing -= part
    return tuple(moves)


def _credit(topup: Topup, _open: Open) -> Step | None:
    return None if topup.booked.credited else Step(StepKind.CREDIT)


def _dispute(topup: Topup, _open: Open) -> Step | None:
    more_minor = topup.totals.disputed_minor - topup.booked.disputed_minor
    return Step(StepKind.DISPUTE, _next_part(topup, more_minor)) if more_minor > 0 else None


def _refund(topup: Topup, under_way: Open) -> Step | None:
    more_minor = topup.totals.refunded_minor - topup.booked.refunded_minor
    if more_minor <= 0:
        return None
    sent = [refund for refund in under_way.refunds if refund.sent]
    sent.sort(key=lambda refund: refund.state is not RefundState.PENDING)  # whom the provider is known to have
    for refund in sent:
        if refund.part.minor <= more_minor:
            return own_refund(topup, refund)
    if sent:
        return None
    back_minor = min(more_minor, topup.totals.refunds_failed_minor - topup.booked.refunds_failed_minor)
    if back_minor > 0:
        return Step(StepKind.REFUND_FAILED, failed_minor=back_minor, unseen=True)
    return Step(StepKind.REFUND, _next_part(topup, more_minor))


def _refund_failed(topup: Topup, under_way: Open) -> Step | None:
    """What came back of refunds that are booked: first what found nothing left to take, then what was taken."""
    before = topup.booked
    more_minor = min(topup.totals.refunds_failed_minor, before.refunded_minor) - before.refunds_failed_minor
    if more_minor <= 0:
        return None
    standing = [each for each in under_way.taken if each.left.minor]
    gone_minor = before.refunded_minor - before.refunds_failed_minor
    beyond_minor = gone_minor - sum(each.left.minor for each in standing)
    if beyond_minor > 0:
        return Step(StepKind.REFUND_FAILED, failed_minor=min(more_minor, beyond_minor))
    taken = choose(standing, more_minor, ours=frozenset(refund.id for refund in under_way.refunds))
    minor = min(more_minor, taken.left.minor)
    refund = next((each for each in under_way.refunds if each.id == taken.ref), None)
    return Step(StepKind.REFUND_FAILED, taken.next_back(minor), refund=refund, taken=taken, failed_minor=minor)


def own_refund(topup: Topup, refund: Refund) -> Step:
    """The end of a refund of ours whose money went back."""
    return Step(StepKind.OWN_REFUND, refund.part if _fits(topup, refund.part) else Slice(), refund=refund)


def _fits(topup: Topup, part: Slice) -> bool:
    """Whether so much is left to take back: a dispute may have taken all of it."""
    left = whole(topup).less(_booked_part(topup))
    return part.minor <= left.minor and part.coins <= left.coins and part.book_units <= left.book_units


def _booked_part(topup: Topup) -> Slice:
    return Slice(topup.booked.reversed_minor, topup.booked.reversed_coins, topup.booked.reversed_book_units)


def _fee(topup: Topup, _open: Open) -> Step | None:
    more_minor = topup.totals.fee_minor - topup.booked.fee_minor
    return Step(StepKind.FEE, Slice(minor=more_minor)) if more_minor > 0 else None


def _next_part(topup: Topup, minor: int) -> Slice:
    """The next part that is taken back: cumulative shares, so that the parts always sum to the whole."""
    before = _booked_part(topup)
    return next_slice(topup, before, min(minor, topup.terms.price_minor - before.minor))


def next_slice(topup: Topup, before: Slice, minor: int) -> Slice:
    """The slice of a top-up that comes after what is gone already, by cumulative shares."""
    upto, all_of_it = share(whole(topup), before.minor + minor), whole(topup)
    return Slice(
        minor,
        min(max(0, upto.coins - before.coins), all_of_it.coins - before.coins),
        min(max(0, upto.book_units - before.book_units), all_of_it.book_units - before.book_units),
    )


def taken_or_asked(topup: Topup, refunds: Sequence[Refund]) -> Slice:
    """What was taken back of a top-up, with what refunds of ours have set aside."""
    gone = _booked_part(topup)
    for refund in refunds:
        if refund.open:
            gone = gone.plus(refund.part)
    return gone


@dataclass(frozen=True, slots=True)
class Home:
    """How coins that were set aside return: to their lots, and what finds no room there as a new lot."""

    given: tuple[LotMove, ...]
    fresh_coins: int


def way_home(taken: Sequence[LotMove], room: Mapping[str, int]) -> Home:
    """Gives coins back to the lots that they came from, as far as those have room, and then to the others named.

    Args:
        room: what fits into each lot, in the order in which they are filled.
    """
    given = fitting(taken, room)
    missing = -sum(move.coins for move in taken) - sum(move.coins for move in given)
    more = fill(list(room), missing, room=room, besides=given)
    return Home(merged((*given, *more)), missing - sum(move.coins for move in more))


def _decision(topup: Topup, under_way: Open) -> Step | None:
    disputes = under_way.disputes
    decided_minor = topup.totals.won_minor + topup.totals.lost_minor
    lost_left = topup.totals.lost_minor - sum(each.lost_minor for each in disputes)
    for dispute in disputes:
        if dispute.decided_at is None and dispute.until_minor <= decided_minor:
            return Step(StepKind.DECISION, dispute.part, dispute, min(dispute.part.minor, lost_left))
    return None


def _reversed(before: Booked, part: Slice) -> Booked:
    return replace(
        before,
        reversed_minor=before.reversed_minor + part.minor,
        reversed_coins=before.reversed_coins + part.coins,
        reversed_book_units=before.reversed_book_units + part.book_units,
    )


_STEPS: Final = (_credit, _dispute, _decision, _refund, _refund_failed, _fee)
"""In this order: what was taken back is booked as taken before it is booked as returned."""
