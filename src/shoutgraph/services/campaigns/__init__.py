"""Campaigns: making and ending them, deciding about their fees, and reading them."""
