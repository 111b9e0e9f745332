"""Files of banks: ours as they were written, theirs as they came in. The bytes never change, and each is kept once."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import errors, pages
from shoutgraph.domain.bank_files import BankFile, Content, Direction, FileFilter, FileState, Summary
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Blob, Integer, JsonText, Micros, Text, Words, one_of
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx


class BankFileRow(SQLModel, table=True):
    """One file and its bytes."""

    __tablename__ = "bank_file"
    __table_args__ = (
        one_of("direction", Direction),
        one_of("state", FileState),
        sa.CheckConstraint("length(sha256) = 32", name="bank_file_sha256"),
        sa.CheckConstraint("size_bytes = length(body) AND size_bytes > 0", name="bank_file_size"),
        sa.CheckConstraint("(direction = 'OUT') = (state = 'MADE')", name="bank_file_made"),
        sa.CheckConstraint("(direction = 'OUT') = (batch_id IS NOT NULL)", name="bank_file_batch"),
        sa.UniqueConstraint("instance", "direction", "sha256", name="bank_file_once"),
        columns.partial_index("bank_file_of_batch", "batch_id", where="batch_id IS NOT NULL"),
        {"sqlite_strict": True},
    )

    id: str = Field(sa_type=Text, primary_key=True)
    instance: str = Field(sa_type=Text)
    direction: Direction = Field(sa_type=Words(Direction))
    sha256: bytes = Field(sa_type=Blob)
    media_type: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    size_bytes: int = Field(sa_type=Integer)
    batch_id: str | None = Field(sa_column=sa.Column(Text, sa.ForeignKey("payout_batch.id")))
    made_at: datetime = Field(sa_type=Micros)
    made_by: str = Field(sa_type=Text)
    state: FileState = Field(sa_type=Words(FileState))
    summary: dict[str, Any] | None = Field(sa_type=JsonText)
    body: bytes = Field(sa_type=Blob)


_T: Final = columns.table_of(BankFileRow)
_COLUMNS: Final = tuple(column for column in _T.c if column.name != "body")


def insert(tx: Tx, file: BankFile, body: bytes) -> None:
    """Keeps a file."""
    values = {column.name: getattr(file, column.name) for column in _COLUMNS}
    values["summary"] = None if file.summary is None else file.summary.to_data()
    tx.run(_INSERT, body=body, **values)


def settle(tx: Tx, file_id: str, state: FileState, summary: Summary) -> None:
    """Says what became of a file that came in."""
    tx.run(_SETTLE, of=file_id, to_state=state, said=summary.to_data())


def get(tx: Tx, file_id: str) -> BankFile:
    """A file, without its bytes. A unit of work that writes holds it from now on.

    Raises:
        NotFoundError: there is no such file.
    """
    row = tx.one(_GET, id=file_id)
    if row is None:
        raise errors.NotFoundError("There is no such file.")
    return _file(*row)


def read(tx: Tx, file_id: str) -> Content:
    """A file with its bytes.

    Raises:
        NotFoundError: there is no such file.
    """
    row = tx.one(_READ, id=file_id)
    if row is None:
        raise errors.NotFoundError("There is no such file.")
    return Content(*row)


def find_by_digest(tx: Tx, *, instance: str, direction: Direction, sha256: bytes) -> BankFile | None:
    """The file with these bytes, or None. A unit of work that writes holds it from now on."""
    row = tx.one(_FIND, instance=instance, direction=direction, sha256=sha256)
    return None if row is None else _file(*row)


def list_of(tx: Tx, file_ids: Sequence[str]) -> list[BankFile | None]:
    """Files in the order asked, None where there is none."""
    found = {row[0]: _file(*row) for row in tx.all(_LIST, ids=list(file_ids))}
    return [found.get(file_id) for file_id in file_ids]


def list_of_batches(tx: Tx, batch_ids: Sequence[str]) -> dict[str, list[BankFile]]:
    """The files of batches, the oldest first."""
    found: dict[str, list[BankFile]] = {batch_id: [] for batch_id in batch_ids}
    for row in tx.all(_OF_BATCHES, ids=list(batch_ids)):
        file = _file(*row)
        found[file.batch_id or ""].append(file)
    return found


def list_of_page(tx: Tx, args: pages.PageArgs, only: FileFilter) -> list[BankFile]:
    """Up to one file more than the page holds, newest first. The key is `(id,)`."""
    given = {"instance": only.instance, "direction": only.direction, "key": args.key[0] if args.key else None}
    params = {name: value for name, value in given.items() if value is not None}
    statement = _page(frozenset(params), not args.backward)
    return [_file(*row) for row in tx.all(statement, size=args.size + 1, **params)]


def _file(*row: Any) -> BankFile:  # noqa: ANN401 - the columns, in their order
    file = BankFile(*row)
    return file if row[-1] is None else replace(file, summary=Summary.of(row[-1]))


@cache
def _page(given: frozenset[str], descending: bool) -> Statement[Any]:  # noqa: FBT001 - part of a cache key
    def build() -> sa.ClauseElement:
        query = sa.select(*_COLUMNS).limit(sa.bindparam("size"))
        query = query.order_by(_T.c.id.desc() if descending else _T.c.id.asc())
        if "key" in given:
            key = sa.bindparam("key", type_=Text)
            query = query.where(_T.c.id < key if descending else _T.c.id > key)
        return query.where(*(condition() for name, condition in _FILTERS.items() if name in given))

    return Statement(build)


_FILTERS: Final[dict[str, Callable[[], sa.ColumnElement[bool]]]] = {
    "instance": lambda: _T.c.instance == sa.bindparam("instance"),
    "direction": lambda: _T.c.direction == sa.bindparam("direction"),
}
_INSERT: Final = Statement[Any](lambda: sa.insert(_T).values({c.name: sa.bindparam(c.name) for c in _T.c}))
_SETTLE: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_T.c.id == sa.bindparam("of"))
        .values(state=sa.bindparam("to_state"), summary=sa.bindparam("said"))
    )
)
_GET: Final = Statement[Any](lambda: sa.select(*_COLUMNS).where(_T.c.id == sa.bindparam("id")), holds=_T)
_READ: Final = Statement[Any](
    lambda: sa.select(_T.c.name, _T.c.media_type, _T.c.body).where(_T.c.id == sa.bindparam("id"))
)
_FIND: Final = Statement[Any](
    lambda: sa.select(*_COLUMNS).where(
        *(_T.c[name] == sa.bindparam(name) for name in ("instance", "direction", "sha256"))
    ),
    holds=_T,
)
_LIST: Final = Statement[Any](lambda: sa.select(*_COLUMNS).where(columns.any_of(_T.c.id, "ids")))
_OF_BATCHES: Final = Statement[Any](
    lambda: sa.select(*_COLUMNS).where(columns.any_of(_T.c.batch_id, "ids")).order_by(_T.c.id)
)
