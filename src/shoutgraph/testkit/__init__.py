"""The conformance kit: proves that a payment plugin keeps what the host relies on. See `docs/CONFORMANCE.md`.

`pip install shoutgraph[testkit]`. Nothing here is imported in production.
"""
