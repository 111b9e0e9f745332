"""Campaigns as the API shows them."""
