"""A simulated Mollie: its API, its hosted page, and what it would send. Production never imports it."""
