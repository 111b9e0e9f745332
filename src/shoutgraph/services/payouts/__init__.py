"""Payouts: earnings that leave as real money, or come back."""
