"""The direction of every sorted list."""

from enum import StrEnum

from shoutgraph.api.graphql import enums


class SortDirection(StrEnum):
    """Which end of the list comes first."""

    ASC = "asc"
    DESC = "desc"


enums.describe(
    SortDirection,
    name="SortDirection",
    description="Sort direction.",
    values={SortDirection.ASC: "Smallest first.", SortDirection.DESC: "Largest first."},
)
