"""How many SQL statements an operation runs: few, and as many for ten items as for two."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

import psycopg
import pytest
from graphql import (
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
)
from tests.api import crowd as crowds
from tests.api.cast import VIEWERS, Cast
from tests.api.crowd import Crowd
from tests.api.deployment import Deployment, graph
from tests.api.doors import QUERIES, door_of
from tests.storage import databases
from tests.storage.databases import Kind

from shoutgraph.api.graphql.rooms import ROOMS
from shoutgraph.storage import sqlite
from shoutgraph.storage.tx import Tx

FEW: Final = 2
MANY: Final = 10
DEPTH: Final = 2
"""How far relations of relations are followed."""

PAGES: Final[Mapping[str, tuple[str, str]]] = {
    "creators": ("anonymous", "sort: {field: NEWEST}"),
    "orders": ("admin", "role: ANYONE"),
    "moderationQueue": ("moderator", "queue: SCREENING"),
    "orderEvents": ("service", "filter: {orderIds: $ids, status: [SCREENING]}"),
    "ratings": ("admin", 'of: {handle: "creator"}'),
    "ratingEvents": ("service", "filter: {ratingIds: $ids}"),
    "campaigns": ("anonymous", ""),
    "campaignEvents": ("service", ""),
    "waitlist": ("admin", "creatorId: RESTING"),
    "waitlistEvents": ("service", ""),
    "topUps": ("finance", "everyone: true"),
    "topUpEvents": ("finance", "filter: {topUpIds: $ids, status: [PAID]}"),
    "payouts": ("finance", "everyone: true"),
    "payoutQueue": ("finance", ""),
    "payoutEvents": ("finance", "filter: {payoutIds: $ids, status: [REQUESTED]}"),
    "payoutBatches": ("finance", ""),
    "bankFiles": ("finance", ""),
    "topUpRefunds": ("finance", ""),
    "moneyUnresolved": ("finance", ""),
    "orderAdjustments": ("finance", ""),
    "debts": ("finance", ""),
    "closures": ("finance", ""),
    "suspenseLines": ("finance", ""),
    "ledgerAdjustments": ("finance", ""),
    "giftCardIssues": ("finance", ""),
    "giftCardsOfIssue": ("finance", "giftCardIssueId: ISSUE"),
    "sellerReport": ("finance", "year: 2026, everyone: true"),
    "giftEvents": ("finance", ""),
    "featureEvents": ("admin", ""),
    "featureChanges": ("admin", ""),
    "userEvents": ("finance", ""),
    "giftCards": ("fan", ""),
    "promotions": ("finance", ""),
    "priceLists": ("finance", ""),
    "exchangeRates": ("finance", 'currency: "USD"'),
    "policies": ("finance", ""),
    "reportEvents": ("moderator", "status: OPEN"),
    "reports": ("moderator", "everyone: true"),
    "auditTrail": ("admin", ""),
    "giftRanking": ("creator", "creatorId: CREATOR"),
    "webhookEndpoints": ("admin", ""),
    "webhookDeliveries": ("admin", ""),
    "webhookEndpointEvents": ("admin", ""),
}
"""Every root field that is paged: who asks, and for what."""

OLDEST_FIRST: Final = frozenset({"moderationQueue", "giftEvents"})
"""Pages that begin with what other tests have left; the crowd's own is at their end, and all alike."""

TOLD: Final[Mapping[str, str]] = {
    "orderEvents": "OrderStatusChangedEvent",
    "topUpEvents": "TopUpStatusChangedEvent",
    "payoutEvents": "PayoutStatusChangedEvent",
    "giftEvents": "GiftChangedEvent",
    "featureEvents": "FeatureChangedEvent",
    "userEvents": "UserChangedEvent",
    "ratingEvents": "RatingChangedEvent",
    "waitlistEvents": "WaitlistChangedEvent",
    "campaignEvents": "CampaignChangedEvent",
    "reportEvents": "ReportChangedEvent",
    "webhookEndpointEvents": "WebhookEndpointChangedEvent",
}
"""Which events a feed tells."""

SEES: Final[Mapping[str, str]] = {"video": "moderator", "export": "fan_0"}
"""Who sees all nodes of a kind, where it is not an admin."""

ONCE_FOR_SOME: Final = frozenset({"policy"})
"""Tables that are read once more where one of many needs it: a creator without a reputation is judged by the policy."""

