"""Connections: walking forwards and backwards, wrong cursors, and counts."""

from typing import Any

import pytest
from tests.api.harness import Client
from tests.api.sample import NAMES, World

from shoutgraph.api.graphql import pages

QUERY = """query ($first: Int, $after: String, $last: Int, $before: String) {
  stars(first: $first, after: $after, last: $last, before: $before) {
    edges { cursor node { handle } } nodes { handle }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}"""


def page(client: Client, **arguments: object) -> tuple[list[str], Any]:
    stars = client.data(QUERY, **arguments)["stars"]
    handles = [node["handle"] for node in stars["nodes"]]
    assert [edge["node"]["handle"] for edge in stars["edges"]] == handles
    cursors = [edge["cursor"] for edge in stars["edges"]]
    info = stars["pageInfo"]
    assert (info["startCursor"], info["endCursor"]) == ((cursors[0], cursors[-1]) if cursors else (None, None))
    return handles, info


def test_pages_walk_forwards_through_everything_once(client: Client) -> None:
    seen, after, more = [], None, True
    while more:
        handles, info = page(client, first=2, after=after)
        seen += handles
        after, more = info["endCursor"], info["hasNextPage"]
    assert seen == list(NAMES)


def test_pages_walk_backwards_through_everything_once(client: Client) -> None:
    seen: list[str] = []
    before, more = None, True
    while more:
        handles, info = page(client, last=2, before=before)
        seen = handles + seen
        before, more = info["startCursor"], info["hasPreviousPage"]
    assert seen == list(NAMES)


def test_a_page_of_nothing_is_empty_and_not_an_error(client: Client) -> None:
    handles, info = page(client, first=0)
    assert (handles, info["hasNextPage"]) == ([], True)


def test_a_page_without_arguments_has_the_default_size(client: Client) -> None:
    assert page(client)[0] == list(NAMES)


@pytest.mark.parametrize(
    ("arguments", "reason", "argument"),
    [
        ({"first": 101}, "PAGE_SIZE", ["first"]),
        ({"first": -1}, "PAGE_SIZE", ["first"]),
        ({"last": 101}, "PAGE_SIZE", ["last"]),
        ({"first": 1, "last": 1}, "PAGE_ARGUMENTS", ["last"]),
        ({"after": "arrayconnection:5"}, "INVALID_CURSOR", ["after"]),
        ({"after": "!"}, "INVALID_CURSOR", ["after"]),
        ({"before": ""}, "INVALID_CURSOR", ["before"]),
        ({"after": "W" * 5_000}, "INVALID_CURSOR", ["after"]),
    ],
)
def test_wrong_arguments_are_the_clients_mistake(
    client: Client, arguments: dict[str, object], reason: str, argument: list[str]
) -> None:
    [error] = client.post(QUERY, **arguments).json()["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert (error["extensions"]["reason"], error["extensions"]["argument"]) == (reason, argument)


def test_a_count_is_made_only_where_it_is_selected(client: Client, world: World) -> None:
    client.data("{ stars { nodes { handle } } }")
    assert "count" not in world.calls
    counted = client.data("{ stars { totalCount { value precision } } }")["stars"]["totalCount"]
    assert counted == {"value": 10_000, "precision": "AT_LEAST"}
    assert world.calls.count("count") == 1


@pytest.mark.parametrize(
    ("number", "value", "precision"),
    [(0, 0, "EXACT"), (10_000, 10_000, "EXACT"), (10_001, 10_000, "AT_LEAST")],
)
def test_a_count_says_whether_the_cap_stopped_it(number: int, value: int, precision: str) -> None:
    count = pages.counted(number)
    assert (count.value, count.precision.name) == (value, precision)
