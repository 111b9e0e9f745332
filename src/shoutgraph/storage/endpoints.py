"""Endpoints of webhooks: where they are, what their secrets are made of, and how far in the journal each was told.

The place is a row of its own, held by one worker at a time, so that telling never meets whoever changes the endpoint.
Whoever needs both takes the endpoint first. Source: docs/adr/0022-webhooks-out.md.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import errors, leases, pages
from shoutgraph.domain.endpoints import (
    ENDPOINTS_MAX,
    LABEL_CHARS_MAX,
    URL_CHARS_MAX,
    DisabledReason,
    Endpoint,
    EndpointState,
    Place,
    Secret,
)
from shoutgraph.domain.leases import Lease
from shoutgraph.storage import columns, locks
from shoutgraph.storage.columns import Blob, Integer, Micros, Tags, Text, Words
from shoutgraph.storage.locks import Lock
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

SECRETS_MAX: Final = 2
"""Secrets of one endpoint that sign at a time: the newest, and the one before it until it ends."""


class EndpointRow(SQLModel, table=True):
    """An endpoint."""

    __tablename__: ClassVar[str] = "webhook_endpoint"
    __table_args__ = (
        sa.CheckConstraint(f"length(url) BETWEEN 1 AND {URL_CHARS_MAX}", name="webhook_endpoint_url"),
        sa.CheckConstraint(f"length(label) BETWEEN 1 AND {LABEL_CHARS_MAX}", name="webhook_endpoint_label"),
        sa.CheckConstraint("(state = 'DISABLED') = (reason IS NOT NULL)", name="webhook_endpoint_reason"),
        sa.CheckConstraint("revision > 0", name="webhook_endpoint_revision"),
        columns.one_of("state", EndpointState),
        columns.one_of("reason", DisabledReason),
        {"sqlite_strict": True},
    )
    id: str = Field(sa_type=Text, primary_key=True)
    revision: int = Field(sa_type=Integer)
    url: str = Field(sa_type=Text)
    label: str = Field(sa_type=Text)
    event_types: tuple[str, ...] = Field(sa_type=Tags(str))
    state: EndpointState = Field(sa_type=Words(EndpointState))
    reason: DisabledReason | None = Field(sa_type=Words(DisabledReason))
    created_by: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=Micros)
    changed_at: datetime = Field(sa_type=Micros)


class SecretRow(SQLModel, table=True):
    """What a secret is made of; the key that belongs to it is in no database."""

    __tablename__: ClassVar[str] = "webhook_secret"
    __table_args__ = (
        sa.CheckConstraint("number > 0 AND length(salt) > 0 AND length(digest) = 32", name="webhook_secret_made"),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )
    endpoint_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("webhook_endpoint.id"), primary_key=True))
    number: int = Field(sa_type=Integer, primary_key=True)
    salt: str = Field(sa_type=Text)
    digest: bytes = Field(sa_type=Blob)
    created_at: datetime = Field(sa_type=Micros)
    expires_at: datetime | None = Field(sa_type=Micros)


class PlaceRow(SQLModel, table=True):
    """How far an endpoint was told."""

    __tablename__: ClassVar[str] = "webhook_place"
    __table_args__ = (
        sa.CheckConstraint("seq >= 0 AND replays >= 0 AND failures >= 0", name="webhook_place_counts"),
        sa.CheckConstraint("(failures = 0) = (failing_since IS NULL)", name="webhook_place_failing"),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )
    endpoint_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("webhook_endpoint.id"), primary_key=True))
    seq: int = Field(sa_type=Integer)
    replays: int = Field(sa_type=Integer)
    failures: int = Field(sa_type=Integer)
    failing_since: datetime | None = Field(sa_type=Micros)
    due_at: datetime = Field(sa_type=Micros)
    leased_until: datetime | None = Field(sa_type=Micros)


_T: Final = columns.table_of(EndpointRow)
_S: Final = columns.table_of(SecretRow)
_P: Final = columns.table_of(PlaceRow)
_NAMES: Final = tuple(column.name for column in _T.c)
_CHANGING: Final = ("revision", "url", "label", "event_types", "state", "reason", "changed_at")
_PLACE: Final = (_P.c.endpoint_id, _P.c.seq, _P.c.replays, _P.c.failures, _P.c.failing_since, _P.c.due_at)
_FIRST: Final = ""
_LAST: Final = "endpoint_~"
"""After every id."""


def insert(tx: Tx, endpoint: Endpoint, secret: Secret) -> None:
    """Stores a new endpoint, which is told of what happens from now on."""
    tx.run(_INSERT, **{name: getattr(endpoint, name) for name in _NAMES})
    insert_secret(tx, secret)
    place = {"seq": tx.head.seq, "replays": 0, "failures": 0, "failing_since": None, "leased_until": None}
    tx.run(_INSERT_PLACE, endpoint_id=endpoint.id, due_at=tx.now, **place)


def save(tx: Tx, endpoint: Endpoint) -> None:
    """Stores the next revision of an endpoint, which the caller holds."""
    changed = tx.run(_SAVE, of=endpoint.id, **{name: getattr(endpoint, name) for name in _CHANGING})
    assert changed == 1, "an endpoint that was read is there"


def get(tx: Tx, endpoint_id: str) -> Endpoint:
    """An endpoint. A unit of work that writes holds it.

    Raises:
        NotFoundError: there is none.
    """
    row = tx.one(_GET, id=endpoint_id)
    if row is None:
        raise errors.NotFoundError("There is no such endpoint.", path=("input", "webhookEndpointId"))
    return Endpoint(*row)


def list_of(tx: Tx, endpoint_ids: Sequence[str]) -> list[Endpoint | None]:
    """Endpoints by id in the order asked, None where there is none."""
    found = {row[0]: Endpoint(*row) for row in tx.all(_LIST, ids=list(endpoint_ids))}
    return [found.get(each) for each in endpoint_ids]


def list_of_page(tx: Tx, args: pages.PageArgs) -> list[Endpoint]:
    """Up to one endpoint more than the page holds, the newest first. The key is `(id,)`."""
    key = args.key[0] if args.key else (_FIRST if args.backward else _LAST)
    return [Endpoint(*row) for row in tx.all(_PAGE_BACK if args.backward else _PAGE, key=key, size=args.size + 1)]


def hold_all(tx: Tx) -> None:
    """Lets one unit of work at a time decide how many endpoints there are; an embedded database has one writer."""
    locks.hold(tx, Lock.ENDPOINTS)


def count_open(tx: Tx) -> int:
    """How many endpoints are not disabled."""
    row = tx.one(_COUNT)
    assert row is not None, "counting gives one row"
    return row[0]


def insert_secret(tx: Tx, secret: Secret) -> None:
    """Keeps what a new secret is made of."""
    tx.run(_INSERT_SECRET, **{c.name: getattr(secret, c.name) for c in _S.c})


def end_secret(tx: Tx, secret: Secret, *, at: datetime) -> None:
    """Says when a secret signs no more; it is never put off."""
    tx.run(_END_SECRET, of=secret.endpoint_id, which=secret.number, at=at)


def secrets_of(tx: Tx, endpoint_ids: Sequence[str], *, now: datetime) -> dict[str, tuple[Secret, ...]]:
    """The secrets that sign for endpoints at a time, the newest first, by the endpoints' ids."""
    found: dict[str, tuple[Secret, ...]] = {}
    for row in tx.all(_SECRETS, ids=list(endpoint_ids), now=now):
        found[row[0]] = (*found.get(row[0], ()), Secret(*row))
    return found


