"""Recipients: where the money of creators goes, and how far their provider is in getting to know them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import errors, ids, leases
from shoutgraph.domain.leases import Lease
from shoutgraph.domain.onboarding import Onboarding
from shoutgraph.domain.recipients import RECIPIENTS_EVER_MAX, Recipient, RecipientState
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, JsonText, Micros, Text, Words, one_of
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx


class RecipientRow(SQLModel, table=True):
    """Where a creator's money goes, as it was added. `ref` is personal data; erasing it keeps the row."""

    __tablename__ = "payout_recipient"
    __table_args__ = (
        sa.CheckConstraint("state IN ('READY', 'NEEDS_ACTION')"),
        sa.Index("payout_recipient_creator", "creator_id", "id"),
        {"sqlite_strict": True},
    )

    id: str = Field(sa_type=Text, primary_key=True)
    creator_id: str = Field(sa_type=Text)
    instance: str = Field(sa_type=Text)
    label: str = Field(sa_type=Text)
    ref: str = Field(sa_type=Text)
    state: RecipientState = Field(sa_type=Words(RecipientState))
    created_at: datetime = Field(sa_type=Micros)
    currency: str | None = Field(sa_type=Text)
    removed_at: datetime | None = Field(sa_type=Micros)


class OnboardingRow(SQLModel, table=True):
    """How far a recipient is, where the provider has to know them; it says more than the recipient's own row."""

    __tablename__ = "payout_onboarding"
    __table_args__ = (
        one_of("state", RecipientState),
        sa.CheckConstraint("revision > 0 AND looks >= 0", name="payout_onboarding_counts"),
        sa.CheckConstraint("state NOT IN ('READY', 'RESTRICTED') OR ref IS NOT NULL", name="payout_onboarding_ref"),
        sa.CheckConstraint("state = 'CHECKING' OR answers IS NULL", name="payout_onboarding_answers"),
        sa.UniqueConstraint("key", name="payout_onboarding_key"),
        columns.partial_index("payout_onboarding_look", "look_at", where="look_at IS NOT NULL"),
        columns.partial_index("payout_onboarding_of_ref", "instance", "ref", where="ref IS NOT NULL"),
        {"sqlite_strict": True},
    )

    recipient_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("payout_recipient.id"), primary_key=True))
    creator_id: str = Field(sa_type=Text)
    instance: str = Field(sa_type=Text)
    key: str = Field(sa_type=Text)
    country: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    return_url: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=Micros)
    updated_at: datetime = Field(sa_type=Micros)
    state: RecipientState = Field(sa_type=Words(RecipientState))
    revision: int = Field(sa_type=Integer)
    ref: str | None = Field(sa_type=Text)
    code: str | None = Field(sa_type=Text)
    url: str | None = Field(sa_type=Text)
    expires_at: datetime | None = Field(sa_type=Micros)
    answers: dict[str, str] | None = Field(sa_type=JsonText)
    look_at: datetime | None = Field(sa_type=Micros)
    looks: int = Field(sa_type=Integer)
    leased_until: datetime | None = Field(sa_type=Micros)


CLAIM_MAX: Final = 50
"""The most onboardings that one unit of work claims."""

