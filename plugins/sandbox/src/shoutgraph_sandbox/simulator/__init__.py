"""The simulator: a payment provider as an ASGI application, with a memory that outlives its process."""
