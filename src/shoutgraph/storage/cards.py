"""Gift cards as they stand. A code is kept as a digest; the message is personal, and is blanked with its buyer."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import cards, errors, pages
from shoutgraph.domain.cards import Card, CardState, Origin
from shoutgraph.domain.ledger import LotMove
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Blob, Integer, JsonText, Micros, Text, Words, one_of
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

OPEN_MAX: Final = 2_000
"""The most open cards of one person or issue that are looked through: more than the policy ever allows of either."""

VERSIONS_END: Final = 2**62
"""Beyond every version of the policy, so that it is read from a key on."""


class CardRow(SQLModel, table=True):
    """A gift card."""

    __tablename__ = "gift_card"
    __table_args__ = (
        sa.CheckConstraint("coins > 0", name="gift_card_coins"),
        sa.CheckConstraint(f"length(message) BETWEEN 1 AND {cards.MESSAGE_CHARS_MAX}", name="gift_card_message"),
        sa.CheckConstraint(f"length(recipient_name) BETWEEN 1 AND {cards.NAME_CHARS_MAX}", name="gift_card_name"),
        sa.CheckConstraint("(origin = 'PURCHASE') = (topup_id IS NOT NULL)", name="gift_card_origin"),
        sa.CheckConstraint("(origin = 'ISSUED') = (issue_id IS NOT NULL)", name="gift_card_issued"),
        sa.CheckConstraint("(origin = 'ISSUED') = (buyer_id IS NULL)", name="gift_card_of_somebody"),
        sa.CheckConstraint("(state = 'OPEN') = (ended_at IS NULL)", name="gift_card_ended"),
        sa.CheckConstraint("(state = 'REDEEMED') = (redeemed_by IS NOT NULL)", name="gift_card_redeemed"),
        one_of("state", CardState),
        one_of("origin", Origin),
        sa.Index("gift_card_buyer", "buyer_id", "id"),
        columns.partial_index("gift_card_issue", "issue_id", "id", where="issue_id IS NOT NULL"),
        columns.partial_index("gift_card_due", "expires_at", where="state = 'OPEN' AND expires_at IS NOT NULL"),
        {"sqlite_strict": True},
    )

    id: str = Field(sa_type=Text, primary_key=True)
    buyer_id: str | None = Field(sa_type=Text, foreign_key="users.id")
    coins: int = Field(sa_type=Integer)
    digest: bytes = Field(sa_type=Blob, unique=True)
    hint: str = Field(sa_type=Text)
    state: CardState = Field(sa_type=Words(CardState))
    taken: list[list[Any]] = Field(sa_type=JsonText)
    created_at: datetime = Field(sa_type=Micros)
    expires_at: datetime | None = Field(sa_type=Micros)
    message: str | None = Field(sa_type=Text)
    redeemed_by: str | None = Field(sa_type=Text)
    ended_at: datetime | None = Field(sa_type=Micros)
    origin: Origin = Field(sa_type=Words(Origin))
    topup_id: str | None = Field(sa_column=sa.Column(Text, sa.ForeignKey("topup.id"), unique=True))
    recipient_name: str | None = Field(sa_type=Text)
    issue_id: str | None = Field(sa_type=Text, foreign_key="card_issue.id")


_T: Final = columns.table_of(CardRow)
_NAMES: Final = tuple(column.name for column in _T.c)


def insert(tx: Tx, card: Card) -> None:
    """Stores a new card, whose coins are set aside."""
    tx.run(_INSERT, **_params(card))


def insert_all(tx: Tx, found: Sequence[Card]) -> None:
    """Stores new cards, whose coins are set aside."""
    tx.many(_INSERT, [_params(card) for card in found])


def end(tx: Tx, card: Card) -> None:
    """Stores how a card ended."""
    changed = tx.run(_END, of=card.id, to=card.state, by=card.redeemed_by, at=card.ended_at)
    assert changed == 1, "a card ends once"


def set_code(tx: Tx, card: Card) -> None:
    """Stores the new code of an open card; nobody finds it by an older one."""
    changed = tx.run(_SET_CODE, of=card.id, digest=card.digest, hint=card.hint)
    assert changed == 1, "an open card has a new code"


def get(tx: Tx, card_id: str) -> Card:
    """A card. A unit of work that writes holds it from now on.

    Raises:
        NotFoundError: there is none of this id.
    """
    row = tx.one(_GET, id=card_id)
    if row is None:
        raise errors.NotFoundError("There is no such gift card.", path=("input", "giftCardId"))
    return _card(row)


def find_by_code(tx: Tx, digest: bytes) -> Card | None:
    """The card of a code, or None. A unit of work that writes holds it from now on."""
    row = tx.one(_FIND, digest=digest)
    return None if row is None else _card(row)


def find_of_topup(tx: Tx, topup_id: str) -> Card | None:
    """The card that a top-up was for, or None. A unit of work that writes holds it from now on."""
    row = tx.one(_OF_TOPUP, topup_id=topup_id)
    return None if row is None else _card(row)


def list_of_open(tx: Tx, buyer_id: str) -> list[Card]:
    """The open cards of a buyer. A unit of work that writes holds them from now on."""
    return [_card(row) for row in tx.all(_OPEN, buyer_id=buyer_id)]


def list_of_due(tx: Tx, *, limit: int) -> list[Card]:
    """Open cards that have lapsed. A unit of work that writes holds them from now on."""
    return [_card(row) for row in tx.all(_DUE, now=tx.now, size=limit)]


def list_of(tx: Tx, card_ids: Sequence[str]) -> list[Card | None]:
    """Cards by id in the order asked, None where there is none."""
    found = {row[0]: _card(row) for row in tx.all(_LIST, ids=list(card_ids))}
    return [found.get(each) for each in card_ids]


def list_of_payments(tx: Tx, card_ids: Sequence[str]) -> dict[str, tuple[datetime, str | None]]:
    """When the newest coins of bought cards were paid for, and the rules as they were when each was made."""
    return {of: (paid_at, body) for of, paid_at, body in tx.all(_PAYMENTS, ids=list(card_ids))}


def list_of_open_issued(tx: Tx, issue_id: str) -> list[Card]:
    """The open cards of an issue. A unit of work that writes holds them from now on."""
    return [_card(row) for row in tx.all(_OPEN_ISSUED, issue_id=issue_id)]


def list_of_page(tx: Tx, args: pages.PageArgs, *, buyer_id: str | None = None, issue_id: str = "") -> list[Card]:
    """Up to one card more than the page holds, of a buyer or else of an issue, newest first. The key is `(id,)`."""
    params: dict[str, object] = {} if args.key is None else {"key": args.key[0]}
    statement = _PAGES[buyer_id is None, args.backward, args.key is not None]
    of = issue_id if buyer_id is None else buyer_id
    return [_card(row) for row in tx.all(statement, of=of, size=args.size + 1, **params)]


def export_of_user(tx: Tx, user_id: str) -> list[dict[str, object]]:
    """The cards that somebody bought, as plain values."""
    found = (_card(row) for row in tx.all(_OF_BUYER, buyer_id=user_id))
    return [
        {
            "id": card.id,
            "coins": card.coins,
            "state": card.state.value,
            "origin": card.origin.value,
            "message": card.message,
            "recipient_name": card.recipient_name,
        }
        for card in found
    ]


def erase_of_user(tx: Tx, user_id: str) -> None:
    """Blanks the words of somebody's cards."""
    tx.run(_BLANK, of=user_id)


