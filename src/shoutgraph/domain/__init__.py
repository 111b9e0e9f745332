"""Rules and values: pure, without I/O, clock, randomness or frameworks."""
