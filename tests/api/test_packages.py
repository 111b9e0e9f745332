"""Coin prices and quotes through the front door."""

from collections.abc import Iterator

import pytest
from tests.api.shop import Shop, open_shop
from tests.storage.databases import Place

from shoutgraph.domain.users import SYSTEM
from shoutgraph.services import packages, seeds

MONEY = "{ minorUnits currency exponent }"
PACKAGES = f"""query($country: String!, $currency: CurrencyCode!, $platform: Platform! = WEB) {{
  coinPackages(country: $country, currency: $currency, platform: $platform) {{ id version coins bonusCoins country
  platform price {MONEY} rate {{ currency bookCurrency version numerator denominator }} }} }}"""
PRICE = f"""query($coins: Coins!, $country: String!, $currency: CurrencyCode!) {{
  coinPrice(coins: $coins, country: $country, currency: $currency) {{ coins price {MONEY} coinsMin coinsMax }} }}"""
QUOTE = f"""query($id: ID!, $express: Boolean! = false, $currency: CurrencyCode! = "EUR") {{
  quote(offerId: $id, express: $express, country: "DE", currency: $currency) {{ base express total
  money {MONEY} missingCoins topUpCoins missingMoney {MONEY} acceptSeconds deliverySeconds
  split {{ fee earning }} policy {{ version }} offer {{ title }} creator {{ handle }} }} }}"""
EUR = {"country": "DE", "currency": "EUR"}


@pytest.fixture(scope="module")
def shop(module_place: Place) -> Iterator[Shop]:
    with open_shop(module_place) as shop:
        shop.world.run(packages.load(shop.world.tools, SYSTEM, seeds.read_prices()))
        yield shop


def money(minor: int, currency: str = "EUR", exponent: int = 2) -> dict[str, object]:
    return {"minorUnits": str(minor), "currency": currency, "exponent": exponent}


def test_packages_are_sold_by_country_currency_and_platform(shop: Shop) -> None:
    guest = shop.client()
    german = {each["coins"]: each for each in guest.data(PACKAGES, **EUR)["coinPackages"]}
    assert list(german) == ["70", "350", "700", "1400", "3500", "7000", "17500"]
    assert german["7000"]["price"] == money(10_999)
    assert (german["17500"]["bonusCoins"], german["7000"]["bonusCoins"]) == ("250", "0")
    app = {each["coins"]: each for each in guest.data(PACKAGES, **EUR, platform="IOS")["coinPackages"]}
    assert app["7000"]["price"] == money(13_999)
    yen = guest.data(PACKAGES, country="JP", currency="JPY")["coinPackages"]
    assert yen[0]["price"] == money(189, "JPY", 0)
    assert yen[0]["rate"] == {
        "currency": "JPY",
        "bookCurrency": "EUR",
        "version": 1,
        "numerator": "56",
        "denominator": "1",
    }


def test_a_country_without_prices_of_its_own_gets_those_of_everywhere_else(shop: Shop) -> None:
    austrian = shop.client().data(PACKAGES, country="AT", currency="EUR")["coinPackages"]
    assert (austrian[0]["country"], austrian[0]["price"]) == ("ZZ", money(110))
    assert shop.client().data(PACKAGES, country="AT", currency="CHF")["coinPackages"] == []
    assert shop.client().code(PACKAGES, country="Austria", currency="EUR") == "BAD_USER_INPUT"


def test_an_exact_number_of_coins_has_a_price(shop: Shop) -> None:
    guest = shop.client()
    assert guest.data(PRICE, coins="7000", **EUR)["coinPrice"] == {
        "coins": "7000",
        "price": money(11_000),
        "coinsMin": "35",
        "coinsMax": "200000",
    }
    assert guest.data(PRICE, coins=36, **EUR)["coinPrice"]["price"] == money(57)
    assert guest.code(PRICE, coins=34, **EUR) == "BAD_USER_INPUT"
    assert guest.code(PRICE, coins=100, country="DE", currency="CHF") == "NOT_FOUND"


def test_a_package_is_a_node_even_after_its_price_changed(shop: Shop) -> None:
    guest = shop.client()
    node = "query($id: ID!) { node(id: $id) { ... on CoinPackage { coins version } } }"
    package = guest.data(PACKAGES, **EUR)["coinPackages"][0]
    assert guest.data(node, id=package["id"])["node"] == {"coins": "70", "version": 1}


def test_a_quote_names_coins_money_and_what_is_missing(shop: Shop) -> None:
    _, _, offer = shop.world.creator("nova")
    shop.world.give_coins(shop.world.person("ada"), 300, promo=100)
    ada = shop.person("ada")
    quote = ada.data(QUOTE, id=offer.id, express=True)["quote"]
    assert quote == {
        "base": "1000",
        "express": "200",
        "total": "1200",
        "money": money(1886),
        "missingCoins": "800",
        "topUpCoins": "800",
        "missingMoney": money(1258),
        "acceptSeconds": 259_200,
        "deliverySeconds": 86_400,
        "split": {"fee": "360", "earning": "840"},
        "policy": {"version": 1},
        "offer": {"title": "A song"},
        "creator": {"handle": "nova"},
    }
    guest = shop.client().data(QUOTE, id=offer.id)["quote"]
    assert (guest["missingCoins"], guest["total"], guest["express"]) == ("1000", "1000", "0")
    unsold = ada.data(QUOTE, id=offer.id, currency="CHF")["quote"]
    assert (unsold["money"], unsold["topUpCoins"], unsold["missingMoney"]) == (None, None, None)
    shop.world.give_coins(shop.world.person("ada"), 600)
    rich = ada.data(QUOTE, id=offer.id)["quote"]
    assert (rich["missingCoins"], rich["topUpCoins"], rich["missingMoney"]) == ("0", None, None)


def test_a_quote_that_cannot_be_is_refused(shop: Shop) -> None:
    _, _, offer = shop.world.creator("rigel", express_coins=None)
    guest = shop.client()
    assert guest.code(QUOTE, id=offer.id, express=True) == "BAD_USER_INPUT"
    assert guest.code(QUOTE, id="offer_00000000000000000000000000") == "NOT_FOUND"
    assert guest.code(QUOTE, id="x") == "BAD_USER_INPUT"
