"""What an operation may cost: weights, page sizes, nested lists, and documents made to be dear to weigh."""

import time
from typing import Any

import pytest
from graphql import FragmentDefinitionNode, OperationDefinitionNode, parse
from hypothesis import given, strategies as st
from tests.api.harness import Client
from tests.api.sample import SCHEMA, World

from shoutgraph.api.graphql import cost
from shoutgraph.api.graphql.cost import OperationCost, Weight

GRAPH = SCHEMA._schema


def weigh(query: str, **variables: Any) -> Weight:
    document = parse(query)
    [operation] = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    return OperationCost(GRAPH, operation, fragments).of(variables)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{ viewer }", 0),
        ("{ scalars { coins } }", 1),
        ("{ stars(first: 3) { pageInfo { endCursor } } }", 2),
        ("{ stars(first: 3) { nodes { handle } } }", 4),
        ("{ stars(last: 3) { nodes { handle } } }", 4),
        ("{ stars(first: 3) { edges { cursor node { handle again { handle } } } } }", 1 + 3 * 3),
        ("{ stars { nodes { handle } } }", 1 + cost.PAGE_ASSUMED),
        ("{ stars(first: 3) { totalCount { value } } }", 1 + 10),
        ('{ nodes(ids: ["a", "b"]) { id } }', 2),
        ('{ nodes(ids: ["a", "b"]) { ... on Star { again { handle } } } }', 4),
        ("mutation { lift(input: {}) { star { handle } errors { ... on UserError { code } } } }", 10 + 1 + 10),
        ("{ a: stars(first: 2) { nodes { handle } } b: stars(first: 2) { nodes { handle } } }", 6),
        ("{ ...F ...F } fragment F on Query { stars(first: 2) { nodes { handle } } }", 6),
        ("{ stars(first: 2) { ...P } } fragment P on StarConnection { nodes { handle } }", 3),
        ("{ __typename }", 0),
        ("{ __schema { types { name } } }", cost.INTROSPECTION),
        ("{ stars(first: 99999999999) { nodes { handle } } }", cost.BIG),
        ("{ stars(first: -5) { nodes { handle } } }", 1),
    ],
)
def test_an_operation_costs_what_the_schema_says(query: str, expected: int) -> None:
    assert weigh(query).cost == expected


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"n": 7}, 8),
        ({"n": 7.0}, 8),  # GraphQL takes a whole number however it is written
        ({}, 5),
        ({"n": None}, 21),
        ({"n": "7"}, 21),
        ({"n": 7.5}, 21),
        ({"n": True}, 21),
        ({"n": 10**30}, cost.BIG),
    ],
)
def test_the_page_size_may_be_a_variable(variables: dict[str, object], expected: int) -> None:
    assert weigh("query ($n: Int = 4) { stars(first: $n) { nodes { handle } } }", **variables).cost == expected


def test_the_dearest_of_several_types_counts() -> None:
    query = "{ node(id: 1) { ... on Star { again { handle } } ... on Star { handle } } }"
    assert weigh(query).cost == 2


def test_nested_lists_multiply() -> None:
    query = "query ($a: Int!) { stars(first: $a) { nodes { again { handle } } edges { node { handle } } } }"
    assert weigh(query, a=100).product == 100


def test_an_operation_that_costs_too_much_is_refused_before_it_runs(
    client: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cost, "COST_MAX", 50)
    query = "query ($n: Int!) { stars(first: $n) { nodes { version } } }"
    assert client.data(query, n=40)
    world.calls.clear()
    response = client.post(query, n=90)
    [error] = response.json()["errors"]
    assert (response.status_code, "data" in response.json()) == (400, False)
    where = {"selection": ["stars", "nodes"], "requestId": "request-0001"}
    assert error["extensions"] == {"code": "COST_EXCEEDED", "cost": 91, "limit": 50, **where}
    assert world.calls == []


def test_lists_that_come_to_too_many_items_are_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "PRODUCT_MAX", 50)
    [error] = client.post("{ viewer a: stars(first: 60) { nodes { handle } } }").json()["errors"]
    assert error["extensions"]["code"] == "COST_EXCEEDED"
    assert [error["extensions"][name] for name in ("product", "limit", "selection")] == [60, 50, ["a", "nodes"]]


def test_a_cost_is_worked_out_once_for_each_page_size() -> None:
    document = parse("query ($n: Int!, $t: String!) { stars(first: $n) { nodes { handle } } echo(text: $t) }")
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    weigher = OperationCost(GRAPH, operation, {})
    assert weigher.of({"n": 3, "t": "a"}) is weigher.of({"n": 3, "t": "b"})
    for number in range(2 * cost.KEPT_MAX):
        weigher.of({"n": number})
    assert len(weigher._kept) == cost.KEPT_MAX


@pytest.mark.parametrize("spread", ["...F{n} ...F{n}", "again {{ ...F{n} }} ...F{n}", "...F{n} ... {{ ...F{n} }}"])
def test_fragments_that_spread_each_other_are_weighed_once(spread: str) -> None:
    fragments = [f"fragment F{n} on Star {{ {spread.format(n=n + 1)} }}" for n in range(40)]
    query = "{ stars { nodes { ...F0 } } } " + " ".join(fragments) + " fragment F40 on Star { again { handle } }"
    began = time.perf_counter()
    assert weigh(query).cost == cost.BIG
    assert time.perf_counter() - began < 0.5


@given(st.integers(0, 200), st.integers(0, 200))
def test_more_items_never_cost_less(few: int, more: int) -> None:
    few, more = sorted((few, more))
    query = "query ($n: Int!) { stars(first: $n) { nodes { handle again { handle } } totalCount { value } } }"
    assert weigh(query, n=few).cost <= weigh(query, n=more).cost
