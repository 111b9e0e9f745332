"""Gifts as the API shows them."""
