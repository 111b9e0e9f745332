"""Giving money back: coins are set aside first, the provider is asked while no unit of work is open, then its answer.

The refund's own id is the key, at every attempt. That money went back is only ever seen in the payment's totals, so
that the answer, a webhook and a look can come in any order and are booked once. A crash in between leaves a refund
whose answer is overdue; the looks take it up from there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from shoutgraph import sdk
from shoutgraph.domain import accounts, cards, errors, ids, journal, ledger, postings
from shoutgraph.domain.requests import Request
from shoutgraph.domain.topups import booking, refund as rules, withdrawal
from shoutgraph.domain.topups.parts import Slice
from shoutgraph.domain.topups.refund import Refund, RefundState
from shoutgraph.domain.topups.topup import MISMATCHES, Seen, Source, Status, Topup
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.plugins.topups import TopUps
from shoutgraph.services.topups import apply, bought_cards, lapsed, set_aside, sights
from shoutgraph.services.topups.desk import Desk, ReverseOrders
from shoutgraph.storage import ledger as ledger_rows, refunds, topups
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once

TIMEOUT: Final = timedelta(seconds=20)
"""How long a provider's answer is waited for."""

ANSWER_DUE: Final = timedelta(seconds=60)
"""After this an answer is overdue: the review, the call, and time for the process that waits to store it."""

PATH: Final = ("input", "topUpId")
NOT_REFUNDABLE: Final = frozenset({Status.DISPUTED})


@dataclass(frozen=True, slots=True)
class Wish:
    """What finance wants to give back: so much money, the money of so many coins, or all that is left."""

    topup_id: str
    reason: str
    minor: int | None = None
    coins: int | None = None


