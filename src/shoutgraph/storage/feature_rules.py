"""What staff do with the rules of the rollout: versions that are added and never changed, and what each one changed."""

import itertools
from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from shoutgraph.domain import features, pages
from shoutgraph.domain.features import Feature, Lists, Rule
from shoutgraph.storage import columns, locks
from shoutgraph.storage.columns import Integer, Text, Words
from shoutgraph.storage.features import COLUMNS, IN_FORCE, LISTED, RULES as _T, read
from shoutgraph.storage.locks import Lock
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

_CURRENT: Final = Statement[Any](
    lambda: sa.select(*COLUMNS).where(IN_FORCE).order_by(_T.c.feature, _T.c.provider).limit(features.RULES_MAX)
)
_NEWEST: Final = Statement[Any](
    lambda: (
        sa.select(*COLUMNS)
        .where(_T.c.feature == sa.bindparam("feature", type_=Words(Feature)), _T.c.provider == sa.bindparam("provider"))
        .order_by(_T.c.version.desc())
        .limit(1)
    )
)
_BY_ID: Final = Statement[Any](
    lambda: sa.select(*COLUMNS).where(_T.c.id == sa.bindparam("id")).order_by(_T.c.version.desc()).limit(1)
)
_COUNT: Final = Statement[tuple[int]](lambda: sa.select(sa.func.count()).select_from(_T).where(IN_FORCE))
_INSERT: Final = Statement[Any](lambda: sa.insert(_T).values({each.name: sa.bindparam(each.name) for each in _T.c}))
_LIST_USERS: Final = Statement[Any](
    lambda: sa.insert(LISTED).values({each.name: sa.bindparam(each.name) for each in LISTED.c})
)
_RETIRE: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_T.c.id == sa.bindparam("of"), _T.c.version == sa.bindparam("was"), IN_FORCE)
        .values(current=False)
    )
)
_LISTS: Final = Statement[Any](
    lambda: (
        sa.select(LISTED.c.rule_id, LISTED.c.version, LISTED.c.user_id, LISTED.c.allowed)
        .where(columns.any_of(LISTED.c.rule_id, "ids"), columns.any_of(LISTED.c.version, "versions"))
        .order_by(LISTED.c.rule_id, LISTED.c.version, LISTED.c.user_id)
    )
)
_OF_USER: Final = Statement[Any](
    lambda: (
        sa.select(_T.c.feature, _T.c.provider, _T.c.version, LISTED.c.allowed, _T.c.changed_at)
        .join(_T, sa.and_(_T.c.id == LISTED.c.rule_id, _T.c.version == LISTED.c.version))
        .where(LISTED.c.user_id == sa.bindparam("user_id"))
        .order_by(_T.c.changed_at, _T.c.id)
    )
)
_VERSIONS: Final = Statement[Any](
    lambda: sa.select(*COLUMNS).where(columns.any_of(_T.c.id, "ids"), columns.any_of(_T.c.version, "versions"))
)


def _page(*, backward: bool, after: bool, filtered: bool) -> Statement[Any]:
    def build() -> sa.ClauseElement:
        keys = (_T.c.changed_at, _T.c.id, _T.c.version)
        query = sa.select(*COLUMNS).order_by(*(key.asc() if backward else key.desc() for key in keys))
        if filtered:
            query = query.where(_T.c.feature == sa.bindparam("feature", type_=Words(Feature)))
        if after:
            at = sa.type_coerce(_T.c.changed_at, Integer)
            here = sa.tuple_(at, _T.c.id, _T.c.version)
            place = sa.tuple_(
                sa.bindparam("changed_at", type_=Integer),
                sa.bindparam("id", type_=Text),
                sa.bindparam("version", type_=Integer),
            )
            query = query.where(here > place if backward else here < place)
        return query.limit(sa.bindparam("size"))

    return Statement(build)


_PAGES: Final = {
    shape: _page(backward=shape[0], after=shape[1], filtered=shape[2])
    for shape in itertools.product((False, True), repeat=3)
}


def hold(tx: Tx) -> None:
    """Holds all rules, so that of two who change them at once the second one sees what the first one did."""
    locks.hold(tx, Lock.FEATURE_RULES)


