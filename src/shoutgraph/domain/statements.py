"""Statements that a person can read: what moved, in words and codes, about what, from which lots, and as a file.

A line's place counts the entries of each account, without a gap: what comes after it is found along a key, however long
the statement is, and what is written meanwhile moves nothing. Units: coins; `price_minor` minor units.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from shoutgraph.domain import clock, ids, money
from shoutgraph.domain.money import Money

RISKY: Final = ("=", "+", "-", "@", "\t", "\r")
"""With one of these, a spreadsheet takes a text for a formula."""


@dataclass(frozen=True, slots=True)
class Part:
    """Coins of one lot that a line moved. `granted` coins cost `price_minor` together."""

    lot_id: str
    topup_id: str | None
    coins: int
    price_minor: int
    granted: int
    currency: str | None

    @property
    def worth(self) -> Money | None:
        """What these coins cost, towards nothing rounded; None for what was not bought."""
        if self.currency is None or not self.price_minor:
            return None
        minor = abs(self.coins) * self.price_minor // self.granted
        return Money(minor if self.coins > 0 else -minor, self.currency)


@dataclass(frozen=True, slots=True)
class Line:
    """One move of coins in one of several accounts that are read as one.

    `own` is which account, `version` the how many-th move of it, and `place` where the next line is looked for.
    """

    own: int
    version: int
    posting: int
    transfer: int
    kind: str
    ref: str
    coins: int
    balance_coins: int
    at: datetime
    place: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class About:
    """What a line is about, as far as it names something."""

    order_id: str | None = None
    topup_id: str | None = None
    gift_id: str | None = None
    payout_id: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A line as people read it. `account` names which coins moved, such as PAID or PENDING."""

    line: Line
    account: str
    code: str
    words: str
    about: About
    parts: tuple[Part, ...] = ()


WORDS: Final[dict[tuple[str, str], str]] = {
    ("PAID", "topup.succeeded"): "Coins bought",
    ("PROMO", "topup.succeeded"): "Bonus coins",
    ("PAID", "debt.repaid"): "Paid what was owed",
    ("DEBT", "debt.repaid"): "Paid what was owed",
    ("PAID", "topup.refund_requested"): "Set aside for a refund",
    ("PROMO", "topup.refund_requested"): "Bonus set aside for a refund",
    ("PAID", "topup.refund_failed"): "Back from a refund that was not made",
    ("PROMO", "topup.refund_failed"): "Bonus back from a refund that was not made",
    ("PAID", "topup.refund_reversed"): "Back from a refund that failed later",
    ("DEBT", "topup.refund_reversed"): "No longer owed: a refund failed later",
    ("PAID", "dispute.opened"): "Taken back by the bank",
    ("DEBT", "dispute.opened"): "Owed: taken back by the bank after it was spent",
    ("PAID", "dispute.won"): "Returned by the bank",
    ("DEBT", "dispute.won"): "No longer owed: returned by the bank",
    ("DEBT", "debt.written_off"): "No longer owed: written off",
    ("PAID", "order.placed"): "Order placed",
    ("PROMO", "order.placed"): "Order placed, with granted coins",
    ("PAID", "order.closed"): "Back from an order",
    ("PROMO", "order.closed"): "Granted coins back from an order",
    ("PAID", "order.surcharge_returned"): "Express was late: surcharge back",
    ("PROMO", "order.surcharge_returned"): "Express was late: surcharge back, in granted coins",
    ("PAID", "order.refunded"): "Order refunded",
    ("PROMO", "order.refunded"): "Order refunded, in granted coins",
    ("PAID", "goodwill"): "Goodwill for an order",
    ("PROMO", "goodwill"): "Goodwill for an order, in granted coins",
    ("PAID", "gift"): "Gift sent",
    ("PAID", "breakage"): "Lapsed: nothing was done here for long",
    ("PAID", "breakage.returned"): "Lapsed coins given back",
    ("PROMO", "promo.granted"): "Coins granted",
    ("PROMO", "promo.expired"): "Granted coins lapsed",
    ("PENDING", "order.closed"): "Earned with an order",
    ("PENDING", "creator.compensated"): "Compensation for a delay",
    ("PENDING", "gift"): "Gift received",
    ("PENDING", "order.refunded"): "Order refunded to the fan",
    ("AVAILABLE", "order.refunded"): "Order refunded to the fan after the hold",
    ("RESERVE", "order.refunded"): "Order refunded to the fan, from the reserve",
    ("DEBT", "order.refunded"): "Owed: an order was refunded after it was paid out",
    ("AVAILABLE", "debt.withheld"): "Paid what was owed",
    ("DEBT", "debt.withheld"): "Paid what was owed, from earnings",
    ("PENDING", "earnings.matured"): "Hold over",
    ("AVAILABLE", "earnings.matured"): "Available after the hold",
    ("AVAILABLE", "earnings.reserved"): "Kept in reserve",
    ("RESERVE", "earnings.reserved"): "Kept in reserve",
    ("RESERVE", "earnings.released"): "Released from the reserve",
    ("AVAILABLE", "earnings.released"): "Released from the reserve",
    ("AVAILABLE", "payout.requested"): "Payout asked for",
    ("AVAILABLE", "payout.failed"): "Back from a payout that was not made",
    ("AVAILABLE", "payout.returned"): "Back from a payout that was returned",
}
"""What each move is called in English; its code names it for every other language."""

