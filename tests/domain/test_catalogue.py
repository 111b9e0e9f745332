"""What the catalogue makes of search texts, sorts and cursors."""

import unicodedata
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, strategies as st

from shoutgraph.domain import catalogue, errors, ids, pages
from shoutgraph.domain.catalogue import CreatorFilter, CreatorSort, Sort
from shoutgraph.domain.categories import Category
from shoutgraph.domain.creators import Creator


def test_a_search_text_is_its_words() -> None:
    assert catalogue.words_of('  Mira "OR" near:Kestrel* (x) -y ') == ("mira", "or", "near", "kestrel", "x", "y")
    assert catalogue.words_of("Straße straße") == ("strasse",)
    assert catalogue.words_of("?!*\"'") == ()
    assert len(catalogue.words_of(" ".join(map(str, range(50))))) == catalogue.WORDS_MAX


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Sofía MÜLLER", ("sofia", "muller")),
        ("So\u0301fia", ("sofia",)),
        ("Łukasz İzmir", ("łukasz", "izmir")),
        ("Ёлка Ηλίας", ("елка", "ηλιασ")),
        ("हिन्दी 李小龙 한국", ("हिन्दी", "李小龙", "한국")),
        ("ﬁ ½ sofia_cometa", ("fi", "½", "sofia", "cometa")),
        ("x" * 100, ("x" * 64,)),
        ("♥Ada♥ \u2014ada", ("ada",)),
    ],
)
def test_words_are_without_case_and_accents(text: str, words: tuple[str, ...]) -> None:
    assert catalogue.words_of(text) == words


@given(st.text(max_size=60))
def test_a_profile_is_found_by_every_word_of_it(text: str) -> None:
    indexed = catalogue.indexed(creator(bio=text))
    for word in text.split():
        for wanted in catalogue.words_wanted(CreatorFilter(text=word)):
            assert wanted in indexed


def test_a_facet_is_no_word_of_a_profile() -> None:
    indexed = catalogue.indexed(creator(bio="c0chef k0de"))
    assert {"c0chef", "k0de", "w0c0chef", "w0k0de", "w0mira"} <= set(indexed)
    assert catalogue.words_wanted(CreatorFilter(text="c0chef")) == ("w0c0chef",)


@given(st.text(max_size=100))
def test_a_word_has_only_letters_digits_and_marks(text: str) -> None:
    for word in catalogue.words_of(text):
        assert word
        assert all(c.isalnum() or unicodedata.category(c).startswith("M") for c in word)


def test_each_sort_has_the_direction_that_people_expect() -> None:
    assert CreatorSort.of(Sort.PRICE).descending is False
    assert CreatorSort.of(Sort.NEWEST).descending is True
    assert CreatorSort.of(Sort.NAME, descending=True).descending is True
    assert set(catalogue.DESCENDING) == set(Sort)


@pytest.mark.parametrize(
    ("only", "code"),
    [
        (CreatorFilter(text="x" * 101), "TOO_LONG"),
        (CreatorFilter(language="%"), "INVALID_LANGUAGE"),
        (CreatorFilter(country="germany"), "INVALID_COUNTRY"),
    ],
)
def test_a_filter_that_means_nothing_is_refused(only: CreatorFilter, code: str) -> None:
    with pytest.raises(errors.ValidationError) as caught:
        catalogue.check_filter(only)
    assert caught.value.code == code


@pytest.mark.parametrize("sort", Sort)
def test_a_cursor_of_a_sort_leads_back_to_its_place(sort: Sort) -> None:
    key = catalogue.key_of(creator(name="é\U0001f600" * 30), sort)
    scope = catalogue.scope(CreatorSort.of(sort), catalogue.ALL)
    args = pages.read_args(scope=scope, after=pages.write_cursor(scope, key), kinds=None)
    assert args.key == key
    catalogue.check_args(args, CreatorSort.of(sort))


@pytest.mark.parametrize("sort", Sort)
@pytest.mark.parametrize(
    "key",
    [("x",), (1,), (1, 2, 3), ("a", "b", "c"), (2**63, "x"), (1, None), ("\ud800", "x"), ("\0", "x"), (True, "x")],
)
def test_a_forged_cursor_is_refused(sort: Sort, key: tuple[Any, ...]) -> None:
    for backward in (False, True):
        with pytest.raises(errors.ValidationError) as caught:
            catalogue.check_args(pages.PageArgs(20, key, backward), CreatorSort.of(sort))
        assert caught.value.code == "INVALID_CURSOR"


def test_lists_with_another_filter_or_sort_have_other_names() -> None:
    names = {
        catalogue.scope(sort, only)
        for sort in (CreatorSort.of(Sort.PRICE), CreatorSort.of(Sort.PRICE, descending=True), CreatorSort.of(Sort.NAME))
        for only in (
            catalogue.ALL,
            CreatorFilter(featured=True),
            CreatorFilter(price_min=1),
            CreatorFilter(price_max=1),
        )
    }
    assert len(names) == 12


@pytest.mark.parametrize(
    ("only", "found"),
    [
        (CreatorFilter(language="zh"), True),
        (CreatorFilter(language="zh-Hant"), True),
        (CreatorFilter(language="zh-Hant-TW"), False),
        (CreatorFilter(language="pt-BR", category=Category.CHEF, country="DE"), True),
        (CreatorFilter(language="p"), False),
        (CreatorFilter(category=Category.ACTOR), False),
        (CreatorFilter(country="BR"), False),
        (catalogue.ALL, True),
    ],
)
def test_a_creator_is_found_by_all_the_facets_that_are_wanted(only: CreatorFilter, found: bool) -> None:  # noqa: FBT001
    facets = catalogue.facets_of(creator(languages=("zh-Hant", "pt-BR")))
    assert (set(catalogue.facets_wanted(only)) <= set(facets)) is found
    assert all(facet.isalnum() and facet.isascii() for facet in facets)


def creator(**changes: Any) -> Creator:
    values: dict[str, Any] = {
        "id": ids.CreatorId("creator_00000000000000000000000001"),
        "revision": 1,
        "user_id": ids.UserId("user_00000000000000000000000001"),
        "handle": "mira",
        "name": "Mira",
        "country": "DE",
        "categories": (Category.CHEF,),
        "languages": ("de",),
        "bio": "",
        "avatar_url": None,
        "open_orders_max": None,
        "open": True,
        "paused_until": None,
        "featured": True,
        "rating_sum": 9,
        "rating_count": 2,
        "price_from_coins": 250,
        "created_at": datetime(2026, 3, 1, tzinfo=UTC),
    }
    return Creator(**(values | changes))
