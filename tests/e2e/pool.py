"""`shoutgraph serve --workers`: one port, several processes behind it, on one PostgreSQL."""

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType

import psutil
from tests.e2e.fleet import Fleet, Member
from tests.e2e.market import Market
from tests.e2e.processes import Nursery
from tests.postgres import is_running, wait_until

WORKERS = 3


class Pool(Fleet):
    """A fleet of one member that has several workers."""

    more: Sequence[object] = ()
    environ: Mapping[str, str] = MappingProxyType({})

    def __post_init__(self) -> None:
        options = ("--workers", WORKERS, *self.more)
        self.members = [Member(self.nursery, self.market.folder, env=self.env, more=options, user="pool")]

    @property
    def env(self) -> dict[str, str]:
        """What is in the environment of its commands."""
        return {"SHOUTGRAPH_DATABASE_URL": self.url, **self.environ}

    @property
    def parent(self) -> Member:
        """The process that people start."""
        return self.members[0]

    @property
    def workers(self) -> set[int]:
        """The processes that serve now."""
        return {child.pid for child in psutil.Process(self.parent.pid).children()}

    def start(self) -> "Pool":
        """Starts it, and waits until every worker answers."""
        super().start()
        wait_until(lambda: f"{WORKERS} workers" in self.parent.log.read_text())
        return self

    def kill_worker(self, pid: int) -> None:
        """Ends a worker at once, and waits until another one is in its place."""
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not is_running(pid))

    def wait_for_workers(self) -> None:
        """Waits until there are as many workers as there should be."""
        wait_until(lambda: len(self.workers) == WORKERS)


class ServingPool(Pool):
    """A pool that leaves the jobs to others."""

    more = ("--no-jobs",)


@contextmanager
def pool_of(nursery: Nursery, market: Market, url: str, kind: type[Pool] = Pool) -> Iterator[Pool]:
    """A started pool in a market's folder, on a database that has the market's rows."""
    pool = kind(nursery, market, url)
    try:
        yield pool.start()
        pool.stop()
    finally:
        if pool.parent.pid is not None:
            pool.parent.kill()


@contextmanager
def working(pool: Pool, count: int, *more: object) -> Iterator[list[int]]:
    """So many processes of `shoutgraph work` on a pool's database, until the block ends, which they do well."""
    logs = [pool.market.folder / f"work-{number}.log" for number in range(count)]
    options = ("--data-dir", pool.market.folder, "--test-clock", *more)
    pids = [pool.nursery.start("work", *options, log=log, **pool.env) for log in logs]
    try:
        for log in logs:
            wait_until(lambda log=log: log.exists() and "works, with" in log.read_text())
        yield pids
        for pid, log in zip(pids, logs, strict=True):
            if pid and is_running(pid):
                os.kill(pid, signal.SIGTERM)
                assert pool.nursery.wait(pid) == 0, log.read_text()
                assert "Traceback" not in log.read_text()
                pids[pids.index(pid)] = 0
    finally:
        for pid in filter(None, pids):
            if is_running(pid):
                os.kill(pid, signal.SIGKILL)
                pool.nursery.wait(pid)
