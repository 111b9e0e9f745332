"""A GraphQL response, encoded once however many clients get it."""

from collections.abc import Mapping, Sequence
from typing import Final

import orjson


class Answer:
    """What an operation, or one event of a subscription, is answered with.

    `ran` is false where nothing was executed, and then there is no `data`. `cost` is what the caller is told of its
    cost; the events of subscriptions, which many callers share, say nothing of it.
    """

    __slots__ = ("_json", "cost", "cursor", "data", "errors", "ran")

    def __init__(
        self,
        data: Mapping[str, object] | None,
        errors: Sequence[Mapping[str, object]] = (),
        *,
        ran: bool = True,
        cursor: str | None = None,
    ) -> None:
        self.data: Final = data
        self.errors: Final = errors
        self.ran: Final = ran
        self.cursor: Final = cursor
        self.cost: Mapping[str, object] | None = None
        self._json: bytes | None = None

    def json(self) -> bytes:
        """The response as JSON."""
        if self._json is None:
            body: dict[str, object] = {"data": self.data} if self.ran else {}
            if self.errors:
                body["errors"] = self.errors
            if self.cursor is not None:
                body["extensions"] = {"cursor": self.cursor}
            elif self.cost is not None:
                body["extensions"] = {"cost": self.cost}
            self._json = orjson.dumps(body)
        return self._json
