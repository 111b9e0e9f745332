"""Gives every line of the outbox its place in the journal: one after another, chained, and told to all processes.

Numbers that are given before a commit become visible out of order, so readers that go by them lose lines; here they are
given after it. One process leads by an advisory lock; the row of the sequencer is the fence, so two that both think
they lead still seal one after the other. Whoever does not lead seals what they have seen waiting for too long, by no
clock but their own, in case the leader hangs. Source: docs/adr/0014-postgresql.md.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import sqlalchemy as sa

from shoutgraph.domain import clock, errors, journal
from shoutgraph.storage.continuity import Continuity
from shoutgraph.storage.session import Blame, Session
from shoutgraph.storage.statements import Row, Statement
from shoutgraph.storage.tx import Tx

logger = logging.getLogger("shoutgraph.journal")

CHANNEL: Final = "shoutgraph_journal"
LEADER: Final = 0x5348_4F55_5447_5250
"""The number of the advisory lock."""
SEALED_MAX: Final = 500
"""The most lines that one transaction seals."""
BUSY_S: Final = 0.005
IDLE_S: Final = 0.02
"""How long the leader rests, while lines come and when none came for a while."""
QUIET_S: Final = 1.0
FOLLOW_S: Final = 0.25
"""How often the others look whether they are needed."""
OVERDUE_S: Final = 1.0
"""How long a line may wait before another process than the leader seals it."""
RECONNECT_S: Final = 0.2


class Sequencer:
    """Seals in a thread of its own, on a connection of its own."""

    def __init__(
        self, connect: Callable[[], Session], ring: Callable[[int], None], known: Continuity, wall: clock.Clock
    ) -> None:
        """Starts the thread.

        Args:
            ring: called after each commit with the number of the newest line; other processes are notified.
        """
        self._connect = connect
        self._ring = ring
        self._known = known
        self._wall = wall
        self._poked = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="shoutgraph-sequencer", daemon=True)
        self._thread.start()

    def poke(self) -> None:
        """Says that there may be something to seal."""
        self._poked.set()

    def close(self) -> None:
        """Seals what is left, unless another process does, and ends the thread."""
        self._closing.set()
        self._poked.set()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                session = self._connect()
            except errors.StoreUnavailableError:
                logger.warning("the sequencer cannot connect and tries again")
            else:
                try:
                    self._work(session)
                except session.errors as error:
                    logger.warning("the sequencer lost its connection: %s", error)
                except Exception:  # it goes on as long as the process does
                    logger.exception("the sequencer begins anew")
                finally:
                    session.close()
            if self._closing.wait(RECONNECT_S):
                return

    def _work(self, session: Session) -> None:
        fault = self._known.fault(Tx(session.raw, session.dialect, self._wall()))
        if fault is not None:
            logger.critical("nothing is sealed: %s", fault)
            return
        leads, poked, busy_until, watch = False, False, 0.0, _Watch()
        while True:
            closing = self._closing.is_set()
            leads = leads or _try_lead(session)
            waits = (poked and leads) or watch.look(Tx(session.raw, session.dialect, self._wall()))
            sealed = self._seal(session) if waits and (leads or watch.overdue) else 0
            if sealed:
                busy_until = time.monotonic() + QUIET_S
            if sealed == SEALED_MAX:
                continue
            if closing:
                return
            if leads:
                poked = self._poked.wait(BUSY_S if time.monotonic() < busy_until else IDLE_S)
                self._poked.clear()
            else:
                self._closing.wait(FOLLOW_S)

    def _seal(self, session: Session) -> int:
        """Seals what waits; a line that cannot be sealed is set aside, so that it stops nothing."""
        size = SEALED_MAX
        while True:
            session.begin()
            try:
                sealed, newest = seal(Tx(session.raw, session.dialect, self._wall()), size)
                session.commit()
            except Exception as error:
                if not _of_a_line(session, error):
                    raise
                session.rollback()
                if size == 1:
                    self._set_aside(session)
                size = max(size // 2, 1)
            else:
                self._ring(newest)
                return sealed

    def _set_aside(self, session: Session) -> None:
        """Seals the oldest line or sets it aside: it is tried again, since another process may have been here."""
        session.begin()
        tx = Tx(session.raw, session.dialect, self._wall())
        head, (oldest, _) = hold(tx), tx.one(_SPAN) or (None, None)
        session.save()
        try:
            _write(tx, head, tx.all(_TAKE_ONE, place=oldest))
            session.raw.execute(_CHECK_NOW)
        except Exception as error:
            if not _of_a_line(session, error):
                raise
            session.undo()
            row = tx.one(_SET_ASIDE, place=oldest, reason=str(error))
            logger.error("the event %s cannot be sealed and was set aside: %s", row and row[0], error)  # noqa: TRY400
        else:
            session.keep()
        session.commit()


class _Watch:
    """What waits in the outbox, and whether some of it has waited for too long before our eyes."""

    def __init__(self) -> None:
        self._newest = 0
        self._since = 0.0
        self.overdue = False

    def look(self, tx: Tx) -> bool:
        """Whether anything waits."""
        oldest, newest = tx.one(_SPAN) or (None, None)
        if oldest is None or newest is None:
            self.overdue = False
            return False
        if oldest > self._newest:  # all that was seen before has left
            self._newest, self._since = newest, time.monotonic()
        self.overdue = time.monotonic() - self._since > OVERDUE_S
        return True


def _of_a_line(session: Session, error: Exception) -> bool:
    """Whether an error is a line's own; whatever a line is, it must not be in the way of all others."""
    return not isinstance(error, session.errors) or session.blame(error) in {Blame.COMMAND, Blame.KEY}


