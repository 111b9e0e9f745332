"""Every room of the API, in the order of the SDL."""

from typing import Final

from shoutgraph.api.graphql import (
    access,
    adjustments,
    audit,
    authenticity,
    card_issues,
    cards,
    catalogue,
    clock,
    closures,
    corrections,
    debts,
    earnings,
    explanations,
    lapses,
    offers,
    packages,
    policies,
    price_lists,
    privacy,
    profiles,
    promotions,
    providers,
    refunds,
    report_events,
    reports,
    resolutions,
    seller_reports,
    statements,
    suspense,
    tax,
    users,
    videos,
    wallets,
)
from shoutgraph.api.graphql.campaigns import room as campaigns
from shoutgraph.api.graphql.endpoints import room as endpoints
from shoutgraph.api.graphql.features import room as features
from shoutgraph.api.graphql.gifts import room as gifts
from shoutgraph.api.graphql.orders import room as orders
from shoutgraph.api.graphql.payouts import room as payouts
from shoutgraph.api.graphql.ratings import room as ratings
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.graphql.spending import room as spending
from shoutgraph.api.graphql.topups import room as topups
from shoutgraph.api.graphql.waitlist import room as waitlist

ROOMS: Final[tuple[Room, ...]] = (
    users.ROOM,
    privacy.ROOM,
    closures.ROOM,
    reports.ROOM,
    report_events.ROOM,
    catalogue.ROOM,
    profiles.ROOM,
    offers.ROOM,
    packages.ROOM,
    topups.ROOM,
    wallets.ROOM,
    lapses.ROOM,
    statements.ROOM,
    spending.ROOM,
    orders.ROOM,
    waitlist.ROOM,
    campaigns.ROOM,
    ratings.ROOM,
    videos.ROOM,
    authenticity.ROOM,
    gifts.ROOM,
    earnings.ROOM,
    payouts.ROOM,
    tax.ROOM,
    seller_reports.ROOM,
    providers.ROOM,
    refunds.ROOM,
    adjustments.ROOM,
    debts.ROOM,
    card_issues.ROOM,
    corrections.ROOM,
    suspense.ROOM,
    resolutions.ROOM,
    cards.ROOM,
    promotions.ROOM,
    price_lists.ROOM,
    policies.ROOM,
    explanations.ROOM,
    features.ROOM,
    endpoints.ROOM,
    access.ROOM,
    audit.ROOM,
    clock.ROOM,
)
