"""Promotions: staff make and end them, and people redeem codes that grant coins."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from shoutgraph.domain import accounts, errors, ids, journal, pages, postings, promotions as rules, wallets
from shoutgraph.domain.checks import tidy
from shoutgraph.domain.features import WHOLE, Feature
from shoutgraph.domain.pages import Page, PageArgs
from shoutgraph.domain.promotions import Code, Facts, Kind, Offered, Promotion, Use, UseState
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.storage import features, journal as journal_rows, ledger as ledger_rows, promotions as rows, users
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, is_repeat, once

SCOPE: Final = pages.scope_of("promotions")
"""Names the list, so that a cursor of another one is refused."""
CREATED: Final = "promotion.created"
ENDED: Final = "promotion.ended"
GRANTED: Final = "wallet.promo_granted"


@dataclass(frozen=True, slots=True)
class Wish:
    """A promotion to be, with the codes that staff chose, or how many are to be made."""

    offered: Offered
    reason: str
    codes: tuple[str, ...] = ()
    codes_wanted: int = 0


@dataclass(frozen=True, slots=True)
class Made:
    """A promotion with its codes. They are shown now and never again: what is kept of them does not tell."""

    promotion: Promotion
    codes: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The promotion's id."""
        return self.promotion.id


async def create(tools: Tools, viewer: Viewer, request: Request, wish: Wish) -> Done[Made]:
    """Makes a promotion and its codes; a repeat gives the promotion without them.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances.
        ValidationError: a field is out of its range, or a code cannot be one or exists already (an `ExceptionGroup`
            where several fields are wrong).
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    viewer.require(Scope.FINANCE_MANAGE)
    chosen = rules.check_codes(wish.codes, wanted=wish.codes_wanted)
    codes = chosen or tuple(rules.code_from(tools.new_secret()) for _ in range(wish.codes_wanted))
    offered = replace(
        wish.offered, label=tidy(wish.offered.label), countries=tuple(sorted(set(wish.offered.countries)))
    )

    def work(tx: Tx) -> Made:
        rules.check(offered, reason=tidy(wish.reason), now=tx.now)
        if rows.has_code(tx, [rules.digest_of(code) for code in codes]):
            msg = "One of these codes exists already; choose others."
            raise errors.ValidationError(msg, code="PROMO_CODES", path=("input", "codes"))
        promotion_id = tools.new_id(ids.PROMOTION)
        promotion = Promotion(promotion_id, offered, viewer.principal, tidy(wish.reason), tx.now)
        rows.insert(tx, promotion, [_code(tools, promotion_id, code) for code in codes])
        body: journal.Body = {"by": viewer.principal, "kind": offered.kind.value, "codes": len(codes)}
        _tell(tools, tx, promotion_id, CREATED, body)
        return Made(promotion, codes)

    return await once(tools, request, work, lambda tx, promotion_id: Made(rows.get(tx, promotion_id)))


async def end(tools: Tools, viewer: Viewer, request: Request, promotion_id: str) -> Done[Promotion]:
    """Ends a promotion: its codes are good no longer. Top-ups that were begun keep what they were promised.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances.
        NotFoundError: there is no such promotion.
        ValidationError: the text is no promotion's id.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    viewer.require(Scope.FINANCE_MANAGE)
    ids.parse(ids.PROMOTION, promotion_id, path=("input", "promotionId"))

    def work(tx: Tx) -> Promotion:
        promotion = rows.get(tx, promotion_id)
        if promotion.ended_at is None:
            rows.end(tx, promotion_id)
            _tell(tools, tx, promotion_id, ENDED, {"by": viewer.principal})
        return rows.get(tx, promotion_id)

    return await once(tools, request, work, rows.get)


async def redeem(tools: Tools, viewer: Viewer, request: Request, code: str) -> Done[Use]:
    """Turns a code into granted coins, once for each use that it has.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person.
        ValidationError: the code cannot be used, whatever the reason.
        LimitExceededError: too many codes were tried.
        WalletLockedError: the account is locked.
        FeatureUnavailableError: buying coins is off for the caller; the code stays good.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    user_id = viewer.require_user()

    def count(tx: Tx) -> int:
        if is_repeat(tx, request) or WHOLE in features.providers_off(tx, Feature.TOPUPS, user_id):
            return 0
        return rows.count_attempt(tx, user_id)

    rules.check_attempts(await tools.store.write(count))
    text = rules.normal(code)

    def work(tx: Tx) -> Use:
        features.require(tx, Feature.TOPUPS, user_id)
        user = users.get(tx, user_id)
        user.check_open()
        found = None if text is None else rows.find_by_code(tx, rules.digest_of(text))
        if found is None:
            raise rules.refusal()
        promotion, known = found
        facts = Facts(user.country, rows.has_bought(tx, user_id), rows.slots(tx, promotion.id, user_id))
        slot = rules.check_usable(promotion, known, facts, coins=None, now=tx.now)
        return _grant(tools, tx, user_id, promotion, known, slot)

    return await once(tools, request, work, rows.get_use)


async def page(tools: Tools, viewer: Viewer, args: PageArgs) -> Page[Promotion]:
    """A page of all promotions, newest first.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not read finances.
    """
    viewer.require(Scope.FINANCE_READ)
    found = await tools.store.read(lambda tx: rows.list_of_page(tx, args))
    return pages.cut(found, args, scope=SCOPE, key_of=lambda each: (each.id,))


async def list_by_id(tools: Tools, viewer: Viewer, promotion_ids: Sequence[str]) -> list[Promotion | None]:
    """Promotions by id, None where there is none for this viewer."""
    found = await tools.store.read(lambda tx: rows.list_of(tx, promotion_ids))
    return [each if viewer.has(Scope.FINANCE_READ) else None for each in found]


def _grant(tools: Tools, tx: Tx, user_id: ids.UserId, promotion: Promotion, code: Code, slot: int) -> Use:
    assert promotion.offered.kind is Kind.GRANT, "only a grant is redeemed by itself"
    account = accounts.promo(user_id).code
    ledger_rows.hold_wallets(tx, account)
    lot = rules.granted_lot(promotion, tools.new_id(ids.LOT), user_id=user_id, account=account, now=tx.now)
    use = Use(
        id=tools.new_id(ids.PROMO_USE),
        promotion_id=promotion.id,
        code_id=code.id,
        user_id=user_id,
        topup_id=None,
        slot=slot,
        state=UseState.USED,
        coins=lot.granted,
        discount_minor=0,
        at=tx.now,
        expires_at=lot.expires_at,
    )
    ledger_rows.post(tx, postings.promo_granted(ref=use.id, lot=lot))
    rows.insert_use(tx, use)
    rows.forgive_attempt(tx, user_id)
    body: journal.Body = {"user": user_id, "promotion": promotion.id, "promo": lot.granted}
    _tell(tools, tx, wallets.id_of(user_id), GRANTED, body)
    return use


def _code(tools: Tools, promotion_id: str, code: str) -> Code:
    return Code(tools.new_id(ids.PROMO_CODE), promotion_id, rules.digest_of(code), code[-3:])


def _tell(tools: Tools, tx: Tx, topic: str, kind: str, body: journal.Body) -> None:
    event = journal.NewEvent(id=tools.new_id(ids.EVENT), topic=topic, type=kind, body=body)
    journal_rows.append(tx, event)
