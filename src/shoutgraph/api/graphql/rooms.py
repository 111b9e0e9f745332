"""Every room of the API, in the order of the SDL."""

from typing import Final

from shoutgraph.api.graphql.room import Room

ROOMS: Final[tuple[Room, ...]] = ()
