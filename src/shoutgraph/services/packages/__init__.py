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
from shoutgraph.services.packages.rates import Quoted, publish_rate, rate_at, rates_of, revalue, revalue_today
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
    "price",
    "publish",
    "publish_rate",
    "rate_at",
    "rates_of",
    "revalue",
    "revalue_today",
    "versions",
    "warnings_of",
    "withdraw",
]
