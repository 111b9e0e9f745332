"""Top-ups as the API shows them."""