BUDGETS: Final = (
    (
        "a catalogue page",
        "anonymous",
        "{ creators(first: %d) { nodes { handle rating { count } offers { title } } } }",
        2,
    ),
    (
        "a catalogue page with histograms",
        "anonymous",
        "{ creators(first: %d) { nodes { handle rating { averageHundredths histogram { stars count } } } } }",
        2,
    ),
    (
        "a catalogue page with reputations",
        "anonymous",
        """{ creators(first: %d, filter: {responseTimeMaxSeconds: 100}, sort: {field: RESPONSE_TIME}) { nodes { handle
        reputation { badges responseTimeSeconds onTime { shareBasisPoints } } } } }""",
        3,
    ),
    (
        "a profile and what fans said",
        "anonymous",
        """{ creator(by: {handle: "creator"}) { name rating { sum count histogram { count } } offers { title } }
        ratings(of: {handle: "creator"}, first: %d) { nodes { stars opinion reply creator { handle } } } }""",
        6,
    ),
    ("the same, counted", "anonymous", "{ creators(first: %d) { nodes { handle } totalCount { value } } }", 2),
    (
        "creators and their reports of a year",
        "finance",
        "{ creators(first: %d) { nodes { handle sellerReport(year: 2026) { reportable total { number } } } } }",
        10,
    ),
    (
        "a page of orders",
        "admin",
        """{ orders(role: ANYONE, first: %d) { nodes { brief { instructions } creator { name } offer { title } fanName
        video { watch { url } } policy { version } split { fee } statements { text } deadlines { dueAt } } } }""",
        8,
    ),
    (
        "a page of events",
        "service",
        "{ orderEvents(first: %d) { nodes { ... on OrderStatusChangedEvent { order { id } } } } }",
        4,
    ),
    (
        "a wallet and its statement",
        "creator",
        "{ wallet { available promo held statement(first: %d) { nodes { coins order { status } } } } }",
        6,
    ),
)
"""Operations that front ends live on, and the most statements they may take, whatever the size of the page."""

INDEXES_ONLY: Final = ("seqscan",)
IN_ORDER_ONLY: Final = ("seqscan", "bitmapscan", "sort", "incremental_sort", "hashagg", "hashjoin")
"""Ways of PostgreSQL that are switched off, since in tables as small as here they are as good."""
_FROM: Final = re.compile(r"FROM (\S+)")
_CUT_OFF: Final = re.compile(r"LIMIT \+\d+\) AS (\w+)")
_WALK: Final = re.compile(r"SCAN (\w+)")
NEWEST_ONLY: Final = frozenset({"epoch", "event", "policy"})
"""Tables of which the newest line is read, from the end and without an index of its own."""

PLACE: Final = {True: 12, False: 10}
"""Statements of orderPlace, by whether the database is embedded: one to know the fan, the others keep the promise.
Where the rollout has rules for shoutouts, one more asks what they say of both sides."""


@pytest.fixture(scope="module")
def crowd(cast: Cast) -> Crowd:
    return crowds.gather(cast)


def selection_of(kind: GraphQLNamedType, depth: int = DEPTH) -> str:
    """Everything that can be asked of a type without arguments, relations of relations included, pages left out."""
    if isinstance(kind, GraphQLUnionType):
        return "__typename"
    assert isinstance(kind, GraphQLObjectType)
    fields = ["__typename"]
    for name, field in kind.fields.items():
        of = get_named_type(field.type)
        if any(isinstance(argument.type, GraphQLNonNull) for argument in field.args.values()):
            continue
        if is_leaf_type(of):
            fields.append(name)
        elif depth and not of.name.endswith("Connection"):
            fields.append(f"{name} {{ {selection_of(of, depth - 1)} }}")
    return " ".join(fields)


def node_of(field: str) -> GraphQLNamedType:
    """The type that the pages of a root field are made of."""
    connection = get_named_type(graph().query_type.fields[field].type)  # type: ignore[union-attr]
    assert isinstance(connection, GraphQLObjectType)
    return get_named_type(connection.fields["nodes"].type)


def shape_of(field: str) -> str:
    """Everything that can be asked of what a root field's pages are made of."""
    kind = node_of(field)
    if isinstance(kind, GraphQLInterfaceType):
        return f"... on {TOLD[field]} {{ {selection_of(graph().type_map[TOLD[field]])} }}"
    return selection_of(kind)


def counts(cast: Cast, who: str, document: str, **variables: Any) -> tuple[list[str], list[str]]:
    """The tables that the document's statements read for few items and for many."""
    few, fewer = cast.deployment.counted(who, document.replace("%d", str(FEW)), **_cut(variables, FEW))
    many, more = cast.deployment.counted(who, document.replace("%d", str(MANY)), **_cut(variables, MANY))
    assert (_size(few), _size(many)) == (FEW, MANY), "there is as much as was asked for"
    check_plans(cast.deployment)
    return tables_of(fewer), tables_of(more)


