"""Prices of a shop that nobody else in these tests buys from."""

import json
from importlib import resources
from typing import Any, Final

from tests.api.deployment import Deployment

LATER: Final = "2999-01-01T00:00:00Z"
RATES: Final = (
    "query ($of: CurrencyCode!) { exchangeRates(currency: $of, first: 1) { nodes { version numerator denominator } } }"
)
NEWEST: Final = "{ priceLists(first: 1) { nodes { version status } } }"


def market(country: str = "JP", **prices: str) -> dict[str, Any]:
    """Prices of a country: what a package of so many coins costs, as `c70="100"`."""
    return {
        "countries": [country],
        "currency": "JPY",
        "platforms": ["WEB"],
        "unit": {"priceMinorUnits": "9", "perCoins": "5", "coinsMin": "35", "coinsMax": "200000"},
        "packages": [
            {"coins": name[1:], "priceMinorUnits": minor} for name, minor in (prices or {"c70": "130"}).items()
        ],
    }


def newest(to: Deployment) -> dict[str, Any]:
    """The newest price list."""
    found: list[dict[str, Any]] = to.ask("admin", NEWEST)["priceLists"]["nodes"]
    return found[0] if found else {"version": 0, "status": None}


def published(to: Deployment) -> dict[str, Any]:
    """The input of pricePublish: a list for a time that never comes."""
    at = newest(to)
    while at["status"] == "SCHEDULED":
        to.do("admin", "priceWithdraw", "priceList { status }", version=at["version"])
        at = newest(to)
    return {"expectedVersion": at["version"], "markets": [market()], "reason": "We tried.", "effectiveAt": LATER}


def scheduled(to: Deployment) -> int:
    """The version of a scheduled list."""
    made = to.do("admin", "pricePublish", "priceList { version }", **published(to))
    return int(made["priceList"]["version"])


def everything(**changed: str) -> list[dict[str, Any]]:
    """The demo's prices as pricePublish takes them; `c7000="11999"` is another price for browsers in the euro area."""
    given = json.loads(resources.files("shoutgraph.services").joinpath("seed_prices.json").read_text())
    return [_market(each, changed if at == 0 else {}) for at, each in enumerate(given["markets"])]


def _market(of: dict[str, Any], changed: dict[str, str]) -> dict[str, Any]:
    unit = of["unit"]
    names = {
        "priceMinorUnits": "price_minor",
        "perCoins": "per_coins",
        "coinsMin": "coins_min",
        "coinsMax": "coins_max",
    }
    return {
        "countries": of["countries"],
        "currency": of["currency"],
        "platforms": of["platforms"],
        "unit": {name: str(unit[key]) for name, key in names.items()},
        "packages": [
            {
                "coins": coins,
                "priceMinorUnits": changed.get(f"c{coins}", str(minor)),
                "bonusCoins": str(of["bonus"].get(coins, 0)),
            }
            for coins, minor in of["packages"].items()
        ],
    }


def promotion(**changes: object) -> dict[str, Any]:
    """The input of promoCreate: five granted coins, for one use a person."""
    return {"label": "A treat", "kind": "GRANT", "amount": "5", "reason": "We tried.", **changes}


def coded(to: Deployment, **changes: object) -> tuple[str, str]:
    """A new promotion and its code."""
    given = promotion(**({"codeCount": 1} | changes))
    made = to.do("finance", "promoCreate", "promotion { id } codes", **given)
    return made["promotion"]["id"], made["codes"][0]


def card(to: Deployment, who: str = "fan", **changes: object) -> tuple[str, str]:
    """A new gift card and its code."""
    made = to.do(who, "giftCardBuy", "giftCard { id } code", **({"coins": "70"} | changes))
    return made["giftCard"]["id"], made["code"]


def rated(to: Deployment, currency: str = "USD", **changes: object) -> dict[str, Any]:
    """The input of priceRatePublish: the newest rate of a currency once more."""
    (newest, *_) = to.ask("finance", RATES, of=currency)["exchangeRates"]["nodes"]
    given = {"currency": currency, "expectedVersion": newest["version"], "source": "a bank"}
    given |= {"numerator": newest["numerator"], "denominator": newest["denominator"]}
    return {**given, "observedAt": "2026-01-01T00:00:00Z", **changes}
