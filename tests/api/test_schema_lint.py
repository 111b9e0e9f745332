"""The graph keeps its own conventions: no rule finds anything, and every rule finds what it is there for."""

import pytest
from graphql import GraphQLSchema, build_schema
from tests.api import lint
from tests.api.released import released

EVENT = "interface Event { id: ID } "
OFFER = " type Offer { revision: Int! }"
KEY = "idempotencyKey: IdempotencyKey!"
SCOPED = "directive @requiresScope on FIELD_DEFINITION type Order { secret: ID! @requiresScope }"
PAGED = "type Query { orders(%s): OrderConnection } type OrderConnection { id: ID }"


def moved(name: str, takes: str = "a: ID", gives: str = "id: ID", *, payload: str = "") -> str:
    """A schema with one mutation."""
    title = lint.titled(name)
    given = payload or f"{title}Payload"
    return f"""type Mutation {{ {name}(input: {title}Input!): {given} }} input {title}Input {{ {takes} }}
      type {given} {{ {gives} }} scalar IdempotencyKey"""


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return released()


@pytest.mark.parametrize("rule", lint.RULES, ids=lambda rule: str(rule.__name__))
def test_the_schema_keeps_every_rule(schema: GraphQLSchema, rule: lint.Rule) -> None:
    assert list(rule(schema)) == []


def test_no_exemption_outlives_what_it_exempts(schema: GraphQLSchema) -> None:
    assert lint.stale_exemptions(schema) == []


BAD = [
    (lint.names, "type order_line { id: ID }", "order_line is not PascalCase"),
    (lint.names, "type OrderType { id: ID }", "OrderType says what kind of type it is"),
    (lint.names, "enum Colour { red }", "Colour.red is not UPPER_CASE"),
    (lint.names, "type Query { the_order: ID }", "Query.the_order is not camelCase"),
    (lint.names, "type Query { order(ID: ID): ID }", "Query.order.ID is not camelCase"),
    (lint.words, "type Payment { id: ID }", "Payment: payment is not our word"),
    (lint.words, "type Query { accountName: ID }", "Query.accountName: account is not our word"),
    (lint.suffixes, "input Wish { id: ID }", "Wish: inputs, and only they, end in Input"),
    (
        lint.suffixes,
        moved("orderPlace", gives="id: ID", payload="Done"),
        "Done: what mutations give, and only that, ends in Payload",
    ),
    (
        lint.families,
        "type LateError { a: ID }",
        "LateError: errors, and only they, end in Error and implement UserError",
    ),
    (lint.families, "type Orders { edges: ID pageInfo: ID }", "Orders: pages, and only they, end in Connection"),
    (lint.families, EVENT + "type Placed implements Event { id: ID }", "Placed: events, and only they, end in Event"),
    (lint.families, EVENT + "type PlaceEvent implements Event { id: ID }", "PlaceEvent: an event is in the past tense"),
    (lint.described, "enum Colour { RED }", "Colour.RED is not described"),
    (lint.described, "type Query { order(id: ID): ID }", "Query.order.id is not described"),
    (lint.described, "directive @cost(weight: String!) on OBJECT", "@cost is not described"),
    (
        lint.mutations,
        "type Mutation { orderPlace(id: ID): ID }",
        "orderPlace takes something else than input: OrderPlaceInput!",
    ),
    (
        lint.mutations,
        "type Mutation { orderPlace: ID! }",
        "orderPlace gives something else than a nullable OrderPlacePayload",
    ),
    (lint.mutations, "type Mutation { placeOrder: ID }", "placeOrder does not begin with what it is about"),
    (lint.mutations, "type Mutation { orderPlace: ID }", "orderPlace does not say what it costs"),
    (lint.refusals, moved("orderPlace"), "OrderPlacePayload has no errors: [OrderPlaceError!]!"),
    (lint.refusals, moved("orderPlace", gives="order: ID!"), "OrderPlacePayload.order is not nullable"),
    (
        lint.refusals,
        moved("orderPlace", gives="errors: [OrderPlaceError!]!") + " scalar OrderPlaceError",
        "OrderPlaceError is no union",
    ),
    (lint.user_errors, "union OrderError = Late type Late { code: String! }", "OrderError: Late is no UserError"),
    (
        lint.user_errors,
        "interface UserError { code: String }",
        "UserError has something else than code, message and path",
    ),
    (lint.repeats, moved("orderPlace"), "orderPlace has no idempotencyKey: IdempotencyKey!"),
    (
        lint.repeats,
        moved("orderPlace", KEY),
        "OrderPlacePayload: replayed: Boolean! stands beside a key, and only there",
    ),
    (lint.repeats, moved("userUpdate", KEY), "userUpdate has a key, and NO_KEY says that it has none"),
    (
        lint.revisions,
        moved("offerSell", "offerId: ID", "offer: Offer") + OFFER,
        "offerSell: takes an expectedRevision, or NO_REVISION says why not",
    ),
    (lint.revisions, moved("offerSell", "expectedRevision: Int!"), "offerSell: expectedRevision is a nullable Int"),
    (lint.nullability, "type Query { order: Order! } type Order { id: ID! }", "order is a root field and not nullable"),
    (lint.nullability, SCOPED, "Order.secret may be denied and is not nullable"),
    (lint.lists, "type Order { lines: [String!]! }", "Order.lines does not say how long it can be"),
    (lint.lists, "type Order { lines: [String]! }", "Order.lines can hold null"),
    (lint.connections, "type OrderConnection { edges: [ID] pageInfo: ID }", "OrderConnection is not a connection"),
    (lint.pages, PAGED % "first: Int", "Query.orders is not paged by first and after, or last and before"),
    (
        lint.pages,
        PAGED % "first: Int, after: String, last: Int",
        "Query.orders is not paged by first and after, or last and before",
    ),
    (lint.pages, PAGED % "first: Int, after: String", "Query.orders does not say how long it can be"),
    (lint.numbers, "type Order { rating: Float }", "Order.rating is a Float"),
    (lint.numbers, "type Order { price: Int }", "Order.price is an Int, and its name says no unit that fits"),
    (lint.numbers, "type Order { acceptedAt: String }", "Order.acceptedAt: instants, and only they, are named as such"),
    (lint.identity, "type Order { offerId: String }", "Order.offerId: ids, and only they, are ID"),
    (lint.identity, "type Order { id: ID }", "Order.id is not ID!"),
    (lint.references, "type Order { offerId: ID }", "Order.offerId stands without what it names"),
    (lint.actions, moved("orderSet", "to: OrderStatus") + " enum OrderStatus { OPEN }", "orderSet.to chooses a state"),
    (
        lint.evolution,
        'type Order { old: ID @deprecated(reason: "Use new.") }',
        "Order.old is deprecated without a date",
    ),
    (lint.evolution, "scalar Coins", "Coins does not say where it is specified"),
    (lint.defaults, "input OrderInput { a: ID = null }", "OrderInput.a has a default of null"),
]
"""What each rule finds, and where."""


@pytest.mark.parametrize(("rule", "sdl", "finding"), BAD, ids=[finding for _, _, finding in BAD])
def test_a_rule_finds_what_breaks_it(rule: lint.Rule, sdl: str, finding: str) -> None:
    assert finding in list(rule(build_schema(sdl)))


def test_every_rule_is_tried() -> None:
    assert {rule for rule, _, _ in BAD} == set(lint.RULES)
