"""A fan withdraws from a purchase: unspent coins go back as money, by the same way as a refund of finance.

What the quote says is what the withdrawal does, as long as nothing is spent in between: both ask the same rules. The
rules are those of the policy that was in force when the purchase was made.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from shoutgraph.domain import accounts, errors, ids
from shoutgraph.domain.pages import PageArgs
from shoutgraph.domain.requests import Request
from shoutgraph.domain.topups import withdrawal as rules
from shoutgraph.domain.topups.parts import EMPTY
from shoutgraph.domain.topups.refund import Refund, RefundState
from shoutgraph.domain.topups.topup import Topup, TopupFilter
from shoutgraph.domain.topups.withdrawal import Offer, Waiver
from shoutgraph.domain.users import Viewer
from shoutgraph.services.topups import apply, bought_cards, refund
from shoutgraph.services.topups.desk import ReverseOrders
from shoutgraph.services.topups.refund import Ask
from shoutgraph.storage import ledger as ledger_rows, policies, refunds, topups, waivers, wallets
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once

PURCHASES: Final = 100
"""Purchases that are looked at together when an account closes."""


async def quote(tools: Tools, viewer: Viewer, topup_id: str, coins: int | None = None) -> tuple[Topup, Offer]:
    """What withdrawing so many coins of a purchase would give back now; all that can go back if none are named.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person.
        NotFoundError: the viewer has no such purchase.
        ValidationError: the coins are less than one.
    """
    user_id = viewer.require_user()
    if coins is not None and coins < 1:
        raise errors.ValidationError("At least one coin is withdrawn.", code="OUT_OF_RANGE", path=("coins",))

    def query(tx: Tx) -> tuple[Topup, Offer]:
        topup = _own(topups.list_visible(tx, [topup_id], viewer)[0], user_id, ("topUpId",))
        offer = _offer(tx, topup, coins)
        if offer.refusal is None and offer.part.coins:
            offer = replace(offer, refusal=bought_cards.why_not_a_part(tx, topup, offer.part.coins))
        return topup, offer

    topup, offer = await tools.store.read(query)
    if offer.refusal is None and offer.part.minor:
        try:
            refund.check_caps(tools.providers.topup(topup.instance), topup, offer.part)
        except errors.ShoutgraphError as refused:
            offer = replace(offer, refusal=refused.code)
    return topup, offer


async def withdraw(
    tools: Tools,
    viewer: Viewer,
    asked: Request,
    topup_id: str,
    *,
    coins: int | None = None,
    reverse_orders: ReverseOrders,
) -> Done[Refund]:
    """Withdraws from a purchase: its coins are set aside at once, then its provider is asked for the money.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person.
        NotFoundError: the viewer has no such purchase.
        ValidationError: the text is no top-up's id, it is not paid or is disputed, the time is over, the right was
            waived, nothing is left, more is asked for than is left, or the provider gives back all or nothing only.
        WalletLockedError: a payment was reversed, and nobody has unlocked the wallet since.
        InsufficientCoinsError: its coins are spent.
        ProviderUnavailableError: the provider is not available.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    user_id = viewer.require_user()
    ids.parse(ids.TOPUP, topup_id, path=refund.PATH)

    def work(tx: Tx) -> Refund:
        desk = apply.open_desk(tools, tx, reverse_orders)
        _own(topups.list_visible(tx, [topup_id], viewer)[0], user_id, refund.PATH)
        topup = topups.get(tx, topup_id)

        def wanted() -> Ask:
            ledger_rows.hold_wallets(tx, accounts.paid(user_id).code, accounts.promo(user_id).code)
            if wallets.find_lock(tx, user_id) is not None:
                raise errors.WalletLockedError
            offer = _offer(tx, topup, coins)
            rules.check(offer, coins)
            return Ask(offer.part, rules.REASON, offer.bonus_coins, withdrawal=True)

        return refund.ask_of_card(desk, viewer, topup, wanted)

    done = await once(tools, asked, work, refunds.get)
    if done.replayed:
        return done
    return Done(await refund.go_on(tools, done.value, reverse_orders=reverse_orders))


async def list_of_topups(tools: Tools, of: Sequence[Topup]) -> list[tuple[Refund, ...]]:
    """The withdrawals of purchases that the viewer may see, of each the oldest first."""
    shown = [topup.id for topup in of]
    found = await tools.store.read(lambda tx: refunds.list_of_withdrawals(tx, shown))
    return [found.get(topup.id, ()) for topup in of]