async def refund(
    tools: Tools, viewer: Viewer, asked: Request, wish: Wish, *, reverse_orders: ReverseOrders
) -> Done[Refund]:
    """Gives money of a top-up back; what the risk review holds waits for a second person.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances.
        NotFoundError: there is no such top-up.
        ValidationError: the text is no top-up's id, the reason is empty or too long, the amount is not positive, the
            top-up is not paid or is disputed, more is asked for than is left, or the provider gives back less, all or
            nothing only.
        InsufficientCoinsError: its coins are spent.
        ProviderUnavailableError: the provider is not available.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    viewer.require(Scope.FINANCE_MANAGE)
    ids.parse(ids.TOPUP, wish.topup_id, path=PATH)
    rules.check_reason(wish.reason)

    def work(tx: Tx) -> Refund:
        return _set_aside(apply.open_desk(tools, tx, reverse_orders), viewer, wish)

    done = await once(tools, asked, work, refunds.get)
    if done.replayed:
        return done
    return Done(await go_on(tools, done.value, reverse_orders=reverse_orders))


async def approve(
    tools: Tools, viewer: Viewer, asked: Request, refund_id: str, *, reverse_orders: ReverseOrders
) -> Done[Refund]:
    """Lets a refund go that the risk review held; another person than the one who asked for it decides.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances, or asked for it.
        NotFoundError: there is no such refund.
        ValidationError: the text is no refund's id, or it waits for nobody.
        IdempotencyKeyReusedError: the key was used before with other input.
    """

    def decide(desk: Desk, _topup: Topup, held: Refund) -> Refund:
        due = desk.tx.now + ANSWER_DUE
        return rules.sending(held, now=desk.tx.now, answer_due_at=due, by=viewer.principal)

    done = await _decide(tools, viewer, asked, refund_id, decide, reverse_orders)
    if done.replayed:
        return done
    return Done(await send(tools, done.value, reverse_orders=reverse_orders))


async def deny(
    tools: Tools, viewer: Viewer, asked: Request, refund_id: str, *, reverse_orders: ReverseOrders
) -> Done[Refund]:
    """Refuses a refund that the risk review held; its coins return.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances, or asked for it.
        NotFoundError: there is no such refund.
        ValidationError: the text is no refund's id, or it waits for nobody.
        IdempotencyKeyReusedError: the key was used before with other input.
    """

    def decide(desk: Desk, topup: Topup, held: Refund) -> Refund:
        set_aside.give_back(desk, topup, held)
        return rules.denied(held, code=rules.REVIEW_FAILED, now=desk.tx.now, by=viewer.principal)

    return await _decide(tools, viewer, asked, refund_id, decide, reverse_orders)


async def go_on(tools: Tools, fresh: Refund, *, reverse_orders: ReverseOrders) -> Refund:
    """Has the risk review look at a refund that nobody was asked for yet, and sends it if it may go."""
    topup = await tools.store.read(lambda tx: topups.get(tx, fresh.topup_id))
    verdict = await tools.providers.hooks.review("refund", request_of(fresh, topup))

    def work(tx: Tx) -> tuple[Refund, bool]:
        desk = apply.open_desk(tools, tx, reverse_orders)
        paid = topups.get(tx, fresh.topup_id)
        before = refunds.get(tx, fresh.id)
        if before.state is not RefundState.REQUESTED:
            return before, False  # another worker was faster
        after = _reviewed(desk, paid, before, verdict)
        set_aside.keep(desk, before, after)
        refunds.schedule(tx, after.id, look_at=rules.next_look(after, looks=0, now=tx.now), looks=0)
        return after, after.sent

    after, goes = await tools.store.write(work)
    return await send(tools, after, reverse_orders=reverse_orders) if goes else after


async def send(tools: Tools, going: Refund, *, reverse_orders: ReverseOrders) -> Refund:
    """Asks the provider for a refund that is marked as being sent, and stores what it answers."""
    topup = await tools.store.read(lambda tx: topups.get(tx, going.topup_id))
    outcome = await _ask(tools, going, topup)
    return await tools.store.write(lambda tx: answered(apply.open_desk(tools, tx, reverse_orders), going, outcome))


def answered(desk: Desk, asked: Refund, outcome: sdk.TopUpOutcome) -> Refund:
    """Books what the provider answered: first what the payment's totals say, then what it says of the refund."""
    tx = desk.tx
    topup = topups.get(tx, asked.topup_id)
    seen = sights.observation_of(outcome, at=tx.now)
    first = before = refunds.get(tx, asked.id)
    if seen.seen is Seen.SETTLED:
        set_aside.keep(desk, before, rules.answered(before, seen, now=tx.now))  # the provider has this one for certain
        topup = apply.observed(desk, topup, seen, Source.LOOK)
        before = refunds.get(tx, asked.id)
    after = rules.answered(before, seen, now=tx.now)
    _ended(desk, topup, before, after)
    if first.state is not after.state:
        refunds.schedule(tx, after.id, look_at=rules.next_look(after, looks=0, now=tx.now), looks=0)
    return after


def fail(desk: Desk, topup: Topup, refund: Refund, *, code: str) -> Refund:
    """Ends a refund of which nothing happened; money that waited for its end is booked now."""
    after = rules.failed(refund, code=code, now=desk.tx.now)
    _ended(desk, topup, refund, after)
    return after


def request_of(refund: Refund, topup: Topup) -> sdk.RefundRequest:
    """What the provider is asked: the same at every attempt."""
    return sdk.RefundRequest(
        call=sdk.Call(refund.id, refund.id, TIMEOUT, max(refund.attempts, 1)),
        ref=topup.ref or "",
        amount=sdk.Money(refund.part.minor, refund.currency),
        settled=sdk.Money(topup.terms.price_minor, topup.terms.currency),
        reason=refund.reason,
    )


def _ended(desk: Desk, topup: Topup, before: Refund, after: Refund) -> None:
    if after.state is RefundState.FAILED and before.open:
        set_aside.give_back(desk, topup, before)
    set_aside.keep(desk, before, after)
    if before.open and not after.open:
        apply.keep(desk, topup, topup)


