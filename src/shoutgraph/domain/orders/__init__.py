"""Orders: what was asked for, the states it goes through, and who may move it."""
