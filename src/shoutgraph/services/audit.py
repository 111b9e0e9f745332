"""The audit trail: acts of staff write their own line, in the unit of work that does them; auditors read them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeVar

from shoutgraph.domain import clock, pages
from shoutgraph.domain.audit import Act, AuditFilter, Line
from shoutgraph.domain.errors import ShoutgraphError
from shoutgraph.domain.ids import NewId
from shoutgraph.domain.pages import Page, PageArgs
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.storage import audit, personal
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Store, Tools

T = TypeVar("T")

ACTED: Final = "audit.acted"
"""The event that seals a line."""
READERS: Final = (Scope.AUDIT,)


class Audited:
    """A store that writes the line of one act beside the first thing that the act changes.

    What the act does later, such as keeping a provider's answer, belongs to the same line.
    """

    def __init__(self, store: Store, act: Act, new_id: NewId) -> None:
        self._store = store
        self._act = act
        self._new_id = new_id
        self._settled = False

    async def write(
        self, work: Callable[[Tx], T], *, refused: Callable[[Tx, ShoutgraphError], None] | None = None
    ) -> T:
        """Runs a unit of work, and tells of the act in it unless that was done before."""
        if self._settled:
            return await self._store.write(work, refused=refused)

        def told(tx: Tx) -> T:
            before = audit.look(tx, self._act.subject_ids, private=personal.PRIVATE)
            value = work(tx)
            if not _undone(value):
                made = [] if (found := _id_of(value)) is None else [found]
                subjects = list(dict.fromkeys([*self._act.subject_ids, *made]))
                after = audit.look(tx, subjects, private=personal.PRIVATE)
                if made and not after.keys() & set(made):
                    audit.note(tx, _name_of(value), {}, _plain(value))
                audit.append(tx, self._new_id, self._act, before, after, told=ACTED)
            return value

        value = await self._store.write(told, refused=refused)
        self._settled = True
        return value

    async def read(self, query: Callable[[Tx], T]) -> T:
        """Runs a query."""
        return await self._store.read(query)

    async def settle(self) -> None:
        """Writes the line of an act that changed nothing in the database, such as the time of a test clock."""
        if not self._settled:
            await self.write(lambda _tx: None)


@dataclass(frozen=True, slots=True)
class Acting:
    """The tools of somebody whose act is told, and the store among them."""

    tools: Tools
    store: Audited


@dataclass(frozen=True, slots=True)
class Listing:
    """Which lines, as a list with a name of its own."""

    only: AuditFilter

    @property
    def scope(self) -> str:
        """Names the list with its filter."""
        only = self.only
        return pages.scope_of("audit", only.actor, only.subject_id, only.action, only.since, only.until)


def acting(tools: Tools, act: Act) -> Acting:
    """The tools with which somebody does one act."""
    store = Audited(tools.store, act, tools.new_id)
    return Acting(replace(tools, store=store), store)


async def page(tools: Tools, viewer: Viewer, listing: Listing, args: PageArgs) -> Page[Line]:
    """A page of the audit trail, the newest line first.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is no auditor.
    """
    viewer.require(*READERS)
    found = await tools.store.read(lambda tx: audit.list_of_page(tx, args, listing.only))
    return pages.cut(found, args, scope=listing.scope, key_of=lambda line: (clock.to_micros(line.at), line.id))


async def list_visible(tools: Tools, viewer: Viewer, audit_ids: Sequence[str]) -> list[Line | None]:
    """Lines by id, None where there is none for this viewer."""
    if not viewer.has(*READERS):
        return [None] * len(audit_ids)
    return await tools.store.read(lambda tx: audit.list_of(tx, audit_ids))


async def words_of(tools: Tools, audit_ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """The texts beside lines that the viewer was shown; those that have none, or were blanked, are left out."""
    return await tools.store.read(lambda tx: audit.words_of(tx, audit_ids))


def _undone(value: object) -> bool:
    """Whether nothing happened: the answer of an earlier request, or nothing there to change."""
    return value is False or (isinstance(value, Done) and value.replayed)


def _name_of(value: object) -> str:
    """What has no row of its own is told by its kind and its number."""
    made = value.value if isinstance(value, Done) else value
    return f"{type(made).__name__} {_id_of(value)}"


def _plain(value: object) -> dict[str, object]:
    """The numbers, truths, times and words of an enum that something made is of; texts may be about a person."""
    made = value.value if isinstance(value, Done) else value
    named = {each.name: getattr(made, each.name) for each in fields(made)} if is_dataclass(made) else {}
    return {name: each for name, each in named.items() if isinstance(each, (bool, int, datetime, StrEnum))}


def _id_of(value: object) -> str | None:
    made = value.value if isinstance(value, Done) else value
    found = getattr(made, "id", None)
    return found if isinstance(found, str) else None