async def _ask(tools: Tools, going: Refund, topup: Topup) -> sdk.TopUpOutcome:
    way = tools.providers.topups.get(going.instance)
    late = tools.clock() + TIMEOUT > going.answer_due_at  # this process stood still: others may have gone on by now
    if way is None or late:
        return sdk.NotExecuted(sdk.UNAVAILABLE)
    return await way.refund(request_of(going, topup))


def _reviewed(desk: Desk, topup: Topup, before: Refund, verdict: sdk.Verdict) -> Refund:
    now = desk.tx.now
    if verdict is sdk.Verdict.ALLOW:
        return rules.sending(before, now=now, answer_due_at=now + ANSWER_DUE)
    if verdict is sdk.Verdict.HOLD:
        return rules.held(before, now=now)
    set_aside.give_back(desk, topup, before)
    return rules.denied(before, code=rules.REVIEW_FAILED, now=now)


def _set_aside(desk: Desk, viewer: Viewer, wish: Wish) -> Refund:
    """Row 5: the coins leave the wallet before anybody is asked."""
    tx = desk.tx
    topup = topups.get(tx, wish.topup_id)
    check_state(topup)
    part = _part(topup, refunds.list_of_topup(tx, topup.id), wish)
    return ask_of_card(desk, viewer, topup, lambda: Ask(part, wish.reason))


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked for: so much of a top-up, and bonus coins with it where a fan withdraws."""

    part: Slice
    reason: str
    bonus_coins: int = 0
    withdrawal: bool = False


def ask(desk: Desk, viewer: Viewer, topup: Topup, wanted: Ask) -> Refund:
    """Sets the coins of a refund aside and stores it; nobody is asked yet.

    Raises:
        InsufficientCoinsError: its coins are spent.
        ProviderUnavailableError: the provider is not available.
        ValidationError: the provider gives back less, all or nothing only.
    """
    tx, tools, part = desk.tx, desk.tools, wanted.part
    check_caps(tools.providers.topup(topup.instance), topup, part)
    ledger_rows.hold_wallets(tx, accounts.paid(topup.user_id).code, accounts.promo(topup.user_id).code)
    own = set_aside.own_lots(tx, topup)
    there = sum(lot.remaining for lot in own)
    if there < part.coins:
        lapsed.bring_back(desk, topup)
        own = set_aside.own_lots(tx, topup)
        there = sum(lot.remaining for lot in own)
    if there < part.coins:
        raise errors.InsufficientCoinsError(required_coins=part.coins, available_coins=there)
    taken = ledger.take(own, part.coins)
    lots = ledger_rows.list_of_lots_of_topup(tx, topup.id) if wanted.bonus_coins else ()
    bonus = withdrawal.bonus_moves(lots, topup, wanted.bonus_coins)
    asked = Refund(
        id=ids.RefundId(tools.new_id(ids.REFUND)),
        revision=1,
        topup_id=topup.id,
        user_id=topup.user_id,
        instance=topup.instance,
        part=part,
        currency=topup.terms.currency,
        taken=taken,
        reason=wanted.reason,
        requested_by=viewer.principal,
        created_at=tx.now,
        updated_at=tx.now,
        answer_due_at=tx.now + ANSWER_DUE,
        bonus=bonus,
        withdrawal=wanted.withdrawal,
    )
    if taken:
        ledger_rows.post(tx, postings.refund_requested(user_id=topup.user_id, ref=asked.id, taken=taken, bonus=bonus))
        body: journal.Body = {"topup": topup.id, "refund": asked.id, "coins": part.coins}
        desk.tell_wallet(topup.user_id, "wallet.refund_set_aside", body)
    refunds.insert(tx, asked)
    set_aside.tell(desk, asked, None)
    return asked


def ask_of_card(desk: Desk, viewer: Viewer, topup: Topup, wanted: Callable[[], Ask]) -> Refund:
    """The same, where an open gift card that was bought holds the coins: it ends, and what is left pays what is owed.

    Raises:
        InsufficientCoinsError: its coins are spent.
        ProviderUnavailableError: the provider is not available.
        ValidationError: the provider gives back less, all or nothing only, or a part of an open card is asked for.
    """
    card = bought_cards.call_back(desk, topup)
    wish = wanted()
    left = sum(lot.remaining for lot in set_aside.own_lots(desk.tx, topup)) if card is not None else 0
    cards.check_whole(card, coins=wish.part.coins, left_coins=left)
    asked = ask(desk, viewer, topup, wish)
    if card is not None:
        set_aside.repay_debt(desk, topup, ref=card.id)
    return asked


def check_state(topup: Topup) -> None:
    """Refuses to give back what was not paid, or is disputed.

    Raises:
        ValidationError: it is so.
    """
    if not topup.paid or topup.ref is None or topup.review in MISMATCHES or topup.status in NOT_REFUNDABLE:
        msg = f"This is not possible while the top-up is {topup.status}."
        raise errors.ValidationError(msg, code="REFUND_STATE", path=PATH)


def _part(topup: Topup, asked: tuple[Refund, ...], wish: Wish) -> Slice:
    gone, terms = booking.taken_or_asked(topup, asked), topup.terms
    left = terms.price_minor - gone.minor
    if wish.coins is not None:
        upto = -(-(gone.coins + wish.coins) * terms.price_minor // terms.coins)
        minor = upto - gone.minor
    else:
        minor = left if wish.minor is None else wish.minor
    if minor <= 0 and left > 0:
        msg = "A refund is of a positive amount."
        raise errors.ValidationError(msg, code="OUT_OF_RANGE", path=("input", "amount"))
    if minor > left or left <= 0:
        msg = f"Of this top-up {left} minor units of {terms.currency} are left to give back."
        raise errors.ValidationError(msg, code="REFUND_TOO_LARGE", path=("input", "amount"))
    return booking.next_slice(topup, gone, minor)


def check_caps(way: TopUps, topup: Topup, part: Slice) -> None:
    """Refuses what a provider does not do.

    Raises:
        ValidationError: it takes no refunds from us, or only whole ones.
    """
    if way.caps.refunds in {sdk.Refunds.NONE, sdk.Refunds.EXTERNAL}:
        msg = "This provider takes no refunds from us; where it can, it starts them itself."
        raise errors.ValidationError(msg, code="REFUND_UNSUPPORTED", path=PATH)
    if way.caps.refunds is sdk.Refunds.FULL and part.minor != topup.terms.price_minor:
        msg = "This provider gives a payment back as a whole only."
        raise errors.ValidationError(msg, code="REFUND_UNSUPPORTED", path=("input", "amount"))


async def _decide(
    tools: Tools,
    viewer: Viewer,
    asked: Request,
    refund_id: str,
    decision: Callable[[Desk, Topup, Refund], Refund],
    reverse_orders: ReverseOrders,
) -> Done[Refund]:
    viewer.require(Scope.FINANCE_MANAGE)
    ids.parse(ids.REFUND, refund_id, path=("input", "refundId"))
    known = await tools.store.read(lambda tx: refunds.get(tx, refund_id))

    def work(tx: Tx) -> Refund:
        topup = topups.get(tx, known.topup_id)  # whoever changes a refund holds its top-up first
        before = refunds.get(tx, refund_id)
        if before.state is not RefundState.HELD:
            msg = f"This is not possible while the refund is {before.state}."
            raise errors.ValidationError(msg, code="REFUND_STATE", path=("input", "refundId"))
        if before.requested_by == viewer.principal:
            raise errors.ForbiddenError("Another person has to decide about what you asked for.", code="SECOND_PERSON")
        desk = apply.open_desk(tools, tx, reverse_orders)
        after = set_aside.keep(desk, before, decision(desk, topup, before))
        refunds.schedule(tx, after.id, look_at=rules.next_look(after, looks=0, now=tx.now), looks=0)
        return after

    return await once(tools, asked, work, refunds.get)
