"""Webhooks out: who is told of what, and telling them."""
