"""The open-source backend for a marketplace of personalised videos."""
