"""A simulated PayPal, for development and tests: production never imports it."""