def tables_of(statements: list[str]) -> list[str]:
    """Which table each statement reads first, in no order."""
    return sorted(match[1] for sql in statements if (match := _FROM.search(sql)))


def test_every_page_is_tried() -> None:
    query = graph().query_type
    assert query is not None
    paged = {name for name, field in query.fields.items() if get_named_type(field.type).name.endswith("Connection")}
    assert paged == set(PAGES)


@pytest.mark.parametrize("field", PAGES)
def test_a_page_of_ten_runs_as_many_statements_as_one_of_two(crowd: Crowd, field: str) -> None:
    who, arguments = PAGES[field]
    arguments = arguments.replace("CREATOR", f'"{crowd.cast.ids["creator_profile"]}"')
    arguments = arguments.replace("ISSUE", f'"{crowd.cast.ids["issue"]}"')
    arguments = arguments.replace("RESTING", f'"{crowd.cast.ids["resting_profile"]}"')
    takes = "query ($ids: [ID!])" if "$ids" in arguments else ""
    if field in OLDEST_FIRST:
        arguments += f' after: "{_before_the_newest(crowd.cast, who, field, arguments)}"'
    document = f"{takes} {{ {field}(first: %d {arguments}) {{ nodes {{ {shape_of(field)} }} }} }}"
    named = {"$ids": crowd.orders, "topUpIds: $ids": crowd.topups, "payoutIds: $ids": crowd.payouts}
    named["ratingIds: $ids"] = crowd.ratings
    given = {"ids": [found for name, found in named.items() if name in arguments][-1]} if takes else {}
    few, many = counts(crowd.cast, who, document, **given)
    assert grown(few, many) == {}


def _before_the_newest(cast: Cast, who: str, field: str, arguments: str) -> str:
    """The cursor after which a page of many is the last one."""
    cursors: list[str] = []
    while True:
        after = f'after: "{cursors[-1]}"' if cursors else ""
        whole = f"{{ {field}(first: 100 {arguments} {after}) {{ edges {{ cursor }} pageInfo {{ hasNextPage }} }} }}"
        page = cast.deployment.ask(who, whole)[field]
        cursors += [edge["cursor"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            return cursors[-1 - MANY]


def grown(few: list[str], many: list[str]) -> dict[str, int]:
    """The tables that many items read more often than few, which have read none where none of them has such a thing."""
    before = Counter(few)
    return {
        table: reads
        for table, reads in Counter(many).items()
        if reads > max(before[table], 1) + (table in ONCE_FOR_SOME)
    }


@pytest.mark.parametrize("prefix", sorted(prefix for room in ROOMS for prefix in room.nodes))
def test_ten_nodes_are_read_in_as_many_statements_as_two(crowd: Crowd, prefix: str) -> None:
    who = SEES.get(prefix, "admin")
    found = crowd.of(prefix)
    (kind,) = {node["__typename"] for node in crowd.cast.deployment.ask(who, KIND, ids=found[:1])["nodes"]}
    shape = selection_of(graph().type_map[kind])
    document = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {kind} {{ {shape} }} }} }}"
    few, many = counts(crowd.cast, who, document, ids=found)
    assert few == many


@pytest.mark.parametrize(("what", "who", "document", "budget"), BUDGETS)
def test_an_operation_keeps_to_its_budget(crowd: Crowd, what: str, who: str, document: str, budget: int) -> None:
    assert "%d" in document, what
    for size in (1, 5, 20):
        _, statements = crowd.cast.deployment.counted(who, document.replace("%d", str(size)))
        assert len(statements) <= budget, statements


def test_placing_an_order_takes_the_same_few_statements_each_time(crowd: Crowd) -> None:
    to, found = crowd.cast.deployment, []
    for _ in range(5):
        to.ask("fan", "{ __typename }")
        to.statements.clear()
        to.do("fan", "orderPlace", "order { id }", **crowd.cast.wish())
        found.append(len(to.statements_read()))
    assert min(found) == PLACE[to.app.settings.embedded], "whatever a webhook ran beside it"


@pytest.mark.sqlite_only
def test_no_statement_of_an_order_is_planned_again(crowd: Crowd) -> None:
    to, asked = crowd.cast.deployment, []

    def watch(tx: Tx) -> None:
        connection: Any = tx._connection

        def authorize(action: int, first: str | None, second: str | None, *more: str | None) -> int:
            asked.append((action, first, second))  # SQLite asks whether a statement is allowed when it plans it
            return sqlite._authorize(action, first, second, *more)

        connection.set_authorizer(authorize)

    def unwatch(tx: Tx) -> None:
        connection: Any = tx._connection
        connection.set_authorizer(sqlite._authorize)

    to.write(watch)
    for _ in range(3):
        asked.clear()
        to.do("fan", "orderPlace", "order { id }", **crowd.cast.wish())
        again = list(asked)
    to.write(unwatch)
    assert again == []