async def list_of_waivers(tools: Tools, of: Sequence[Topup]) -> list[Waiver | None]:
    """The consents of purchases that the viewer may see, None where there are none."""
    return await tools.store.read(lambda tx: waivers.list_of(tx, [topup.id for topup in of]))


async def settle(tools: Tools, owner: Viewer, *, asked_at: datetime, reverse_orders: ReverseOrders) -> frozenset[str]:
    """Withdraws from every purchase of an account that closes, as if at the time when its closing was asked for.

    A repeat finds nothing left. What a provider refused is not asked for again. Says what came in the way, by the
    codes of closures.
    """
    user_id = owner.require_user()
    args, after, found = PageArgs(size=PURCHASES, key=None, backward=False), True, set[str]()
    while after:
        page = await tools.store.read(lambda tx, at=args: topups.list_of_page(tx, at, TopupFilter(user_id)))  # type: ignore[misc]
        for topup in page[:PURCHASES]:
            if topup.paid:
                found |= await _settle(tools, owner, topup.id, asked_at=asked_at, reverse_orders=reverse_orders)
        after = len(page) > PURCHASES
        args = replace(args, key=(page[PURCHASES - 1].id,)) if after else args
    return frozenset(found)


async def _settle(
    tools: Tools, owner: Viewer, topup_id: str, *, asked_at: datetime, reverse_orders: ReverseOrders
) -> set[str]:
    def work(tx: Tx) -> Refund | str | None:
        desk = apply.open_desk(tools, tx, reverse_orders)
        topup = topups.get(tx, topup_id)
        ledger_rows.hold_wallets(tx, accounts.paid(topup.user_id).code, accounts.promo(topup.user_id).code)
        offer = _offer(tx, topup, None, now=asked_at, of_card=False)  # what was given away stays given
        if offer.refusal is not None or not offer.part.minor:
            return None
        if wallets.find_lock(tx, topup.user_id) is not None:
            return "WALLET_LOCKED"
        asked = refunds.list_of_topup(tx, topup.id)
        if any(each.created_at >= asked_at and each.state in _CAME_BACK for each in asked):
            return "REFUND_REFUSED"
        return refund.ask(desk, owner, topup, Ask(offer.part, rules.REASON, offer.bonus_coins, withdrawal=True))

    try:
        done = await tools.store.write(work)
    except errors.ProviderUnavailableError:
        return {"PROVIDER_UNAVAILABLE"}
    except errors.ValidationError:
        return set()  # the provider gives nothing back, or not such a part: it stays a claim
    if isinstance(done, Refund):
        await refund.go_on(tools, done, reverse_orders=reverse_orders)
        return set()
    return set() if done is None else {done}


_CAME_BACK: Final = rules.RETURNED | {RefundState.REVERSED}
"""Refunds whose coins are the buyer's again."""


def _own(topup: Topup | None, user_id: ids.UserId, path: tuple[str, ...]) -> Topup:
    if topup is None or topup.user_id != user_id:
        raise errors.NotFoundError("There is no such top-up.", path=path)
    return topup


def _offer(tx: Tx, topup: Topup, coins: int | None, *, now: datetime | None = None, of_card: bool = True) -> Offer:
    waiver = waivers.find(tx, topup.id)
    if not topup.booked.credited or topup.status in refund.NOT_REFUNDABLE or topup.ref is None:
        return Offer(EMPTY, 0, 0, None, waiver, "REFUND_STATE")
    rule = rules.rule_of(policies.in_force_at(tx, topup.created_at), topup.terms.country)
    lots = ledger_rows.list_of_lots_of_topup(tx, topup.id)
    if of_card:
        lots = bought_cards.counted(tx, topup, lots)
    so_far = rules.used(topup, refunds.list_of_topup(tx, topup.id), lots)
    since, waived = min(lot.granted_at for lot in lots), waiver is not None
    refusal = rules.refusal_of(topup, so_far, rule, waived=waived, now=now or tx.now, since=since)
    most = 0 if refusal else rules.withdrawable(topup, so_far)
    part, bonus = (EMPTY, 0) if refusal else rules.part_of(topup, so_far, min(most, coins or most))
    return Offer(part, bonus, most, since + rule.window, waiver, refusal)
