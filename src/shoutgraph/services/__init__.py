"""Use-cases: one function, one unit of work; a service never calls another service."""