def newest_number(tx: Tx, endpoint_id: str) -> int:
    """The number of an endpoint's newest secret."""
    row = tx.one(_NEWEST, id=endpoint_id)
    assert row is not None, "an aggregate has one row"
    return row[0]


def places_of(tx: Tx, endpoint_ids: Sequence[str]) -> dict[str, Place]:
    """How far endpoints were told, by their ids."""
    return {row[0]: Place(*row) for row in tx.all(_PLACES, ids=list(endpoint_ids))}


def list_of_due(tx: Tx, *, now: datetime) -> tuple[tuple[Place, tuple[str, ...]], ...]:
    """Places of active endpoints whose turn it is and that lines were written after, with the types they are told."""
    found = tx.all(_DUE, now=now, head=tx.head.seq)
    return tuple((Place(*row[:-1]), row[-1]) for row in found)


def claim(tx: Tx, endpoint_id: str, *, lease: timedelta) -> tuple[Place, Lease] | None:
    """Takes an active endpoint's place; None if it is not our turn."""
    ours = leases.taken(tx.now, lasting=lease)
    row = tx.one(_CLAIM, of=endpoint_id, now=ours.since, until=ours.until)
    return None if row is None else (Place(*row), ours)


def advance(tx: Tx, endpoint_id: str, *, seq: int, lease: Lease) -> bool:
    """Keeps that an endpoint was told up to a number; False if its place is no longer ours."""
    return tx.run(_ADVANCE, of=endpoint_id, to=seq, until=lease.until) == 1


