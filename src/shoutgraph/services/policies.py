"""Policies: the one in force, older ones, and publishing the next.

A use-case reads the newest version in its own unit of work, so that a version is in force in every process as soon
as it is stored; what was agreed before keeps the version that it names.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shoutgraph.domain import ids, journal, pages, publishing
from shoutgraph.domain.pages import Page, PageArgs
from shoutgraph.domain.policies import Policy
from shoutgraph.domain.publishing import Change, Published
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.storage import audit, journal as journal_rows, policies as rows
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once

SCOPE: Final = pages.scope_of("policies")
"""Names the list of versions, so that a cursor of another one is refused."""
PUBLISHED: Final = "policy.published"


@dataclass(frozen=True, slots=True)
class Wish:
    """Which fields are to change, of which version, and why."""

    changes: Sequence[Change]
    expected_version: int
    reason: str


async def publish(tools: Tools, viewer: Viewer, request: Request, wish: Wish) -> Done[Published]:
    """Makes the next version of the policy the one in force; what was agreed before keeps its own.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is no administrator.
        StaleRevisionError: another version was published since the viewer read it.
        ValidationError: a field is unknown, fixed, named twice or out of its bounds, nothing changes, or the reason
            is empty (an `ExceptionGroup` where several are wrong).
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    viewer.require(Scope.ADMIN)
    reason = publishing.check_reason(wish.reason)

    def work(tx: Tx) -> Published:
        current = rows.current(tx)
        policy = publishing.publish(current, wish.changes, expected_version=wish.expected_version)
        changed = publishing.differing(current, policy)
        made = Published(policy, changed, tx.now, viewer.principal, reason)
        rows.insert_published(tx, made)
        was, now = [{name: getattr(each, name) for name in ("version", *changed)} for each in (current, policy)]
        audit.note(tx, "policy", was, now)
        _tell(tools, tx, current, made)
        return made

    return await once(tools, request, work, lambda tx, version: rows.get_published(tx, int(version)))


async def current(tools: Tools) -> Policy:
    """The policy in force."""
    return await tools.store.read(rows.current)


async def get(tools: Tools, version: int | None) -> Policy:
    """A version of the policy, or the one in force.

    Raises:
        NotFoundError: there is no such version.
    """
    if version is None:
        return await tools.store.read(rows.current)
    return (await tools.store.read(lambda tx: rows.get_published(tx, version))).policy


async def page(tools: Tools, viewer: Viewer, args: PageArgs) -> Page[Published]:
    """A page of all versions, newest first.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not read finances.
    """
    viewer.require(Scope.FINANCE_READ)
    found = await tools.store.read(lambda tx: list_of(tx, args))
    return pages.cut(found, args, scope=SCOPE, key_of=lambda each: (each.policy.version,))


def list_of(tx: Tx, args: PageArgs) -> list[Published]:
    """Versions of the policy, newest first."""
    return rows.list_of_page(tx, args)


def get_published(tx: Tx, version: int | None) -> Published:
    """A version of the policy and how it came to be, or the one in force.

    Raises:
        NotFoundError: there is no such version.
    """
    return rows.get_published(tx, rows.current(tx).version if version is None else version)


def _tell(tools: Tools, tx: Tx, before: Policy, made: Published) -> None:
    old, new = publishing.values_of(before), publishing.values_of(made.policy)
    body: journal.Body = {
        "version": made.policy.version,
        "by": made.by,
        "changed": {name: [old[name], new[name]] for name in made.changed},
    }
    event = journal.NewEvent(id=tools.new_id(ids.EVENT), topic=publishing.POLICY, type=PUBLISHED, body=body)
    journal_rows.append(tx, event)
