"""Campaigns through the front door: a fee that finance approves, a quote, numbered orders, and who hears of what."""

from typing import Any

from tests.api.cast import EXPRESS, PRICE, Cast

CAMPAIGN = """campaign { id revision name state price discountBasisPoints acceptSeconds feeBasisPoints ordersMax
  ordersCount countries offers { id } creator { handle } }"""
ORDER = """order { id price split { fee earning } campaign { number listPrice price feeBasisPoints acceptSeconds
  deliverySeconds campaign { id } } }"""
QUOTE = """query ($offer: ID!, $campaign: ID) { quote(offerId: $offer, campaignId: $campaign, country: "DE",
  currency: "EUR", express: true) { base listPrice total acceptSeconds split { fee } campaign { id } } }"""
LISTED = "query ($of: ID!, $active: Boolean!) { campaigns(creatorId: $of, active: $active) { nodes { id state } } }"
EVENTS = """query ($of: ID!) { campaignEvents(campaignId: $of) { nodes { ... on CampaignChangedEvent {
  kind state campaign { id } } } } }"""
HOUR = 3_600


def listed(cast: Cast, who: str, *, active: bool) -> list[str]:
    found = cast.deployment.ask(who, LISTED, of=cast.ids["other_creator_profile"], active=active)["campaigns"]["nodes"]
    return [campaign["id"] for campaign in found]


def told(cast: Cast, who: str, campaign_id: str) -> list[str]:
    cast.deployment.settle_journal()
    return [each["kind"] for each in cast.deployment.ask(who, EVENTS, of=campaign_id)["campaignEvents"]["nodes"]]


def propose(cast: Cast) -> dict[str, Any]:
    """A campaign of the other creator's with a fee and a time of its own, for two orders."""
    terms = {"feeBasisPoints": 1_000, "acceptSeconds": HOUR, "ordersMax": 2, "discountBasisPoints": 5_000}
    given = cast.plan(offerIds=[cast.ids["other_creator_offer"]], **terms)
    keyed = cast.deployment.with_key("campaignCreate", given)
    made, again = (cast.deployment.do("other_creator", "campaignCreate", f"{CAMPAIGN} replayed", **keyed) for _ in "ab")
    assert (made["replayed"], again["replayed"]) == (False, True)
    campaign: dict[str, Any] = made["campaign"]
    assert campaign == {
        "id": again["campaign"]["id"],
        "revision": 1,
        "name": "Spring",
        "state": "PROPOSED",
        "price": None,
        "discountBasisPoints": 5_000,
        "acceptSeconds": HOUR,
        "feeBasisPoints": 1_000,
        "ordersMax": 2,
        "ordersCount": 0,
        "countries": [],
        "offers": [{"id": cast.ids["other_creator_offer"]}],
        "creator": {"handle": "other_creator"},
    }
    return campaign


def test_a_campaign_is_approved_quoted_ordered_and_ended(cast: Cast) -> None:
    to, campaign_id = cast.deployment, propose(cast)["id"]
    offer = cast.ids["other_creator_offer"]
    half = PRICE // 2
    wish = cast.wish(offerId=offer, campaignId=campaign_id, express=True, expectedPrice=str(half + EXPRESS))
    assert to.refuse("fan", "orderPlace", **wish)["code"] == "NOT_FOUND"
    assert listed(cast, "fan", active=False) == []
    assert listed(cast, "finance", active=False) == listed(cast, "other_creator", active=False) == [campaign_id]
    approved = to.do("finance", "campaignApprove", CAMPAIGN, campaignId=campaign_id)["campaign"]
    assert (approved["state"], approved["revision"]) == ("ACTIVE", 2)
    assert listed(cast, "anonymous", active=True) == [campaign_id]
    asked = {"offer": offer, "campaign": campaign_id}
    assert to.ask("fan", QUOTE, **asked)["quote"] == {
        "base": str(half),
        "listPrice": str(PRICE),
        "total": str(half + EXPRESS),
        "acceptSeconds": HOUR,
        "split": {"fee": "17"},
        "campaign": {"id": campaign_id},
    }
    assert to.ask("fan", QUOTE, **(asked | {"campaign": None}))["quote"]["total"] == str(PRICE + EXPRESS)
    orders = [to.do("fan", "orderPlace", ORDER, **wish)["order"] for _ in range(2)]
    assert [order["campaign"].pop("number") for order in orders] == [1, 2]
    assert orders[0]["split"] == {"fee": "17", "earning": str(half + EXPRESS - 17)}
    assert orders[0]["campaign"] == {
        "listPrice": str(PRICE),
        "price": str(half),
        "feeBasisPoints": 1_000,
        "acceptSeconds": HOUR,
        "deliverySeconds": 24 * HOUR,
        "campaign": {"id": campaign_id},
    }
    refusal = to.refuse("fan", "orderPlace", **wish)
    assert (refusal["__typename"], refusal["code"]) == ("CampaignUnavailableError", "CAMPAIGN_FULL")
    answer = to.answer("fan", QUOTE, **asked)
    assert answer.body["errors"][0]["extensions"]["reason"] == "CAMPAIGN_FULL"
    assert listed(cast, "fan", active=True) == []
    ended = to.do("other_creator", "campaignEnd", CAMPAIGN, campaignId=campaign_id, expectedRevision=2)["campaign"]
    assert (ended["state"], ended["ordersCount"]) == ("ENDED", 2)
    stale = to.refuse("other_creator", "campaignUpdate", campaignId=campaign_id, expectedRevision=2)
    assert stale["code"] == "STALE_REVISION"
    assert told(cast, "other_creator", campaign_id) == ["CREATED", "APPROVED", "ENDED"]
    assert told(cast, "fan", campaign_id) == ["APPROVED", "ENDED"], "a proposal is its creator's and staff's"
