"""The life of uploaded files in a table of their own: bytes that come, a check, and what became of it.

Videos and attachments each have such a table, with these columns among others. `checks_count` and `leased_until` belong
to the worker that checks a file; `stored` says that bytes may be on a disk.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, TypeVar

import sqlalchemy as sa

from shoutgraph.domain import errors, ids, media
from shoutgraph.storage import columns
from shoutgraph.storage.statements import Row, Statement
from shoutgraph.storage.tx import Tx

V = TypeVar("V", bound=media.Video)

LIST_MAX: Final = 100
"""Files that one round of work takes on."""
WORK: Final = frozenset({"stored", "checks_count", "leased_until"})
JUDGED: Final = (
    "state",
    "media_type",
    "checked_at",
    "container",
    "video_codec",
    "audio_codec",
    "width_px",
    "height_px",
    "duration_ms",
    "sha256",
    "rejection_code",
    "rejection_message",
)
"""What changes after the upload was opened."""


_REPORT: Final = sa.table(
    "report",
    sa.column("subject_id", columns.Text),
    sa.column("state", columns.Text),
    sa.column("due_at", columns.Micros),
)


def _appealable(subject_id: sa.ColumnElement[str]) -> sa.Exists:
    """Whether a decision about this can be appealed, or is."""
    open_still = sa.and_(_REPORT.c.state == "DECIDED", _REPORT.c.due_at > sa.bindparam("now", type_=columns.Micros))
    return (
        sa.select(_REPORT.c.subject_id)
        .where(_REPORT.c.subject_id == subject_id, sa.or_(_REPORT.c.state == "APPEALED", open_still))
        .exists()
    )


class _Work:
    """The statements of those who check files and remove the bytes of refused ones."""

    def __init__(self, table: sa.Table) -> None:
        t, checking, rejected = table.c, media.VideoState.CHECKING, media.VideoState.REJECTED
        of = t.id == sa.bindparam("row_id")
        lease = sa.bindparam("until", type_=t.leased_until.type)
        free = sa.or_(t.leased_until.is_(None), t.leased_until <= sa.bindparam("now", type_=t.leased_until.type))
        self.due = Statement[Any](
            lambda: sa.select(t.id).where(t.state == checking, free).order_by(t.id).limit(LIST_MAX)
        )
        self.claim = Statement[Any](
            lambda: (
                sa.update(table)
                .where(of, t.state == checking, free)
                .values(leased_until=lease, checks_count=t.checks_count + 1)
            )
        )
        self.renew = Statement[Any](
            lambda: (
                sa.update(table)
                .where(of, t.state == checking, t.checks_count == sa.bindparam("attempt"))
                .values(leased_until=lease)
            )
        )
        self.checks = Statement[tuple[int]](lambda: sa.select(t.checks_count).where(t.id == sa.bindparam("id")))
        self.discardable = Statement[Any](
            lambda: (
                sa.select(t.id)
                .where(t.state == rejected, t.stored == sa.bindparam("stored", type_=t.stored.type))
                .where(sa.or_(t.rejection_code != media.RejectionCode.TAKEN_DOWN, ~_appealable(t.id)))
                .order_by(t.id)
                .limit(LIST_MAX)
            )
        )
        self.discarded = Statement[Any](lambda: sa.update(table).where(of, t.state == rejected).values(stored=False))


class Uploads(Generic[V]):
    """The files of one table, read as values and written from them."""

    def __init__(
        self,
        table: sa.Table,
        *,
        noun: str,
        read: Callable[[Mapping[str, Any]], V],
        write: Callable[[V], Mapping[str, object]],
    ) -> None:
        self.values: Final = tuple(column for column in table.c if column.name not in WORK)
        self._names = [column.name for column in self.values]
        self._noun, self._read, self._write = noun, read, write
        t, uploading = table.c, media.VideoState.UPLOADING
        of = t.id == sa.bindparam("row_id")
        self._insert = Statement[Any](
            lambda: sa.insert(table).values(**{name: sa.bindparam(name) for name in self._names}, **_NEW)
        )
        self._get = Statement[Any](lambda: sa.select(*self.values).where(t.id == sa.bindparam("id")), holds=table)
        judged = {name: sa.bindparam(f"new_{name}", type_=t[name].type) for name in JUDGED}
        self._save = Statement[Any](
            lambda: (
                sa.update(table)
                .where(of, t.state == sa.bindparam("was", type_=t.state.type))
                .values(judged | {"leased_until": None})
            )
        )
        self._uploading = Statement[Any](
            lambda: (
                sa.select(*self.values)
                .where(t.state == uploading, t.id > sa.bindparam("after"))
                .order_by(t.id)
                .limit(LIST_MAX)
            )
        )
        self._work = _Work(table)

    def insert(self, tx: Tx, upload: V) -> None:
        """Adds a file that waits for its bytes."""
        tx.put(self._insert, **self._write(upload))

    def get(self, tx: Tx, upload_id: str) -> V:
        """The file. A unit of work that writes holds it from now on.

        Raises:
            NotFoundError: there is none.
        """
        row = tx.one(self._get, id=upload_id)
        if row is None:
            raise self.missing()
        return self.value(row)

    def value(self, row: Row) -> V:
        """What a row of `values` says."""
        return self._read(dict(zip(self._names, row, strict=True)))

    def missing(self) -> errors.NotFoundError:
        """The refusal of an id that nothing has."""
        return errors.NotFoundError(f"There is no such {self._noun}.", path=("input", f"{self._noun}Id"))

    def save(self, tx: Tx, upload: V, *, was: media.VideoState) -> None:
        """Stores what became of a file that was in this state, and ends any lease on it."""
        values = self._write(upload)
        changed = tx.run(self._save, row_id=upload.id, was=was, **{f"new_{name}": values[name] for name in JUDGED})
        assert changed == 1, "a file is judged in the transaction that read it"

    def list_of_uploading(self, tx: Tx, *, after: str) -> list[V]:
        """Unfinished uploads with ids after this one, a page at a time."""
        return [self.value(row) for row in tx.all(self._uploading, after=after)]

    def list_of_due(self, tx: Tx) -> list[ids.VideoId]:
        """Complete files that nobody is checking now."""
        return [ids.VideoId(row[0]) for row in tx.all(self._work.due, now=tx.now)]

    def claim(self, tx: Tx, upload_id: ids.VideoId) -> int | None:
        """Takes a complete file for one worker, and says which attempt this is; None where it is not to be had."""
        if tx.run(self._work.claim, row_id=upload_id, now=tx.now, until=tx.now + media.CHECK_LEASE) == 0:
            return None
        row = tx.one(self._work.checks, id=upload_id)
        assert row is not None, "a claimed file exists"
        return row[0]

    def renew(self, tx: Tx, upload_id: ids.VideoId, attempt: int) -> None:
        """Makes the lease of the worker with this attempt begin anew, if it still is the last one."""
        tx.put(self._work.renew, row_id=upload_id, attempt=attempt, until=tx.now + media.CHECK_LEASE)

    def list_of_discardable(self, tx: Tx) -> list[ids.VideoId]:
        """Rejected files whose bytes may still be on a disk, but those that an appeal may put back."""
        return [ids.VideoId(row[0]) for row in tx.all(self._work.discardable, stored=True, now=tx.now)]

    def discarded(self, tx: Tx, upload_id: ids.VideoId) -> None:
        """Notes that the bytes of a rejected file are gone."""
        tx.put(self._work.discarded, row_id=upload_id)


_NEW: Final[Mapping[str, object]] = {"stored": True, "checks_count": 0}


def facts_of(of: Mapping[str, Any]) -> media.VideoFacts | None:
    """What was measured, or None before it was."""
    if not of["container"]:
        return None
    return media.VideoFacts(
        container=of["container"],
        video_codec=of["video_codec"],
        audio_codec=of["audio_codec"],
        width_px=of["width_px"],
        height_px=of["height_px"],
        duration_ms=of["duration_ms"],
        size_bytes=of["size_bytes"],
    )


def rejection_of(of: Mapping[str, Any]) -> media.Rejection | None:
    """Why it was refused, or None."""
    code = of["rejection_code"]
    return media.Rejection(code, of["rejection_message"]) if code else None


def values_of(upload: media.Video) -> dict[str, object]:
    """The columns that every table of uploads has."""
    facts, rejection = upload.facts, upload.rejection
    return {
        "id": upload.id,
        "order_id": upload.order_id,
        "state": upload.state,
        "media_type": upload.media_type,
        "size_bytes": upload.size_bytes,
        "duration_max_s": upload.limits.duration_max_s,
        "size_bytes_max": upload.limits.size_bytes_max,
        "opened_at": upload.opened_at,
        "expires_at": upload.expires_at,
        "checked_at": upload.checked_at,
        "container": facts and facts.container,
        "video_codec": facts and facts.video_codec,
        "audio_codec": facts and facts.audio_codec,
        "width_px": facts and facts.width_px,
        "height_px": facts and facts.height_px,
        "duration_ms": facts and facts.duration_ms,
        "sha256": upload.sha256,
        "rejection_code": rejection and rejection.code,
        "rejection_message": rejection and rejection.message,
    }
