"""Refusals as data: each leaf of the tree is mapped, and arrives with its own fields."""

from typing import Annotated, Any

import pytest
import strawberry
from strawberry.types.base import get_object_definition
from tests.api.harness import Client

from shoutgraph.api import failures
from shoutgraph.api.graphql import errors, mutations
from shoutgraph.api.graphql.assembly import assemble
from shoutgraph.api.graphql.room import Room
from shoutgraph.domain import errors as refusals

LIFT = """mutation ($name: String) { lift(input: {name: $name}) { star { handle } replayed errors {
  __typename ... on UserError { code message path }
  ... on InsufficientCoinsError { required available }
  ... on StaleRevisionError { currentRevision }
  ... on PriceChangedError { currentPrice }
} } }"""

EXAMPLES: dict[type[refusals.ShoutgraphError], refusals.ShoutgraphError] = {
    type(each): each
    for each in (
        refusals.ValidationError("m", path=("input", "x")),
        refusals.NotFoundError("m"),
        refusals.ResyncError(restored_to="m"),
        refusals.ForbiddenError("m"),
        refusals.UnauthenticatedError("m"),
        refusals.StaleRevisionError(current_revision=3),
        refusals.IdempotencyKeyReusedError(),
        refusals.OrderStateError("m", state="DELIVERED"),
        refusals.PriceChangedError(current_price_coins=5),
        refusals.MoneyPriceChangedError(current_minor=5, currency="EUR"),
        refusals.QuoteExpiredError(current_minor=5, currency="EUR"),
        refusals.CampaignUnavailableError("m", code="CAMPAIGN_ENDED", state="ENDED", path=("input", "x")),
        refusals.BuyingPausedError("m", code="PAUSED", until="2026-01-01T00:00:00Z"),
        refusals.AgeRestrictedError("m", code="TOO_YOUNG", minimum_age=18),
        refusals.InsufficientCoinsError(required_coins=2**40, available_coins=1),
        refusals.CreatorUnavailableError("m"),
        refusals.WalletLockedError(),
        refusals.FeatureUnavailableError(feature="TOPUPS", reason="COUNTRY", provider="p"),
        refusals.LimitExceededError("m", code="DAILY", limit=2**40),
        refusals.MediaRejectedError("m"),
        refusals.ProviderUnavailableError("m"),
        refusals.ProviderDeclinedError(decline_code="no_funds", retryable=True),
        refusals.OverloadedError(retry_after_s=2),
    )
}


def lift(client: Client, name: str | None) -> Any:
    return client.data(LIFT, name=name)["lift"]


def test_a_success_has_no_errors(client: Client) -> None:
    assert lift(client, None) == {"star": {"handle": "ada"}, "replayed": False, "errors": []}


@pytest.mark.parametrize(
    ("name", "kind", "data"),
    [
        ("validation", "ValidationError", {"code": "TOO_LONG", "path": ["text"]}),
        ("coins", "InsufficientCoinsError", {"required": "1099511627776", "available": "7"}),
        ("revision", "StaleRevisionError", {"currentRevision": 4, "path": ["input", "expectedRevision"]}),
        ("price", "PriceChangedError", {"currentPrice": "300"}),
        ("not_found", "NotFoundError", {"code": "NOT_FOUND", "path": None}),
    ],
)
def test_a_refusal_arrives_as_data_with_its_fields(client: Client, name: str, kind: str, data: dict[str, Any]) -> None:
    payload = lift(client, name)
    [error] = payload["errors"]
    assert payload["star"] is None
    assert error["__typename"] == kind
    assert data.items() <= error.items()


def test_several_refusals_arrive_together(client: Client) -> None:
    kinds = [error["__typename"] for error in lift(client, "two")["errors"]]
    assert kinds == ["ValidationError", "InsufficientCoinsError"]


def test_a_repeated_refusal_says_that_it_is_a_repeat(client: Client) -> None:
    assert lift(client, "repeated")["replayed"] is True


@pytest.mark.parametrize(("name", "code"), [("forbidden", "FORBIDDEN"), ("unauthenticated", "UNAUTHENTICATED")])
def test_a_refusal_that_no_screen_handles_goes_to_the_errors(client: Client, name: str, code: str) -> None:
    body = client.post(LIFT, name=name).json()
    assert body["data"] == {"lift": None}
    assert body["errors"][0]["extensions"]["code"] == code


def test_a_refusal_that_the_mutation_forgot_is_an_internal_error(client: Client) -> None:
    body = client.post(LIFT, name="locked").json()
    assert body["data"] == {"lift": None}
    assert body["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert "charge" not in body["errors"][0]["message"]


def test_every_refusal_is_mapped() -> None:
    for leaf in refusals.ShoutgraphError.__subclasses__():
        assert leaf in errors.AS_DATA or leaf in failures.OF_REFUSAL, f"{leaf.__name__} is mapped nowhere"
        assert leaf in EXAMPLES, f"{leaf.__name__} lacks an example here"
        assert not leaf.__subclasses__(), f"{leaf.__name__} is no leaf, and is mapped by its exact type"


def test_every_refusal_as_data_has_its_own_name_and_all_its_fields() -> None:
    for leaf, graph in errors.AS_DATA.items():
        definition = get_object_definition(graph, strict=True)
        assert definition.name == leaf.__name__
        value = errors.as_data(EXAMPLES[leaf])
        assert type(value) is graph
        assert (value.code, value.message) == (EXAMPLES[leaf].code, EXAMPLES[leaf].message)
        assert all(hasattr(value, field.python_name) for field in definition.fields)


def test_a_failure_knows_when_to_try_again() -> None:
    failure = failures.of_refusal(EXAMPLES[refusals.OverloadedError])
    assert failure is not None
    assert failure.extensions == {"code": "OVERLOADED", "retryAfter": 2}


Strange = Annotated[errors.ValidationErrorType, errors.failures_of("strange")]


@strawberry.type(name="StrangePayload", description="No errors.")
class StrangePayload:
    replayed: bool = mutations.replayed()


def test_a_mutation_without_errors_in_its_payload_is_found_at_the_first_refusal() -> None:
    @strawberry.type
    class Query:
        one: int = 1

    @strawberry.type
    class Mutation:
        @mutations.mutation(description="Strange.")
        async def strange(self) -> StrangePayload | None:
            return StrangePayload()

    schema = assemble([Room(query=Query, mutation=Mutation)])
    field = schema.get_field_for_type("strange", "Mutation")
    assert field is not None
    with pytest.raises(TypeError, match="must list its failures"):
        mutations.read_payload(field)
