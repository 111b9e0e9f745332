"""The room of webhooks out: endpoints, what they were sent, and that they changed."""
