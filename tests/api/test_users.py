"""The viewer through the front door."""

from collections.abc import Iterator

import pytest
from tests.api.shop import Shop, open_shop
from tests.storage.databases import Place

VIEWER = """{ viewer { isAuthenticated scopes user { id revision displayName country locked createdAt }
  creator { id handle } } }"""
UPDATE = """mutation($input: UserUpdateInput!) { userUpdate(input: $input) {
  user { revision displayName country } errors { __typename ... on UserError { code path }
  ... on StaleRevisionError { currentRevision } } } }"""


@pytest.fixture(scope="module")
def shop(module_place: Place) -> Iterator[Shop]:
    with open_shop(module_place) as shop:
        yield shop


def test_a_guest_is_a_viewer_without_a_user(shop: Shop) -> None:
    assert shop.client().data(VIEWER)["viewer"] == {
        "isAuthenticated": False,
        "scopes": [],
        "user": None,
        "creator": None,
    }


def test_a_person_sees_themselves(shop: Shop) -> None:
    viewer = shop.person("ada").data(VIEWER)["viewer"]
    assert viewer["user"]["id"].startswith("user_")
    assert viewer["user"] | {"id": "", "createdAt": ""} == {
        "id": "",
        "revision": 1,
        "displayName": "ada",
        "country": "DE",
        "locked": False,
        "createdAt": "",
    }
    assert (viewer["isAuthenticated"], viewer["creator"]) == (True, None)


def test_a_tool_has_scopes_and_no_user(shop: Shop) -> None:
    viewer = shop.client("staff:service").data(VIEWER)["viewer"]
    assert (viewer["user"], viewer["scopes"]) == (None, ["EVENTS_READ", "ORDERS_READ"])


def test_a_provider_s_person_is_the_same_user_each_time(shop: Shop) -> None:
    first = shop.client("oidc:grace").data(VIEWER)["viewer"]["user"]
    assert first == shop.client("oidc:grace").data(VIEWER)["viewer"]["user"]
    assert first["id"] != shop.client("oidc:barbara").data(VIEWER)["viewer"]["user"]["id"]
    assert (first["displayName"], first["country"]) == ("Someone", None)


def test_a_person_who_becomes_a_creator_is_one_at_once(shop: Shop) -> None:
    client = shop.person("nova")
    assert client.data(VIEWER)["viewer"]["creator"] is None
    shop.world.creator("nova")
    assert client.data(VIEWER)["viewer"]["creator"]["handle"] == "nova"


def test_a_person_changes_their_name_once(shop: Shop) -> None:
    client = shop.person("eve")
    changed = client.data(UPDATE, input={"displayName": " Eve ", "expectedRevision": 1})["userUpdate"]
    assert changed == {"user": {"revision": 2, "displayName": "Eve", "country": "DE"}, "errors": []}
    stale = client.data(UPDATE, input={"country": "FR", "expectedRevision": 1})["userUpdate"]
    assert stale["user"] is None
    assert stale["errors"] == [
        {
            "__typename": "StaleRevisionError",
            "code": "STALE_REVISION",
            "path": ["input", "expectedRevision"],
            "currentRevision": 2,
        }
    ]


def test_every_bad_field_is_named(shop: Shop) -> None:
    answer = shop.person("eve").data(UPDATE, input={"displayName": "", "country": "England"})["userUpdate"]
    assert [(error["code"], error["path"]) for error in answer["errors"]] == [
        ("EMPTY", ["input", "displayName"]),
        ("INVALID_COUNTRY", ["input", "country"]),
    ]


def test_a_guest_and_a_tool_change_nobody(shop: Shop) -> None:
    assert shop.client().code(UPDATE, input={"displayName": "Eve"}) == "UNAUTHENTICATED"
    answer = shop.client("staff:admin").data(UPDATE, input={"displayName": "Eve"})["userUpdate"]
    assert answer["errors"][0]["__typename"] == "ForbiddenError"


def test_people_are_nodes_to_themselves_and_to_administrators_only(shop: Shop) -> None:
    node = "query($id: ID!) { node(id: $id) { id ... on User { displayName } } }"
    ada = shop.world.person("ada").user_id
    assert shop.person("ada").data(node, id=ada)["node"]["displayName"] == "ada"
    assert shop.client("staff:admin").data(node, id=ada)["node"] is not None
    for other in (shop.person("eve"), shop.client(), shop.client("staff:moderator")):
        assert other.data(node, id=ada)["node"] is None
