"""Tables and queries: rows never leave this floor."""
