"""Top-ups: buying coins, and everything that a provider says of it afterwards."""
