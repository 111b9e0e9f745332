"""Pages: cursors come back as they went out, belong to one list, and walk every item once in both directions."""

import base64
import json

import pytest
from hypothesis import given, settings, strategies as st

from shoutgraph.domain import errors, pages
from shoutgraph.domain.pages import Key, PageArgs

SCOPE = pages.scope_of("orders", "created_at", "DESC")
OTHER = pages.scope_of("orders", "created_at", "ASC")
PATH = ("after",)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
"""What every database can hold."""
PARTS = st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), TEXTS)
KEYS = st.lists(PARTS, min_size=1, max_size=3).map(tuple)


def forged(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(list(parts)).encode()).decode().rstrip("=")


def listing(items: list[int], args: PageArgs) -> list[int]:
    """What storage would read: one item more than the page, in reverse where it goes backward."""
    key = None if args.key is None else args.key[0]
    if args.backward:
        found = [item for item in reversed(items) if key is None or item < key]
    else:
        found = [item for item in items if key is None or item > key]
    return found[: args.size + 1]


def key_of(item: int) -> Key:
    return (item,)


@settings(deadline=None)
@given(key=KEYS)
def test_a_cursor_comes_back_as_it_went_out(key: Key):
    cursor = pages.write_cursor(SCOPE, key)
    assert pages.read_cursor(SCOPE, cursor, path=PATH) == key
    assert cursor.isascii()
    assert not set(cursor) & set("=+/ ")


@settings(deadline=None)
@given(key=KEYS)
def test_a_cursor_of_another_list_is_refused(key: Key):
    for scope in (OTHER, pages.scope_of("topups"), "orders", ""):
        with pytest.raises(errors.ValidationError) as caught:
            pages.read_cursor(scope, pages.write_cursor(SCOPE, key), path=PATH)
        assert (caught.value.code, caught.value.path) == ("INVALID_CURSOR", PATH)


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "not a cursor",
        "\N{SNOWMAN}",
        "====",
        "A" * pages.CURSOR_CHARS_MAX,
        pages.write_cursor(SCOPE, ("x" * pages.CURSOR_CHARS_MAX,)),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
        base64.urlsafe_b64encode(b"[" * 700).decode(),
        forged("v0", SCOPE, 1),
        forged("v1", SCOPE),
        forged("v1"),
        forged(),
        forged("v1", SCOPE, 1.0),
        base64.urlsafe_b64encode(f'["v1","{SCOPE}",true]'.encode()).decode(),
        forged("v1", SCOPE, 1, ["nested"]),
        forged("v1", SCOPE, {"a": 1}),
        forged("v1", SCOPE, "NUL \0"),
        forged("v1", SCOPE, "half a pair \ud800"),
        base64.urlsafe_b64encode(f'["v1","{SCOPE}",NaN]'.encode()).decode(),
        base64.urlsafe_b64encode(f'["v1","{SCOPE}",{"9" * 400}.5]'.encode()).decode(),
        base64.urlsafe_b64encode(f'{{"v1":"{SCOPE}"}}'.encode()).decode(),
        base64.urlsafe_b64encode(b'"v1"').decode(),
        base64.urlsafe_b64encode(b"null").decode(),
    ],
)
def test_what_is_no_cursor_is_refused(cursor: str):
    with pytest.raises(errors.ValidationError, match="does not belong") as caught:
        pages.read_cursor(SCOPE, cursor, path=PATH)
    assert caught.value.code == "INVALID_CURSOR"


@settings(deadline=None)
@given(text=st.text(max_size=60))
def test_no_text_breaks_the_reader_of_cursors(text: str):
    with pytest.raises(errors.ValidationError):
        pages.read_cursor(SCOPE, text, path=PATH)


def test_a_scope_names_the_list_with_its_sort_and_filter():
    scopes = {
        pages.scope_of("orders"),
        pages.scope_of("topups"),
        pages.scope_of("orders", "a"),
        pages.scope_of("orders", "b"),
        pages.scope_of("orders", "a", "b"),
        pages.scope_of("orders", ("a", "b")),
        pages.scope_of("orders", "a, b"),
        pages.scope_of("orders", 1),
        pages.scope_of("orders", "1"),
        pages.scope_of("orders", None),
    }
    assert len(scopes) == 10
    assert pages.scope_of("orders", "a") == pages.scope_of("orders", "a")


