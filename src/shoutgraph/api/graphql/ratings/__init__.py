"""Ratings in the graph: what fans and creators say, what moderators decide, and the events of both."""
