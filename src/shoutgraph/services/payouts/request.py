"""Asking for a payout, and saying where money is to go."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from shoutgraph.domain import (
    accounts,
    ages,
    closures,
    earnings as earning_values,
    errors,
    ids,
    money,
    payout_limits,
    payout_postings,
    payouts as rules,
)
from shoutgraph.domain.ages import Deed
from shoutgraph.domain.features import Feature
from shoutgraph.domain.pages import PageArgs
from shoutgraph.domain.payouts import Payout
from shoutgraph.domain.policies import Policy
from shoutgraph.domain.recipients import Recipient, RecipientState, check_recipient
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import User, Viewer
from shoutgraph.domain.wallets import check_unlocked
from shoutgraph.services.payouts import apply, exchange, onboard
from shoutgraph.services.payouts.exchange import Desk, Terms
from shoutgraph.storage import (
    ages as age_rows,
    creators,
    earnings,
    exchanges,
    features,
    ledger as ledger_rows,
    payout_holds,
    payouts,
    policies,
    recipients,
    users,
    wallets,
)
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once

NEW: Final = 1


@dataclass(frozen=True, slots=True)
class Wish:
    """What a creator wants to be paid, where to, and what they were told that comes to.

    Units: coins; `expected_minor` minor units of the account's currency.
    """

    coins: int
    recipient_id: str
    expected_minor: int | None = None


@dataclass(frozen=True, slots=True)
class NewRecipient:
    """Where money is to go: a payout provider, its own reference, and what the creator calls it."""

    provider_code: str
    label: str
    ref: str
    currency: str | None = None


async def request(tools: Tools, viewer: Viewer, asked: Request, wish: Wish) -> Done[Payout]:
    """Sets earnings aside, the oldest first, until finance decides and the provider says paid.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not a creator.
        NotFoundError: there is no such recipient of this creator.
        ValidationError: the text is no recipient's id, money cannot go there, the coins are not worth whole minor
            units, or nobody has said what the account's currency is worth.
        QuoteExpiredError: it is not worth any more what was quoted.
        FeatureUnavailableError: payouts are off for the viewer.
        LimitExceededError: it is below the minimum, a limit of a day, a week or 30 days would be passed, or it is more
            than is exchanged at once.
        AgeRestrictedError: they are too young to earn money, or did not say how old they are.
        InsufficientCoinsError: less is available.
        WalletLockedError: a payment of the viewer's was reversed.
        ProviderUnavailableError: the recipient's provider cannot send this.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    creator_id = viewer.require_creator()
    user_id = viewer.require_user()
    ids.parse(ids.RECIPIENT, wish.recipient_id, path=("input", "recipientId"))

    def work(tx: Tx) -> Payout:
        features.require(tx, Feature.PAYOUTS, user_id)
        policy = policies.current(tx)
        user = _check_person(tx, user_id, policy)
        creators.hold(tx, creator_id)  # of two requests the second one sees what the first one took
        recipient = recipients.get(tx, wish.recipient_id, creator_id)
        last = user.closed_at is not None  # the rest of what is earned goes out, however little
        _check_limits(tx, creator_id, wish.coins, replace(policy, payout_min_coins=1) if last else policy)
        desk = _desk(tools, tx, recipient, policy)
        terms = desk.expected(tx, wish.coins, wish.expected_minor)
        return _set_aside(tools, tx, recipient, wish.coins, _checked(desk, terms))

    return await once(tools, asked, work, payouts.get)


