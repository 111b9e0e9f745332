"""Orders in the graph: the order, the moves of its machine, and its events."""
