"""A store on a disk that fills up: `python -m tests.storage.filled <template> <folder>`, where it may mount one.

The folder becomes a disk of a few megabytes. Clients write until the store takes no more, somebody makes room, and the
store is started again. Says what it saw as one line of JSON.
"""

import asyncio
import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from tests.storage import killed

from shoutgraph.domain import errors
from shoutgraph.storage import engine, ledger, ledger_proof
from shoutgraph.storage.engine import Options, Store, Tx

DISK_BYTES = 6 * 2**20
BALLAST_BYTES = 3 * 2**20
CLIENTS = 16
COMMANDS_MAX = 100_000
OPTIONS = Options(readers=1)


async def write_until_closed(store: Store) -> tuple[set[str], set[str], list[str]]:
    """What was acknowledged, what was not, and the words of the refusals."""
    told: set[str] = set()
    untold: set[str] = set()
    said: list[str] = []
    numbers = iter(range(COMMANDS_MAX))

    async def client() -> None:
        for number in numbers:
            try:
                await store.write(partial(killed.give, ref=str(number), number=number))
            except errors.StoreUnavailableError as refusal:
                untold.add(str(number))
                said.append(str(refusal))
                if "closed" in str(refusal):
                    return
            else:
                told.add(str(number))

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return told, untold, said


def there(store: Store, refs: set[str]) -> set[str]:
    """Those of them that are in the books."""

    def find(tx: Tx) -> set[str]:
        return {ref for ref in refs if ledger.find_transfer(tx, killed.KIND, ref) is not None}

    return store.read_now(find)


def main(template: Path, folder: Path) -> None:
    """Fills the disk, makes room, and tells."""
    disk = ["-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    subprocess.run(["mount", *disk], check=True)  # noqa: S607 - wherever it lies
    path, ballast = folder / "books.db", folder / "ballast"
    shutil.copy(template, path)
    ballast.write_bytes(bytes(BALLAST_BYTES))
    store = engine.open_store(path, lambda: datetime.now(UTC), OPTIONS)  # noqa: TID251 - nothing depends on it
    store.write_now(killed.seed)
    told, untold, said = asyncio.run(write_until_closed(store))
    lost = told - there(store, told)
    ballast.unlink()
    still_closed = []
    try:
        store.write_now(partial(killed.give, ref="late", number=1))
    except errors.StoreUnavailableError as refusal:
        still_closed.append(str(refusal))
    store.close()
    store = engine.open_store(path, lambda: datetime.now(UTC), OPTIONS)  # noqa: TID251
    lost |= told - there(store, told)
    before = there(store, untold)
    for ref in sorted(untold - before):
        store.write_now(partial(killed.give, ref=ref, number=int(ref)))
    broken = store.read_now(ledger_proof.verify)
    store.close()
    report = {
        "told": len(told),
        "untold": len(untold),
        "lost": sorted(lost),
        "said": sorted(set(said)),
        "closed": still_closed,
        "kept": len(before),
        "broken": [str(each) for each in broken],
    }
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
