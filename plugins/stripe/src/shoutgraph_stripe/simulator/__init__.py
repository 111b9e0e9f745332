"""The parts of Stripe's API that the plugin uses, with their state: for tests and development, never for production."""