def unlike_holdings() -> sa.Select[Any]:
    """What is set aside for each bought card and each issue, where open cards are worth something else."""
    account = sa.table("account", *(sa.column(name) for name in ("code", "debits", "credits")))
    code = sa.case(
        (_T.c.issue_id.is_(None), sa.literal(f"{cards.HOLDING}:") + _T.c.id),
        else_=sa.literal("issue:") + _T.c.issue_id + sa.literal(":promo"),
    )
    due = sa.case((_IS_OPEN, _T.c.coins), else_=sa.literal_column("0"))
    begins = [f"{cards.HOLDING}:", "issue:"]
    is_of_cards = sa.or_(*(sa.func.substr(account.c.code, 1, len(each)) == each for each in begins))
    sides = sa.union_all(
        sa.select(code.label("code"), due.label("worth"), sa.literal_column("0").label("held")),
        sa.select(account.c.code, sa.literal_column("0"), account.c.credits - account.c.debits).where(is_of_cards),
    ).subquery("sides")
    worth, held = sa.func.sum(sides.c.worth), sa.func.sum(sides.c.held)
    return sa.select(sides.c.code, worth, held).group_by(sides.c.code).having(worth != held)


def _params(card: Card) -> dict[str, object]:
    values: dict[str, object] = {name: getattr(card, name) for name in _NAMES}
    return values | {"taken": [[move.lot_id, move.coins] for move in card.taken]}


