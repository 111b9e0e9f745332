"""The schema of the API: all of its rooms."""

import functools

import strawberry

from shoutgraph.api.graphql.assembly import assemble
from shoutgraph.api.graphql.rooms import ROOMS


@functools.cache
def build_schema() -> strawberry.Schema:
    """The schema that is served, printed and compared with `schema.graphql`; one for the whole process."""
    return assemble(ROOMS)
