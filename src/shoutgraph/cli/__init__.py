"""The command line: every command is a module of this package."""

from shoutgraph.cli.commands import main

__all__ = ["main"]
