"""Several servers on one PostgreSQL, each a process of its own, and what their database says of them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from psycopg.rows import dict_row
from tests.e2e.market import Market
from tests.e2e.processes import Nursery, Server, orders_in, wait_healthy
from tests.postgres import wait_until
from tests.storage.databases import outside

from shoutgraph.storage import sequencer

SERVERS: Final = 2
USER: Final = """DO $$ BEGIN CREATE ROLE {user} LOGIN IN ROLE shoutgraph_app, shoutgraph_sequencer;
  EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"""
ACTIVITY: Final = """SELECT usename, pid, state, wait_event, pg_blocking_pids(pid), now() - xact_start, left(query, 50)
  FROM pg_stat_activity WHERE datname = current_database() AND usename = ANY(%(users)s)"""
LEADER: Final = """SELECT usename FROM pg_locks JOIN pg_stat_activity USING (pid)
  WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND datname = current_database()
    AND database = datid AND (classid::bigint << 32) + objid::bigint = %(lock)s"""
COMMITTED: Final = """SELECT FROM pg_stat_activity WHERE datname = current_database() AND usename = %(user)s
  AND state = 'idle' AND query = 'COMMIT'"""
HELD: Final = """SELECT FROM pg_stat_activity JOIN pg_locks USING (pid) WHERE datname = current_database()
  AND usename = %(user)s AND locktype = 'transactionid' AND granted AND wait_event = 'ClientRead'"""
JOURNAL: Final = """SELECT seq, id, topic, body::jsonb AS body, hash,
    prev = lag(hash) OVER (ORDER BY seq) AS chained FROM event ORDER BY seq"""


@dataclass
class Member(Server):
    """One of the servers. It has a user of its own at PostgreSQL, so that its connections are known there."""

    user: str = ""

    @property
    def log(self) -> Path:
        return self.folder / f"{self.user}.log"


@dataclass
class Fleet:
    """Servers that share a market's folder and its database."""

    nursery: Nursery
    market: Market
    url: str
    members: Sequence[Member] = field(init=False)

    def __post_init__(self) -> None:
        self.members = [self._member(f"server_{number}") for number in range(SERVERS)]

    @property
    def ports(self) -> list[int]:
        return [member.port for member in self.members]

    def start(self) -> Self:
        """Starts every member, and waits until all of them answer."""
        for member in self.members:
            member.launch()
        for member in self.members:
            wait_healthy(member.url, member.log)
        return self

    def stop(self) -> None:
        """Asks those that run to end, which they do well."""
        for member in self.members:
            if member.pid is not None:
                assert member.stop() == 0, member.log.read_text()

    def other(self, member: Member) -> Member:
        """The next member."""
        return self.members[(self.members.index(member) + 1) % len(self.members)]

    def leader(self) -> Member | None:
        """Whose connection leads the sequencers now."""
        found = [user for (user,) in self.ask(LEADER, lock=sequencer.LEADER)]
        return next((member for member in self.members if member.user in found), None)

    def wait_for_leader(self) -> Member:
        """Waits until a member leads."""
        found: list[Member] = []

        def leads() -> bool:
            found.extend(filter(None, [self.leader()]))
            return bool(found)

        wait_until(leads)
        return found[0]

    def wait_for_commit(self, member: Member) -> None:
        """Returns in the moment in which a member has committed, which is before it answers."""
        with outside(self.url) as raw:
            wait_until(lambda: bool(raw.execute(COMMITTED, {"user": member.user}).fetchall()))

    def wait_for_end(self, member: Member) -> None:
        """Waits until PostgreSQL serves a member that is gone no more, and so holds nothing for it."""
        wait_until(lambda: not self.ask(ACTIVITY, users=[member.user]))

    def ask(self, query: str, **values: object) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with outside(self.url) as raw:
            rows: list[tuple[Any, ...]] = raw.execute(query, values).fetchall()
        return rows

    def holds(self, member: Member) -> bool:
        """Whether a member has written in a transaction, and PostgreSQL waits for what it does next."""
        return bool(self.ask(HELD, user=member.user))

    def activity(self) -> str:
        """What the members do at PostgreSQL, and who waits for whom."""
        return "\n".join(map(str, self.ask(ACTIVITY, users=[member.user for member in self.members])))

    def journal(self) -> list[dict[str, Any]]:
        """Every line of the journal, once all lines have their place; they are dense and chained."""
        wait_until(lambda: self.ask("SELECT count(*) FROM outbox") == [(0,)])
        assert self.ask("SELECT count(*) FROM outbox_dead") == [(0,)], "every line could be sealed"
        with outside(self.url) as raw:
            rows: list[dict[str, Any]] = raw.cursor(row_factory=dict_row).execute(JOURNAL).fetchall()
        assert [row["seq"] for row in rows] == [*range(1, len(rows) + 1)], "the journal is dense"
        assert all(row["chained"] for row in rows[1:]), "the chain is whole"
        assert len({row["id"] for row in rows}) == len(rows), "nothing is told twice"
        return rows

    def prove(self) -> int:
        """Proves the books; gives how many orders they know."""
        code, said = self.nursery.run(
            *("ledger", "verify", "--data-dir", self.market.folder),
            log=self.market.folder / "proof.log",
            SHOUTGRAPH_DATABASE_URL=self.url,
        )
        assert code == 0, said
        return orders_in(said)

    def said(self) -> Mapping[str, str]:
        """What each member has logged."""
        return {member.user: member.log.read_text() for member in self.members}

    def _member(self, user: str) -> Member:
        with outside(self.url) as raw:
            raw.execute(USER.format(user=user))
        url = self.url.replace("//postgres@", f"//{user}@", 1)
        env = {"SHOUTGRAPH_DATABASE_URL": url, "SHOUTGRAPH_WEBHOOKS_LOCAL": "1"}
        return Member(self.nursery, self.market.folder, env=env, user=user)


@contextmanager
def fleet_of(nursery: Nursery, market: Market, url: str) -> Iterator[Fleet]:
    """Started servers in a market's folder, on a database that has the market's rows."""
    fleet = Fleet(nursery, market, url)
    try:
        yield fleet.start()
        fleet.stop()
    finally:
        for member in fleet.members:
            if member.pid is not None:
                member.kill()
