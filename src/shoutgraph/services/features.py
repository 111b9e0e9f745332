"""The rollout: staff say for whom a feature is on, and everybody can ask what is on for them.

Other use-cases ask `storage.features` in their own unit of work, so that a change holds at once in every process.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from shoutgraph.domain import clock, errors, features as rules, ids, journal, pages
from shoutgraph.domain.creators import Creator
from shoutgraph.domain.features import WHOLE, Feature, Lists, Rule, State, Terms
from shoutgraph.domain.pages import Page, PageArgs
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.storage import audit, feature_rules as rows, features, journal as journal_rows, users
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once

CHANGED = "feature.changed"
NO_VERSION = 0
"""What a rule's version is before there ever was one."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A rule as it is to be from now on, whole; why; and the version that its author read, None to give up the check.

    `provider` is the code of an instance that sells coins, or `WHOLE`.
    """

    feature: Feature
    provider: str
    terms: Terms
    lists: Lists
    reason: str
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A version of a rule with the users whom it names."""

    rule: Rule
    lists: Lists


@dataclass(frozen=True, slots=True)
class Change:
    """What one person changed of a rule: None where there was none before, or is none after it."""

    made: Rule
    before: Listed | None
    after: Listed | None


async def set_rule(tools: Tools, viewer: Viewer, asked: Request, wish: Wish) -> Done[Rule]:
    """Makes a rule the one in force, at once and in every process; what the last one said is history.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not an administrator.
        NotFoundError: a list names a user whom there is not.
        ValidationError: a field breaks a rule, there is no such provider, or there are too many rules (an
            `ExceptionGroup` where several fields do).
        StaleRevisionError: the rule changed since the viewer read it.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    viewer.require(Scope.ADMIN)
    rules.check(wish.feature, wish.provider, wish.terms, wish.lists, wish.reason)
    if wish.provider != WHOLE and wish.provider not in tools.providers.topups:
        path = ("input", "provider")
        raise errors.ValidationError("No such provider is installed.", code="UNKNOWN_PROVIDER", path=path)

    def work(tx: Tx) -> Rule:
        rows.hold(tx)
        before = _before(tx, wish.feature, wish.provider, wish.expected_version)
        if (before is None or before.removed) and rows.count(tx) >= rules.RULES_MAX:
            raise errors.ValidationError(f"There are {rules.RULES_MAX} rules already.", code="TOO_MANY")
        _check_known(tx, wish.lists)
        after = Rule(
            id=tools.new_id(ids.FEATURE) if before is None else before.id,
            version=1 + (NO_VERSION if before is None else before.version),
            feature=wish.feature,
            provider=wish.provider,
            terms=wish.terms,
            listed_count=len(wish.lists.allowed) + len(wish.lists.denied),
            changed_by=viewer.principal,
            reason=wish.reason,
            changed_at=tx.now,
        )
        _keep(tools, tx, before, after, wish.lists)
        return after

    return await once(tools, asked, work, rows.get)


async def remove_rule(tools: Tools, viewer: Viewer, asked: Request, wish: Wish) -> Done[Rule]:
    """Ends a rule: the feature is on for everyone again. Of the wish only the feature, reason and version count.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not an administrator.
        NotFoundError: there is no such rule.
        ValidationError: the reason is empty or too long (an `ExceptionGroup` where more is wrong).
        StaleRevisionError: the rule changed since the viewer read it.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    viewer.require(Scope.ADMIN)
    rules.check(wish.feature, wish.provider, Terms(), Lists(), wish.reason)

    def work(tx: Tx) -> Rule:
        rows.hold(tx)
        before = _before(tx, wish.feature, wish.provider, wish.expected_version)
        if before is None or before.removed:
            raise errors.NotFoundError("There is no such rule.", path=("input", "feature"))
        after = replace(
            before,
            version=before.version + 1,
            terms=Terms(),
            listed_count=0,
            changed_by=viewer.principal,
            reason=wish.reason,
            changed_at=tx.now,
            removed=True,
        )
        _keep(tools, tx, before, after, Lists())
        return after

    return await once(tools, asked, work, rows.get)


async def list_rules(tools: Tools, viewer: Viewer) -> tuple[Listed, ...]:
    """Every rule in force.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not an administrator.
    """
    viewer.require(Scope.ADMIN)
    return await tools.store.read(in_force)


