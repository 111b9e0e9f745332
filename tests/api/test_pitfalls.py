"""What is known to go wrong on Strawberry, graphql-core, Starlette and uvicorn, and the test that it does not here.

`FOUND` names each pitfall and its tests; those that belong to no other file stand here.
"""

import ast
import asyncio
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from graphql import GraphQLUnionType
from sqlmodel import SQLModel
from strawberry import Schema
from strawberry.types.base import StrawberryObjectDefinition
from tests.api.harness import Client, Socket
from tests.api.sample import SCHEMA, World

from shoutgraph.api.graphql.context import Context
from shoutgraph.api.graphql.schema import build_schema
from shoutgraph.domain.users import ANONYMOUS

TESTS: Final = Path(__file__).parents[1]
SOURCE: Final = TESTS.parent / "src"

FOUND: Final[dict[str, tuple[str, ...]]] = {
    "1 sort_schema breaks every union": ("pitfalls::nothing_of_strawberry_that_breaks_is_switched_on",),
    "2 the cache of valid documents never hits": (
        "limits::a_document_is_kept_from_the_second_time_on_and_within_a_bound",
    ),
    "3 extensions that are instances leak contexts": ("pitfalls::nothing_of_strawberry_that_breaks_is_switched_on",),
    "4 loaders are stale in a subscription": ("sockets::each_event_is_read_afresh_and_carries_its_cursor",),
    "5 two mutations of one document share loaders": ("http::loaders_are_cleared_between_root_mutations",),
    "6 loaders keep exceptions": ("pitfalls::a_loader_forgets_a_failure",),
    "7 root fields at once on one session": ("pitfalls::root_fields_run_at_once",),
    "8 asyncio sessions need greenlet": ("pitfalls::no_session_of_asyncio_is_used",),
    "9 rows as GraphQL types show every column": ("pitfalls::no_row_is_a_graphql_type",),
    "10 an async extension around every field": ("pitfalls::nothing_of_strawberry_that_breaks_is_switched_on",),
    "11 errors are not masked": (
        "http::unforeseen_errors_are_masked_and_name_the_request",
        "sockets::a_stream_that_breaks_says_so_and_completes",
        "sse::a_stream_that_breaks_says_so_and_completes",
    ),
    "12 clients' mistakes are logged as errors": ("http::mistakes_of_clients_are_not_logged_as_errors",),
    "13 bodies that are no objects break": ("http::what_is_no_request_is_refused_as_json",),
    "14 audits fail": ("audits::an_audit_passes",),
    "15 of two operations the first runs": ("http::one_of_several_operations_runs_only_by_its_name",),
    "16 a subscription by POST runs": ("http::a_subscription_by_plain_post_is_refused",),
    "17 one bad operation closes the socket": (
        "sockets::a_wrong_request_fails_alone",
        "sockets::a_message_of_a_wrong_shape_closes_with_4400",
    ),
    "18 documents by id": (
        "trusted::a_document_is_asked_by_its_id_over_every_transport",
        "http::clients_with_stored_documents_can_fall_back",
    ),
    "19 binary frames": ("sockets::queries_and_mutations_are_answered_once",),
    "20 the retired protocol, and sockets without end": (
        "sockets::the_retired_protocol_is_never_chosen",
        "sockets::a_subscription_before_the_init_closes_with_4401",
        "sockets::a_socket_runs_a_limited_number_of_operations",
        "metering::a_person_holds_a_limited_number_of_connections",
    ),
    "21 sockets of other origins": (
        "sockets::a_page_of_another_origin_may_not_open_a_socket",
        "sockets::the_same_origin_and_listed_front_ends_may_open_a_socket",
    ),
    "22 a permission that is a coroutine grants": ("schema::a_field_with_a_scope_is_null_without_it",),
    "23 nothing asks again who it is": (
        "sockets::rights_that_end_close_the_socket_with_4403",
        "sockets::a_token_that_expires_closes_with_4403",
        "sse::rights_that_end_end_the_stream",
    ),
    "24 no cost, no deadline, no rate, no keyset pages": (
        "cost::an_operation_that_costs_too_much_is_refused_before_it_runs",
        "http::a_query_that_takes_too_long_is_cut",
        "metering::who_has_nothing_left_waits_over_every_transport",
        "pages::a_count_is_made_only_where_it_is_selected",
    ),
    "25 cursors are offsets": ("pages::pages_walk_backwards_through_everything_once",),
    "26 directives are printed wrongly": ("schema::the_schema_prints_its_directives",),
    "27 the page loads scripts from elsewhere": (
        "http::the_page_is_served_only_where_it_is_switched_on",
        "http::every_answer_forbids_guessing_and_caching",
    ),
    "28 validation is quadratic": ("limits::the_longest_documents_are_answered_soon",),
    "29 defer and stream are experiments": ("pitfalls::nothing_experimental_is_spoken",),
    "30 unions of generic types lose their names": ("pitfalls::unions_have_members_of_their_own_names",),
    "31 graphql-core is slow": ("http::an_engine_answers_what_it_can_and_graphql_core_the_rest",),
    "more 1 spreads of spreads take for ever": (
        "limits::fragments_that_spread_each_other_cost_no_more_than_they_are_long",
        "cost::fragments_that_spread_each_other_are_weighed_once",
    ),
    "more 2 validation has no budget": ("limits::documents_beyond_a_limit_are_refused",),
    "more 3 the retired protocol wins where it comes first": ("sockets::the_retired_protocol_is_never_chosen",),
    "more 4 streams break clients that list them": (
        "sse::a_client_that_also_accepts_json_gets_json",
        "sse::lines_end_with_a_line_feed_only",
    ),
    "more 5 several operations and no name": ("http::one_of_several_operations_runs_only_by_its_name",),
    "more 6 endless numbers": ("http::an_endless_number_is_only_a_bad_value",),
    "more 7 media types by substring": (
        "http::a_body_of_another_media_type_is_not_read",
        "http::media_types_are_compared_without_their_case",
        "http::other_methods_are_refused_with_those_allowed",
    ),
    "more 8 a subscription by plain POST is run as a query": ("http::a_subscription_by_plain_post_is_refused",),
    "more 9 no limit of size and time": (
        "http::a_body_that_is_too_long_is_refused_while_it_is_read",
        "http::a_body_that_comes_too_slowly_is_refused",
        "http::a_head_that_comes_too_slowly_or_is_too_long_is_refused",
    ),
    "more 10 messages of Python, and suggestions": (
        "pages::wrong_arguments_are_the_clients_mistake",
        "schema::a_wrong_id_is_the_clients_mistake",
        "http::production_suggests_no_names",
    ),
    "more 11 reasons and ids are too long for a socket": (
        "sockets::a_message_of_a_wrong_shape_closes_with_4400",
        "sockets::an_id_in_use_closes_with_4409",
    ),
    "more 12 clients of stored documents fall back on a code": ("http::clients_with_stored_documents_can_fall_back",),
    "more 13 a default of first makes last mean both": ("pages::a_page_without_arguments_has_the_default_size",),
    "more 14 multipart": ("http::a_client_that_accepts_nothing_we_speak_is_told_so",),
    "uvicorn: a stream blocks the end": ("sse::a_drain_ends_streams_with_complete_and_does_not_wait_for_them",),
    "uvicorn: sockets at the end": ("sockets::a_drain_closes_sockets_with_1012",),
}
PITFALLS: Final = 31
MORE: Final = 14