def _payments() -> sa.ClauseElement:
    transfer, move, lot, policy = (
        sa.table(name, *(sa.column(column) for column in names))
        for name, names in (
            ("transfer", ("id", "kind", "ref")),
            ("lot_move", ("transfer_id", "lot_id")),
            ("lot", ("id", "granted_at")),
            ("policy", ("version", "body", "at")),
        )
    )
    before = (policy.c.version < sa.literal_column(str(VERSIONS_END))) & (policy.c.at <= _T.c.created_at)
    then = sa.select(policy.c.body).where(before).order_by(policy.c.version.desc()).limit(1)
    return (
        sa.select(_T.c.id, sa.type_coerce(sa.func.max(lot.c.granted_at), Micros), then.correlate(_T).scalar_subquery())
        .join_from(_T, transfer, (transfer.c.kind == sa.literal_column("'card.bought'")) & (transfer.c.ref == _T.c.id))
        .join(move, move.c.transfer_id == transfer.c.id)
        .join(lot, lot.c.id == move.c.lot_id)
        .where(columns.any_of(_T.c.id, "ids"))
        .group_by(_T.c.id, _T.c.created_at)
    )


_PAYMENTS: Final = Statement[tuple[str, datetime, str | None]](_payments)


def _card(row: Sequence[Any]) -> Card:
    values = dict(zip(_NAMES, row, strict=True))
    return Card(**values | {"taken": tuple(LotMove(lot_id, coins) for lot_id, coins in values["taken"])})


def _pages(*, issued: bool, backward: bool, after: bool) -> Statement[Any]:
    def build() -> sa.ClauseElement:
        whose = _T.c.issue_id if issued else _T.c.buyer_id
        query = sa.select(*_T.c).where(whose == sa.bindparam("of")).limit(sa.bindparam("size"))
        query = query.order_by(_T.c.id.asc() if backward else _T.c.id.desc())
        if after:
            key = sa.bindparam("key", type_=Text)
            query = query.where(_T.c.id > key if backward else _T.c.id < key)
        return query

    return Statement(build)


_IS_OPEN: Final = _T.c.state == sa.literal_column(f"'{CardState.OPEN}'")
_WAYS: Final = (False, True)
_PAGES: Final = {
    (issued, back, after): _pages(issued=issued, backward=back, after=after)
    for issued in _WAYS
    for back in _WAYS
    for after in _WAYS
}
_INSERT: Final = Statement[Any](lambda: sa.insert(_T).values({name: sa.bindparam(name) for name in _NAMES}))
_END: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_T.c.id == sa.bindparam("of"), _IS_OPEN)
        .values(state=sa.bindparam("to"), redeemed_by=sa.bindparam("by"), ended_at=sa.bindparam("at"))
    )
)
_SET_CODE: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_T.c.id == sa.bindparam("of"), _IS_OPEN)
        .values(digest=sa.bindparam("digest"), hint=sa.bindparam("hint"))
    )
)
_OF_TOPUP: Final = Statement[Any](lambda: sa.select(*_T.c).where(_T.c.topup_id == sa.bindparam("topup_id")), holds=_T)
_GET: Final = Statement[Any](lambda: sa.select(*_T.c).where(_T.c.id == sa.bindparam("id")), holds=_T)
_FIND: Final = Statement[Any](lambda: sa.select(*_T.c).where(_T.c.digest == sa.bindparam("digest")), holds=_T)
_LIST: Final = Statement[Any](lambda: sa.select(*_T.c).where(columns.any_of(_T.c.id, "ids")))
_OPEN: Final = Statement[Any](
    lambda: (
        sa.select(*_T.c).where(_T.c.buyer_id == sa.bindparam("buyer_id"), _IS_OPEN).order_by(_T.c.id).limit(OPEN_MAX)
    ),
    holds=_T,
)
_OPEN_ISSUED: Final = Statement[Any](
    lambda: (
        sa.select(*_T.c).where(_T.c.issue_id == sa.bindparam("issue_id"), _IS_OPEN).order_by(_T.c.id).limit(OPEN_MAX)
    ),
    holds=_T,
)
_DUE: Final = Statement[Any](
    lambda: (
        sa.select(*_T.c)
        .where(_IS_OPEN, _T.c.expires_at <= sa.bindparam("now"))
        .order_by(_T.c.id)
        .limit(sa.bindparam("size"))
    ),
    holds=_T,
)
_OF_BUYER: Final = Statement[Any](
    lambda: sa.select(*_T.c).where(_T.c.buyer_id == sa.bindparam("buyer_id")).order_by(_T.c.id).limit(10_000)
)
_BLANK: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_T.c.buyer_id == sa.bindparam("of"), _T.c.message.is_not(None) | _T.c.recipient_name.is_not(None))
        .values(message=None, recipient_name=None)
    )
)