def in_force(tx: Tx) -> tuple[Listed, ...]:
    """Every rule in force, with the users whom it names."""
    return _listed(tx, rows.list_of_current(tx))


async def lists_of(tools: Tools, viewer: Viewer, of: Sequence[Rule]) -> list[Lists]:
    """The users whom rules name, in the order asked.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not an administrator.
    """
    viewer.require(Scope.ADMIN)
    return await tools.store.read(lambda tx: rows.lists_of(tx, of))


async def changes(tools: Tools, viewer: Viewer, args: PageArgs, feature: Feature | None) -> Page[Change]:
    """A page of everything that was ever changed of rules, the newest first.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not an administrator.
    """
    viewer.require(Scope.ADMIN)

    found = await tools.store.read(lambda tx: list_of_changes(tx, args, feature))
    return pages.cut(found, args, scope=scope_of_changes(feature), key_of=_key_of)


def list_of_changes(tx: Tx, args: PageArgs, feature: Feature | None) -> list[Change]:
    """Up to one change more than the page holds, with the versions before and after each."""
    made = rows.list_of_changes(tx, args, feature)
    before = rows.list_of_previous(tx, made)
    shown = [each for each in (*before, *(rule for rule in made if not rule.removed)) if each is not None]
    known = {(each.rule.id, each.rule.version): each for each in _listed(tx, shown)}
    return [
        Change(rule, None if was is None else known[was.id, was.version], known.get((rule.id, rule.version)))
        for rule, was in zip(made, before, strict=True)
    ]


def scope_of_changes(feature: Feature | None) -> str:
    """Names the history of a feature, or of all, so that a cursor of another list is refused."""
    return pages.scope_of("feature changes", feature)


async def of_viewer(tools: Tools, viewer: Viewer) -> tuple[State, ...]:
    """What is on for the viewer, and why not where it is off; a guest is somebody whose country nobody knows."""
    codes = sorted(tools.providers.topups)
    return await tools.store.read(lambda tx: features.list_of_states(tx, viewer.user_id, codes))


async def take_orders(tools: Tools, of: Sequence[Creator]) -> list[bool]:
    """Whether each of these creators takes orders now: open, on no break, and with shoutouts on for them."""
    user_ids = [creator.user_id for creator in of]
    off = await tools.store.read(lambda tx: features.find_off(tx, Feature.SHOUTOUTS, user_ids))
    now = tools.clock()
    return [creator.takes_orders(now) and creator.user_id not in off for creator in of]


def _before(tx: Tx, feature: Feature, provider: str, expected_version: int | None) -> Rule | None:
    found = rows.find_newest(tx, feature, provider)
    version = NO_VERSION if found is None else found.version
    if expected_version not in {None, version}:
        raise errors.StaleRevisionError(current_revision=version, path=("input", "expectedVersion"))
    return found


def _check_known(tx: Tx, lists: Lists) -> None:
    named = (*lists.allowed, *lists.denied)
    if named and None in users.list_of(tx, named):
        path = ("input", "allowUserIds" if None in users.list_of(tx, lists.allowed) else "denyUserIds")
        raise errors.NotFoundError("There is no such user.", path=path)


def _listed(tx: Tx, of: Sequence[Rule]) -> tuple[Listed, ...]:
    return tuple(Listed(rule, lists) for rule, lists in zip(of, rows.lists_of(tx, of), strict=True))


def _key_of(change: Change) -> pages.Key:
    return (clock.to_micros(change.made.changed_at), change.made.id, change.made.version)


def _keep(tools: Tools, tx: Tx, before: Rule | None, after: Rule, lists: Lists) -> None:
    rows.insert(tx, after, lists)
    audit.note(tx, after.id, {} if before is None else _told(before), _told(after))
    _tell(tools, tx, after)


def _told(rule: Rule) -> dict[str, object]:
    """What the audit trail says of a version; whom it names is in its own history."""
    return {"version": rule.version, "removed": rule.removed, "listed": rule.listed_count, **asdict(rule.terms)}


def _tell(tools: Tools, tx: Tx, rule: Rule) -> None:
    """Tells everyone that a rule changed, and nobody whom it names. Whoever does holds all rules."""
    body: journal.Body = {
        "feature": rule.feature.value,
        "provider": rule.provider or None,
        "version": rule.version,
        "removed": rule.removed,
    }
    journal_rows.append(tx, journal.NewEvent(tools.new_id(ids.EVENT), rule.id, CHANGED, body, topic_seq=None))