HEAD: Final = (
    *("date", "code", "description", "account", "coins", "balance"),
    *("order", "top_up", "gift", "payout", "worth", "reference"),
)
"""The columns of the file."""


def code_of(account: str, kind: str) -> str:
    """The localisable code of a move, such as PAID_ORDER_PLACED."""
    return f"{account}_{kind}".upper().replace(".", "_")


def words_of(account: str, kind: str) -> str:
    """What a move is called in English."""
    return WORDS.get((account, kind), kind.replace(".", " ").replace("_", " ").capitalize())


def subject_of(ref: str) -> str:
    """The id that a transfer's name begins with."""
    return ref.split(":", 1)[0]


def about(subject_id: str) -> About:
    """What an id names."""
    match ids.prefix_of(subject_id):
        case ids.ORDER:
            return About(order_id=subject_id)
        case ids.TOPUP:
            return About(topup_id=subject_id)
        case ids.GIFT:
            return About(gift_id=subject_id)
        case ids.PAYOUT:
            return About(payout_id=subject_id)
        case _:
            return About()


def merged(streams: Sequence[Sequence[Line]], bounds: Sequence[int], *, backward: bool, bound: bool) -> Iterator[Line]:
    """The lines of several accounts as one, each with its place.

    Args:
        streams: the next lines of each account, the newest first, or the oldest first where they are read backward.
        bounds: from where each was read, if it was `bound`: below this version, or from it on where read backward.
    """
    at = [bounds[own] if bound or backward or not lines else lines[0].version + 1 for own, lines in enumerate(streams)]
    lines = sorted((line for lines in streams for line in lines), key=_order, reverse=not backward)
    for line in lines:
        place = [*at]
        place[line.own] = line.version
        at[line.own] = line.version + 1 if backward else line.version
        yield replace(line, place=(line.own, *place))


def _order(line: Line) -> tuple[int, int]:
    return line.posting, line.own


def split(moves: Sequence[Part], coins: Sequence[int]) -> list[tuple[Part, ...]]:
    """Shares the lots that a transfer moved among its lines on one account, in order."""
    if len(coins) == 1:
        return [tuple(moves)]
    left, shared = list(moves), []
    for wanted in coins:
        found, missing = [], wanted
        while left and missing:
            part = left.pop(0)
            if abs(part.coins) > abs(missing):
                left.insert(0, _of(part, part.coins - missing))
                part = _of(part, missing)
            found.append(part)
            missing -= part.coins
        shared.append(tuple(found))
    return shared


def cell(value: object) -> str:
    """A cell of the file: texts that a spreadsheet would compute are made texts, and quotes are doubled."""
    if value is None:
        return ""
    text = str(value)
    if not isinstance(value, int) and text.startswith(RISKY):
        text = f"'{text}"
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',"\r\n') else text


def row(cells: Iterable[object]) -> str:
    """A row of the file, as RFC 4180 has it."""
    return ",".join(cell(each) for each in cells) + "\r\n"


def row_of(told: Told) -> str:
    """A line of the statement as a row of the file."""
    line, named = told.line, told.about
    worth = "; ".join(_amount(part.worth) for part in told.parts if part.worth is not None)
    moved = (clock.to_text(line.at), told.code, told.words, told.account, line.coins, line.balance_coins)
    return row((*moved, named.order_id, named.topup_id, named.gift_id, named.payout_id, worth, line.ref))


def balance_row(code: str, account: str, balance_coins: int, at: datetime | None) -> str:
    """An opening or a closing balance as a row of the file."""
    words = "Opening balance" if code == "OPENING" else "Closing balance"
    when = "" if at is None else clock.to_text(at)
    return row((when, code, words, account, None, balance_coins, *(None for _ in range(6))))


def _amount(worth: Money) -> str:
    digits = money.exponent(worth.currency)
    whole, rest = divmod(abs(worth.minor), 10**digits)
    sign = "-" if worth.minor < 0 else ""
    return f"{worth.currency} {sign}{whole}" + (f".{rest:0{digits}d}" if digits else "")


def _of(part: Part, coins: int) -> Part:
    return Part(part.lot_id, part.topup_id, coins, part.price_minor, part.granted, part.currency)
