"""The schema of the API: all of its rooms."""

import strawberry

from shoutgraph.api.graphql.assembly import assemble
from shoutgraph.api.graphql.rooms import ROOMS


def build_schema() -> strawberry.Schema:
    """The schema that is served, printed and compared with `schema.graphql`."""
    return assemble(ROOMS)