@cache
def whole() -> Schema:
    """The schema that is served."""
    return build_schema()


@cache
def names_in(file: str) -> frozenset[str]:
    tree = ast.parse((TESTS / "api" / f"test_{file}.py").read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_every_pitfall_has_a_test() -> None:
    named = [test.split("::") for tests in FOUND.values() for test in tests]
    assert [f"{file}::{name}" for file, name in named if f"test_{name}" not in names_in(file)] == []
    numbers = {int(pitfall.split()[0]) for pitfall in FOUND if pitfall[0].isdecimal()}
    assert numbers == set(range(1, PITFALLS + 1))
    more = {int(pitfall.split()[1]) for pitfall in FOUND if pitfall.startswith("more ")}
    assert more == set(range(1, MORE + 1))


def test_nothing_of_strawberry_that_breaks_is_switched_on() -> None:
    schema = whole()
    assert not getattr(schema.config, "sort_schema", False)
    assert list(schema.extensions) == []


def test_a_loader_forgets_a_failure() -> None:
    asked: list[Sequence[int]] = []

    async def fetch(_context: Context, keys: Sequence[int]) -> list[str]:
        asked.append(list(keys))
        if len(asked) == 1:
            raise ConnectionError("once")
        return [str(key) for key in keys]

    async def twice() -> str:
        context = Context(tools=World(), viewer=ANONYMOUS, request_id="r")  # type: ignore[arg-type]
        with pytest.raises(ConnectionError):
            await context.load(fetch, 7)
        return await context.load(fetch, 7)

    assert asyncio.run(twice()) == "7"
    assert asked == [[7], [7]]


def test_root_fields_run_at_once(client: Client) -> None:
    slow = " ".join(f"s{n}: slow(milliseconds: 300)" for n in range(20))
    response = client.post(f"{{ {slow} stars(first: 2) {{ nodes {{ version }} }} }}")
    assert "errors" not in response.json()
    assert response.elapsed.total_seconds() < 2


def test_no_session_of_asyncio_is_used() -> None:
    assert [path for path in SOURCE.rglob("*.py") if "sqlalchemy.ext.asyncio" in path.read_text(encoding="utf-8")] == []


def test_no_row_is_a_graphql_type() -> None:
    types = whole().schema_converter.type_map.values()
    origins = [each.definition.origin for each in types if isinstance(each.definition, StrawberryObjectDefinition)]
    assert len(origins) > 100
    assert [each for each in origins if issubclass(each, SQLModel)] == []


@pytest.mark.parametrize("query", ["{ stars { nodes @stream { handle } } }", "{ ... @defer { viewer } }"])
def test_nothing_experimental_is_spoken(client: Client, socket: Socket, query: str) -> None:
    assert client.code(query) == "GRAPHQL_VALIDATION_FAILED"
    socket.init().subscribe("x", query)
    assert socket.receive()["payload"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


def test_unions_have_members_of_their_own_names() -> None:
    for schema in (whole(), SCHEMA):
        graph = schema._schema
        unions = [each for each in graph.type_map.values() if isinstance(each, GraphQLUnionType)]
        assert unions
        for union in unions:
            assert all(graph.type_map[member.name] is member for member in union.types), union.name
