"""The rollout through the front door: off is refused everywhere and says why, what is open goes on, history is kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.api import shops
from tests.api.cast import PACKAGES, PRICE, PURCHASE, Cast
from tests.api.deployment import TOKEN_TTL, Deployment, open_deployment
from tests.storage.databases import Place

from shoutgraph.domain import clock

STATES = "{ viewer { features { feature provider on reason } } }"
RULE = """rule { id version feature provider enabled shareBasisPoints countriesOn countriesOff allowUserIds denyUserIds
  startsAt endsAt changedBy reason } replayed"""
CHANGES = """{ featureChanges(first: 3) { nodes { feature reason changedBy
  before { version shareBasisPoints denyUserIds } after { version shareBasisPoints denyUserIds } } } }"""
QUOTE = """query ($id: ID!) { quote(offerId: $id, country: "DE", currency: "EUR") { total } }"""
WAYS = '{ topUpProviders(coins: "7000", country: "DE", currency: "EUR") { code } }'
STREAM = "subscription ($after: String) { featureEvents(after: $after) { feature provider version removed } }"


@contextmanager
def ruled(to: Deployment, feature: str, **terms: object) -> Iterator[dict[str, Any]]:
    """A rule while the block runs; then the feature is on for everyone again."""
    provider = {"provider": terms["provider"]} if "provider" in terms else {}
    made = to.do("admin", "featureRuleSet", RULE, feature=feature, reason="A test", **terms)
    try:
        yield made["rule"]
    finally:
        to.do("admin", "featureRuleRemove", "feature", feature=feature, reason="Its end", **provider)


def refused(to: Deployment, who: str, mutation: str, **given: object) -> tuple[str, str]:
    refusal = to.refuse(who, mutation, **given)
    assert (refusal["__typename"], refusal["code"]) == ("FeatureUnavailableError", "FEATURE_UNAVAILABLE"), refusal
    return refusal["feature"], refusal["reason"]


def off(to: Deployment, who: str) -> dict[str, str]:
    """What is off for somebody, and why."""
    states = to.ask(who, STATES)["viewer"]["features"]
    assert all(state["on"] == (state["reason"] is None) for state in states)
    return {state["provider"] or state["feature"]: state["reason"] for state in states if not state["on"]}


def takes_orders(to: Deployment, who: str = "anonymous") -> bool:
    found = to.ask(who, '{ creator(by: {handle: "creator"}) { takesOrders } }')
    return bool(found["creator"]["takesOrders"])


def test_everything_is_on_for_everyone_until_somebody_says_otherwise(cast: Cast) -> None:
    for who in ("anonymous", "fan", "creator", "service", "admin"):
        states = cast.deployment.ask(who, STATES)["viewer"]["features"]
        assert [state["feature"] for state in states[:4]] == ["SHOUTOUTS", "GIFTS", "TOPUPS", "PAYOUTS"]
        assert {"feature": "TOPUPS", "provider": "sandbox", "on": True, "reason": None} in states
        assert off(cast.deployment, who) == {}


def test_shoutouts_that_are_off_are_refused_and_open_orders_go_on(cast: Cast) -> None:
    to, draft, placed = cast.deployment, cast.order("DRAFT"), cast.order("SCREENING")
    with ruled(to, "SHOUTOUTS", denyUserIds=[cast.ids["fan"]]):
        assert off(to, "fan") == {"SHOUTOUTS": "LIST"}
        assert off(to, "other_fan") == {}
        why = ("SHOUTOUTS", "LIST")
        submitted = {"orderId": draft["id"], "expectedPrice": str(PRICE)}
        assert refused(to, "fan", "orderPlace", **cast.wish()) == why
        assert refused(to, "fan", "orderDraft", **cast.wish()) == why
        assert refused(to, "fan", "waitlistJoin", offerId=cast.ids["creator_offer"]) == why
        assert refused(to, "fan", "orderSubmit", **submitted) == why
        answer = to.answer("fan", QUOTE, id=cast.ids["creator_offer"])
        assert answer.code == "FEATURE_UNAVAILABLE"
        assert answer.body["errors"][0]["extensions"] | {"requestId": ""} == {
            "code": "FEATURE_UNAVAILABLE",
            "feature": "SHOUTOUTS",
            "featureReason": "LIST",
            "requestId": "",
        }
        to.do("other_fan", "orderPlace", "order { id }", **cast.wish())
        order = placed
        for mutation in ("orderScreenPass", "orderAccept", "orderDeliver", "orderReviewPass", "orderConfirm"):
            order = cast.move(mutation, order)
        assert order["status"] == "COMPLETED"
    to.do("fan", "orderSubmit", "order { id }", **submitted)


def test_a_creator_who_is_not_enabled_yet_gets_no_orders_and_no_gifts_and_nobody_learns_why(cast: Cast) -> None:
    to = cast.deployment
    assert takes_orders(to)
    with (
        ruled(to, "SHOUTOUTS", denyUserIds=[cast.ids["creator"]]),
        ruled(to, "GIFTS", allowUserIds=[cast.ids["fan"]], shareBasisPoints=0),
    ):
        assert refused(to, "fan", "orderPlace", **cast.wish()) == ("SHOUTOUTS", "CREATOR")
        assert refused(to, "fan", "giftSend", **cast.present()) == ("GIFTS", "CREATOR")
        assert refused(to, "other_fan", "giftSend", **cast.present()) == ("GIFTS", "PERCENTAGE")
        assert refused(to, "creator", "creatorOpen") == ("SHOUTOUTS", "LIST")
        assert not takes_orders(to)
        guest = to.answer("anonymous", QUOTE, id=cast.ids["creator_offer"])
        assert guest.body["errors"][0]["extensions"]["featureReason"] == "CREATOR"
    assert takes_orders(to)
    cast.gift()


def test_a_country_decides_for_people_guests_and_those_who_would_be_creators(cast: Cast) -> None:
    to = cast.deployment
    stranger = to.register("stranger", country="FR")
    profile = {"handle": "stranger", "name": "S", "categories": ["ACTOR"], "languages": ["fr"], "country": "FR"}
    with ruled(to, "SHOUTOUTS", countriesOn=["DE", "AT"]) as rule:
        assert (rule["countriesOn"], rule["countriesOff"]) == (["DE", "AT"], [])
        assert off(to, "stranger") == off(to, "anonymous") == {"SHOUTOUTS": "COUNTRY"}
        assert refused(to, "stranger", "creatorRegister", **profile) == ("SHOUTOUTS", "COUNTRY")
        to.ask("anonymous", QUOTE, id=cast.ids["creator_offer"])  # who says that they are in Germany
        to.do("stranger", "userUpdate", "user { id }", country="AT")
        assert off(to, "stranger") == {}
    with ruled(to, "SHOUTOUTS", countriesOff=["AT"], allowUserIds=[stranger]):
        to.do("stranger", "creatorRegister", "creator { id }", **profile)
        to.ask("stranger", QUOTE, id=cast.ids["creator_offer"])


def test_buying_is_off_as_a_whole_or_by_one_provider_and_what_was_paid_is_credited(cast: Cast) -> None:
    to = cast.deployment
    made = to.do("fan", "topUpCreate", "topUp { id }", buy={"coins": "70"}, **PURCHASE)["topUp"]["id"]
    package = to.ask("fan", PACKAGES)["coinPackages"][0]["id"]
    redeemed = {"providerCode": "sandbox", "packageId": package, "proof": "receipt"}
    for terms, what in (({}, "TOPUPS"), ({"provider": "sandbox"}, "sandbox")):
        with ruled(to, "TOPUPS", enabled=False, **terms):
            assert off(to, "fan")[what] == "SWITCHED_OFF"
            assert "sandbox" not in [each["code"] for each in to.ask("fan", WAYS)["topUpProviders"]]
            bought = {"buy": {"coins": "70"}, **PURCHASE}
            assert refused(to, "fan", "topUpCreate", **bought) == ("TOPUPS", "SWITCHED_OFF")
            receipt = to.refuse("fan", "topUpRedeem", **redeemed)
            assert (receipt["code"] == "FEATURE_UNAVAILABLE") == bool(terms), (
                "it was paid: buying as a whole is no reason"
            )
            refusal = to.refuse("fan", "topUpCreate", **(bought | {"providerCode": None}))
            whole = not terms
            assert refusal["code"] == ("FEATURE_UNAVAILABLE" if whole else "PROVIDER_UNAVAILABLE")
            assert to.refuse("fan", "topUpCreate", **bought)["provider"] == (None if whole else "sandbox")
            if whole:
                to.control(f"payments/{made}/pay")
                shown = "query ($id: ID!) { node(id: $id) { ... on TopUp { status } } }"
                cast.until("fan", shown, node=made, wanted="PAID")


def test_codes_are_not_turned_into_coins_while_buying_is_off_and_stay_good(cast: Cast) -> None:
    to = cast.deployment
    to.register("gil")
    (card, code), (_, promo) = shops.card(to, "fan"), shops.coded(to)
    with ruled(to, "TOPUPS", enabled=False):
        why = ("TOPUPS", "SWITCHED_OFF")
        for _ in range(12):  # none counts as a try
            assert refused(to, "gil", "giftCardRedeem", code=code) == why
        assert refused(to, "gil", "promoCodeRedeem", promoCode=promo) == why
        assert refused(to, "fan", "giftCardBuy", coins="70") == why
        to.do("fan", "giftCardCancel", "giftCard { status }", giftCardId=card)
    assert to.refuse("gil", "giftCardRedeem", code=code)["code"] == "CARD_CODE_INVALID"
    assert to.do("gil", "promoCodeRedeem", "coins", promoCode=promo)["coins"] == "5"


def test_payouts_that_are_off_are_refused_and_requested_ones_go_on(cast: Cast) -> None:
    to, waiting = cast.deployment, cast.payout()
    with ruled(to, "PAYOUTS", startsAt="2090-01-01T00:00:00Z"):
        wish = {"coins": "10", "recipientId": cast.ids["creator_recipient"]}
        assert refused(to, "creator", "payoutRequest", **wish) == ("PAYOUTS", "SCHEDULE")
        recipient = {"providerCode": "sandbox-payouts", "label": "More", "ref": "DE00SANDBOX0009"}
        assert refused(to, "creator", "payoutRecipientCreate", **recipient) == ("PAYOUTS", "SCHEDULE")
        to.do("finance", "payoutApprove", "payout { id }", payoutId=waiting["id"])


def test_a_schedule_goes_by_the_clock(cast: Cast) -> None:
    to = cast.deployment
    now = to.app.tools.clock()
    starts, ends = (clock.to_text(now + timedelta(seconds=seconds)) for seconds in (60, 120))
    with ruled(to, "GIFTS", startsAt=starts, endsAt=ends):
        found = []
        for _ in range(3):
            found.append(off(to, "fan").get("GIFTS"))
            to.do("admin", "testClockAdvance", "__typename", seconds=60)
        assert found == ["SCHEDULE", None, "SCHEDULE"]


def test_every_change_says_who_and_why_and_what_it_was_before(cast: Cast) -> None:
    to, fan = cast.deployment, cast.ids["fan"]
    end = to.ask("fan", "{ featureEvents(first: 500) { pageInfo { endCursor hasNextPage } } }")["featureEvents"]
    with to.socket("other_fan") as socket:
        socket.subscribe("feed", STREAM, after=end["pageInfo"]["endCursor"])
        given = to.with_key("featureRuleSet", {"feature": "GIFTS", "reason": "Ten percent", "shareBasisPoints": 1_000})
        first, again = (to.do("admin", "featureRuleSet", RULE, **given) for _ in range(2))
        assert (first["replayed"], again["replayed"]) == (False, True)
        version = first["rule"]["version"]
        stale = to.refuse("admin", "featureRuleSet", feature="GIFTS", reason="Again", expectedVersion=version - 1)
        assert (stale["code"], stale["currentRevision"]) == ("STALE_REVISION", version)
        assert stale["path"] == ["input", "expectedVersion"]
        changed = {"reason": "And Ada not", "denyUserIds": [fan], "expectedVersion": version}
        to.do("admin", "featureRuleSet", RULE, feature="GIFTS", **changed)
        assert to.ask("admin", "{ featureRules { feature version denyUserIds } }")["featureRules"] == [
            {"feature": "GIFTS", "version": version + 1, "denyUserIds": [fan]}
        ]
        to.do("admin", "featureRuleRemove", "feature", feature="GIFTS", reason="For all", expectedVersion=version + 1)
        told = [socket.next("feed")["data"]["featureEvents"] for _ in range(3)]
    assert [(each["version"], each["removed"]) for each in told] == [
        (version, False),
        (version + 1, False),
        (version + 2, True),
    ]
    gone, second, set_first = to.ask("admin", CHANGES)["featureChanges"]["nodes"]
    assert [each["reason"] for each in (gone, second, set_first)] == ["For all", "And Ada not", "Ten percent"]
    assert {each["changedBy"] for each in (gone, second, set_first)} == {"admin-desk"}
    assert set_first["before"] is None
    assert second["before"] == {"version": version, "shareBasisPoints": 1_000, "denyUserIds": []}
    assert second["after"] == {"version": version + 1, "shareBasisPoints": 10_000, "denyUserIds": [fan]}
    assert (gone["before"], gone["after"]) == (second["after"], None)
    missing = to.refuse("admin", "featureRuleRemove", feature="GIFTS", reason="Again")
    assert missing["code"] == "NOT_FOUND"


def test_a_rule_that_says_nothing_sensible_is_refused(cast: Cast) -> None:
    def codes(**given: object) -> list[tuple[str, str]]:
        wish = {"feature": "SHOUTOUTS", "reason": "A test"} | given
        answer = cast.deployment.submit("admin", "featureRuleSet", "replayed", **wish)
        return [(each["path"][-1], each["code"]) for each in answer.value["errors"]]

    fan, nobody = cast.ids["fan"], cast.ids["fan"][:-4] + "0000"
    assert codes(reason=" ") == [("reason", "EMPTY")]
    assert codes(shareBasisPoints=10_001, countriesOn=["XX"]) == [
        ("shareBasisPoints", "OUT_OF_RANGE"),
        ("countriesOn", "INVALID_COUNTRY"),
    ]
    assert codes(provider="sandbox") == [("provider", "NO_PROVIDER")]
    assert codes(feature="TOPUPS", provider="nowhere") == [("provider", "UNKNOWN_PROVIDER")]
    assert codes(startsAt="2030-01-02T00:00:00Z", endsAt="2030-01-01T00:00:00Z") == [("endsAt", "OUT_OF_RANGE")]
    assert codes(allowUserIds=[fan], denyUserIds=[fan]) == [("denyUserIds", "REPEATED")]
    assert codes(allowUserIds=[nobody]) == [("allowUserIds", "NOT_FOUND")]
    assert codes(allowUserIds=["Ada"]) == [("allowUserIds", "INVALID_ID")]


@pytest.mark.postgresql_only
def test_two_servers_on_one_database_see_a_change_at_once(cast: Cast, tmp_path: Path) -> None:
    here = cast.deployment
    beside = Place(here.place.kind, tmp_path)
    (note,) = here.place.folder.glob("books.postgresql")
    (tmp_path / note.name).write_text(note.read_text())
    with open_deployment(beside) as there:
        for who in ("fan", "other_fan"):
            there.let_in(who, there.app.issuer.issue(cast.ids[who], ttl=TOKEN_TTL))
        wish = cast.wish()
        for server, other in ((here, there), (there, here)):
            with ruled(server, "SHOUTOUTS", denyUserIds=[cast.ids["fan"]]):
                assert refused(other, "fan", "orderPlace", **wish) == ("SHOUTOUTS", "LIST")
                assert off(other, "fan") == {"SHOUTOUTS": "LIST"}
            other.do("fan", "orderPlace", "order { id }", **(wish | {"idempotencyKey": f"after-{id(server):016d}"}))
            assert off(other, "fan") == {}