_R: Final = columns.table_of(RecipientRow)
_O: Final = columns.table_of(OnboardingRow)
_JOB: Final = ("look_at", "looks", "leased_until")
_STORED: Final = tuple(column for column in _O.c if column.name not in _JOB)
_CHANGES: Final = tuple(column.name for column in _STORED[8:])
"""What a look may change: everything from `updated_at` on."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """An onboarding that is to be looked at, how often it was since it last changed, and the lease."""

    onboarding: Onboarding
    looks: int
    lease: Lease


def insert(tx: Tx, recipient: Recipient) -> None:
    """Stores a new recipient."""
    tx.put(_INSERT, **{column.name: getattr(recipient, column.name) for column in _R.c})


def get(tx: Tx, recipient_id: str, creator_id: ids.CreatorId) -> Recipient:
    """A recipient of this creator that was not removed.

    Raises:
        NotFoundError: there is no such recipient of this creator, or not any more.
    """
    found = get_ever(tx, recipient_id, creator_id)
    if found.removed_at is not None:
        raise errors.NotFoundError("This recipient was removed.", path=("input", "recipientId"))
    return found


def get_ever(tx: Tx, recipient_id: str, creator_id: ids.CreatorId) -> Recipient:
    """A recipient of this creator, removed or not.

    Raises:
        NotFoundError: there is no such recipient of this creator.
    """
    (found,) = list_of(tx, [recipient_id])
    if found is None or found.creator_id != creator_id:
        raise errors.NotFoundError("There is no such recipient.", path=("input", "recipientId"))
    return found


def remove(tx: Tx, recipient_id: str) -> None:
    """Forgets where money went; its creator is held. What the provider was told of it is looked at no more."""
    changed = tx.run(_REMOVE, of=recipient_id, at=tx.now)
    assert changed == 1, "who holds the creator removes what they read"
    tx.put(_FORGET, of=recipient_id)


def list_of_creator(tx: Tx, creator_id: ids.CreatorId) -> tuple[Recipient, ...]:
    """A creator's recipients, the newest first; those that were removed are left out."""
    return tuple(Recipient(*row) for row in tx.all(_OF_CREATOR, creator_id=creator_id))


def list_of(tx: Tx, recipient_ids: Sequence[str]) -> list[Recipient | None]:
    """Recipients in the order asked, None where there is none."""
    found = {row[0]: Recipient(*row) for row in tx.all(_LIST, ids=list(recipient_ids))}
    return [found.get(recipient_id) for recipient_id in recipient_ids]


def insert_onboarding(tx: Tx, onboarding: Onboarding, *, look_at: datetime) -> None:
    """Stores that a provider is about to be told of a recipient."""
    values = {column.name: getattr(onboarding, column.name) for column in _STORED}
    tx.put(_INSERT_ONBOARDING, look_at=look_at, looks=0, leased_until=None, **values)


def find_onboarding(tx: Tx, recipient_id: str) -> Onboarding | None:
    """How far a recipient is; None where its provider asks nothing. A unit of work that writes holds it."""
    row = tx.one(_GET_ONBOARDING, id=recipient_id)
    return None if row is None else Onboarding(*row)


def find_by_ref(tx: Tx, *, instance: str, ref: str) -> Onboarding | None:
    """The recipient that a provider speaks of, or None. A unit of work that writes holds it from now on."""
    rows = tx.all(_FIND_BY_REF, instance=instance, ref=ref)
    return Onboarding(*rows[0]) if rows else None


def save_onboarding(
    tx: Tx, onboarding: Onboarding, *, look_at: datetime | None, looks: int, lease: Lease | None = None
) -> None:
    """Stores what is known of a recipient now and when to look next; whoever looked gives their lease back."""
    values = {name: getattr(onboarding, name) for name in _CHANGES}
    tx.put(_SAVE, of=onboarding.recipient_id, at=look_at, count=looks, **values)
    if lease is not None:
        tx.put(_UNLEASE, of=onboarding.recipient_id, until=lease.until)


def look_soon(tx: Tx, recipient_id: str) -> None:
    """Asks for a look now."""
    tx.put(_LOOK_SOON, of=recipient_id, at=tx.now)


def has_due(tx: Tx) -> bool:
    """Whether there is anybody to look at."""
    return tx.one(_HAS_DUE, now=tx.now) is not None


def claim_due(tx: Tx, *, lease: timedelta, limit: int) -> tuple[Claimed, ...]:
    """Leases onboardings that are due for a look; nobody else gets them until the lease is over."""
    ours = leases.taken(tx.now, lasting=lease)
    rows = tx.all(_CLAIM, now=ours.since, until=ours.until, size=min(limit, CLAIM_MAX))
    return tuple(Claimed(Onboarding(*row[:-1]), row[-1], ours) for row in rows)


