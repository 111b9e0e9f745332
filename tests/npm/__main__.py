"""`python -m tests.npm` runs the audits and the clients of npm against servers on 127.0.0.1.

Their packages are installed into a folder that goes again. It ends with 1 where anything is not as it should be.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.api.harness import serving
from tests.api.sample import World, transport_of

from shoutgraph.api.http import build_asgi
from shoutgraph.testing import open_market

HERE = Path(__file__).parent
SCHEMA = HERE.parents[1] / "schema.graphql"
OF_PROTOCOLS = ("audits.mjs", "clients.mjs")
OF_FRONT_ENDS = "frontends.mjs"
CREATORS = 5
INSTALL_S = 300
RUN_S = 60


class Folder:
    """Where the packages and the programs are."""

    def __init__(self, path: Path, node: str) -> None:
        self.path = path
        self.node = node
        self.wrong = 0

    def run(self, program: str, told: str) -> None:
        """Runs a program, and counts it if it was not content."""
        done = subprocess.run([self.node, program, told], cwd=self.path, check=False, timeout=RUN_S)
        self.wrong += done.returncode != 0


def main() -> int:
    """Says how many programs were not content."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        sys.exit("node and npm are needed")
    with tempfile.TemporaryDirectory() as name:
        folder = Folder(Path(name), node)
        shutil.copytree(HERE, folder.path, dirs_exist_ok=True)
        shutil.copy(SCHEMA, folder.path)
        install = [npm, "install", "--silent", "--no-audit", "--no-fund", "--no-package-lock"]
        subprocess.run(install, cwd=folder.path, check=True, timeout=INSTALL_S)
        compiler = folder.path / "node_modules" / ".bin" / "relay-compiler"
        subprocess.run([compiler], cwd=folder.path, check=True, timeout=RUN_S)
        _protocols(folder)
        _front_ends(folder)
    return folder.wrong


def _protocols(folder: Folder) -> None:
    shared = transport_of(World())
    with serving(build_asgi(shared), shared.drain) as served:
        for program in OF_PROTOCOLS:
            folder.run(program, f"{served.url}/graphql")


def _front_ends(folder: Folder) -> None:
    with open_market() as market:
        fan = market.person()
        sellers = [market.creator(f"Nova{at}") for at in range(CREATORS)]
        market.buy_coins(fan, 10_000)
        places = {"url": f"{market.url}/graphql", "ws": market.socket_url}
        told = places | {"token": fan.token, "offerId": sellers[0].offer_id, "creators": CREATORS}
        folder.run(OF_FRONT_ENDS, json.dumps(told))


if __name__ == "__main__":
    sys.exit(main())
