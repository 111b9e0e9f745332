"""The ways to pay that fit a purchase, as the installed plugins declare them."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from shoutgraph import sdk
from shoutgraph.domain import errors, packages
from shoutgraph.domain.packages import Market
from shoutgraph.domain.users import Viewer
from shoutgraph.storage import packages as package_rows, users
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

NOT_SENT: Final = "ranking"


class Intake(StrEnum):
    """How a provider takes money."""

    PAGE = "PAGE"
    STORE = "STORE"


@dataclass(frozen=True, slots=True)
class Way:
    """One way to pay."""

    code: str
    label: str
    intake: Intake


_INTAKES: Final = {sdk.Intake.CREATE: Intake.PAGE, sdk.Intake.REDEEM: Intake.STORE}


async def list_of(tools: Tools, viewer: Viewer, market: Market, coins: int) -> tuple[Way, ...]:
    """The ways to pay for so many coins in a market, the recommended one first.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person.
        NotFoundError: coins are not sold there.
        ValidationError: fewer or more coins than are sold at once.
    """
    user_id = viewer.require_user()

    def price_of(tx: Tx) -> sdk.Money:
        users.get(tx, user_id)
        for package in package_rows.list_of_market(tx, market):
            if package.coins == coins:
                return sdk.Money(package.price.minor, package.price.currency)
        unit = package_rows.find_unit_price(tx, market)
        if unit is None:
            msg = "Coins are not sold in this country, currency and platform."
            raise errors.NotFoundError(msg, path=("country",))
        price = packages.price_of(unit, coins).price
        return sdk.Money(price.minor, price.currency)

    price = await tools.store.read(price_of)
    found = {code: way for code, way in sorted(tools.providers.topups.items()) if suits(way.caps, market, price)}
    request = _request_to_rank(user_id, market, price)
    ranked = tools.providers.hooks.rank_topup(request, tuple(found))
    return tuple(Way(code, found[code].plugin.label, _INTAKES[found[code].caps.intake]) for code in ranked)


def suits(caps: sdk.TopUpCaps, market: Market, price: sdk.Money) -> bool:
    """Whether a provider takes this payment."""
    if caps.intake is not sdk.Intake.CREATE or price.currency not in caps.currencies:
        return False
    if caps.countries is not None and market.country not in caps.countries:
        return False
    low, high = caps.limits.get(price.currency, (1, price.minor))
    return low <= price.minor <= high and price.minor % caps.granularity.get(price.currency, 1) == 0


def _request_to_rank(user_id: str, market: Market, price: sdk.Money) -> sdk.TopUpRequest:
    """What the fan is about to ask; no provider sees it."""
    return sdk.TopUpRequest(
        call=sdk.Call(operation_id=NOT_SENT, idempotency_key=NOT_SENT, timeout=timedelta()),
        amount=price,
        customer_ref=user_id,
        country=market.country,
        locale="en",
        return_url="",
        cancel_url="",
        webhook_url="",
        descriptor="",
    )
