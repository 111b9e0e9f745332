"""What makes graphql-core answer in place of a plan."""


class UnsupportedError(Exception):
    """The document, or the schema at one of its fields, holds something that only graphql-core does."""


class UnexpectedValueError(Exception):
    """A value is not what the plan was written for; graphql-core finds out what to make of it."""
