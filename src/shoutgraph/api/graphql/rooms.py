"""Every room of the API, in the order of the SDL."""

from typing import Final

from shoutgraph.api.graphql import access, catalogue, clock, offers, packages, profiles, users, videos
from shoutgraph.api.graphql.orders import room as orders
from shoutgraph.api.graphql.room import Room

ROOMS: Final[tuple[Room, ...]] = (
    users.ROOM,
    catalogue.ROOM,
    profiles.ROOM,
    offers.ROOM,
    packages.ROOM,
    orders.ROOM,
    videos.ROOM,
    access.ROOM,
    clock.ROOM,
)
