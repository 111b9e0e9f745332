"""A GraphQL response, encoded once however many clients get it."""

from collections.abc import Mapping, Sequence
from typing import Final

import orjson


class Answer:
    """What an operation, or one event of a subscription, is answered with.

    `ran` is false where nothing was executed, and then there is no `data`.
    """

    __slots__ = ("_json", "cursor", "data", "errors", "ran")

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
        self._json: bytes | None = None

    def json(self) -> bytes:
        """The response as JSON."""
        if self._json is None:
            body: dict[str, object] = {"data": self.data} if self.ran else {}
            if self.errors:
                body["errors"] = self.errors
            if self.cursor is not None:
                body["extensions"] = {"cursor": self.cursor}
            self._json = orjson.dumps(body)
        return self._json