@pytest.mark.parametrize(
    ("given_args", "size", "backward"),
    [
        ({}, pages.PAGE_DEFAULT, False),
        ({"first": 7}, 7, False),
        ({"first": 0}, 0, False),
        ({"last": 7}, 7, True),
        ({"first": pages.PAGE_MAX}, pages.PAGE_MAX, False),
        ({"size_max": 5}, 5, False),
        ({"before": pages.write_cursor(SCOPE, ("a",))}, pages.PAGE_DEFAULT, True),
    ],
)
def test_the_arguments_of_a_connection_ask_for_one_page(given_args: dict[str, object], size: int, *, backward: bool):
    args = pages.read_args(scope=SCOPE, **given_args)  # type: ignore[arg-type]
    assert (args.size, args.backward) == (size, backward)


@pytest.mark.parametrize(
    ("given_args", "code", "path"),
    [
        ({"first": 1, "last": 1}, "PAGE_ARGUMENTS", ("last",)),
        ({"after": "x", "before": "x"}, "PAGE_ARGUMENTS", ("last",)),
        ({"first": 1, "before": "x"}, "PAGE_ARGUMENTS", ("last",)),
        ({"last": 1, "after": "x"}, "PAGE_ARGUMENTS", ("last",)),
        ({"first": -1}, "PAGE_SIZE", ("first",)),
        ({"first": pages.PAGE_MAX + 1}, "PAGE_SIZE", ("first",)),
        ({"last": pages.PAGE_MAX + 1}, "PAGE_SIZE", ("last",)),
        ({"first": 6, "size_max": 5}, "PAGE_SIZE", ("first",)),
        ({"after": "x"}, "INVALID_CURSOR", ("after",)),
        ({"before": pages.write_cursor(OTHER, (1,))}, "INVALID_CURSOR", ("before",)),
    ],
)
def test_arguments_that_ask_for_no_page_are_refused(given_args: dict[str, object], code: str, path: tuple[str, ...]):
    with pytest.raises(errors.ValidationError) as caught:
        pages.read_args(scope=SCOPE, **given_args)  # type: ignore[arg-type]
    assert (caught.value.code, caught.value.path) == (code, path)


@settings(deadline=None)
@given(items=st.lists(st.integers(0, 99), unique=True, max_size=30), size=st.integers(1, 7), backward=st.booleans())
def test_the_pages_of_a_list_hold_each_item_once(items: list[int], size: int, *, backward: bool):
    items.sort()
    seen: list[int] = []
    place: str | None = None
    for _ in range(len(items) + 1):
        asked = {"last": size, "before": place} if backward else {"first": size, "after": place}
        args = pages.read_args(scope=SCOPE, kinds=(int,), **asked)  # type: ignore[arg-type]
        page = pages.cut(listing(items, args), args, scope=SCOPE, key_of=key_of)
        assert len(page.items) <= size
        assert list(page.items) == sorted(page.items), "a page is in the list's order in both directions"
        assert [pages.read_cursor(SCOPE, cursor, path=PATH) for cursor in page.cursors] == [(i,) for i in page.items]
        assert (page.has_next if backward else page.has_previous) == (place is not None)
        seen = [*page.items, *seen] if backward else [*seen, *page.items]
        if not (page.has_previous if backward else page.has_next):
            break
        place = page.cursors[0] if backward else page.cursors[-1]
    assert seen == items


def test_a_page_of_nothing_still_says_whether_there_is_more():
    args = pages.read_args(scope=SCOPE, first=0)
    assert pages.cut(listing([1, 2], args), args, scope=SCOPE, key_of=key_of).has_next
    assert not pages.cut(listing([], args), args, scope=SCOPE, key_of=key_of).has_next


@pytest.mark.parametrize("key", [(1,), ("a", "b"), (True,), (2**63, "a")])
def test_a_cursor_whose_key_was_made_by_hand_is_refused(key: tuple[int | str, ...]):
    with pytest.raises(errors.ValidationError) as caught:
        pages.read_args(scope=SCOPE, after=pages.write_cursor(SCOPE, key))
    assert (caught.value.code, caught.value.path) == ("INVALID_CURSOR", ("after",))