def hold(tx: Tx) -> journal.Head:
    """Holds the fence until the commit, and gives the newest line."""
    fence = tx.one(_FENCE)
    assert fence is not None, "the sequencer has its row from the first migration on"
    return journal.Head(fence[0], fence[1], clock.from_micros(fence[2]))


def seal(tx: Tx, limit: int) -> tuple[int, int]:
    """Moves the oldest lines of the outbox to the journal, whose newest it holds until the commit.

    Returns:
        How many lines were moved, and the number of the newest of all.
    """
    head, waiting = hold(tx), tx.all(_TAKE, size=limit)
    return len(waiting), _write(tx, head, waiting)


def _write(tx: Tx, head: journal.Head, waiting: Sequence[Row]) -> int:
    """Writes lines after the head, all in one round trip with whatever comes next; gives the newest number."""
    if not waiting:
        return head.seq
    for _, event_id, topic, topic_seq, kind, transfer_id, text, at in sorted(waiting):
        waited = journal.Unsealed(event_id, topic, topic_seq, kind, transfer_id, text, clock.from_micros(at))
        line = journal.seal(head, waited)
        head = journal.Head(line.seq, line.hash, line.at)
        values = (line.seq, line.id, line.topic, line.topic_seq, line.type, line.transfer_id, line.text)
        row = zip(_EVENT_COLUMNS, (*values, clock.to_micros(line.at), line.prev, line.hash), strict=True)
        tx.put(_APPEND, **dict(row))
    tx.put(_STAND, to_seq=head.seq, to_hash=head.hash, to_at=clock.to_micros(head.at))
    tx.put(_TELL, channel=CHANNEL, seq=str(head.seq))
    return head.seq


def count_waiting(tx: Tx) -> int:
    """How many lines wait for their place."""
    row = tx.one(_WAITING)
    assert row is not None, "an aggregate has one row"
    return row[0]


def newest(tx: Tx) -> journal.Head:
    """The newest line."""
    row = tx.one(_NEWEST)
    return journal.GENESIS if row is None else journal.Head(row[0], row[1], clock.from_micros(row[2]))


def _try_lead(session: Session) -> bool:
    rows = session.raw.execute("SELECT pg_try_advisory_lock($1::bigint)", (LEADER,)).fetchall()
    return bool(rows[0][0])


_EVENT_COLUMNS: Final = ("seq", "id", "topic", "topic_seq", "type", "transfer_id", "body", "at", "prev", "hash")
_OUT_COLUMNS: Final = ("id", "event_id", "topic", "topic_seq", "type", "transfer_id", "body", "at")
_EVENT: Final = sa.table("event", *(sa.column(name) for name in _EVENT_COLUMNS))
_OUT: Final = sa.table("outbox", *(sa.column(name) for name in _OUT_COLUMNS))
_DEAD: Final = sa.table("outbox_dead", *(sa.column(name) for name in (*_OUT_COLUMNS, "reason")))
_ROW: Final = sa.table("sequencer", sa.column("seq"), sa.column("hash"), sa.column("at"))


def _take(size: sa.ColumnElement[Any]) -> sa.Delete:
    oldest = sa.select(_OUT.c.id).order_by(_OUT.c.id).limit(size)
    return sa.delete(_OUT).where(_OUT.c.id.in_(oldest))


def _take_one() -> sa.Delete:
    return sa.delete(_OUT).where(_OUT.c.id == sa.bindparam("place", type_=sa.BigInteger()))


def _set_aside() -> sa.ClauseElement:
    taken = _take_one().returning(*_OUT.c).cte("taken")
    row = sa.select(*taken.c, sa.bindparam("reason", type_=sa.Text()))
    return sa.insert(_DEAD).from_select([*_OUT_COLUMNS, "reason"], row).returning(_DEAD.c.event_id)


_FENCE: Final = Statement[tuple[int, bytes, int]](lambda: sa.select(*_ROW.c).with_for_update(key_share=True))
_TAKE: Final = Statement(lambda: _take(sa.bindparam("size", type_=sa.Integer())).returning(*_OUT.c))
_APPEND: Final = Statement(
    lambda: sa.insert(_EVENT).values({name: sa.bindparam(name, type_=_TYPES[name]) for name in _EVENT_COLUMNS})
)
_STAND: Final = Statement(
    lambda: sa.update(_ROW).values(
        seq=sa.bindparam("to_seq", type_=sa.BigInteger()),
        hash=sa.bindparam("to_hash", type_=sa.LargeBinary()),
        at=sa.bindparam("to_at", type_=sa.BigInteger()),
    )
)
_TELL: Final = Statement(
    lambda: sa.select(sa.func.pg_notify(sa.bindparam("channel", type_=sa.Text()), sa.bindparam("seq", type_=sa.Text())))
)
_SET_ASIDE: Final = Statement[tuple[str]](_set_aside)
_WAITING: Final = Statement[tuple[int]](lambda: sa.select(sa.func.count()).select_from(_OUT))
_TAKE_ONE: Final = Statement(lambda: _take_one().returning(*_OUT.c))
_SPAN: Final = Statement[tuple[int | None, int | None]](
    lambda: sa.select(sa.func.min(_OUT.c.id), sa.func.max(_OUT.c.id))
)
_CHECK_NOW: Final = "SET CONSTRAINTS ALL IMMEDIATE"
"""What else COMMIT would find wrong."""
_NEWEST: Final = Statement[tuple[int, bytes, int]](lambda: sa.select(*_ROW.c))
_TYPES: Final[dict[str, sa.types.TypeEngine[Any]]] = {
    **dict.fromkeys(("seq", "topic_seq", "transfer_id", "at"), sa.BigInteger()),
    **dict.fromkeys(("id", "topic", "type", "body"), sa.Text()),
    **dict.fromkeys(("prev", "hash"), sa.LargeBinary()),
}
