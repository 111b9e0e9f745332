"""The room of the audit trail: what members of staff did, for those who watch over them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

import orjson
import strawberry

from shoutgraph.api.graphql import fields, loaders, pages as graph_pages
from shoutgraph.api.graphql.context import Context, Info
from shoutgraph.api.graphql.directives import PAGED, ListSize, requires
from shoutgraph.api.graphql.node import NodeType
from shoutgraph.api.graphql.pages import After, Before, Connection, First, Last
from shoutgraph.api.graphql.room import Room
from shoutgraph.domain import audit as rules, ids, pages
from shoutgraph.domain.audit import AuditFilter, Line
from shoutgraph.services import audit
from shoutgraph.services.audit import Listing

CHANGES_ASSUMED: Final = 20


@strawberry.type(name="AuditChange", description="A field of a subject that an act changed.")
class AuditChangeType:
    subject_id: strawberry.ID = strawberry.field(description="Of what.")
    field: str = strawberry.field(description="Which field, in the words of the database.")
    before: str | None = strawberry.field(description="What it said; null for nothing.")
    after: str | None = strawberry.field(description="What it says; null for nothing.")


@strawberry.type(name="AuditWord", description="A text of an act's input that may be about a person.")
class AuditWordType:
    field: str = strawberry.field(description="Its place in the input.")
    text: str = strawberry.field(description="What it says.")


@strawberry.type(name="AuditLine", description="What a member of staff did. Lines are never changed.")
class AuditLineType(NodeType):
    actor: str = strawberry.field(description="Who: a user's id, a key's id, or the name of a tool.")
    action: str = strawberry.field(description="The mutation, or the command of an operator.")
    subject_id: strawberry.ID | None = strawberry.field(description="To what; null where it is about nothing.")
    reason: str | None = strawberry.field(description="Why, in their words; null where none was given.")
    given: str = strawberry.field(description="The codes, numbers and ids of the input, as JSON.")
    changes: list[AuditChangeType] = strawberry.field(
        description="What became another one by it.", directives=[ListSize(assumed_size=CHANGES_ASSUMED)]
    )
    digest: str = strawberry.field(description="SHA-256 of the line, as the journal sealed it.")
    occurred_at: datetime = strawberry.field(description="When.")

    @classmethod
    def of(cls, line: Line) -> "AuditLineType":
        """The graph's view of a line."""
        return cls(
            id=strawberry.ID(line.id),
            actor=line.actor,
            action=line.action,
            subject_id=None if line.subject_id is None else strawberry.ID(line.subject_id),
            reason=line.reason,
            given=orjson.dumps(line.given, option=orjson.OPT_SORT_KEYS).decode(),
            changes=[
                AuditChangeType(
                    subject_id=strawberry.ID(each.subject_id), field=each.field, before=each.before, after=each.after
                )
                for each in line.changes
            ],
            digest=rules.digest(line),
            occurred_at=line.at,
        )

    @loaders.batch(
        description="Texts of the input; none where there were none, or they were erased.",
        directives=[ListSize(assumed_size=CHANGES_ASSUMED)],
    )
    @staticmethod
    async def words(parents: "list[AuditLineType]", context: Context) -> list[list[AuditWordType]]:
        found = await audit.words_of(context.tools, [parent.id for parent in parents])
        return [
            [AuditWordType(field=field, text=text) for field, text in sorted(found.get(parent.id, {}).items())]
            for parent in parents
        ]


@strawberry.input(name="AuditFilterInput", description="Keeps the lines that match all the given fields.")
class AuditFilterInput:
    actor: str | None = strawberry.field(default=None, description="Who acted.")
    subject_id: strawberry.ID | None = strawberry.field(default=None, description="What it was done to.")
    action: str | None = strawberry.field(default=None, description="The mutation, such as orderFreeze.")
    acted_since: datetime | None = strawberry.field(default=None, description="At or after this instant.")
    acted_until: datetime | None = strawberry.field(default=None, description="Before this instant.")


@strawberry.type
class AuditQuery:
    @fields.resolver(
        description="What members of staff did, the newest first.", directives=[PAGED, requires(*audit.READERS)]
    )
    async def audit_trail(
        self,
        info: Info,
        filter: Annotated[AuditFilterInput | None, strawberry.argument(description="Which lines.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[AuditLineType] | None:
        only = filter or AuditFilterInput()
        listing = Listing(AuditFilter(only.actor, only.subject_id, only.action, only.acted_since, only.acted_until))
        args = pages.read_args(
            scope=listing.scope, first=first, after=after, last=last, before=before, kinds=(int, str)
        )
        page = await audit.page(info.context.tools, info.context.viewer, listing, args)
        return graph_pages.connect(page, AuditLineType.of)


async def fetch_lines(context: Context, audit_ids: Sequence[str]) -> list[AuditLineType | None]:
    """Lines by id, null where the caller may not see them."""
    found = await audit.list_visible(context.tools, context.viewer, audit_ids)
    return [None if line is None else AuditLineType.of(line) for line in found]


ROOM: Final = Room(query=AuditQuery, nodes={ids.AUDIT: fetch_lines})
