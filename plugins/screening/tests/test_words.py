# ruff: noqa: RUF001 -- letters that look like others are what is tried
"""Requests: what is said plainly is judged, what is disguised is a person's, and nothing else is passed."""

from collections.abc import Callable

import pytest

from shoutgraph.sdk import OrderRequest, Verdict
from shoutgraph_screening import folding

pytestmark = pytest.mark.anyio

RULES = """
[requests]
languages = ["en", "de"]
deny = ["badword", "very bad phrase", "übel"]
hold = ["lawyer"]
"""
ALLOW, HOLD, DENY = Verdict.ALLOW, Verdict.HOLD, Verdict.DENY


def request(text: str, language: str = "en", field: str = "instructions") -> OrderRequest:
    return OrderRequest("order_1", "BIRTHDAY", {"recipientName": "Ada", field: text}, language)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("Say hello to Ada on her 30th birthday!", ALLOW),
        ("A badword in it", DENY),
        ("A BADWORD, shouted", DENY),
        ("Bad words of another kind: notabadwordatall", ALLOW),
        ("a very  bad\nphrase indeed", DENY),
        ("very bad luck and a phrase", ALLOW),
        ("ＢＡＤＷＯＲＤ in full width", DENY),
        ("b\u00adad\u200bword with what nobody sees", DENY),
        ("bádwörd with accents", DENY),
        ("UBEL without its dots", DENY),
        ("bаdword with a Cyrillic letter", HOLD),
        ("b4dw0rd in digits", HOLD),
        ("b.a.d.w.o.r.d with dots", HOLD),
        ("b a d w o r d spelled", HOLD),
        ("baaaaadword drawled", HOLD),
        ("b@dw0rd!", HOLD),
        ("call my lawyer", HOLD),
        ("see www.example.com", HOLD),
        ("write to me@example.org", HOLD),
        ("ring +49 170 123 45 67", HOLD),
        ("привет means hello", ALLOW),
        ("пpивет with a Latin p", HOLD),
    ],
)
async def test_a_text_is_judged_by_what_it_says(
    text: str, verdict: Verdict, screen: Callable[..., object], rules: Callable[[str], None]
) -> None:
    rules(RULES)
    assert await screen(request(text)) is verdict  # type: ignore[misc]


async def test_what_must_not_be_said_may_be_listed(screen: Callable[..., object], rules: Callable[[str], None]) -> None:
    rules(RULES)
    assert await screen(request("badword", field="mustNotSay.0")) is ALLOW  # type: ignore[misc]


@pytest.mark.parametrize(("language", "verdict"), [("en-GB", ALLOW), ("DE", ALLOW), ("fr", HOLD)])
async def test_a_language_that_the_rules_do_not_know_is_a_persons(
    language: str, verdict: Verdict, screen: Callable[..., object], rules: Callable[[str], None]
) -> None:
    rules(RULES)
    assert await screen(request("Bonjour", language)) is verdict  # type: ignore[misc]
    assert await screen(request("badword", language)) is DENY  # type: ignore[misc]


@pytest.mark.parametrize("text", ["[requests", "[requests]\nunknown = 1", "[videos]\npass = 3"])
async def test_rules_that_cannot_be_read_leave_everything_to_people(
    text: str, screen: Callable[..., object], rules: Callable[[str], None]
) -> None:
    rules(text)
    assert await screen(request("Hello")) is HOLD  # type: ignore[misc]


async def test_without_rules_there_is_no_opinion(
    screen: Callable[..., object], rules: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    rules("[videos]")
    assert await screen(request("Hello")) is HOLD  # type: ignore[misc]
    monkeypatch.delenv("SCREENING_RULES")
    assert await screen(request("Hello")) is HOLD  # type: ignore[misc]


def test_folding_is_the_same_twice() -> None:
    for text in ("ＢＡＤ", "ẞ", "ŉ", "ǅ", "İ", "ﬁ", "\u0345"):
        assert folding.plain(folding.plain(text)) == folding.plain(text)
