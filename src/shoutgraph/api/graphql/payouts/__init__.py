"""Payouts as the API shows them."""
