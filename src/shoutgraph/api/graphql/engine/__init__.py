"""The compiled engine: operations become Python functions, and graphql-core answers whatever they cannot."""
