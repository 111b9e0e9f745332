"""Strikes the values of configured secrets out of text, log records and tracebacks."""

import logging
import traceback
from collections.abc import Iterable
from typing import Final

from pydantic import SecretStr

STRUCK: Final = "[secret]"
SECRET_CHARS_MIN: Final = 8
"""A shorter secret is refused: striking it out would tear up ordinary text."""

TRACE_CHARS_MAX: Final = 4000
"""The longest traceback that is logged; the end of it says most."""


class Scrubber(logging.Filter):
    """Knows the live secrets. As a filter on the handlers of a log it strikes them out of every record."""

    def __init__(self) -> None:
        super().__init__()
        self._values: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Scrubber({len(self._values)} secrets)"

    def learn(self, secrets: Iterable[SecretStr]) -> None:
        """Adds secrets. The longest is struck first, so that one inside another leaves nothing behind."""
        values = {secret.get_secret_value() for secret in secrets}
        self._values = tuple(sorted(values.union(self._values), key=len, reverse=True))

    def text(self, text: str) -> str:
        """The text without any secret."""
        for value in self._values:
            text = text.replace(value, STRUCK)
        return text

    def trace(self, error: BaseException) -> str:
        """The end of an error's traceback without any secret."""
        return self.text("".join(traceback.format_exception(error)))[-TRACE_CHARS_MAX:]

    def filter(self, record: logging.LogRecord) -> bool:
        """Strikes the secrets out of a record, and lets it pass."""
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            message = str(record.msg)
        record.msg, record.args = self.text(message), ()
        if record.exc_info and record.exc_info[1] is not None:
            record.exc_text, record.exc_info = self.trace(record.exc_info[1]), None
        for name, value in tuple(vars(record).items()):
            if name not in {"msg", "exc_text"} and isinstance(value, str):
                setattr(record, name, self.text(value))
        return True
