"""Top-ups: what was agreed, what was seen, what follows."""