def fail(tx: Tx, place: Place, lease: Lease) -> bool:
    """Keeps that an endpoint was not told, and ends the turn; False if its place is no longer ours."""
    given = {"failures": place.failures, "failing_since": place.failing_since, "due_at": place.due_at}
    return tx.run(_FAIL, of=place.endpoint_id, until=lease.until, **given) == 1


def give_back(tx: Tx, place: Place, *, due_at: datetime, lease: Lease) -> None:
    """Ends a turn in which everything up to the place's number was told, and says when the next one is."""
    tx.run(_GIVE_BACK, of=place.endpoint_id, to=place.seq, due_at=due_at, until=lease.until)


def settle(tx: Tx, endpoint_id: str) -> None:
    """Ends whatever turn there is, and has the next event tried at once as if it never failed."""
    tx.run(_SETTLE, of=endpoint_id, now=tx.now)


def move(tx: Tx, endpoint_id: str, *, seq: int) -> None:
    """Has an endpoint told again of everything after a number; whoever tells it now stops."""
    tx.run(_MOVE, of=endpoint_id, to=seq, now=tx.now)


_OF: Final = _P.c.endpoint_id == sa.bindparam("of")
_OURS: Final = _P.c.leased_until == sa.bindparam("until")
_FREE: Final = sa.and_(
    _P.c.due_at <= sa.bindparam("now"), _P.c.leased_until.is_(None) | (_P.c.leased_until <= sa.bindparam("now"))
)
_ZERO: Final[sa.ColumnElement[int]] = sa.literal_column("0")
_ACTIVE: Final = _T.c.state == sa.literal_column(f"'{EndpointState.ACTIVE}'")
_INSERT: Final = Statement[Any](lambda: sa.insert(_T).values({name: sa.bindparam(name) for name in _NAMES}))
_INSERT_SECRET: Final = Statement[Any](lambda: sa.insert(_S).values({c.name: sa.bindparam(c.name) for c in _S.c}))
_INSERT_PLACE: Final = Statement[Any](lambda: sa.insert(_P).values({c.name: sa.bindparam(c.name) for c in _P.c}))
_SAVE: Final = Statement[Any](
    lambda: sa.update(_T).where(_T.c.id == sa.bindparam("of")).values({name: sa.bindparam(name) for name in _CHANGING})
)
_GET: Final = Statement[Any](lambda: sa.select(*_T.c).where(_T.c.id == sa.bindparam("id")), holds=_T)
_LIST: Final = Statement[Any](lambda: sa.select(*_T.c).where(columns.any_of(_T.c.id, "ids")))
_PAGE: Final = Statement[Any](
    lambda: sa.select(*_T.c).where(_T.c.id < sa.bindparam("key")).order_by(_T.c.id.desc()).limit(sa.bindparam("size"))
)
_PAGE_BACK: Final = Statement[Any](
    lambda: sa.select(*_T.c).where(_T.c.id > sa.bindparam("key")).order_by(_T.c.id).limit(sa.bindparam("size"))
)
_COUNT: Final = Statement[tuple[int]](
    lambda: (
        sa.select(sa.func.count()).select_from(_T).where(_T.c.state != sa.literal_column(f"'{EndpointState.DISABLED}'"))
    )
)
_END_SECRET: Final = Statement[Any](
    lambda: (
        sa.update(_S)
        .where(
            _S.c.endpoint_id == sa.bindparam("of"),
            _S.c.number == sa.bindparam("which"),
            _S.c.expires_at.is_(None) | (_S.c.expires_at > sa.bindparam("at")),
        )
        .values(expires_at=sa.bindparam("at"))
    )
)
_SECRETS: Final = Statement[Any](
    lambda: (
        sa.select(*_S.c)
        .where(
            columns.any_of(_S.c.endpoint_id, "ids"),
            _S.c.expires_at.is_(None) | (_S.c.expires_at > sa.bindparam("now")),
        )
        .order_by(_S.c.endpoint_id, _S.c.number.desc())
    )
)
_NEWEST: Final = Statement[tuple[int]](
    lambda: sa.select(sa.func.coalesce(sa.func.max(_S.c.number), 0)).where(_S.c.endpoint_id == sa.bindparam("id"))
)
_PLACES: Final = Statement[Any](lambda: sa.select(*_PLACE).where(columns.any_of(_P.c.endpoint_id, "ids")))
_DUE: Final = Statement[Any](
    lambda: (
        sa.select(*_PLACE, _T.c.event_types)
        .join_from(_P, _T, _T.c.id == _P.c.endpoint_id)
        .where(_ACTIVE, _FREE, _P.c.seq < sa.bindparam("head"))
        .order_by(_P.c.due_at)
        .limit(ENDPOINTS_MAX)
    )
)
_CLAIM: Final = Statement[Any](
    lambda: (
        sa.update(_P)
        .where(_OF, _FREE, sa.exists().where(_T.c.id == _P.c.endpoint_id, _ACTIVE))
        .values(leased_until=sa.bindparam("until"))
        .returning(*_PLACE)
    )
)
_WELL: Final[dict[str, Any]] = {"failures": _ZERO, "failing_since": sa.null()}
_ADVANCE: Final = Statement[Any](lambda: sa.update(_P).where(_OF, _OURS).values(seq=sa.bindparam("to"), **_WELL))
_FAIL: Final = Statement[Any](
    lambda: (
        sa.update(_P)
        .where(_OF, _OURS)
        .values(
            failures=sa.bindparam("failures"),
            failing_since=sa.bindparam("failing_since"),
            due_at=sa.bindparam("due_at"),
            leased_until=sa.null(),
        )
    )
)
_GIVE_BACK: Final = Statement[Any](
    lambda: (
        sa.update(_P)
        .where(_OF, _OURS)
        .values(seq=sa.bindparam("to"), due_at=sa.bindparam("due_at"), leased_until=sa.null())
    )
)
_SETTLE: Final = Statement[Any](
    lambda: sa.update(_P).where(_OF).values(due_at=sa.bindparam("now"), leased_until=sa.null(), **_WELL)
)
_MOVE: Final = Statement[Any](
    lambda: (
        sa.update(_P)
        .where(_OF)
        .values(
            seq=sa.bindparam("to"),
            replays=_P.c.replays + sa.literal_column("1"),
            due_at=sa.bindparam("now"),
            leased_until=sa.null(),
            **_WELL,
        )
    )
)
