"""Closing an account: nothing new begins, what is open ends by its own rules, and then what is owned is settled.

The steps go one after the other, in the order of `Key`. Until the first of them that nothing takes back, which comes
when a while has passed and nothing is open or owed, the owner may think better of it. Source: docs/PRIVACY.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from shoutgraph.domain import errors, ids
from shoutgraph.domain.payouts import PayoutState
from shoutgraph.domain.policies import Policy
from shoutgraph.domain.privacy import Blocker
from shoutgraph.domain.users import User

LOOK: Final = timedelta(minutes=5)
"""How soon an account that closes is looked at again."""
BROKEN: Final = timedelta(hours=1)
"""How soon one whose look broke, so that it does not stand before others for ever."""
WATCH: Final = timedelta(days=1)
"""How soon one that is closed is looked at again."""
WATCHED: Final = timedelta(days=400)
"""How long after its end money that comes late is still sent back without anybody asking."""
RETRY: Final = timedelta(days=1)
"""How long after a payout that failed the next one is asked for."""
ENDED_BADLY: Final = frozenset(
    {PayoutState.DENIED, PayoutState.RETURNED, PayoutState.REJECTED, PayoutState.NOT_EXECUTED, PayoutState.CANCELLED}
)
"""How a payout fails."""


class ClosureState(StrEnum):
    """Where a closure stands."""

    CLOSING = "CLOSING"
    CLOSED = "CLOSED"
    CANCELLED = "CANCELLED"


class StepState(StrEnum):
    """Where a step stands."""

    WAITING = "WAITING"
    BLOCKED = "BLOCKED"
    CLAIM = "CLAIM"
    DONE = "DONE"


SETTLED: Final = frozenset({StepState.CLAIM, StepState.DONE})


class Key(StrEnum):
    """The steps, in the order in which they are taken."""

    ORDERS = "ORDERS"
    TOPUPS = "TOPUPS"
    DEBT = "DEBT"
    COINS = "COINS"
    PROMO = "PROMO"
    EARNINGS = "EARNINGS"
    PAYOUT = "PAYOUT"


REVERSIBLE: Final = (Key.ORDERS, Key.TOPUPS, Key.DEBT)
"""Nothing is sent anywhere before these are settled."""


class Remedy(StrEnum):
    """What can be done about what stands in the way."""

    WAIT = "WAIT"
    ASK_SUPPORT = "ASK_SUPPORT"
    CANCEL_GIFT_CARDS = "CANCEL_GIFT_CARDS"
    ADD_RECIPIENT = "ADD_RECIPIENT"
    BUY_COINS = "BUY_COINS"
    MEND_PROFILE = "MEND_PROFILE"


WORDS: Final[Mapping[str, tuple[Remedy, str]]] = {
    "REVOCABLE": (Remedy.WAIT, "It can still be taken back; it goes on after that, once nothing is open or owed."),
    "OPEN_ORDERS": (Remedy.WAIT, "Orders are under way: they end by their own deadlines."),
    "OPEN_TOPUPS": (Remedy.WAIT, "A purchase of coins is under way: its provider has not said how it ended."),
    "OPEN_REFUNDS": (Remedy.WAIT, "Money is on its way back: its provider has not said that it arrived."),
    "OPEN_DISPUTES": (Remedy.WAIT, "A payment is disputed: its provider decides."),
    "DEBT": (
        Remedy.BUY_COINS,
        "Coins are owed after a charge-back: buy as many, which is possible while the account closes, or ask support.",
    ),
    "GIFT_CARDS": (
        Remedy.CANCEL_GIFT_CARDS,
        "A gift card is open: cancel it, or wait until it is redeemed or lapses.",
    ),
    "WALLET_LOCKED": (Remedy.ASK_SUPPORT, "The account is locked after a charge-back or by a moderator."),
    "PROVIDER_UNAVAILABLE": (Remedy.WAIT, "The provider cannot be asked now; it is asked again."),
    "NOT_REFUNDABLE": (
        Remedy.ASK_SUPPORT,
        "The right to withdraw from these coins is over: they stay yours, and support may give their money back.",
    ),
    "REFUND_REFUSED": (
        Remedy.ASK_SUPPORT,
        "The provider did not give the money back: the coins stay yours, and support may give it back in another way.",
    ),
    "PROMO_KEPT": (Remedy.WAIT, "Granted coins are left, which nobody can be paid for: they stay until they lapse."),
    "COINS_FIRST": (Remedy.WAIT, "Granted coins are given up when the bought ones are settled."),
    "EARNINGS_HELD": (Remedy.WAIT, "Earnings are held or in reserve until this time, then they are paid out."),
    "OPEN_PAYOUTS": (Remedy.WAIT, "A payout is under way."),
    "PAYOUT_HELD": (Remedy.ASK_SUPPORT, "A payout is held: see why on the payout."),
    "PAYOUT_FAILED": (Remedy.WAIT, "The last payout failed; it is asked for again at this time."),
    "NO_RECIPIENT": (Remedy.ADD_RECIPIENT, "It is not said where earnings are to be paid."),
    "BELOW_MINIMUM": (Remedy.ASK_SUPPORT, "What is left is less than any provider sends: it stays yours."),
    "PAYOUT_LIMIT": (Remedy.WAIT, "A limit of payouts is reached; the rest is asked for later."),
    "PAYOUT_REFUSED": (Remedy.MEND_PROFILE, "The last payout cannot be asked for: complete your profile."),
}
"""What stands in the way of a step, by its code: what to do, and the words."""


@dataclass(frozen=True, slots=True)
class Block:
    """What stands in the way of a step, and until when it does, where that is known."""

    code: str
    until: datetime | None = None

    @property
    def remedy(self) -> Remedy:
        """What can be done about it."""
        return WORDS[self.code][0]

    @property
    def words(self) -> str:
        """The same for a person."""
        return WORDS[self.code][1]


@dataclass(frozen=True, slots=True)
class Step:
    """One step, and since when it stands where it does."""

    key: Key
    state: StepState
    since: datetime
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True)
class Shop:
    """What a creator had on when it was switched off, so that it can be switched on again."""

    offer_ids: tuple[str, ...] = ()
    takes_gifts: bool = False


@dataclass(frozen=True, slots=True)
class Closure:
    """An account that is being closed, or was.

    Args:
        forfeit_promo: whether its owner gives up granted coins.
        revocable_until: until then nothing is sent anywhere.
        begun_at: when the first step was taken that nothing takes back.
        signed_out_at: tokens that were issued until then are good no more. In real time, as tokens are.
    """

    id: str
    user_id: ids.UserId
    revision: int
    state: ClosureState
    forfeit_promo: bool
    shop: Shop
    requested_at: datetime
    revocable_until: datetime
    due_at: datetime | None
    begun_at: datetime | None = None
    ended_at: datetime | None = None
    signed_out_at: datetime | None = None
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What somebody has going on. Units: coins."""

    blockers: frozenset[Blocker]
    paid_coins: int = 0
    promo_coins: int = 0
    maturing_coins: int = 0
    available_coins: int = 0
    cards_open: bool = False
    cards_until: datetime | None = None
    matures_at: datetime | None = None
    failed_at: datetime | None = None
    held: bool = False
    refused: frozenset[str] = field(default_factory=frozenset)
    """Why the last tries to give money back, or to pay out, came to nothing, by the codes of `WORDS`."""