def _seen() -> sa.Select[Any]:
    """Recipients, each as its provider last spoke of it where there is one that does."""
    best = (_R.c.id, _R.c.creator_id, _R.c.instance, _R.c.label)
    ref = sa.func.coalesce(_O.c.ref, _R.c.ref, type_=Text)
    state = sa.func.coalesce(_O.c.state, _R.c.state, type_=Words(RecipientState))
    currency = sa.func.coalesce(_O.c.currency, _R.c.currency, type_=Text)
    said = (_O.c.code, _O.c.url, _O.c.expires_at, currency.label("currency"), _R.c.removed_at)
    found = (*best, ref.label("ref"), state.label("state"), _R.c.created_at, *said)
    return sa.select(*found).select_from(_R.outerjoin(_O, _O.c.recipient_id == _R.c.id))


def _due() -> tuple[sa.ColumnElement[bool], ...]:
    now: sa.BindParameter[Any] = sa.bindparam("now")
    return (_O.c.look_at <= now, _O.c.leased_until.is_(None) | (_O.c.leased_until <= now))


def _claim() -> sa.ClauseElement:
    due = sa.select(_O.c.recipient_id).where(_O.c.look_at.is_not(None), *_due()).order_by(_O.c.look_at)
    taken = due.limit(sa.bindparam("size")).with_for_update(skip_locked=True, key_share=True).cte("due")
    update = sa.update(_O).where(_O.c.recipient_id.in_(sa.select(taken.c.recipient_id)))
    return update.values(leased_until=sa.bindparam("until")).returning(*_STORED, _O.c.looks)


_INSERT: Final = Statement[Any](lambda: sa.insert(_R).values({c.name: sa.bindparam(c.name) for c in _R.c}))
_OF_CREATOR: Final = Statement[Any](
    lambda: (
        _seen()
        .where(_R.c.creator_id == sa.bindparam("creator_id"), _R.c.removed_at.is_(None))
        .order_by(_R.c.id.desc())
        .limit(RECIPIENTS_EVER_MAX)
    )
)
_REMOVE: Final = Statement[Any](
    lambda: (
        sa.update(_R)
        .where(_R.c.id == sa.bindparam("of"), _R.c.removed_at.is_(None))
        .values(removed_at=sa.bindparam("at"), ref=sa.literal_column("''"))
    )
)
_FORGET: Final = Statement[Any](
    lambda: (
        sa.update(_O)
        .where(_O.c.recipient_id == sa.bindparam("of"))
        .values(answers=sa.null(), url=sa.null(), expires_at=sa.null(), look_at=sa.null())
    )
)
_LIST: Final = Statement[Any](lambda: _seen().where(columns.any_of(_R.c.id, "ids")))
_ONE: Final = _O.c.recipient_id == sa.bindparam("of")
_INSERT_ONBOARDING: Final = Statement[Any](lambda: sa.insert(_O).values({c.name: sa.bindparam(c.name) for c in _O.c}))
_GET_ONBOARDING: Final = Statement[Any](
    lambda: sa.select(*_STORED).where(_O.c.recipient_id == sa.bindparam("id")), holds=_O
)
_FIND_BY_REF: Final = Statement[Any](
    lambda: (
        sa.select(*_STORED)
        .where(_O.c.instance == sa.bindparam("instance"), _O.c.ref == sa.bindparam("ref"))
        .order_by(_O.c.recipient_id)
        .limit(1)
    ),
    holds=_O,
)
_SAVE: Final = Statement[Any](
    lambda: (
        sa.update(_O)
        .where(_ONE)
        .values(
            look_at=sa.bindparam("at"), looks=sa.bindparam("count"), **{name: sa.bindparam(name) for name in _CHANGES}
        )
    )
)
_UNLEASE: Final = Statement[Any](
    lambda: sa.update(_O).where(_ONE, _O.c.leased_until == sa.bindparam("until")).values(leased_until=sa.null())
)
_LOOK_SOON: Final = Statement[Any](
    lambda: sa.update(_O).where(_ONE).values(look_at=sa.bindparam("at"), leased_until=sa.null())
)
_HAS_DUE: Final = Statement[Any](
    lambda: sa.select(_O.c.recipient_id).where(_O.c.look_at.is_not(None), *_due()).limit(1)
)
_CLAIM: Final = Statement[Any](_claim)