async def settle(tools: Tools, owner: Viewer) -> frozenset[str]:
    """Asks for the last payout of an account that closes: all that is available, however little.

    A repeat finds nothing available. Says what came in the way, by the codes of closures.
    """
    if owner.creator_id is None:
        return frozenset()
    creator_id, user_id = owner.creator_id, owner.require_user()

    def work(tx: Tx) -> str | None:
        policy = policies.current(tx)
        user = users.get(tx, user_id)
        creators.hold(tx, creator_id)
        coins = _whole(_free(tx, creator_id), policy)
        if not coins:
            return "BELOW_MINIMUM"
        known = reversed(recipients.list_of_creator(tx, creator_id))  # where money went to first comes first
        ready = [each for each in known if each.state is RecipientState.READY]
        if not ready:
            return "NO_RECIPIENT"
        failed = _last_failed(tx, creator_id)
        if failed is not None and failed.updated_at > tx.now - closures.RETRY:
            return "PAYOUT_FAILED"
        features.require(tx, Feature.PAYOUTS, user_id)
        _check_person(tx, user.id, policy)
        now = min(coins, payout_limits.left(payout_holds.requested(tx, creator_id), policy))
        avoided = None if failed is None else failed.recipient_id
        found = _payable(tools, tx, sorted(ready, key=lambda each: each.id == avoided), now, policy)
        if found is None:
            return "BELOW_MINIMUM" if now == coins else "PAYOUT_LIMIT"
        _set_aside(tools, tx, *found)
        return None

    try:
        hindered = await tools.store.write(work)
    except errors.ShoutgraphError as refusal:
        return frozenset({closures.code_of(refusal)})
    return frozenset() if hindered is None else frozenset({hindered})


