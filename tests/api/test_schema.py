"""The assembled schema: descriptions, defaults, scopes, nodes, and rooms that collide."""

import pytest
import strawberry
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, Undefined
from tests.api.harness import Client, Served
from tests.api.sample import SAMPLE, SCHEMA, World, star_id

from shoutgraph.api.graphql import enums, loaders
from shoutgraph.api.graphql.assembly import assemble
from shoutgraph.api.graphql.context import Context
from shoutgraph.api.graphql.directives import CacheScope
from shoutgraph.api.graphql.room import Room

GRAPH = SCHEMA._schema


def test_everything_is_described() -> None:
    missing: list[str] = []
    for name, kind in GRAPH.type_map.items():
        if name.startswith("__"):
            continue
        if not kind.description:
            missing.append(name)
        members = kind.values if isinstance(kind, GraphQLEnumType) else getattr(kind, "fields", {})
        for member_name, member in members.items():
            if not member.description:
                missing.append(f"{name}.{member_name}")
            missing += [
                f"{name}.{member_name}({a})" for a, arg in getattr(member, "args", {}).items() if not arg.description
            ]
    assert missing == []


def test_an_argument_that_may_be_left_out_has_no_default_of_null() -> None:
    for kind in GRAPH.type_map.values():
        if isinstance(kind, (GraphQLObjectType, GraphQLInterfaceType)):
            for field in kind.fields.values():
                assert all(argument.default_value is not None for argument in field.args.values())
        if isinstance(kind, GraphQLInputObjectType):
            assert all(field.default_value is not None for field in kind.fields.values())
    assert GRAPH.query_type is not None
    assert GRAPH.query_type.fields["stars"].args["first"].default_value is Undefined


def test_the_schema_prints_its_directives() -> None:
    text = SCHEMA.as_str()
    assert "secret: String @requiresScope(anyOf: [MODERATION])" in text
    assert '@listSize(slicingArguments: ["first", "last"], sizedFields: ["edges", "nodes"])' in text
    assert '): LiftPayload @cost(weight: "10")' in text
    assert 'scalar Coins @specifiedBy(url: "' in text


def test_a_field_with_a_scope_is_null_without_it(served: Served, client: Client) -> None:
    body = client.post("{ stars(first: 1) { nodes { handle secret } } }").json()
    assert body["data"]["stars"]["nodes"] == [{"handle": "ada", "secret": None}]
    assert body["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    for token, secret, code in (("fan", None, "FORBIDDEN"), ("staff", "hidden", None)):
        signed_in = Client(served.url, token=token)
        body = signed_in.post("{ stars(first: 1) { nodes { secret } } }").json()
        signed_in.close()
        assert body["data"]["stars"]["nodes"] == [{"secret": secret}]
        assert body.get("errors", [{"extensions": {"code": None}}])[0]["extensions"]["code"] == code


def test_any_object_is_found_by_its_id(client: Client) -> None:
    query = "query ($id: ID!) { node(id: $id) { __typename id ... on Star { handle } } }"
    assert client.data(query, id=star_id("bob"))["node"] == {
        "__typename": "Star",
        "id": star_id("bob"),
        "handle": "bob",
    }
    assert client.data(query, id="star_" + "7" * 26)["node"] is None


def test_nodes_are_loaded_at_once_and_in_order(client: Client, world: World) -> None:
    ids = [star_id("eve"), "star_" + "7" * 26, star_id("ada"), star_id("eve")]
    nodes = client.data("query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Star { handle } } }", ids=ids)["nodes"]
    assert [node and node["handle"] for node in nodes] == ["eve", None, "ada", "eve"]
    assert world.calls == ["stars 3"]


@pytest.mark.parametrize(
    ("query", "reason", "argument"),
    [
        ('{ node(id: "1") { id } }', "INVALID_ID", ["id"]),
        ('{ node(id: "order_01j9z3k5x0e8t9w2v7q4m6n8pa") { id } }', "INVALID_ID", ["id"]),
        ('{ nodes(ids: ["T3JkZXI6MQ=="]) { id } }', "INVALID_ID", ["ids", "0"]),
        ("{ nodes(ids: [" + '"x" ' * 101 + "]) { id } }", "TOO_MANY_IDS", ["ids"]),
    ],
)
def test_a_wrong_id_is_the_clients_mistake(client: Client, query: str, reason: str, argument: list[str]) -> None:
    extensions = client.post(query).json()["errors"][0]["extensions"]
    assert (extensions["code"], extensions["reason"], extensions["argument"]) == ("BAD_USER_INPUT", reason, argument)


@strawberry.type
class Twin:
    echo: int = 1


def test_two_rooms_with_the_same_root_field_are_refused() -> None:
    with pytest.raises(ValueError, match=r"two rooms claim Query\.echo"):
        assemble([SAMPLE, Room(query=Twin)])


def test_two_rooms_with_the_same_nodes_are_refused() -> None:
    with pytest.raises(ValueError, match="two rooms load the nodes of star_"):
        assemble([SAMPLE, Room(nodes=SAMPLE.nodes)])


def test_an_enumeration_without_a_description_of_each_member_is_refused() -> None:
    with pytest.raises(TypeError, match="PRIVATE"):
        enums.describe(CacheScope, name="C", description="d", values={CacheScope.PUBLIC: "Any cache."})


def test_a_batch_resolver_must_say_that_it_returns_a_list() -> None:
    async def relation(_parents: list[object], _context: Context) -> int:
        return 1

    with pytest.raises(TypeError, match="returns a list"):
        loaders.batch(description="d")(relation)  # type: ignore[arg-type]
