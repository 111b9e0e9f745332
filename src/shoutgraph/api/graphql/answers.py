"""A GraphQL response, encoded once however many clients get it."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Final, TypeVar

import orjson

T = TypeVar("T", bytes, str)


class Answer:
    """What an operation, or one event of a subscription, is answered with.

    `ran` is false where nothing was executed, and then there is no `data`. `cost` is what the caller is told of its
    cost; the events of subscriptions, which many callers share, say nothing of it.
    """

    __slots__ = ("_json", "_written", "cost", "cursor", "data", "errors", "ran")

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
        self._written: tuple[Hashable, bytes | str] = (None, b"")

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

    def written(self, form: Hashable, write: Callable[["Answer"], T]) -> T:
        """The response as a transport sends it: written once for all clients in a row who get it in the same form.

        Args:
            form: what tells this form from others, such as the id of an operation on a socket.
            write: writes it in this form.
        """
        if self._written[0] != form:
            self._written = (form, write(self))
        return self._written[1]  # type: ignore[return-value]  # what the form's own function has written
