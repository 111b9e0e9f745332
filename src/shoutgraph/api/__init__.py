"""Transport: bytes become calls, refusals become answers."""
