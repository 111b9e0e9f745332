"""Statements as the API shows them beside wallets: creators' earnings line by line, and links to files for people."""

from datetime import datetime
from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import fields
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.room import Room
from shoutgraph.domain import pages
from shoutgraph.domain.pages import PageArgs
from shoutgraph.files.links import Link
from shoutgraph.services import statements
from shoutgraph.services.statements import Source, Span

Asked = tuple[int | None, str | None, int | None, str | None]
"""first, after, last, before."""


def read_place(source: Source, asked: Asked) -> PageArgs:
    """Which page of a statement is meant."""
    first, after, last, before = asked
    return pages.read_args(scope=source.scope, first=first, after=after, last=last, before=before, kinds=source.kinds)


@strawberry.type(name="StatementFile", description="A statement as CSV in UTF-8, with opening and closing balances.")
class StatementFileType:
    url: str = strawberry.field(description="Where to fetch it; whoever has the address can, so show it to nobody.")
    expires_at: datetime = strawberry.field(description="Until when.")

    @classmethod
    def of(cls, link: Link) -> "StatementFileType":
        """The graph's view of a link."""
        return cls(url=link.url, expires_at=link.expires_at)


Since = Annotated[datetime | None, strawberry.argument(description="From this instant on; the beginning if not given.")]
Until = Annotated[datetime | None, strawberry.argument(description="Before this instant; now if not given.")]


@strawberry.type
class StatementQuery:
    @fields.resolver(description="A link to the statement of the caller's wallet, or anyone's with FINANCE_READ.")
    def wallet_statement_export(
        self,
        info: Info,
        user_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Whose; the caller's own if not given.")
        ] = None,
        moved_since: Since = None,
        until: Until = None,
    ) -> StatementFileType | None:
        context = info.context
        source = statements.of_wallet(context.viewer, user_id)
        return StatementFileType.of(statements.link(context.tools, context.viewer, source, Span(moved_since, until)))

    @fields.resolver(description="A link to the statement of the calling creator, or of anyone with FINANCE_READ.")
    def earnings_statement_export(
        self,
        info: Info,
        creator_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Whose; the caller's own if not given.")
        ] = None,
        moved_since: Since = None,
        until: Until = None,
    ) -> StatementFileType | None:
        context = info.context
        source = statements.of_earnings(context.viewer, creator_id)
        return StatementFileType.of(statements.link(context.tools, context.viewer, source, Span(moved_since, until)))


ROOM: Final = Room(query=StatementQuery)