def close(user: User, *, now: datetime) -> User:
    """The user whose account closes; a repeat changes nothing."""
    return user if user.closed_at is not None else replace(user, closed_at=now, revision=user.revision + 1)


@dataclass(frozen=True, slots=True)
class Wish:
    """Whose account is to be closed, under which name, and what was on in their shop."""

    closure_id: str
    user_id: ids.UserId
    forfeit_promo: bool = False
    shop: Shop = field(default_factory=Shop)


def request(wish: Wish, *, policy: Policy, now: datetime) -> Closure:
    """A new closure, whose steps all wait."""
    return Closure(
        id=wish.closure_id,
        user_id=wish.user_id,
        revision=1,
        state=ClosureState.CLOSING,
        forfeit_promo=wish.forfeit_promo,
        shop=wish.shop,
        requested_at=now,
        revocable_until=now + timedelta(seconds=policy.closure_wait_s),
        due_at=now,
        steps=tuple(Step(key, StepState.WAITING, now) for key in Key),
    )


def cancel(closure: Closure, *, now: datetime) -> Closure:
    """The closure taken back.

    Raises:
        ValidationError: it is closed, or a step was taken that nothing takes back.
    """
    path = ("input", "confirm")
    if closure.state is ClosureState.CLOSED:
        raise errors.ValidationError("It is closed, and stays so.", code="ACCOUNT_CLOSED", path=path)
    if closure.begun_at is not None:
        msg = "Coins, or what was earned, are being settled: it cannot be taken back any more."
        raise errors.ValidationError(msg, code="CLOSURE_UNDERWAY", path=path)
    return replace(closure, revision=closure.revision + 1, state=ClosureState.CANCELLED, ended_at=now, due_at=None)


def begin(closure: Closure, facts: Facts, *, now: datetime) -> Closure:
    """The closure once nothing is open or owed and its time has come: from now on nothing takes it back."""
    open_still = any(_reversible(facts).values())
    if closure.begun_at is not None or open_still or now < closure.revocable_until:
        return closure
    return replace(closure, revision=closure.revision + 1, begun_at=now)


def assess(closure: Closure, facts: Facts, *, now: datetime) -> Closure:
    """The closure as the facts have it, once everything was tried: its steps, and whether it is over."""
    found = _reversible(facts)
    begun = closure.begun_at is not None
    found |= _money(closure, facts) if begun else dict.fromkeys(_MONEY, (_revocable(closure, now),))
    steps = tuple(_step(closure, key, found[key], now) for key in Key)
    after = replace(closure, revision=closure.revision + 1, steps=steps)
    if closure.state is ClosureState.CLOSING and begun and all(step.state in SETTLED for step in steps):
        after = replace(after, state=ClosureState.CLOSED, ended_at=now)
    return replace(after, due_at=_due(after, now))


