"""Waiting lists as the API shows them."""
