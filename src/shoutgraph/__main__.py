"""Runs the command line: `python -m shoutgraph`."""

from shoutgraph.cli import main

if __name__ == "__main__":
    main()
