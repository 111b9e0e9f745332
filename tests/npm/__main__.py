"""`python -m tests.npm` runs the audits and the clients of npm against a server on 127.0.0.1.

Their packages are installed into a folder that goes again. It ends with 1 where anything is not as it should be.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.api.harness import serving
from tests.api.sample import World, transport_of

from shoutgraph.api.http import build_asgi

HERE = Path(__file__).parent
PROGRAMS = ("audits.mjs", "clients.mjs")
INSTALL_S = 300
RUN_S = 60


def main() -> int:
    """Says how many programs were not content."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        sys.exit("node and npm are needed")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for each in ("package.json", *PROGRAMS):
            shutil.copy(HERE / each, folder)
        install = [npm, "install", "--silent", "--no-audit", "--no-fund", "--no-package-lock"]
        subprocess.run(install, cwd=folder, check=True, timeout=INSTALL_S)
        shared = transport_of(World())
        with serving(build_asgi(shared), shared.drain) as served:
            url = f"{served.url}/graphql"
            runs = [subprocess.run([node, each, url], cwd=folder, check=False, timeout=RUN_S) for each in PROGRAMS]
    return sum(run.returncode != 0 for run in runs)


if __name__ == "__main__":
    sys.exit(main())