def code_of(refusal: errors.ShoutgraphError) -> str:
    """Which of our words a refusal of a payout or a withdrawal stands for."""
    if isinstance(refusal, errors.LimitExceededError):
        return "PAYOUT_LIMIT"
    if isinstance(refusal, errors.WalletLockedError):
        return "WALLET_LOCKED"
    if isinstance(refusal, errors.ProviderUnavailableError | errors.FeatureUnavailableError):
        return "PROVIDER_UNAVAILABLE"
    return "BELOW_MINIMUM" if refusal.code == "PAYOUT_NOT_WHOLE" else "PAYOUT_REFUSED"


_MONEY: Final = tuple(key for key in Key if key not in REVERSIBLE)
_HINDERS: Final = frozenset({"WALLET_LOCKED", "PROVIDER_UNAVAILABLE"})
"""What a withdrawal waits for; anything else leaves a claim."""
_ASKS: Final = frozenset(
    {Remedy.ASK_SUPPORT, Remedy.BUY_COINS, Remedy.CANCEL_GIFT_CARDS, Remedy.ADD_RECIPIENT, Remedy.MEND_PROFILE}
)
_CLAIMS: Final = frozenset({"NOT_REFUNDABLE", "REFUND_REFUSED", "PROMO_KEPT", "BELOW_MINIMUM"})
"""What may be left: it stays its owner's."""

_Blocks = tuple[Block, ...]


def _reversible(facts: Facts) -> dict[Key, _Blocks]:
    there = facts.blockers
    money = (Blocker.OPEN_TOPUPS, Blocker.OPEN_REFUNDS, Blocker.OPEN_DISPUTES)
    return {
        Key.ORDERS: _if(Blocker.OPEN_ORDERS in there, "OPEN_ORDERS"),
        Key.TOPUPS: tuple(Block(each.value) for each in money if each in there),
        Key.DEBT: _if(Blocker.DEBT in there, "DEBT"),
    }


def _money(closure: Closure, facts: Facts) -> dict[Key, _Blocks]:
    refunding = _if(Blocker.OPEN_REFUNDS in facts.blockers, "OPEN_REFUNDS")
    cards = (Block("GIFT_CARDS", facts.cards_until),) if facts.cards_open else ()
    hinders = tuple(Block(code) for code in sorted(facts.refused & (_HINDERS | {"REFUND_REFUSED"})))
    left = () if not facts.paid_coins or refunding else hinders or (Block("NOT_REFUNDABLE"),)
    found: dict[Key, _Blocks] = {Key.COINS: refunding + cards + left}
    found[Key.PROMO] = _if(facts.promo_coins > 0, "COINS_FIRST" if closure.forfeit_promo else "PROMO_KEPT")
    found[Key.EARNINGS] = (Block("EARNINGS_HELD", facts.matures_at),) if facts.maturing_coins else ()
    found[Key.PAYOUT] = _payout(facts)
    return found


def _payout(facts: Facts) -> _Blocks:
    if Blocker.OPEN_PAYOUTS in facts.blockers:
        return (Block("PAYOUT_HELD" if facts.held else "OPEN_PAYOUTS"),)
    if not facts.available_coins:
        return (Block("EARNINGS_HELD", facts.matures_at),) if facts.maturing_coins else ()
    codes = facts.refused - {"NOT_REFUNDABLE", "REFUND_REFUSED"}
    retry_at = None if facts.failed_at is None else facts.failed_at + RETRY
    until = {"PAYOUT_FAILED": retry_at}
    return tuple(Block(code, until.get(code)) for code in sorted(codes)) or (Block("OPEN_PAYOUTS"),)


def _revocable(closure: Closure, now: datetime) -> Block:
    return Block("REVOCABLE", closure.revocable_until if now < closure.revocable_until else None)


def _step(closure: Closure, key: Key, blocks: _Blocks, now: datetime) -> Step:
    codes = {block.code for block in blocks}
    if not codes:
        state = StepState.DONE
    elif codes <= _CLAIMS:
        state = StepState.CLAIM
    else:
        asks = any(block.remedy in _ASKS for block in blocks if block.code not in _CLAIMS)
        state = StepState.BLOCKED if asks else StepState.WAITING
    was = next((step for step in closure.steps if step.key is key), None)
    if was is None:
        return Step(key, state, now, blocks)
    since = was.since if was.state is state else max(now, was.since)  # clocks of several processes differ
    return Step(key, state, since, blocks)


def _if(there: bool, code: str) -> _Blocks:  # noqa: FBT001 - reads as a sentence
    return (Block(code),) if there else ()


def _due(closure: Closure, now: datetime) -> datetime | None:
    match closure.state:
        case ClosureState.CLOSING:
            waits = closure.begun_at is None and now < closure.revocable_until
            return min(closure.revocable_until, now + LOOK) if waits else now + LOOK
        case ClosureState.CLOSED:
            assert closure.ended_at is not None, "what is closed has ended"
            return now + WATCH if now < closure.ended_at + WATCHED else None
        case ClosureState.CANCELLED:
            return None
