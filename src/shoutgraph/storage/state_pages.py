"""Pages of what has an id and a state, newest first: all of it, or what stands so."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import sqlalchemy as sa

from shoutgraph.domain import pages
from shoutgraph.storage.columns import Text
from shoutgraph.storage.statements import Row, Statement
from shoutgraph.storage.tx import Tx

_WAYS: Final = ((False, False), (False, True), (True, False), (True, True))


class StatePages:
    """The pages of a table with `id` and `state`. The key of a page is `(id,)`.

    Args:
        prefix: how every id begins.
        of: which columns are read; all of the table if not given.
    """

    def __init__(self, table: sa.Table, prefix: str, *, of: Sequence[sa.ColumnElement[Any]] | None = None) -> None:
        self._last = f"{prefix}_~"  # after every id
        self._table = table
        self._columns = tuple(table.c) if of is None else of
        self._pages = {ways: Statement[Any](partial(self._page, *ways)) for ways in _WAYS}

    def rows(self, tx: Tx, args: pages.PageArgs, state: object) -> list[Row]:
        """Up to one row more than the page holds, newest first, in the direction asked; of a state, if not None."""
        edge = "" if args.backward else self._last
        params: dict[str, object] = {"key": edge if args.key is None else args.key[0], "size": args.size + 1}
        if state is not None:
            params["state"] = state
        return tx.all(self._pages[args.backward, state is not None], **params)

    def _page(self, backward: bool, of_state: bool) -> sa.ClauseElement:  # noqa: FBT001 - as in _WAYS
        key, table = sa.bindparam("key", type_=Text), self._table
        query = sa.select(*self._columns).limit(sa.bindparam("size"))
        query = query.order_by(table.c.id.asc() if backward else table.c.id.desc())
        query = query.where(table.c.id > key if backward else table.c.id < key)
        return query.where(table.c.state == sa.bindparam("state")) if of_state else query