def find_newest(tx: Tx, feature: Feature, provider: str) -> Rule | None:
    """The newest version of a rule, which may say that there is none; None where there never was one."""
    row = tx.one(_NEWEST, feature=feature, provider=provider)
    return None if row is None else read(row)


def get(tx: Tx, rule_id: str) -> Rule:
    """The newest version of a rule that there is, or was."""
    row = tx.one(_BY_ID, id=rule_id)
    assert row is not None, "a rule is never deleted"
    return read(row)


def list_of_current(tx: Tx) -> tuple[Rule, ...]:
    """Every rule in force."""
    return tuple(map(read, tx.all(_CURRENT)))


def count(tx: Tx) -> int:
    """How many rules are in force."""
    row = tx.one(_COUNT)
    assert row is not None, "a count has a row"
    return row[0]


def list_of_changes(tx: Tx, args: pages.PageArgs, feature: Feature | None) -> list[Rule]:
    """Up to one version more than the page holds, the newest change first. The key is `(changed_at, id, version)`."""
    params: dict[str, object] = {} if feature is None else {"feature": feature}
    if args.key is not None:
        params |= dict(zip(("changed_at", "id", "version"), args.key, strict=True))
    statement = _PAGES[args.backward, args.key is not None, feature is not None]
    return [read(row) for row in tx.all(statement, size=args.size + 1, **params)]


def list_of_previous(tx: Tx, rules: Sequence[Rule]) -> list[Rule | None]:
    """The version before each of these, None where it is the first or where the one before it removed the rule."""
    wanted = [rule for rule in rules if rule.version > 1]
    found: dict[tuple[str, int], Rule] = {}
    if wanted:
        ids, versions = list({rule.id for rule in wanted}), list({rule.version - 1 for rule in wanted})
        found = {(each.id, each.version): each for each in map(read, tx.all(_VERSIONS, ids=ids, versions=versions))}
    before = [found.get((rule.id, rule.version - 1)) for rule in rules]
    return [None if each is None or each.removed else each for each in before]


def insert(tx: Tx, rule: Rule, lists: Lists) -> None:
    """Stores the next version of a rule, and ends the one before it."""
    if rule.version > 1:
        tx.run(_RETIRE, of=rule.id, was=rule.version - 1)
    terms = rule.terms
    tx.run(
        _INSERT,
        **{name: getattr(terms, name) for name in ("enabled", "share_bps", "starts_at", "ends_at", "countries_off")},
        **{name: getattr(rule, name) for name in ("id", "version", "feature", "provider", "listed_count", "removed")},
        **{name: getattr(rule, name) for name in ("changed_by", "reason", "changed_at")},
        countries_on=terms.countries_on,
        current=not rule.removed,
    )
    named = [(user_id, True) for user_id in lists.allowed] + [(user_id, False) for user_id in lists.denied]
    if named:
        rows = [{"rule_id": rule.id, "version": rule.version, "user_id": each, "allowed": on} for each, on in named]
        tx.many(_LIST_USERS, rows)


def lists_of(tx: Tx, rules: Sequence[Rule]) -> list[Lists]:
    """The users whom versions of rules name, in the order asked."""
    wanted = [rule for rule in rules if rule.listed_count]
    found: dict[tuple[str, int], tuple[list[str], list[str]]] = {}
    if wanted:
        ids = list({rule.id for rule in wanted})
        versions = list({rule.version for rule in wanted})
        for rule_id, version, user_id, allowed in tx.all(_LISTS, ids=ids, versions=versions):
            found.setdefault((rule_id, version), ([], []))[0 if allowed else 1].append(user_id)
    nobody: tuple[list[str], list[str]] = ([], [])
    return [Lists(*map(tuple, found.get((rule.id, rule.version), nobody))) for rule in rules]


def export_of_user(tx: Tx, user_id: str) -> list[dict[str, object]]:
    """The rules that name a user, in all their versions."""
    names = ("feature", "provider", "version", "allowed", "changed_at")
    return [dict(zip(names, row, strict=True)) for row in tx.all(_OF_USER, user_id=user_id)]


def erase_of_user(tx: Tx, user_id: str) -> None:
    """Nothing has to be blanked: rules name people by their ids alone, as the books do."""
    _ = tx, user_id
