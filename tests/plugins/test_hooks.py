"""Hooks give advice: a broken one changes nothing, except that a risk review fails closed."""
# ruff: noqa: ARG001 -- hooks name their arguments

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import pytest
from tests.plugins.written import SECRET, request, setup

from shoutgraph.plugins.hooks import Hooks
from shoutgraph.plugins.loading import load
from shoutgraph.sdk import OrderRequest, Verdict, hookimpl

CANDIDATES = ("one", "two", "three")


def broken(*args: object) -> object:
    raise RuntimeError("no opinion")


def exits(*args: object) -> object:
    raise SystemExit


def hooks_of(kind: str, *answers: Callable[..., object]) -> Hooks:
    def plugin(answer: Callable[..., object]) -> object:
        class Ranks:
            @hookimpl
            def shoutgraph_rank_topup(self, request: object, candidates: object) -> object:
                return answer(request, candidates)

        class Reviews:
            @hookimpl
            def shoutgraph_review(self, kind: str, request: object) -> object:
                return answer(kind, request)

        class Hears:
            @hookimpl
            def shoutgraph_money_event(self, event: Mapping[str, object]) -> object:
                return answer(event)

        class Screens:
            @hookimpl
            def shoutgraph_screen(self, subject: object) -> object:
                return answer(subject)

        return {"rank": Ranks, "review": Reviews, "hear": Hears, "screen": Screens}[kind]()

    extra = {f"plugin-{at}": plugin(answer) for at, answer in enumerate(answers)}
    return load(setup(extra=extra, instances={}, strict=True)).hooks


@pytest.mark.parametrize(
    ("answer", "ranked"),
    [
        (lambda *_: ["three", "one"], ("three", "one")),
        (lambda *_: ("two", "two"), ("two",)),
        (lambda *_: (), ()),
        (lambda *_: None, CANDIDATES),
        (lambda *_: ["four"], CANDIDATES),
        (lambda *_: "one", CANDIDATES),
        (lambda *_: 7, CANDIDATES),
        (broken, CANDIDATES),
        (exits, CANDIDATES),
    ],
)
def test_a_ranking_may_order_and_drop_and_nothing_else(answer: Callable[..., object], ranked: tuple[str, ...]) -> None:
    assert hooks_of("rank", answer).rank_topup(request(), CANDIDATES) == ranked


def test_the_first_ranking_that_holds_counts() -> None:
    first, second = (lambda *_: ["one"]), (lambda *_: ["two"])
    assert hooks_of("rank", broken, first).rank_topup(request(), CANDIDATES) == ("one",)
    assert hooks_of("rank", first, second).rank_topup(request(), CANDIDATES) in {("one",), ("two",)}


def later(verdict: object) -> Callable[..., Awaitable[object]]:
    async def review(*args: object) -> object:
        await asyncio.sleep(0)
        return verdict

    return review


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answers", "verdict"),
    [
        ((), Verdict.ALLOW),
        ((lambda *_: None,), Verdict.ALLOW),
        ((lambda *_: Verdict.ALLOW, later(Verdict.HOLD)), Verdict.HOLD),
        ((later(Verdict.DENY), lambda *_: Verdict.ALLOW), Verdict.DENY),
        ((lambda *_: Verdict.DENY, broken), Verdict.DENY),
        ((broken,), Verdict.HOLD),
        ((exits,), Verdict.HOLD),
        ((lambda *_: True,), Verdict.HOLD),
        ((lambda *_: "allow",), Verdict.HOLD),
        ((later(0),), Verdict.HOLD),
    ],
)
async def test_the_strictest_verdict_wins_and_an_error_holds(
    answers: tuple[Callable[..., object], ...], verdict: Verdict
) -> None:
    assert await hooks_of("review", *answers).review("topup", request()) is verdict


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answers", "verdict"),
    [
        ((), Verdict.HOLD),
        ((lambda *_: None,), Verdict.HOLD),
        ((lambda *_: None, lambda *_: Verdict.ALLOW), Verdict.ALLOW),
        ((lambda *_: Verdict.ALLOW, later(Verdict.HOLD)), Verdict.HOLD),
        ((later(Verdict.DENY), lambda *_: Verdict.ALLOW), Verdict.DENY),
        ((lambda *_: Verdict.ALLOW, broken), Verdict.HOLD),
        ((lambda *_: True,), Verdict.HOLD),
    ],
)
async def test_only_an_opinion_passes_a_screening(answers: tuple[Callable[..., object], ...], verdict: Verdict) -> None:
    hooks = hooks_of("screen", *answers)
    assert hooks.screens is bool(answers)
    assert await hooks.screen(OrderRequest("order_1", "BIRTHDAY", {}, "en")) is verdict


@pytest.mark.anyio
async def test_a_review_that_hangs_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shoutgraph.plugins.hooks.REVIEW_TIMEOUT_S", 0.02)

    async def hangs(*args: object) -> object:
        await asyncio.sleep(60)

    assert await hooks_of("review", hangs).review("topup", request()) is Verdict.HOLD


@pytest.mark.anyio
async def test_news_reaches_everybody_and_the_deaf_are_named(caplog: pytest.LogCaptureFixture) -> None:
    heard = []

    async def hears(event: object) -> None:
        heard.append(event)

    hooks = hooks_of("hear", hears, broken, heard.append)
    failed = await hooks.money_event({"kind": "topup.paid"})
    assert failed == ("(given):plugin-1",)
    assert heard == [{"kind": "topup.paid"}] * 2
    assert "its hook money_event broke" in caplog.text
    assert SECRET not in caplog.text
