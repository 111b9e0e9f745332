"""Serves the routes of videos in a process of its own, so that a test can kill it.

python -m tests.api.media_server KIND FOLDER PORT
"""

import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from tests.services.world import open_world
from tests.storage.databases import Kind, Place

from shoutgraph.api import media
from shoutgraph.api.drain import Drain

if __name__ == "__main__":
    kind, folder, port = sys.argv[1:]
    with open_world(Place(Kind(kind), Path(folder))) as world:
        uvicorn.run(Starlette(routes=media.routes(world.tools, Drain())), port=int(port), log_level="error")
