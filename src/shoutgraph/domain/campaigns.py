"""Campaigns: for a while, some of a creator's offers at other terms, and perhaps only so many of them.

A campaign's terms never change, and an order keeps those it was placed under. What may change is when it ends and how
many orders it takes. A fee of its own needs the word of a second person.
Units: `_coins` coins, `_bps` basis points, `_s` seconds.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from shoutgraph.domain import errors, ids, money
from shoutgraph.domain.checks import Checks, tidy
from shoutgraph.domain.creators import OFFERS_MAX, Offer
from shoutgraph.domain.orders.order import NOTE_CHARS_MAX, Terms
from shoutgraph.domain.policies import DAY_S, HOUR_S, Policy
from shoutgraph.domain.users import Scope, Viewer

NAME_CHARS_MAX: Final = 80
COUNTRIES_MAX: Final = 30
LENGTH_MAX: Final = timedelta(days=366)
ORDERS_MAX: Final = 1_000_000
DISCOUNT_MAX_BPS: Final = 9_000
ACCEPT_MAX_S: Final = 30 * DAY_S
DELIVERY_MAX_S: Final = 90 * DAY_S
SHOWN_MAX: Final = 5
"""Campaigns that a profile shows; the others are in the list of them."""
PATH: Final = ("input", "campaignId")
KEEPERS: Final = (Scope.CATALOGUE_MANAGE, Scope.FINANCE_MANAGE)
"""Who sees everybody's campaigns, decided or not."""


class Standing(StrEnum):
    """What became of a proposal; a campaign without a fee of its own needs none."""

    PROPOSED = "PROPOSED"
    APPROVED = "APPROVED"
    DENIED = "DENIED"


class CampaignState(StrEnum):
    """Where a campaign stands at a time."""

    PROPOSED = "PROPOSED"
    DENIED = "DENIED"
    SCHEDULED = "SCHEDULED"
    ACTIVE = "ACTIVE"
    SOLD_OUT = "SOLD_OUT"
    ENDED = "ENDED"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a campaign is to be. It has a price for all its offers, a discount, or the offers' own prices.

    `accept_s`, `delivery_s` and `fee_bps` stand instead of the policy's and the offer's where they are given;
    `countries` are those of its fans, all where there are none.
    """

    name: str
    starts_at: datetime
    ends_at: datetime
    offer_ids: tuple[str, ...]
    price_coins: int | None = None
    discount_bps: int | None = None
    accept_s: int | None = None
    delivery_s: int | None = None
    fee_bps: int | None = None
    orders_max: int | None = None
    countries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign as it stands. `orders_count` is how many orders were placed in it, whatever became of them."""

    id: ids.CampaignId
    revision: int
    creator_id: ids.CreatorId
    name: str
    starts_at: datetime
    ends_at: datetime
    offer_ids: tuple[str, ...]
    price_coins: int | None
    discount_bps: int | None
    accept_s: int | None
    delivery_s: int | None
    fee_bps: int | None
    orders_max: int | None
    countries: tuple[str, ...]
    standing: Standing
    proposed_by: str
    created_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    note: str | None = None
    ended_at: datetime | None = None
    orders_count: int = 0

    def state(self, now: datetime) -> CampaignState:
        """Where it stands at a time."""
        if self.standing is Standing.DENIED:
            return CampaignState.DENIED
        if self.ended_at is not None or self.ends_at <= now:
            return CampaignState.ENDED
        if self.standing is Standing.PROPOSED:
            return CampaignState.PROPOSED
        if now < self.starts_at:
            return CampaignState.SCHEDULED
        full = self.orders_max is not None and self.orders_count >= self.orders_max
        return CampaignState.SOLD_OUT if full else CampaignState.ACTIVE

    def visible(self, viewer: Viewer) -> bool:
        """Whether the viewer may see it: everybody one that is approved, its creator and staff any."""
        return self.standing is Standing.APPROVED or viewer.creator_id == self.creator_id or viewer.has(*KEEPERS)

    def price_of(self, offer: Offer) -> int:
        """What one of its offers costs in it, without surcharges; a discount is rounded down. Units: coins."""
        if self.price_coins is not None:
            return self.price_coins
        return offer.price_coins - money.share(offer.price_coins, self.discount_bps or 0)


