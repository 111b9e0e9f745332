"""A simulated App Store: its certificates, its Server API and its notifications. Production never imports it."""
