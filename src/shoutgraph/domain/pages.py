"""Pages of a list by keyset: a page starts after the sort key of the last item seen, never at an offset.

A cursor is opaque text: version, the list's name with its sort and filter, and the sort key. A cursor of
another list, sort or filter is refused rather than misread.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar, overload

from shoutgraph.domain import errors

PAGE_DEFAULT: Final = 20
PAGE_MAX: Final = 100
CURSOR_CHARS_MAX: Final = 1024
INT64_END: Final = 2**63

_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")

T = TypeVar("T")

Key = tuple[int | str | None, ...]
"""The values a list sorts by, ending with the id that breaks ties."""


@dataclass(frozen=True, slots=True)
class PageArgs:
    """Which page is asked for: `size` items after (or, when `backward`, before) the key."""

    size: int
    key: Key | None
    backward: bool


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of items in list order, with the cursor of each."""

    items: tuple[T, ...]
    cursors: Sequence[str]
    has_next: bool
    has_previous: bool


class Cursors(Sequence[str]):
    """The cursor of each item of a page. They are written when they are asked for: most pages need two of them."""

    __slots__ = ("_items", "_key_of", "_scope")

    def __init__(self, scope: str, items: Sequence[T], key_of: Callable[[T], Key]) -> None:
        self._scope = scope
        self._items = items
        self._key_of = key_of

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[str]: ...
    def __getitem__(self, at: int | slice) -> str | Sequence[str]:
        if isinstance(at, slice):
            return Cursors(self._scope, self._items[at], self._key_of)
        return write_cursor(self._scope, self._key_of(self._items[at]))


def read_args(  # noqa: PLR0913 - the four arguments of a connection, and what the list says of itself
    *,
    scope: str,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
    size_max: int = PAGE_MAX,
    kinds: tuple[type, ...] | None = (str,),
) -> PageArgs:
    """Turns the four connection arguments into one page request; `scope` is what `scope_of` gives.

    `kinds` are the types of the list's key, an id alone unless it says more: a cursor made by hand with other values
    is refused like any foreign one. None leaves that to a list whose key depends on its sort.

    Raises:
        ValidationError: both directions at once, a size out of range, or a cursor of another list.
    """
    backward = last is not None or before is not None
    if backward and (first is not None or after is not None):
        msg = "Give first and after, or last and before, not both pairs."
        raise errors.ValidationError(msg, code="PAGE_ARGUMENTS", path=("last",))
    size = last if backward else first
    name = "last" if backward else "first"
    if size is None:
        size = min(PAGE_DEFAULT, size_max)
    if not 0 <= size <= size_max:
        msg = f"{name} is between 0 and {size_max}."
        raise errors.ValidationError(msg, code="PAGE_SIZE", path=(name,))
    cursor = before if backward else after
    path = ("before" if backward else "after",)
    key = None if cursor is None else read_cursor(scope, cursor, path=path)
    if key is not None and kinds is not None and not _fits(key, kinds):
        raise _foreign(path)
    return PageArgs(size=size, key=key, backward=backward)


def scope_of(name: str, *parts: object) -> str:
    """Names a list with everything that changes its order or content: sort, direction, filter."""
    digest = hashlib.sha256(repr(parts).encode()).hexdigest()[:12]
    return f"{name}:{digest}"


def write_cursor(scope: str, key: Key) -> str:
    """The opaque cursor of a place in a list."""
    text = json.dumps(["v1", scope, *key], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(scope: str, cursor: str, *, path: tuple[str, ...]) -> Key:
    """The key inside a cursor.

    Raises:
        ValidationError: the text is no cursor, or it belongs to another list, sort or filter.
    """
    refusal = _foreign(path)
    if len(cursor) > CURSOR_CHARS_MAX:
        raise refusal
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        parts = json.loads(raw)
    except (ValueError, binascii.Error, RecursionError):
        raise refusal from None
    if not isinstance(parts, list) or parts[:2] != ["v1", scope]:
        raise refusal
    key = tuple(parts[2:])
    if not key or not all(map(_is_part, key)):
        raise refusal
    return key


def _is_part(value: object) -> bool:
    """Whether a key may hold this: JSON can write NUL and halves of surrogate pairs, and some databases cannot."""
    return value is None or type(value) is int or (isinstance(value, str) and _UNWRITABLE.search(value) is None)


def cut(items: Sequence[T], args: PageArgs, *, scope: str, key_of: Callable[[T], Key]) -> Page[T]:
    """Makes a page of up to `args.size + 1` items that storage read in the direction asked for.

    The extra item only says whether there is more; storage returns backward pages in reverse order.
    """
    more = len(items) > args.size
    kept = list(items[: args.size])
    if args.backward:
        kept.reverse()
    return Page(
        items=tuple(kept),
        cursors=Cursors(scope, tuple(kept), key_of),
        has_next=args.key is not None if args.backward else more,
        has_previous=more if args.backward else args.key is not None,
    )


def _fits(key: Key, kinds: tuple[type, ...]) -> bool:
    if len(key) != len(kinds):
        return False
    bounded = all(abs(value) < INT64_END for value in key if isinstance(value, int))
    return bounded and all(value is None or type(value) is kind for value, kind in zip(key, kinds, strict=True))


def _foreign(path: tuple[str, ...]) -> errors.ValidationError:
    msg = "This cursor does not belong to this list, sort and filter."
    return errors.ValidationError(msg, code="INVALID_CURSOR", path=path)
