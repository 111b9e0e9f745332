"""Coin prices: what is on sale where, price lists that are published for now or later, and their history."""

from shoutgraph.services.packages.load import Loaded
from shoutgraph.services.packages.publish import (
    LISTS,
    Draft,
    MarketPrices,
    apply_due,
    load,
    market_of,
    page,
    publish,
    versions,
    warnings_of,
    withdraw,
)
from shoutgraph.services.packages.rates import (
    Quoted,
    page_of_rates,
    publish_rate,
    rate_at,
    revalue,
    revalue_today,
    scope_of_rates,
)
from shoutgraph.services.packages.read import OnSale, list_by_id, list_of_market, on_sale, price

__all__ = [
    "LISTS",
    "Draft",
    "Loaded",
    "MarketPrices",
    "OnSale",
    "Quoted",
    "apply_due",
    "list_by_id",
    "list_of_market",
    "load",
    "market_of",
    "on_sale",
    "page",
    "page_of_rates",
    "price",
    "publish",
    "publish_rate",
    "rate_at",
    "revalue",
    "revalue_today",
    "scope_of_rates",
    "versions",
    "warnings_of",
    "withdraw",
]
