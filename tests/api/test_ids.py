"""Ids that clients send: a wrong one is refused with the path to it, as data or in errors[]."""

from collections.abc import Mapping
from typing import Any, Final

import pytest
from graphql import GraphQLInputObjectType, get_named_type, get_nullable_type, is_list_type
from tests.api.cast import VIEWERS, Cast
from tests.api.deployment import absent_of, graph, titled
from tests.api.doors import INPUTS, door_of
from tests.api.test_access import expected

from shoutgraph.domain import ids

OPTIONAL: Final[Mapping[str, str]] = {
    "attachmentId": ids.ATTACHMENT,
    "attachmentIds": ids.ATTACHMENT,
    "allowUserIds": ids.USER,
    "denyUserIds": ids.USER,
    "campaignId": ids.CAMPAIGN,
    "payoutId": ids.PAYOUT,
}
"""What kind of id a field takes that the door's input leaves out."""

QUERIES: Final = (
    ("order(id: $id) { id }", "order", ["id"]),
    ("offer(id: $id) { id }", "offer", ["id"]),
    ('quote(offerId: $id, country: "DE", currency: "EUR") { total }', "offer", ["offerId"]),
    ("creator(by: {id: $id}) { id }", "creator", ["by", "id"]),
    ("ratings(of: {id: $id}) { nodes { id } }", "creator", ["of", "id"]),
    ("campaigns(creatorId: $id) { nodes { id } }", "creator", ["creatorId"]),
    ("waitlist(creatorId: $id) { nodes { id } }", "creator", ["creatorId"]),
    ("wallet(userId: $id) { id }", "user", ["userId"]),
    ("giftRanking(creatorId: $id) { nodes { rank } }", "creator", ["creatorId"]),
    ("earnings(creatorId: $id) { paid { coins } }", "creator", ["creatorId"]),
)


def input_of(mutation: str) -> GraphQLInputObjectType:
    """What a mutation takes."""
    takes = graph().type_map[f"{titled(mutation)}Input"]
    assert isinstance(takes, GraphQLInputObjectType)
    return takes


def id_fields(mutation: str) -> list[str]:
    """The fields of a mutation's input that are ids."""
    return [name for name, field in input_of(mutation).fields.items() if get_named_type(field.type).name == "ID"]


TAKING: Final = [(mutation, name) for mutation in INPUTS for name in id_fields(mutation)]


def actor_of(mutation: str) -> str:
    """Who may do most of those who would be let in, if the input were right."""
    row = expected(mutation)
    return next(who for outcome in ("yes", "(422)", "(404)") for who in reversed(VIEWERS) if row[who] == outcome)


@pytest.mark.parametrize(("mutation", "name"), TAKING)
def test_a_mutation_says_which_id_is_wrong(cast: Cast, mutation: str, name: str) -> None:
    given: Any = door_of(mutation).variables(cast)["input"]
    right = given.get(name) or f"{OPTIONAL[name]}_{'0' * 26}"
    several = is_list_type(get_nullable_type(input_of(mutation).fields[name].type))
    right = right[0] if isinstance(right, list) else right
    for wrong, code in ((absent_of(right), "NOT_FOUND"), ("event_1", "INVALID_ID"), ("", "INVALID_ID")):
        kept = {key: value for key, value in given.items() if key != "idempotencyKey"}
        changed = kept | {name: [wrong] if several else wrong}
        refusal = cast.deployment.refuse(actor_of(mutation), mutation, **changed)
        assert (refusal["code"], refusal["path"]) == (code, ["input", name]), wrong


@pytest.mark.parametrize(("field", "prefix", "argument"), QUERIES)
def test_a_query_says_which_id_is_wrong(cast: Cast, field: str, prefix: str, argument: list[str]) -> None:
    document = f"query ($id: ID!) {{ {field} }}"
    absent = absent_of(f"{prefix}_{'0' * 26}")
    for wrong, code, reason in ((absent, "NOT_FOUND", None), ("event_1", "BAD_USER_INPUT", "INVALID_ID")):
        answer = cast.deployment.answer("admin", document, id=wrong)
        details = answer.body["errors"][0]["extensions"]
        assert (details["code"], details.get("reason"), details.get("argument")) == (code, reason, argument)


@pytest.mark.parametrize(
    "field", ["payoutBatch(id: $text) { id }", "bankFiles(filter: {providerCode: $text}) { nodes { id } }"]
)
def test_text_that_postgresql_cannot_keep_breaks_nothing(cast: Cast, field: str) -> None:
    takes = "String!" if "filter" in field else "ID!"
    answer = cast.deployment.answer("finance", f"query ($text: {takes}) {{ {field} }}", text="batch_\0")
    codes = [error["extensions"]["code"] for error in answer.body.get("errors", [])]
    assert codes == ([] if cast.deployment.app.settings.embedded else ["BAD_USER_INPUT"])
