"""Creators, offers and the catalogue through the front door."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.api.harness import Client
from tests.api.shop import Shop, open_shop
from tests.storage.databases import Place

from shoutgraph.domain.users import SYSTEM
from shoutgraph.services import seeds

ERRORS = "errors { __typename ... on UserError { code path message } }"
STALE = "errors { __typename ... on UserError { code path } ... on StaleRevisionError { currentRevision } }"
CREATOR = """id revision handle name bio avatarUrl categories languages country open pausedUntil openOrdersMax featured
  takesOrders priceFrom rating { averageHundredths count }"""
OFFER = "id revision occasion title price durationMaxSeconds deliveryDays expressSurcharge active"
REGISTER = f"""mutation($input: CreatorRegisterInput!) {{ creatorRegister(input: $input) {{ creator {{ {CREATOR} }}
  {ERRORS} }} }}"""
UPDATE = f"""mutation($input: CreatorUpdateInput!) {{ creatorUpdate(input: $input) {{ creator {{ {CREATOR} }}
  {STALE} }} }}"""
OPEN = f"mutation {{ creatorOpen(input: {{}}) {{ creator {{ open pausedUntil takesOrders }} {ERRORS} }} }}"
PAUSE = f"""mutation($until: DateTime) {{ creatorPause(input: {{until: $until}}) {{
  creator {{ open pausedUntil takesOrders revision }} {ERRORS} }} }}"""
FEATURE = f"""mutation($id: ID!) {{ creatorFeature(input: {{creatorId: $id, featured: true}}) {{
  creator {{ featured }} {ERRORS} }} }}"""
CREATE = f"mutation($input: OfferCreateInput!) {{ offerCreate(input: $input) {{ offer {{ {OFFER} }} {ERRORS} }} }}"
CHANGE = f"mutation($input: OfferUpdateInput!) {{ offerUpdate(input: $input) {{ offer {{ {OFFER} }} {ERRORS} }} }}"
SWITCH = f"""mutation($id: ID!) {{
  off: offerDeactivate(input: {{offerId: $id}}) {{ offer {{ active revision }} {ERRORS} }}
  again: offerDeactivate(input: {{offerId: $id, expectedRevision: 2}}) {{ offer {{ active revision }} {ERRORS} }} }}"""
ON = f"mutation($id: ID!) {{ offerActivate(input: {{offerId: $id}}) {{ offer {{ active revision }} {ERRORS} }} }}"
FIND = (
    f"query($by: CreatorLookupInput!) {{ creator(by: $by) {{ {CREATOR} offers {{ {OFFER} creator {{ handle }} }} }} }}"
)
PAGE = """query($first: Int, $after: String, $last: Int, $before: String, $filter: CreatorFilterInput,
  $sort: CreatorSortInput) { creators(first: $first, after: $after, last: $last, before: $before, filter: $filter,
  sort: $sort) { nodes { handle name priceFrom offers { price occasion creator { handle } } }
  edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  totalCount { value precision } } }"""
NODE = "query($id: ID!) { node(id: $id) { __typename id ... on Offer { title } ... on Creator { handle } } }"

PROFILE: dict[str, Any] = {
    "handle": "@Mira.Kestrel",
    "name": "Mira",
    "country": "DE",
    "categories": ["MUSICIAN"],
    "languages": ["de"],
}
TERMS: dict[str, Any] = {
    "occasion": "BIRTHDAY",
    "title": "A song",
    "price": "1500",
    "durationMaxSeconds": 60,
    "deliveryDays": 5,
    "expressSurcharge": 300,
}


@pytest.fixture(scope="module")
def shop(module_place: Place) -> Iterator[Shop]:
    with open_shop(module_place.inside("creators")) as shop:
        yield shop


@pytest.fixture(scope="module")
def seeded(module_place: Place) -> Iterator[Shop]:
    with open_shop(module_place.inside("seeded")) as shop:
        shop.world.run(seeds.seed_creators(shop.world.tools, SYSTEM, seeds.read_creators()))
        yield shop


def codes(payload: dict[str, Any]) -> list[tuple[str, list[str] | None]]:
    return [(error["code"], error["path"]) for error in payload["errors"]]


def test_a_person_becomes_a_creator_and_sells(shop: Shop) -> None:
    client = shop.person("mira")
    new = client.data(REGISTER, input=PROFILE)["creatorRegister"]
    assert new["errors"] == []
    assert new["creator"] | {"id": ""} == {
        "id": "",
        "revision": 1,
        "handle": "mira.kestrel",
        "name": "Mira",
        "bio": "",
        "avatarUrl": None,
        "categories": ["MUSICIAN"],
        "languages": ["de"],
        "country": "DE",
        "open": True,
        "pausedUntil": None,
        "openOrdersMax": None,
        "featured": False,
        "takesOrders": True,
        "priceFrom": None,
        "rating": {"averageHundredths": None, "count": 0},
    }
    assert client.data(REGISTER, input=PROFILE)["creatorRegister"] == new
    offer = client.data(CREATE, input=TERMS)["offerCreate"]["offer"]
    assert (offer["price"], offer["expressSurcharge"], offer["active"]) == ("1500", "300", True)
    found = shop.client().data(FIND, by={"handle": "mira.kestrel"})["creator"]
    assert (found["priceFrom"], found["offers"]) == ("1500", [offer | {"creator": {"handle": "mira.kestrel"}}])
    assert shop.client().data(FIND, by={"id": found["id"]})["creator"] == found


def test_a_registration_that_is_wrong_names_every_field(shop: Shop) -> None:
    wrong = PROFILE | {"handle": "!", "name": " ", "languages": [], "avatarUrl": "ftp://x", "openOrdersMax": 0}
    answer = shop.person("eve").data(REGISTER, input=wrong)["creatorRegister"]
    assert answer["creator"] is None
    assert codes(answer) == [
        ("INVALID_HANDLE", ["input", "handle"]),
        ("EMPTY", ["input", "name"]),
        ("TOO_FEW", ["input", "languages"]),
        ("INVALID_URL", ["input", "avatarUrl"]),
        ("OUT_OF_RANGE", ["input", "openOrdersMax"]),
    ]


def test_a_handle_that_is_taken_is_refused(shop: Shop) -> None:
    shop.creator("nova")
    answer = shop.person("eve").data(REGISTER, input=PROFILE | {"handle": "nova"})["creatorRegister"]
    assert codes(answer) == [("HANDLE_TAKEN", ["input", "handle"])]


def test_a_guest_becomes_nobody(shop: Shop) -> None:
    assert shop.client().code(REGISTER, input=PROFILE) == "UNAUTHENTICATED"
    answer = shop.client("staff:admin").data(REGISTER, input=PROFILE)["creatorRegister"]
    assert answer["errors"][0]["__typename"] == "ForbiddenError"


def test_null_clears_what_may_be_empty_and_absence_keeps_it(shop: Shop) -> None:
    client = shop.creator("clara")
    given = {"avatarUrl": "https://example.org/c.png", "openOrdersMax": 3, "bio": "Sings.", "categories": ["OTHER"]}
    nothing = {"avatarUrl": None, "openOrdersMax": None, "bio": ""}

    def changed(**changes: object) -> dict[str, Any]:
        payload = client.data(UPDATE, input=changes)["creatorUpdate"]
        return payload["creator"] or payload["errors"][0]

    full = changed(**given, expectedRevision=1)
    assert {name: full[name] for name in given} == given
    kept = changed(name="Clara C.")
    assert {name: kept[name] for name in given} == given
    cleared = changed(**nothing)
    assert {name: cleared[name] for name in nothing} == nothing
    assert changed(name="Late", expectedRevision=1)["currentRevision"] == cleared["revision"] == 4


def test_only_creators_have_a_profile_to_change(shop: Shop) -> None:
    client = shop.person("eve")
    for answer in (
        client.data(UPDATE, input={"name": "Eve"})["creatorUpdate"],
        client.data(OPEN)["creatorOpen"],
        client.data(PAUSE, until=None)["creatorPause"],
        client.data(CREATE, input=TERMS)["offerCreate"],
    ):
        assert codes(answer) == [("NOT_A_CREATOR", None)]


def test_a_creator_goes_on_a_break_and_comes_back(shop: Shop) -> None:
    client = shop.creator("rigel")
    until = "2026-03-08T12:00:00.000Z"
    assert client.data(PAUSE, until=until)["creatorPause"]["creator"] == {
        "open": True,
        "pausedUntil": until,
        "takesOrders": False,
        "revision": 2,
    }
    assert codes(client.data(PAUSE, until="2020-01-01T00:00:00Z")["creatorPause"]) == [
        ("OUT_OF_RANGE", ["input", "until"])
    ]
    assert client.data(PAUSE, until=None)["creatorPause"]["creator"]["open"] is False
    page = shop.client().data(PAGE, filter={"openOnly": True, "text": "rigel"})["creators"]
    assert page["nodes"] == []
    assert client.data(OPEN)["creatorOpen"]["creator"] == {"open": True, "pausedUntil": None, "takesOrders": True}
    assert len(shop.client().data(PAGE, filter={"openOnly": True, "text": "rigel"})["creators"]["nodes"]) == 1


def test_only_staff_of_the_catalogue_features(shop: Shop) -> None:
    client = shop.creator("vega")
    found = client.data(FIND, by={"handle": "vega"})["creator"]["id"]
    assert client.code(FEATURE, id=found) == "FORBIDDEN"
    assert shop.client().code(FEATURE, id=found) == "UNAUTHENTICATED"
    staff = shop.client("staff:admin")
    assert staff.data(FEATURE, id=found)["creatorFeature"]["creator"] == {"featured": True}
    assert codes(staff.data(FEATURE, id="offer_1")["creatorFeature"]) == [("INVALID_ID", ["input", "creatorId"])]
    missing = staff.data(FEATURE, id="creator_00000000000000000000000000")["creatorFeature"]
    assert missing["errors"][0]["__typename"] == "NotFoundError"


def offer_of(client: Client, handle: str) -> dict[str, Any]:
    offers: list[dict[str, Any]] = client.data(FIND, by={"handle": handle})["creator"]["offers"]
    return offers[0]


def test_an_offer_changes_and_goes_off_sale(shop: Shop) -> None:
    client, guest = shop.creator("altair"), shop.client()
    offer = offer_of(client, "altair")
    changed = client.data(CHANGE, input={"offerId": offer["id"], "price": 700, "expressSurcharge": None})["offerUpdate"]
    assert (changed["offer"]["price"], changed["offer"]["expressSurcharge"], changed["offer"]["title"]) == (
        "700",
        None,
        "A song",
    )
    assert codes(client.data(CHANGE, input={"offerId": offer["id"], "price": 249, "title": ""})["offerUpdate"]) == [
        ("EMPTY", ["input", "title"]),
        ("OUT_OF_RANGE", ["input", "price"]),
    ]
    off = client.data(SWITCH, id=offer["id"])
    assert off["off"]["offer"] == {"active": False, "revision": 3}
    assert codes(off["again"]) == [("STALE_REVISION", ["input", "expectedRevision"])]
    query = "query($id: ID!) { offer(id: $id) { active } }"
    assert guest.code(query, id=offer["id"]) == "NOT_FOUND"
    assert shop.creator("deneb").code(query, id=offer["id"]) == "NOT_FOUND"
    assert guest.data(NODE, id=offer["id"])["node"] is None
    assert guest.data(FIND, by={"handle": "altair"})["creator"]["offers"] == []
    assert client.data(query, id=offer["id"])["offer"] == {"active": False}
    assert shop.client("staff:admin").data(NODE, id=offer["id"])["node"]["title"] == "A song"
    assert client.data(ON, id=offer["id"])["offerActivate"]["offer"]["active"] is True
    assert guest.data(query, id=offer["id"])["offer"] == {"active": True}


def test_nobody_changes_another_s_offer(shop: Shop) -> None:
    offer = offer_of(shop.creator("sirius"), "sirius")
    rival = shop.creator("procyon")
    answer = rival.data(CHANGE, input={"offerId": offer["id"], "price": 1})["offerUpdate"]
    assert answer["errors"][0]["__typename"] == "NotFoundError"
    assert rival.data(SWITCH, id=offer["id"])["off"]["errors"][0]["__typename"] == "NotFoundError"
    assert codes(rival.data(CHANGE, input={"offerId": "x"})["offerUpdate"]) == [("INVALID_ID", ["input", "offerId"])]


def test_exactly_one_way_to_name_a_creator_is_needed(shop: Shop) -> None:
    guest = shop.client()
    assert guest.code(FIND, by={}) == "BAD_USER_INPUT"
    assert guest.code(FIND, by={"handle": "nova", "id": "x"}) == "BAD_USER_INPUT"
    assert guest.code(FIND, by={"id": "x"}) == "BAD_USER_INPUT"
    assert guest.code(FIND, by={"handle": "nobody"}) == "NOT_FOUND"


@pytest.mark.parametrize("direction", [None, "ASC", "DESC"])
@pytest.mark.parametrize("field", ["FEATURED", "PRICE", "RATING", "NEWEST", "NAME"])
def test_pages_lead_through_the_whole_catalogue_and_back(seeded: Shop, field: str, direction: str | None) -> None:
    guest, sort = seeded.client(), {"field": field, "direction": direction}
    seen: list[str] = []
    after = None
    for _ in range(10):
        page = guest.data(PAGE, first=7, after=after, sort=sort)["creators"]
        seen += [edge["node"]["id"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert len(set(seen)) == len(seen) == 24
    assert page["totalCount"] == {"value": 24, "precision": "EXACT"}
    back = guest.data(PAGE, last=24, sort=sort)["creators"]
    assert [edge["node"]["id"] for edge in back["edges"]] == seen
    before = guest.data(PAGE, last=3, before=back["edges"][5]["cursor"], sort=sort)["creators"]
    assert [edge["node"]["id"] for edge in before["edges"]] == seen[2:5]
    assert before["pageInfo"] | {"startCursor": "", "endCursor": ""} == {
        "hasNextPage": True,
        "hasPreviousPage": True,
        "startCursor": "",
        "endCursor": "",
    }


def handles(shop: Shop, **only: object) -> list[str]:
    page = shop.client().data(PAGE, first=50, filter=only, sort={"field": "PRICE"})["creators"]
    return [node["handle"] for node in page["nodes"]]


def test_the_catalogue_is_filtered(seeded: Shop) -> None:
    assert handles(seeded, text="sofia come") == ["sofia.cometa"]
    assert handles(seeded, text="GRANNY") == ["granny.thimble"]
    assert handles(seeded, category="MAGICIAN") == ["the_great_pellegrino"]
    assert handles(seeded, language="pt") == ["davi.mare"]
    assert handles(seeded, country="JP") == ["yuki.amanogawa"]
    assert handles(seeded, priceMax=400) == ["granny.thimble"]
    assert handles(seeded, occasion="OTHER", priceMin="7000") == ["dex.marlowe"]
    assert handles(seeded, featured=True, category="ACTOR") == ["dex.marlowe"]
    assert handles(seeded, ratingMin=100) == []
    assert handles(seeded, text="granny", category="CHEF") == []


@pytest.mark.parametrize("text", ['"', "a* OR b", "handle:x", "NEAR(a b)", "-a", "(", "'; --", "%", "\x00", "\u202e"])
def test_no_text_breaks_the_search(seeded: Shop, text: str) -> None:
    handles(seeded, text=text)


@pytest.mark.parametrize("only", [{"text": "x" * 101}, {"language": "de%"}, {"country": "Japan"}, {"category": "NONE"}])
def test_a_filter_that_means_nothing_is_refused(seeded: Shop, only: dict[str, object]) -> None:
    guest = seeded.client()
    assert guest.code(PAGE, filter=only) in {"BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"}


def test_a_cursor_of_another_list_is_refused(seeded: Shop) -> None:
    guest = seeded.client()
    cursor = guest.data(PAGE, first=1, sort={"field": "PRICE"})["creators"]["pageInfo"]["endCursor"]
    assert guest.code(PAGE, first=1, after=cursor, sort={"field": "NAME"}) == "BAD_USER_INPUT"
    assert (
        guest.code(PAGE, first=1, after=cursor, sort={"field": "PRICE"}, filter={"featured": True}) == "BAD_USER_INPUT"
    )
    assert guest.data(PAGE, first=1, after=cursor, sort={"field": "PRICE"})["creators"]["nodes"]


def test_a_page_with_offers_and_their_creators_takes_four_statements_however_long_it_is(seeded: Shop) -> None:
    guest, counts = seeded.client(), set()
    for first in (1, 7, 24):
        page, statements = seeded.counted(guest, PAGE, first=first)
        assert len(page["creators"]["nodes"]) == first
        counts.add(statements)
    assert counts == {4}  # the page, its offers, their creators, the count


def test_who_asks_costs_one_statement_more(seeded: Shop) -> None:
    query = "{ creators(first: 20) { nodes { handle offers { id price } } totalCount { value } } }"
    fan = seeded.person("fan")
    fan.data(query)
    assert seeded.counted(fan, query)[1] == 4  # who asks, the page, its offers, the count


def test_a_page_that_needs_no_count_is_not_counted(seeded: Shop) -> None:
    query = "{ creators(first: 20) { nodes { handle rating { count averageHundredths } offers { id title price } } } }"
    page, statements = seeded.counted(seeded.client(), query)
    assert len(page["creators"]["nodes"]) == 20
    assert statements == 2


def test_creators_and_offers_are_nodes(seeded: Shop) -> None:
    guest = seeded.client()
    found = guest.data(FIND, by={"handle": "mira.kestrel"})["creator"]
    assert guest.data(NODE, id=found["id"])["node"]["handle"] == "mira.kestrel"
    assert guest.data(NODE, id=found["offers"][0]["id"])["node"]["title"] == found["offers"][0]["title"]
    assert guest.data(NODE, id="creator_00000000000000000000000000")["node"] is None
