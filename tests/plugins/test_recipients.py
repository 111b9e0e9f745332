"""Recipients and quotes behind the fence: what is not declared is not asked for, and what is wrong is unknown."""
# ruff: noqa: ARG001, ARG005 -- protocols name their arguments

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.plugins.written import EUR, NOW, PAYOUT_CAPS, SECRET, Offer, call, payout_plugin, setup

from shoutgraph.plugins.loading import load
from shoutgraph.plugins.payouts import Payouts
from shoutgraph.plugins.providers import Providers
from shoutgraph.plugins.statuses import State
from shoutgraph.sdk import (
    Money,
    NotExecuted,
    OnboardRequest,
    Paid,
    PayoutCaps,
    Quote,
    QuoteRequest,
    Ready,
    Requirement,
    Restricted,
    Unknown,
)

pytestmark = pytest.mark.anyio

IBAN = Requirement("iban", "IBAN", "[A-Z0-9]+", secret=True)
QUOTE = Quote(EUR, Money(20, "EUR"), Money(980, "EUR"), NOW)


def gives(answer: object) -> Callable[..., object]:
    async def method(*args: object) -> object:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return method


DECLARED = replace(PAYOUT_CAPS, onboarding=True, quotes=True)


def offering(methods: Mapping[str, object], caps: PayoutCaps = DECLARED) -> Payouts:
    return loaded(methods, caps).payout("one")


def loaded(methods: Mapping[str, object], caps: PayoutCaps = DECLARED) -> Providers:
    offer = Offer(payouts=(payout_plugin(methods, caps=caps),))
    instances = {"one": {"plugin": "written-payouts", "api_key": {"env": "KEY"}}}
    return load(setup(extra={"offer": offer}, instances=instances))


def house(**answers: object) -> Payouts:
    pure = answers.pop("requirements", lambda country, currency: (IBAN,))
    methods = {"onboard": gives(Ready("acct_1")), "recipient_status": gives(Ready("acct_1")), "quote": gives(QUOTE)}
    given = {name: gives(answer) for name, answer in answers.items()}
    return offering({**methods, **given, "requirements": pure})


def wish(currency: str = "EUR") -> OnboardRequest:
    page = "https://shop.example"
    return OnboardRequest(call(), "recipient_1", "DE", currency, {"iban": "DE00"}, page, page, None)


def question(amount: Money = EUR) -> QuoteRequest:
    return QuoteRequest(call(), amount, "acct_1")


async def test_a_recipient_is_onboarded_looked_at_and_quoted() -> None:
    payouts = house()
    assert payouts.requirements("DE", "EUR") == (IBAN,)
    assert await payouts.onboard(wish()) == Ready("acct_1")
    assert await payouts.recipient_status("acct_1", call()) == Ready("acct_1")
    assert await payouts.quote(question()) == QUOTE


async def test_what_is_not_declared_is_not_asked_for() -> None:
    payouts = offering({"onboard": gives(Ready("acct_1")), "quote": gives(QUOTE)}, PAYOUT_CAPS)
    assert payouts.requirements("DE", "EUR") is None
    assert await payouts.onboard(wish()) == NotExecuted("unsupported")
    assert await payouts.recipient_status("acct_1", call()) == Unknown("unsupported")
    assert await payouts.quote(question()) == NotExecuted("unsupported")
    assert await house().onboard(wish("USD")) == NotExecuted("unsupported_currency")
    assert await house().quote(question(Money(1, "USD"))) == NotExecuted("unsupported_currency")


@pytest.mark.parametrize("answer", [None, Paid("ref", EUR, NOW), RuntimeError(SECRET), SystemExit])
async def test_whatever_goes_wrong_with_a_recipient_is_unknown(
    answer: object, caplog: pytest.LogCaptureFixture
) -> None:
    payouts = house(onboard=answer, recipient_status=answer, quote=answer)
    assert isinstance(await payouts.onboard(wish()), Unknown)
    assert isinstance(await payouts.recipient_status("acct_1", call()), Unknown)
    assert isinstance(await payouts.quote(question()), Unknown)
    assert SECRET not in caplog.text


async def test_onboarding_that_hangs_is_unknown() -> None:
    async def hangs(*args: object) -> object:
        await asyncio.sleep(60)

    payouts = offering(
        {"onboard": hangs, "recipient_status": hangs, "requirements": lambda *_: ()},
        replace(PAYOUT_CAPS, onboarding=True),
    )
    hurried = replace(wish(), call=replace(call(), timeout=timedelta(milliseconds=20)))
    assert await payouts.onboard(hurried) == Unknown("timeout")


async def test_an_answer_about_somebody_else_is_unknown() -> None:
    payouts = house(recipient_status=Restricted("acct_2", "closed"))
    assert await payouts.recipient_status("acct_1", call()) == Unknown("ref_mismatch", ref="acct_2")


@pytest.mark.parametrize(
    ("quote", "reason"),
    [
        (replace(QUOTE, amount=Money(999, "EUR")), "amount_mismatch"),
        (replace(QUOTE, amount=Money(1000, "USD")), "currency_mismatch"),
        (replace(QUOTE, fee=Money(20, "USD")), "currency_mismatch"),
    ],
)
async def test_a_quote_for_something_else_is_unknown(quote: Quote, reason: str) -> None:
    seen = await house(quote=quote).quote(question())
    assert isinstance(seen, Unknown)
    assert seen.reason == reason


@pytest.mark.parametrize("answer", [None, 7, (7,), (IBAN, IBAN), (IBAN,) * 51, RuntimeError(SECRET)])
async def test_requirements_that_cannot_be_read_are_none(answer: object, caplog: pytest.LogCaptureFixture) -> None:
    def requirements(*_: object) -> object:
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert house(requirements=requirements).requirements("DE", "EUR") is None
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    ("name", "label", "pattern"), [("IBAN", "IBAN", None), ("", "IBAN", None), ("iban", "", None), ("iban", "I", "[")]
)
def test_a_requirement_has_a_name_a_label_and_a_pattern_that_can_be_used(
    name: str, label: str, pattern: str | None
) -> None:
    with pytest.raises(ValueError, match=r"requirement|pattern"):
        Requirement(name, label, pattern)


@pytest.mark.parametrize("missing", ["onboard", "recipient_status", "requirements", "quote"])
def test_a_plugin_that_declares_onboarding_or_quotes_has_the_methods(missing: str) -> None:
    methods = dict.fromkeys(("onboard", "recipient_status", "quote"), gives(None))
    methods = {**methods, "requirements": lambda *_: ()}
    del methods[missing]
    found = loaded(methods)
    (status,) = found.instances
    assert status.state is State.INVALID
    assert missing in status.detail
