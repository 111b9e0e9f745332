"""The schema as those outside build it, from what `shoutgraph schema` prints."""

import functools

import graphql

from shoutgraph.api.graphql import schema


@functools.cache
def released() -> graphql.GraphQLSchema:
    """The schema from its text, built once."""
    return graphql.build_schema(schema.build_schema().as_str())
