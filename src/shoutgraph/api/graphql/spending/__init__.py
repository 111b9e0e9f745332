"""The room of guarding oneself."""
