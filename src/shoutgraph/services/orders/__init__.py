"""Orders: what fans, creators, moderators, staff and timers do with them, one module each."""
