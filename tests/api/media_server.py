"""Serves the routes of videos in a process of its own, so that a test can kill it.

python -m tests.api.media_server FOLDER PORT
"""

import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from tests.services.world import open_world

from shoutgraph.api import media

if __name__ == "__main__":
    with open_world(Path(sys.argv[1])) as world:
        uvicorn.run(Starlette(routes=media.routes(world.tools)), port=int(sys.argv[2]), log_level="error")
