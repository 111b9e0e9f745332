"""Promo codes of top-ups: one is reserved with its top-up, used when that is paid, and given back when it fails.

Late money keeps what was promised: a use that was given back counts again, beyond a limit if need be.
"""

from shoutgraph.domain import ids, promotions as rules
from shoutgraph.domain.features import WHOLE, Feature
from shoutgraph.domain.promotions import Code, Facts, Promotion, Use, UseState
from shoutgraph.domain.requests import Request
from shoutgraph.domain.topups.topup import Terms, Topup
from shoutgraph.domain.users import User
from shoutgraph.storage import features, promotions as rows
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools, is_repeat


async def attempt(tools: Tools, user_id: ids.UserId, code: str | None, request: Request) -> None:
    """Counts that somebody tries a code, before it is looked for, and whatever comes of it.

    A repeat tries nothing, nor does somebody for whom buying coins is off.

    Raises:
        LimitExceededError: they tried too many.
    """

    def count(tx: Tx) -> int:
        if is_repeat(tx, request) or WHOLE in features.providers_off(tx, Feature.TOPUPS, user_id):
            return 0
        return rows.count_attempt(tx, user_id)

    if code is not None:
        rules.check_attempts(await tools.store.write(count))


def applied(tx: Tx, user: User, terms: Terms, code: str) -> Terms:
    """The terms with what the code gives.

    Raises:
        ValidationError: the code cannot be used for this.
    """
    promotion, _, _ = _find(tx, user.id, terms.country, terms.coins, code)
    return rules.applied(promotion, terms)


def reserve(tools: Tools, tx: Tx, topup: Topup, code: str | None) -> None:
    """Keeps the use of a code, if there is one, for a top-up that was just made."""
    if code is None:
        return
    terms = topup.terms
    promotion, found, slot = _find(tx, topup.user_id, terms.country, terms.coins, code)
    use = Use(
        id=tools.new_id(ids.PROMO_USE),
        promotion_id=promotion.id,
        code_id=found.id,
        user_id=topup.user_id,
        topup_id=topup.id,
        slot=slot,
        state=UseState.RESERVED,
        coins=terms.bonus_coins,
        discount_minor=terms.discount_minor,
        at=tx.now,
    )
    rows.insert_use(tx, use)
    rows.forgive_attempt(tx, topup.user_id)


def go_on(tx: Tx, topup: Topup, following: Topup) -> None:
    """Gives the use to the top-up that goes on in the place of another."""
    if topup.terms.promotion_id is not None:
        rows.go_on(tx, topup.id, following.id)


def follow(tx: Tx, before: Topup, after: Topup) -> None:
    """Says where the use stands, once its top-up has moved."""
    if after.terms.promotion_id is None:
        return
    state = rules.state_for(after.status)
    if state is not rules.state_for(before.status):
        rows.follow(tx, after.id, state)


def _find(tx: Tx, user_id: ids.UserId, country: str, coins: int, code: str) -> tuple[Promotion, Code, int]:
    text = rules.normal(code)
    found = None if text is None else rows.find_by_code(tx, rules.digest_of(text))
    if found is None:
        raise rules.refusal()
    promotion, known = found
    before = promotion.offered.first_only and (rows.has_bought(tx, user_id) or rows.has_claimed_first(tx, user_id))
    facts = Facts(country, before, rows.slots(tx, promotion.id, user_id))
    return promotion, known, rules.check_usable(promotion, known, facts, coins=coins, now=tx.now)