@dataclass(frozen=True, slots=True)
class Piece:
    """An order's place in a campaign: the number among its orders, from 1."""

    order_id: ids.OrderId
    campaign_id: ids.CampaignId
    number: int
    placed_at: datetime


@dataclass(frozen=True, slots=True)
class Origin:
    """A new campaign's id, whose it is, and who proposed it."""

    campaign_id: ids.CampaignId
    creator_id: ids.CreatorId
    by: str


def propose(plan: Plan, offers: Collection[str], *, origin: Origin, policy: Policy, now: datetime) -> Campaign:
    """A new campaign of a creator who has these offers. With a fee of its own it waits for approval.

    Raises:
        NotFoundError: the creator has no such offer.
        ValidationError: something breaks a rule (an `ExceptionGroup` where several do).
    """
    if not set(plan.offer_ids) <= set(offers):
        raise errors.NotFoundError("There is no such offer.", path=("input", "offerIds"))
    tidied = replace(plan, name=tidy(plan.name))
    checks = Checks()
    checks.text("name", tidied.name, chars_max=NAME_CHARS_MAX)
    _check_window(checks, tidied.starts_at, tidied.ends_at, now)
    checks.count("offerIds", tidied.offer_ids, 1, OFFERS_MAX)
    _check_numbers(checks, tidied, policy)
    checks.count("countries", tidied.countries, 0, COUNTRIES_MAX)
    for country in tidied.countries[:COUNTRIES_MAX]:
        checks.country("countries", country)
    checks.settle()
    given: dict[str, Any] = {name: getattr(tidied, name) for name in Plan.__slots__}
    return Campaign(
        id=origin.campaign_id,
        revision=1,
        creator_id=origin.creator_id,
        **given,
        standing=Standing.APPROVED if tidied.fee_bps is None else Standing.PROPOSED,
        proposed_by=origin.by,
        created_at=now,
    )


def change(was: Campaign, *, ends_at: datetime | None, orders_max: int | None, now: datetime) -> Campaign:
    """Another end, or another number of orders; None leaves it. Orders in it keep their terms.

    With a fee of its own it can only be made shorter and smaller: how long and for how many orders was approved too.

    Raises:
        ValidationError: it has ended or was denied, the end is past or too far away, more orders are in it, or it has a
            fee of its own and is made larger.
    """
    _check_open(was, now)
    checks = Checks()
    if ends_at is not None:
        _check_window(checks, was.starts_at, ends_at, now)
    if orders_max is not None:
        checks.between("ordersMax", orders_max, max(1, was.orders_count), ORDERS_MAX)
    if was.fee_bps is not None:
        larger = {
            "endsAt": (ends_at or was.ends_at) > was.ends_at,
            "ordersMax": was.orders_max is not None and (orders_max or 0) > was.orders_max,
        }
        for name in (name for name, is_larger in larger.items() if is_larger):
            checks.add(name, "Its fee was asked for up to here: propose another campaign.", "OUT_OF_RANGE")
    checks.settle()
    after = replace(was, ends_at=ends_at or was.ends_at, orders_max=orders_max or was.orders_max)
    return was if after == was else replace(after, revision=was.revision + 1)


def end(was: Campaign, now: datetime) -> Campaign:
    """Ends it at once; one that has ended stays so."""
    over = was.state(now) in {CampaignState.ENDED, CampaignState.DENIED}
    return was if over else replace(was, revision=was.revision + 1, ended_at=now)


def decide(was: Campaign, standing: Standing, *, by: str, note: str | None, now: datetime) -> Campaign:
    """Approves or denies a fee that somebody else proposed.

    Raises:
        ForbiddenError: the same person proposed it.
        ValidationError: it is decided already, has ended, or the note is empty or overlong.
    """
    if was.standing is standing and was.decided_by == by:
        return was
    if was.state(now) is not CampaignState.PROPOSED:
        raise errors.ValidationError(
            "It is decided already, or over.", code="CAMPAIGN_STATE", path=("input", "campaignId")
        )
    if was.proposed_by == by:
        raise errors.ForbiddenError("Another person decides about it.", code="SAME_PERSON")
    if note is not None:
        checks = Checks()
        checks.text("note", note, chars_max=NOTE_CHARS_MAX, lines=True)
        checks.settle()
    return replace(was, revision=was.revision + 1, standing=standing, decided_by=by, decided_at=now, note=note)