@pytest.mark.sqlite_only
@pytest.mark.parametrize("use", QUERIES)
def test_no_query_walks_a_whole_table(crowd: Crowd, use: str) -> None:
    to, door = crowd.cast.deployment, door_of(use)
    for who in VIEWERS:
        to.statements.clear()
        to.clients[who].post(door.document, **door.variables(crowd.cast))
        check_plans(to)


@pytest.mark.parametrize(
    ("who", "listing"),
    [
        ("moderator", "moderationQueue(queue: SCREENING, first: 2)"),
        ("fan", "orders(first: 2)"),
        ("fan", "orders(first: 2, filter: {status: [SCREENING]})"),
        ("fan", "orders(first: 2, filter: {status: [SCREENING, COMPLETED]})"),
        ("creator", "orders(first: 2, role: CREATOR, filter: {status: [COMPLETED]})"),
        ("admin", "orders(first: 2, role: ANYONE)"),
        ("admin", "orders(first: 2, role: ANYONE, sort: {field: UPDATED_AT})"),
        (
            "admin",
            'orders(first: 2, role: ANYONE, sort: {field: UPDATED_AT}, filter: {updatedSince: "2026-01-01T00:00:00Z"})',
        ),
        ("fan", 'ratings(first: 2, of: {handle: "creator"})'),
        ("fan", 'ratings(first: 2, of: {handle: "creator"}, sort: {field: STARS})'),
        ("moderator", 'ratings(first: 2, of: {handle: "creator"}, sort: {field: STARS, direction: ASC}, hidden: true)'),
        ("creator", "payouts(first: 2)"),
        ("fan", "topUps(first: 2)"),
        ("finance", "topUps(first: 2, everyone: true)"),
    ],
)
def test_a_page_is_read_along_an_index_and_never_sorted(crowd: Crowd, who: str, listing: str) -> None:
    to = crowd.cast.deployment
    to.counted(who, f"{{ {listing} {{ nodes {{ id }} }} }}")
    if to.place.kind is Kind.POSTGRESQL:
        assert [(sql, line) for sql, line in plans_of(to, *IN_ORDER_ONLY) if "Sort" in line] == []
        return
    for sql in [sql for sql in to.statements if sql.startswith("SELECT")]:
        assert [line for line in plan_of(to, sql) if "ORDER BY" in line] == [], sql


def check_plans(to: Deployment) -> None:
    """Fails if one of the statements that were run reads a whole table without an index."""
    if to.place.kind is Kind.POSTGRESQL:
        assert [(sql, line) for sql, line in plans_of(to, *INDEXES_ONLY) if "Seq Scan on " in line] == []
        return
    for sql in [sql for sql in to.statements if sql.startswith("SELECT")]:
        walked = {match[1] for line in plan_of(to, sql) if (match := _WALK.fullmatch(line))}
        walked -= set(_CUT_OFF.findall(sql))  # what is read of these was cut off before, and is checked by itself
        assert not walked or (walked <= NEWEST_ONLY and sql.endswith(("DESC\n LIMIT 1", "DESC\n LIMIT +1"))), sql


def plan_of(to: Deployment, sql: str) -> list[str]:
    """How SQLite carries a statement out, line by line."""
    return to.read(lambda tx: [row[3] for row in tx._connection.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()])


def plans_of(to: Deployment, *off: str) -> Iterator[tuple[str, str]]:
    """How PostgreSQL would carry the statements out that were run if it had no other choice: each, line by line."""
    url = databases.url_of(to.place.database())
    with psycopg.connect(url, autocommit=True, prepare_threshold=None, cursor_factory=psycopg.RawCursor) as connection:
        for way in off:
            connection.execute(f"SET enable_{way} = off".encode())
        for sql in dict.fromkeys(sql for sql in to.statements if sql.startswith("SELECT")):
            for (line,) in connection.execute(f"EXPLAIN (GENERIC_PLAN) {sql}".encode()).fetchall():
                yield sql, line


KIND: Final = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename } }"


def _cut(variables: Mapping[str, Any], size: int) -> dict[str, Any]:
    return {name: value[:size] for name, value in variables.items()}


def _size(data: Mapping[str, Any]) -> int:
    value = next(iter(data.values()))
    return len(value if isinstance(value, list) else value["nodes"])
