"""The rules of the rollout, in versions that never change, and the one door at which everybody is asked about them.

They are read in the unit of work that goes by them, and never remembered, so that a change holds at once in every
process. One statement asks for all the people whom a use-case is about; without rules it finds nothing.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import errors, features, money
from shoutgraph.domain.features import WHOLE, Feature, Person, Reason, Rule, State, Terms
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, JsonText, Micros, Text, Truth, Words, one_of, truth
from shoutgraph.storage.creators import CREATORS, OFFERS
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx


class FeatureRuleRow(SQLModel, table=True):
    """One version of a rule; the newest one is in force unless it says that there is none from here on."""

    __tablename__ = "feature_rule"
    __table_args__ = (
        sa.CheckConstraint(f"version > 0 AND share_bps BETWEEN 0 AND {money.BPS}", name="feature_share"),
        sa.CheckConstraint("provider = '' OR feature = 'TOPUPS'", name="feature_provider"),
        sa.CheckConstraint("starts_at IS NULL OR ends_at IS NULL OR starts_at < ends_at", name="feature_schedule"),
        sa.CheckConstraint(f"listed_count BETWEEN 0 AND {features.LISTED_MAX}", name="feature_listed"),
        sa.CheckConstraint(f"length(reason) BETWEEN 1 AND {features.REASON_CHARS_MAX}", name="feature_reason"),
        sa.CheckConstraint("removed = 0 OR current = 0", name="feature_removed"),
        one_of("feature", Feature),
        truth("enabled"),
        truth("removed"),
        truth("current"),
        sa.UniqueConstraint("feature", "provider", "version", name="feature_version"),
        sa.Index(
            "feature_current",
            "feature",
            "provider",
            unique=True,
            sqlite_where=sa.text("current = 1"),
            postgresql_where=sa.text("current = 1"),
        ),
        sa.Index("feature_changes", "changed_at", "id", "version"),
        {"sqlite_strict": True},
    )

    id: str = Field(sa_type=Text, primary_key=True)
    version: int = Field(sa_type=Integer, primary_key=True)
    feature: Feature = Field(sa_type=Words(Feature))
    provider: str = Field(sa_type=Text)
    enabled: bool = Field(sa_type=Truth)
    share_bps: int = Field(sa_type=Integer)
    countries_on: Any = Field(sa_type=JsonText, nullable=True)
    countries_off: Any = Field(sa_type=JsonText)
    starts_at: datetime | None = Field(sa_type=Micros)
    ends_at: datetime | None = Field(sa_type=Micros)
    listed_count: int = Field(sa_type=Integer)
    changed_by: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    changed_at: datetime = Field(sa_type=Micros)
    removed: bool = Field(sa_type=Truth)
    current: bool = Field(sa_type=Truth)


class FeatureUserRow(SQLModel, table=True):
    """A user whom a version of a rule names: as one who has the feature, or as one who does not."""

    __tablename__ = "feature_user"
    __table_args__ = (
        sa.ForeignKeyConstraint(["rule_id", "version"], ["feature_rule.id", "feature_rule.version"]),
        truth("allowed"),
        sa.Index("feature_user_of", "user_id"),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )

    rule_id: str = Field(sa_type=Text, primary_key=True)
    version: int = Field(sa_type=Integer, primary_key=True)
    user_id: str = Field(sa_type=Text, primary_key=True, foreign_key="users.id")
    allowed: bool = Field(sa_type=Truth)


RULES: Final = columns.table_of(FeatureRuleRow)
LISTED: Final = columns.table_of(FeatureUserRow)
_USERS: Final = sa.table("users", sa.column("id", Text), sa.column("country", Text))
COLUMNS: Final = tuple(column for column in RULES.c if column.name != "current")
_AT: Final = len(COLUMNS)
"""Where in a row the person begins, after the rule."""
_NAMES: Final = [column.name for column in COLUMNS]
_FEATURE: Final = _NAMES.index("feature")
_PROVIDER: Final = _NAMES.index("provider")
IN_FORCE: Final = RULES.c.current == sa.literal_column("1")


def _asked(whom: sa.ColumnElement[bool]) -> sa.ClauseElement:
    """The rules in force of a feature, for each of these people, with what its lists say of them."""
    named = sa.and_(
        LISTED.c.rule_id == RULES.c.id, LISTED.c.version == RULES.c.version, LISTED.c.user_id == _USERS.c.id
    )
    return (
        sa.select(*COLUMNS, _USERS.c.id, _USERS.c.country, LISTED.c.allowed)
        .select_from(RULES.join(_USERS, whom).outerjoin(LISTED, named))
        .where(IN_FORCE, RULES.c.feature == sa.bindparam("feature", type_=Words(Feature)))
        .order_by(RULES.c.provider)
    )


def _listed() -> sa.ColumnElement[bool]:
    return columns.any_of(_USERS.c.id, "user_ids")


def _owner_of_creator() -> sa.ColumnElement[bool]:
    found = sa.select(CREATORS.c.user_id).where(CREATORS.c.id == sa.bindparam("creator_id"))
    return sa.or_(_listed(), _USERS.c.id == found.scalar_subquery())


def _owner_of_offer() -> sa.ColumnElement[bool]:
    found = sa.select(CREATORS.c.user_id).join(OFFERS, OFFERS.c.creator_id == CREATORS.c.id)
    return sa.or_(_listed(), _USERS.c.id == found.where(OFFERS.c.id == sa.bindparam("offer_id")).scalar_subquery())


_FOR: Final = Statement[Any](lambda: _asked(_listed()))
_WITH_CREATOR: Final = Statement[Any](lambda: _asked(_owner_of_creator()))
_WITH_SELLER: Final = Statement[Any](lambda: _asked(_owner_of_offer()))
_EVERY_FOR: Final = Statement[Any](
    lambda: (
        sa.select(*COLUMNS, LISTED.c.allowed)
        .select_from(
            RULES.outerjoin(
                LISTED,
                sa.and_(
                    LISTED.c.rule_id == RULES.c.id,
                    LISTED.c.version == RULES.c.version,
                    LISTED.c.user_id == sa.bindparam("user_id"),
                ),
            )
        )
        .where(IN_FORCE)
    )
)
_COUNTRY: Final = Statement[tuple[str]](
    lambda: sa.select(_USERS.c.country).where(_USERS.c.id == sa.bindparam("user_id"))
)


def require(
    tx: Tx, feature: Feature, user_id: str, *, provider: str = WHOLE, path: Sequence[str] | None = None
) -> dict[str, Reason]:
    """Refuses somebody for whom a feature is off, or the provider that they name; gives the providers that are off.

    Raises:
        FeatureUnavailableError: it is off for them.
    """
    off = providers_off(tx, feature, user_id)
    for each in (WHOLE, provider):
        _refuse(feature, each, off.get(each), path)
    return off


def require_provider(
    tx: Tx, feature: Feature, user_id: str, provider: str, *, path: Sequence[str] | None = None
) -> None:
    """Refuses somebody for whom this one provider is off; what a rule says of the whole feature does not matter.

    Raises:
        FeatureUnavailableError: it is off for them.
    """
    _refuse(feature, provider, providers_off(tx, feature, user_id).get(provider), path)


def foresee(tx: Tx, feature: Feature, user_id: str) -> None:
    """Asks ahead what `require` and `providers_off` will ask."""
    tx.foresee(_FOR, feature=feature, user_ids=[user_id])


def require_with_creator(tx: Tx, feature: Feature, user_id: str, creator_id: str) -> None:
    """Refuses somebody for whom a feature is off, and everybody where it is off for the creator.

    Raises:
        FeatureUnavailableError: it is off for one of the two; why it is off for the creator is not said.
    """
    _require_both(tx, tx.all(_WITH_CREATOR, feature=feature, user_ids=[user_id], creator_id=creator_id), user_id)


def foresee_with_creator(tx: Tx, feature: Feature, user_id: str, creator_id: str) -> None:
    """Asks ahead what `require_with_creator` will ask."""
    tx.foresee(_WITH_CREATOR, feature=feature, user_ids=[user_id], creator_id=creator_id)


def require_to_order(tx: Tx, user_id: str | None, offer_id: str, *, guest: Person = features.GUEST) -> None:
    """Refuses an order of somebody for whom shoutouts are off, or from a creator for whom they are.

    A guest, who has no id, is judged by what they say of themselves.

    Raises:
        FeatureUnavailableError: they are off for one of the two; why they are off for the creator is not said.
    """
    listed = [] if user_id is None else [user_id]
    rows = tx.all(_WITH_SELLER, feature=Feature.SHOUTOUTS, user_ids=listed, offer_id=offer_id)
    if user_id is None:
        for rule in map(read, rows):
            _refuse(rule.feature, WHOLE, features.off(rule, guest, listed=None, now=tx.now), None)
    _require_both(tx, rows, user_id)


def is_ruled(feature: Feature) -> sa.ColumnElement[bool]:
    """Whether any rule in force speaks of a feature, as a column: where none does, it is on for everybody."""
    return sa.exists().where(IN_FORCE, RULES.c.feature == sa.literal(feature, Words(Feature)))


def providers_off(tx: Tx, feature: Feature, user_id: str) -> dict[str, Reason]:
    """The providers that are off for somebody, and why; under `WHOLE` the whole feature, where it is off."""
    found = _states(tx, tx.all(_FOR, feature=feature, user_ids=[user_id]))
    return {provider: reason for (_, provider), reason in found.items() if reason is not None}


def find_off(tx: Tx, feature: Feature, user_ids: Sequence[str]) -> frozenset[str]:
    """Those of these users for whom a feature is off."""
    found = _states(tx, tx.all(_FOR, feature=feature, user_ids=list(set(user_ids))))
    return frozenset(user_id for (user_id, provider), reason in found.items() if provider == WHOLE and reason)


def list_of_states(tx: Tx, user_id: str | None, providers: Iterable[str]) -> tuple[State, ...]:
    """What is on for somebody, or for a guest: every feature, then every one of these ways to buy coins."""
    person = Person(user_id, _country(tx, user_id))
    rows = tx.all(_EVERY_FOR, user_id=user_id or "")
    rules = {(row[_FEATURE], row[_PROVIDER]): row for row in rows}
    wanted = [(feature, WHOLE) for feature in Feature] + [(Feature.TOPUPS, code) for code in sorted(providers)]
    found: dict[tuple[Feature, str], Reason | None] = {}
    for key in wanted:
        row = rules.get(key)
        own = None if row is None else features.off(read(row), person, listed=row[_AT], now=tx.now)
        found[key] = found.get((key[0], WHOLE)) or own
    return tuple(State(feature, provider, reason) for (feature, provider), reason in found.items())


def _country(tx: Tx, user_id: str | None) -> str:
    row = None if user_id is None else tx.one(_COUNTRY, user_id=user_id)
    return features.GUEST.country if row is None else row[0]


def _states(tx: Tx, rows: Iterable[Any]) -> dict[tuple[str, str], Reason | None]:
    """Why a feature is off, by user and provider; None where it is on, nothing where there is no rule."""
    return {
        (row[_AT], row[_PROVIDER]): features.off(
            read(row), Person(row[_AT], row[_AT + 1]), listed=row[_AT + 2], now=tx.now
        )
        for row in rows
    }


def _require_both(tx: Tx, rows: Sequence[Any], user_id: str | None) -> None:
    found = {key: reason for key, reason in _states(tx, rows).items() if key[1] == WHOLE and reason is not None}
    if found:
        own = None if user_id is None else found.get((user_id, WHOLE))
        _refuse(read(rows[0]).feature, WHOLE, own or Reason.CREATOR, None)


def _refuse(feature: Feature, provider: str, reason: Reason | None, path: Sequence[str] | None) -> None:
    if reason is not None:
        raise errors.FeatureUnavailableError(
            feature=feature.value, reason=reason.value, provider=provider or None, path=path
        )


def read(row: Sequence[Any]) -> Rule:
    """A version of a rule, whose columns a row begins with."""
    rule_id, version, feature, provider, enabled, share, only, but, starts, ends, listed, by, why, at, gone = row[:_AT]
    terms = Terms(enabled, share, None if only is None else tuple(only), tuple(but), starts, ends)
    return Rule(rule_id, version, feature, provider, terms, listed, by, why, at, gone)