def check_order(
    campaign: Campaign, offer: Offer, *, country: str | None, now: datetime, path: tuple[str, ...] = PATH
) -> None:
    """Refuses an order in a campaign that does not take it, where `country` is the fan's and `path` names the campaign.

    Raises:
        NotFoundError: it is of another creator, or not approved.
        CampaignUnavailableError: it has not begun, has ended, is full, or is not for this offer or country.
    """
    state = campaign.state(now)
    if campaign.creator_id != offer.creator_id or campaign.standing is not Standing.APPROVED:
        raise errors.NotFoundError("There is no such campaign.", path=path)
    if state is CampaignState.SCHEDULED:
        raise _refusal("CAMPAIGN_NOT_STARTED", "The campaign has not begun.", state, path)
    if state is CampaignState.ENDED:
        raise _refusal("CAMPAIGN_ENDED", "The campaign has ended.", state, path)
    if state is CampaignState.SOLD_OUT:
        raise _refusal("CAMPAIGN_FULL", "The campaign has no orders left.", state, path)
    if offer.id not in campaign.offer_ids:
        raise _refusal("CAMPAIGN_OFFER", "This offer is not in the campaign.", state, path)
    if campaign.countries and country not in campaign.countries:
        raise _refusal("CAMPAIGN_COUNTRY", "The campaign is not for your country.", state, path)


def apply(campaign: Campaign, terms: Terms, offer: Offer) -> Terms:
    """The terms of an order that is placed in the campaign; a fast delivery keeps its own time."""
    own_time = campaign.delivery_s is not None and not terms.express
    return replace(
        terms,
        fee_bps=terms.fee_bps if campaign.fee_bps is None else campaign.fee_bps,
        base_coins=campaign.price_of(offer),
        delivery_s=campaign.delivery_s if campaign.delivery_s is not None and own_time else terms.delivery_s,
        campaign_id=campaign.id,
        list_coins=terms.base_coins,
        accept_s=campaign.accept_s,
    )


def _refusal(code: str, message: str, state: CampaignState, path: tuple[str, ...]) -> errors.CampaignUnavailableError:
    return errors.CampaignUnavailableError(message, code=code, state=state.value, path=path)


def _check_open(campaign: Campaign, now: datetime) -> None:
    if campaign.state(now) in {CampaignState.ENDED, CampaignState.DENIED}:
        raise errors.ValidationError("The campaign is over.", code="CAMPAIGN_STATE", path=("input", "campaignId"))


def _check_window(checks: Checks, starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    if not max(starts_at, now) < ends_at <= starts_at + LENGTH_MAX:
        checks.add("endsAt", "endsAt is in the future, after startsAt and at most a year after it.", "OUT_OF_RANGE")


def _check_numbers(checks: Checks, plan: Plan, policy: Policy) -> None:
    if plan.price_coins is not None and plan.discount_bps is not None:
        checks.add("discountBasisPoints", "Give a price or a discount, not both.", "CAMPAIGN_PRICE")
    for name, value, low, high in (
        ("price", plan.price_coins, policy.price_min_coins, policy.price_max_coins),
        ("discountBasisPoints", plan.discount_bps, 1, DISCOUNT_MAX_BPS),
        ("acceptSeconds", plan.accept_s, HOUR_S, ACCEPT_MAX_S),
        ("deliverySeconds", plan.delivery_s, HOUR_S, DELIVERY_MAX_S),
        ("feeBasisPoints", plan.fee_bps, 0, money.BPS - 1),
        ("ordersMax", plan.orders_max, 1, ORDERS_MAX),
    ):
        if value is not None:
            checks.between(name, value, low, high)
