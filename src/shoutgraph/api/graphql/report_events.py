"""The feed of reports: the same journal as a subscription that resumes and as pages."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

import strawberry

from shoutgraph.api.graphql import events, fields, loaders
from shoutgraph.api.graphql.context import Context, Info
from shoutgraph.api.graphql.reports import ReportType, fetch_reports
from shoutgraph.api.graphql.room import Room
from shoutgraph.domain import feeds
from shoutgraph.domain.reports import ReportState, SubjectKind
from shoutgraph.services.events import EventFilter, Told


@strawberry.type(name="ReportChangedEvent", description="A report was filed, decided, appealed, or decided for good.")
class ReportChangedEventType(events.EventType):
    report_id: strawberry.ID = strawberry.field(description="Which report.")
    kind: SubjectKind = strawberry.field(description="What it is about.")
    status: ReportState = strawberry.field(description="Where it stood then.")
    revision: int = strawberry.field(description="The report's revision then.")

    @classmethod
    def of(cls, told: Told) -> "ReportChangedEventType":
        """The graph's view of a line of the journal; who reported whom stays there."""
        event = told.event
        body: Any = event.body
        return cls(
            id=strawberry.ID(event.id),
            cursor=told.cursor,
            occurred_at=event.at,
            report_id=strawberry.ID(event.topic),
            kind=SubjectKind(body["kind"]),
            status=ReportState(body["status"]),
            revision=body["revision"],
        )

    @loaders.batch(description="The report as of now, which may be newer than the event.")
    @staticmethod
    async def report(parents: "list[ReportChangedEventType]", context: Context) -> list[ReportType | None]:
        return await fetch_reports(context, [parent.report_id for parent in parents])


Standing = Annotated[ReportState | None, strawberry.argument(description="Only events of reports that stand so then.")]


@strawberry.type
class ReportEventQuery:
    @fields.resolver(
        description="What happened to reports: to moderators of all, to whoever reported of theirs, and to whose "
        "content it is from the decision on. Catch up by paging here, then subscribe after endCursor.",
        directives=events.PAGED,
    )
    async def report_events(
        self,
        info: Info,
        status: Standing = None,
        first: events.First = None,
        after: events.PageAfter = None,
    ) -> events.EventConnectionType | None:
        return await events.page(info, ReportChangedEventType.of, _filter(status), first=first, after=after)


@strawberry.type
class ReportEventSubscription:
    @fields.subscription(
        description="What happened to reports after the cursor, as in reportEvents of Query, the stored events first, "
        "then live. At least once, in log order.",
        directives=events.FOLLOWED,
        shared=True,
    )
    def report_events(
        self, info: Info, status: Standing = None, after: events.After = None
    ) -> AsyncIterator[ReportChangedEventType]:
        return events.follow(info, ReportChangedEventType.of, _filter(status), after=after)


def _filter(status: ReportState | None) -> EventFilter:
    return EventFilter(statuses=frozenset() if status is None else frozenset({status.value}), feed=feeds.REPORTS)


ROOM: Final = Room(query=ReportEventQuery, subscription=ReportEventSubscription, types=(ReportChangedEventType,))
