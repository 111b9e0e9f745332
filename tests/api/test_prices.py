"""Prices that staff publish: in force at once, kept by what was begun, warned of where they look wrong, all kept."""

from typing import Any

from tests.api import shops
from tests.api.cast import PURCHASE, Cast

SOLD = '{ coinPackages(country: "DE", currency: "EUR") { id version coins bonusCoins price { minorUnits } } }'
SHAPE = "priceList { version status warnings { hole coins country message } reason packageCount } replayed"


def sold(cast: Cast) -> dict[str, dict[str, Any]]:
    return {each["coins"]: each for each in cast.deployment.ask("fan", SOLD)["coinPackages"]}


def publish(cast: Cast, reason: str = "Autumn", **changed: str) -> dict[str, Any]:
    newest = shops.newest(cast.deployment)
    if newest["status"] == "SCHEDULED":
        cast.deployment.do("admin", "priceWithdraw", "priceList { status }", version=newest["version"])
    given = {"expectedVersion": newest["version"], "markets": shops.everything(**changed), "reason": reason}
    made: dict[str, Any] = cast.deployment.do("admin", "pricePublish", SHAPE, **given)["priceList"]
    return made


def test_the_seven_packages_are_sold_and_a_new_price_is_a_new_version(cast: Cast) -> None:
    to = cast.deployment
    before = sold(cast)
    assert list(before) == ["70", "350", "700", "1400", "3500", "7000", "17500"]
    assert before["7000"]["price"] == {"minorUnits": "10999"}
    same = publish(cast)
    assert (same["status"], same["warnings"]) == ("APPLIED", [])
    assert sold(cast) == before, "what did not change is no new version"

    made = publish(cast, c7000="12999")
    assert [(each["hole"], each["coins"]) for each in made["warnings"] if each["country"] == "DE"] == [
        ("SMALLER_IS_CHEAPER", "7000"),
        ("EXACT_IS_CHEAPER", "7000"),
    ]
    after = sold(cast)
    assert after["7000"] == before["7000"] | {
        "id": after["7000"]["id"],
        "version": before["7000"]["version"] + 1,
        "price": {"minorUnits": "12999"},
    }
    assert after["70"] == before["70"]

    now = {"code": "PRICE_CHANGED", "currentPriceMinorUnits": "12999", "currency": "EUR"}
    gone = to.refuse("fan", "topUpCreate", buy={"packageId": before["7000"]["id"]}, **PURCHASE)
    assert (gone | now, gone["path"]) == (gone, ["input", "expectedPriceMinorUnits"])
    given = {"buy": {"packageId": after["7000"]["id"]}, **PURCHASE}
    seen = to.refuse("fan", "topUpCreate", expectedPriceMinorUnits="10999", **given)
    assert seen | now == seen
    shape = "topUp { price { minorUnits } discount { minorUnits } }"
    bought = to.do("fan", "topUpCreate", shape, expectedPriceMinorUnits="12999", **given)
    assert bought["topUp"] == {"price": {"minorUnits": "12999"}, "discount": {"minorUnits": "0"}}

    history = "query ($of: Int!) { priceListMarket(version: $of, %s) { packages { coins price { minorUnits } } } }"
    history %= 'country: "AT", currency: "EUR"'  # a country without prices of its own
    for version, minor in ((same["version"], "10999"), (made["version"], "12999")):
        read = to.ask("finance", history, of=version)["priceListMarket"]["packages"]
        assert [each["price"]["minorUnits"] for each in read if each["coins"] == "7000"] == [minor]
    stale = {"expectedVersion": same["version"], "markets": shops.everything(), "reason": "Late"}
    assert to.refuse("admin", "pricePublish", **stale)["code"] == "STALE_REVISION"
    publish(cast)


def test_a_list_that_contradicts_itself_is_refused_whole(cast: Cast) -> None:
    to = cast.deployment
    given = shops.published(to)
    for markets, code in (
        ([shops.market(), shops.market()], "REPEATED"),
        ([shops.market("XX")], "INVALID_COUNTRY"),
        ([shops.market() | {"currency": "KWD"}], "NO_RATE"),
        ([shops.market(c70="0")], "OUT_OF_RANGE"),
        ([], "TOO_FEW"),
    ):
        assert to.refuse("admin", "pricePublish", **(given | {"markets": markets}))["code"] == code
    past = to.refuse("admin", "pricePublish", **(given | {"effectiveAt": "2020-01-01T00:00:00Z"}))
    assert (past["code"], past["path"]) == ("OUT_OF_RANGE", ["input", "effectiveAt"])
