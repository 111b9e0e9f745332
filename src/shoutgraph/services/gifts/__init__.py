"""Gifts: the catalogue, sending, thanks, and who gave the most."""
