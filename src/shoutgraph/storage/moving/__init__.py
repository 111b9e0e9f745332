"""Moves a whole deployment from one database into another, of either kind, which has to prove what it was given."""

from shoutgraph.storage.moving.move import Moved, Tell, move

__all__ = ["Moved", "Tell", "move"]
