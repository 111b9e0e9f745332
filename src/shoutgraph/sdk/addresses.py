"""What plugins read of addresses and of answers, the same for every provider that is spoken to over HTTP."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from urllib.parse import SplitResult, urlsplit

RETRY_AFTER_MAX: Final = timedelta(hours=1)
"""The longest wait that a provider is believed."""
_PORTS: Final = {"http": 80, "https": 443}


def plain_url(url: str) -> str:
    """A base URL as it is kept, without a slash at its end; for a pydantic `AfterValidator`.

    Raises:
        ValueError: it is no http or https URL, or has a query or a fragment.
    """
    _read(url, "an http or https URL without a query")
    return url.rstrip("/")


def origin_url(url: str) -> str:
    """A base URL that is an origin alone; for a pydantic `AfterValidator`.

    Raises:
        ValueError: it is no http or https URL, or has a path, a query or a fragment.
    """
    if _read(url, "an http or https URL without a path").path:
        raise ValueError("an http or https URL without a path")
    return url


def host_of(url: str) -> str:
    """The host and port of a base URL, as a plugin names them to be spoken to."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or _PORTS[parts.scheme]}"


def retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """How long an answer asks to wait, an hour at most; None where it does not say so in whole seconds.

    Source: RFC 9110, section 10.2.3.
    """
    seconds = headers.get("retry-after", "")
    if not (seconds.isascii() and seconds.isdigit()):
        return None
    return timedelta(seconds=min(int(seconds), int(RETRY_AFTER_MAX.total_seconds())))


def _read(url: str, wanted: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(wanted)
    return parts
