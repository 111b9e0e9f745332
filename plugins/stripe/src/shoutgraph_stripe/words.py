"""What of ours goes with Stripe's objects, so that they can be told from those of others, and found again."""

import re
from collections.abc import Mapping
from typing import Final

OPERATION: Final = "shoutgraph_id"
KEY: Final = "shoutgraph_key"
INSTANCE: Final = "shoutgraph_instance"
PAYMENT: Final = "shoutgraph_payment"
"""In a refund: the session of the payment that it belongs to."""

RETURN_URL: Final = "shoutgraph_return_url"
REFRESH_URL: Final = "shoutgraph_refresh_url"

NAMES_MAX: Final = 40
NAME_CHARS_MAX: Final = 40
VALUE_CHARS_MAX: Final = 500
SUFFIX_CHARS_MAX: Final = 22
LABEL_CHARS_MAX: Final = 250

_LOCALES: Final = re.compile(
    "bg|cs|da|de|el|en|en-GB|es|es-419|et|fi|fil|fr|fr-CA|hr|hu|id|it|ja|ko|lt|lv|ms|mt|nb|nl|pl|pt|pt-BR|ro|ru|sk|sl|"
    "sv|th|tr|vi|zh|zh-HK|zh-TW"
)
_NOT_ON_STATEMENTS: Final = re.compile(r"[^ -~]|[<>\\'\"*]")


def metadata(operation_id: str, key: str, instance: str, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """What an object carries of ours; of the rest as much as there is room for, whole entries only."""
    fits = [
        (name, value)
        for name, value in sorted((more or {}).items())
        if 0 < len(name) <= NAME_CHARS_MAX and not set(name) & {"[", "]"} and 0 < len(value) <= VALUE_CHARS_MAX
    ]
    return {**dict(fits[:NAMES_MAX]), OPERATION: operation_id, KEY: key, INSTANCE: instance}


def locale(tag: str) -> str:
    """The language of the page: the one that was asked for where Stripe has it, else the browser's."""
    language = tag.partition("-")[0].lower()
    return next((each for each in (tag, language) if _LOCALES.fullmatch(each)), "auto")


def suffix(descriptor: str) -> str | None:
    """What the fan's bank statement shows after the account's own name; None where nothing readable is left."""
    text = _NOT_ON_STATEMENTS.sub("", descriptor).strip()[:SUFFIX_CHARS_MAX].strip()
    return text if any(each.isalpha() for each in text) else None


def label(descriptor: str) -> str:
    """What the page says that is bought."""
    return descriptor.strip()[:LABEL_CHARS_MAX] or "-"
