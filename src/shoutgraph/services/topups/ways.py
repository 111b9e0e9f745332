"""The ways to pay that fit a purchase, as the installed plugins declare them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from shoutgraph import sdk
from shoutgraph.domain import errors, ids, packages
from shoutgraph.domain.features import WHOLE, Feature, Reason
from shoutgraph.domain.money import Money
from shoutgraph.domain.packages import Market, Platform
from shoutgraph.domain.users import Viewer
from shoutgraph.storage import features, packages as package_rows, users
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

NOT_SENT: Final = "ranking"


class Intake(StrEnum):
    """How a provider takes money."""

    PAGE = "PAGE"
    STORE = "STORE"


class Refunds(StrEnum):
    """Which refunds a provider makes, and who starts them."""

    NONE = "NONE"
    FULL = "FULL"
    PARTIAL = "PARTIAL"
    EXTERNAL = "EXTERNAL"


@dataclass(frozen=True, slots=True)
class Way:
    """One way to pay. `low` and `high` are the least and the most that it takes at once, None where it says nothing."""

    code: str
    label: str
    intake: Intake
    refunds: Refunds
    low: Money | None
    high: Money | None
    product: str | None = None


_INTAKES: Final = {sdk.Intake.CREATE: Intake.PAGE, sdk.Intake.REDEEM: Intake.STORE}
_REFUNDS: Final = {
    sdk.Refunds.NONE: Refunds.NONE,
    sdk.Refunds.FULL: Refunds.FULL,
    sdk.Refunds.PARTIAL: Refunds.PARTIAL,
    sdk.Refunds.EXTERNAL: Refunds.EXTERNAL,
}


async def list_of(tools: Tools, viewer: Viewer, market: Market, coins: int) -> tuple[Way, ...]:
    """The ways to pay for so many coins in a market that are on for the viewer, the recommended one first.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person.
        NotFoundError: coins are not sold there.
        ValidationError: fewer or more coins than are sold at once.
    """
    user_id = viewer.require_user()

    def price_of(tx: Tx) -> tuple[sdk.Money, str | None, Mapping[str, Reason]]:
        users.get(tx, user_id)
        off = features.providers_off(tx, Feature.TOPUPS, user_id)
        for package in package_rows.list_of_market(tx, market):
            if package.coins == coins:
                return sdk.Money(package.price.minor, package.price.currency), package.product, off
        unit = package_rows.find_unit_price(tx, market)
        if unit is None:
            msg = "Coins are not sold in this country, currency and platform."
            raise errors.NotFoundError(msg, path=("country",))
        price = packages.price_of(unit, coins).price
        return sdk.Money(price.minor, price.currency), None, off

    price, product, off = await tools.store.read(price_of)
    found = []
    for code in on(_ranked(tools, user_id, market, price, product), off):
        way = tools.providers.topups[code]
        low, high = way.caps.limits.get(price.currency, (None, None))
        found.append(
            Way(
                code=code,
                label=way.plugin.label,
                intake=_INTAKES[way.caps.intake],
                refunds=_REFUNDS[way.caps.refunds],
                low=None if low is None else Money(low, price.currency),
                high=None if high is None else Money(high, price.currency),
                product=product if way.caps.intake is sdk.Intake.REDEEM else None,
            )
        )
    return tuple(found)


def on(codes: tuple[str, ...], off: Collection[str]) -> tuple[str, ...]:
    """Those of these providers that are on, where `off` names what is not: some of them, or everything."""
    return () if WHOLE in off else tuple(code for code in codes if code not in off)


def chosen(tools: Tools, user_id: ids.UserId, market: Market, price: sdk.Money) -> tuple[str, ...]:
    """Who should take a payment, the first choice first: by the routes, and as plugins rank them."""
    return _ranked(tools, user_id, market, price, None)


def routed(tools: Tools, user_id: ids.UserId, market: Market, price: sdk.Money) -> tuple[str, ...]:
    """Who may take a payment by the routes, whatever plugins say of it."""
    providers = tools.providers
    return tuple(
        code
        for code in providers.routes.candidates(market, user_id)
        if (way := providers.topups.get(code)) and suits(way.caps, market, price)
    )


def suits(caps: sdk.TopUpCaps, market: Market, price: sdk.Money) -> bool:
    """Whether a provider takes this payment on a page or in a form of its own."""
    return caps.intake is sdk.Intake.CREATE and _takes(caps, market, price)


def redeems(caps: sdk.TopUpCaps, market: Market, price: sdk.Money) -> bool:
    """Whether a provider redeems receipts for this payment."""
    on_a_phone = market.platform is not Platform.WEB
    return caps.intake is sdk.Intake.REDEEM and on_a_phone and _takes(caps, market, price)


def _takes(caps: sdk.TopUpCaps, market: Market, price: sdk.Money) -> bool:
    if price.currency not in caps.currencies:
        return False
    if caps.countries is not None and market.country not in caps.countries:
        return False
    low, high = caps.limits.get(price.currency, (1, price.minor))
    return low <= price.minor <= high and price.minor % caps.granularity.get(price.currency, 1) == 0


def _ranked(
    tools: Tools, user_id: ids.UserId, market: Market, price: sdk.Money, product: str | None
) -> tuple[str, ...]:
    """What fits, in the order of the routes and then of the plugin that ranks."""
    providers = tools.providers
    found = []
    for code in providers.routes.candidates(market, user_id):
        way = providers.topups.get(code)
        if way is None:
            continue
        if suits(way.caps, market, price) or (product is not None and redeems(way.caps, market, price)):
            found.append(code)
    return providers.hooks.rank_topup(_request_to_rank(user_id, market, price), tuple(found))


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
