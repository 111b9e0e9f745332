"""A parent with toy workers: they answer their number and process, or behave badly, as they are told.

Arguments: how many workers, a folder for what they leave behind, how they behave, and constants to be changed.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
import time
from pathlib import Path

from shoutgraph.serving import workers
from shoutgraph.serving.worker import Worker

count, folder, manner = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
for change in sys.argv[4:]:
    name, _, value = change.partition("=")
    setattr(workers, name, float(value))


async def live(worker: Worker, listener: socket.socket) -> None:
    """Answers one line to whoever connects."""
    told = asyncio.Event()
    if manner != "deaf":
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    else:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"{worker.number} {os.getpid()}\n".encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, sock=listener):
        with worker.tied(told.set):
            if manner != "broken later" or worker.first:
                worker.ready()
                await told.wait()


def run(worker: Worker) -> int:
    with (folder / "lives").open("a") as lives:
        lives.write(f"{worker.number} {os.getpid()} {time.monotonic()}\n")
    if manner == "broken" or (manner == "second broken" and worker.number == 1):
        return 3
    if manner == "raising":
        raise RuntimeError("a bug")
    if manner == "broken later" and not worker.first:
        return 4
    asyncio.run(live(worker, listener))
    return 0


logging.basicConfig(level=logging.INFO, format="%(message)s")
with socket.create_server(("127.0.0.1", 0)) as listener:
    (folder / "port").write_text(str(listener.getsockname()[1]))
    sys.exit(workers.supervise(run, count, on_ready=(folder / "ready").touch, on_end=listener.close))