async def add_recipient(tools: Tools, viewer: Viewer, asked: Request, wish: NewRecipient) -> Done[Recipient]:
    """Stores where a creator's money is to go.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not a creator.
        ValidationError: a text is empty, too long, or no plain text, or the provider has to know who is paid.
        FeatureUnavailableError: payouts are off for the viewer.
        LimitExceededError: the creator has as many recipients as are allowed.
        ProviderUnavailableError: there is no such payout provider, or it does not send this currency.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    creator_id, user_id = viewer.require_creator(), viewer.require_user()
    check_recipient(label=wish.label, ref=wish.ref)

    def work(tx: Tx) -> Recipient:
        features.require(tx, Feature.PAYOUTS, user_id)
        way = tools.providers.payouts.get(wish.provider_code)
        if way is None:
            raise errors.ProviderUnavailableError("There is no such provider.", path=("input", "providerCode"))
        if way.caps.onboarding:
            msg = "This provider has to know who is paid: answer its requirements."
            raise errors.ValidationError(msg, code="REQUIREMENT_MISSING", path=("input", "answers"))
        if wish.currency is not None and wish.currency not in way.caps.currencies:
            msg = "This provider does not send this currency."
            raise errors.ProviderUnavailableError(msg, path=("input", "currency"))
        onboard.require_place(tx, creator_id)
        recipient = Recipient(
            id=tools.new_id(ids.RECIPIENT),
            creator_id=creator_id,
            instance=wish.provider_code,
            label=wish.label,
            ref=wish.ref,
            state=RecipientState.READY,
            created_at=tx.now,
            currency=wish.currency,
        )
        recipients.insert(tx, recipient)
        return recipient

    return await once(tools, asked, work, lambda tx, recipient_id: recipients.get_ever(tx, recipient_id, creator_id))


def _check_person(tx: Tx, user_id: ids.UserId, policy: Policy) -> User:
    user, birth = users.get(tx, user_id), age_rows.find(tx, user_id)
    if user.locked:
        raise errors.WalletLockedError
    check_unlocked(wallets.find_lock(tx, user_id))
    born_on = None if birth is None else birth.born_on
    ages.check(born_on, country=user.country, deed=Deed.EARN, today=tx.now.date(), policy=policy)
    return user


def _check_limits(tx: Tx, creator_id: ids.CreatorId, coins: int, policy: Policy) -> None:
    available, requested = _free(tx, creator_id), payout_holds.requested(tx, creator_id)
    payout_limits.check_request(coins, available_coins=available, requested=requested, policy=policy)


def _free(tx: Tx, creator_id: ids.CreatorId) -> int:
    """What can be asked for now. Units: coins."""
    free = sum(earning.free_coins for earning in earnings.list_of_free(tx, creator_id))
    return min(free, ledger_rows.balance_coins(tx, accounts.available(creator_id).code))


def _whole(coins: int, policy: Policy) -> int:
    """As many of the coins as are worth whole minor units."""
    step = money.BOOK_UNITS_PER_MINOR // math.gcd(money.BOOK_UNITS_PER_MINOR, policy.par_units)
    return coins - coins % step


def _fitting(desk: Desk, coins: int) -> int:
    """As many of the coins as the provider sends at once: none where they are too few for it."""
    coins = desk.most(coins)
    amount = desk.terms(coins).amount
    return coins if amount.minor >= desk.caps.limits.get(amount.currency, (1, 1))[0] else 0


def _last_failed(tx: Tx, creator_id: ids.CreatorId) -> Payout | None:
    """The newest payout of a creator, if it failed."""
    one = PageArgs(size=1, key=None, backward=False)
    newest = payouts.list_of_page(tx, one, rules.PayoutFilter(creator_id=creator_id), descending=True)[:1]
    return next((each for each in newest if each.state in closures.ENDED_BADLY), None)


def _payable(
    tools: Tools, tx: Tx, to: Sequence[Recipient], coins: int, policy: Policy
) -> tuple[Recipient, int, Terms] | None:
    """The first of these recipients who can be paid now, and as many of the coins as go there; None: they are too few.

    One whom nobody can pay, such as without a rate or a provider, stands in the way of no other.
    """
    refused: list[errors.ShoutgraphError] = []
    for recipient in to:
        try:
            desk = _desk(tools, tx, recipient, policy)
            fitting = _fitting(desk, coins)
            if fitting:
                return recipient, fitting, _checked(desk, desk.terms(fitting))
        except errors.ShoutgraphError as refusal:
            refused.append(refusal)
    if len(refused) == len(to):
        raise refused[0]
    return None


def _desk(tools: Tools, tx: Tx, recipient: Recipient, policy: Policy) -> Desk:
    """How a recipient is paid to whom money can go."""
    if recipient.state in {RecipientState.RESTRICTED, RecipientState.DECLINED}:
        msg = "The provider sends no money there."
        raise errors.ValidationError(msg, code="RECIPIENT_RESTRICTED", path=exchange.PATH)
    if recipient.state is not RecipientState.READY:
        msg = "The provider still needs something from you before money can go there."
        raise errors.ValidationError(msg, code="RECIPIENT_NOT_READY", path=exchange.PATH)
    way = tools.providers.payouts.get(recipient.instance)
    if way is None:
        raise errors.ProviderUnavailableError("This provider is not there now.", path=exchange.PATH)
    return exchange.open_desk(tx, recipient, way.caps, policy)


def _checked(desk: Desk, terms: Terms) -> Terms:
    if not desk.takes(terms.amount):
        msg = "This provider does not send such an amount now."
        raise errors.ProviderUnavailableError(msg, path=exchange.PATH)
    return terms


def _set_aside(tools: Tools, tx: Tx, recipient: Recipient, coins: int, terms: Terms) -> Payout:
    creator_id = recipient.creator_id
    account = accounts.available(creator_id).code
    key = rules.key_of(account, wallets.account_version(tx, account))
    parts = earning_values.allocate(earnings.list_of_free(tx, creator_id), coins)
    payout = Payout(
        id=ids.PayoutId(tools.new_id(ids.PAYOUT)),
        revision=NEW,
        creator_id=creator_id,
        recipient_id=recipient.id,
        instance=recipient.instance,
        coins=coins,
        amount_minor=terms.amount.minor,
        currency=terms.amount.currency,
        key=key,
        created_at=tx.now,
        updated_at=tx.now,
    )
    ledger_rows.post(tx, payout_postings.requested(payout_id=payout.id, creator_id=creator_id, coins=coins))
    taken = earnings.list_of_parts(tx, parts)
    earnings.save(tx, [earning_values.sent(earning, part) for earning, part in taken])
    payouts.insert(tx, payout, parts)
    if terms.exchange is not None:
        exchanges.insert(tx, payout.id, terms.exchange)
    apply.tell(tools, tx, payout, None)
    return payout
