"""`shoutgraph demo`: one order from top-up to payout, played through the public API of a real server."""
