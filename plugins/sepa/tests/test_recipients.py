"""Recipients: an account that can be paid, or what is wrong with it."""

import re
from datetime import timedelta
from typing import Any

import pytest

from shoutgraph.sdk import Call, Declined, OnboardRequest, Ready, Target, Unknown

pytestmark = pytest.mark.anyio

CALL = Call("recipient_1", "recipient_1", timedelta(seconds=20))


def asked(country: str = "DE", **values: str) -> OnboardRequest:
    given = {"name": "Jürgen  Weiß ", "iban": "de89 3704 0044 0532 0130 00", **values}
    return OnboardRequest(CALL, "recipient_1", country, "EUR", given, "https://shop.example/", "https://shop.example/")


async def test_an_account_is_ready_at_once_and_stays_so(world: Any) -> None:
    ready = await world.payouts.onboard(asked())
    assert ready == Ready("DE89370400440532013000||Jürgen Weiß")
    assert await world.payouts.onboard(asked()) == ready
    assert await world.payouts.recipient_status(ready.ref, CALL) == ready


async def test_outside_of_the_economic_area_the_bank_is_named(world: Any) -> None:
    iban = "GB29 NWBK 6016 1331 9268 19"
    assert await world.payouts.onboard(asked("JE", iban=iban)) == Declined(None, "bic_missing")
    ready = await world.payouts.onboard(asked("JE", iban=iban, bic="nwbkgb2l"))
    assert ready == Ready("GB29NWBK60161331926819|NWBKGB2L|Jürgen Weiß")


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"iban": "DE88370400440532013000"}, "iban_invalid"),
        ({"iban": ""}, "iban_invalid"),
        ({"iban": "BR1800360305000010009795493C1"}, "iban_not_sepa"),
        ({"bic": "NOBANK"}, "bic_invalid"),
        ({"name": ""}, "name_invalid"),
        ({"name": "a|b"}, "name_invalid"),
        ({"name": "☃"}, "name_invalid"),
        ({"name": "a" * 71}, "name_invalid"),
    ],
)
async def test_what_is_wrong_has_a_code(world: Any, values: dict[str, str], code: str) -> None:
    assert await world.payouts.onboard(asked(**values)) == Declined(None, code)


async def test_requirements_are_asked_where_euros_are_sent(world: Any) -> None:
    found = {each.name: each for each in world.payouts.requirements("DE", "EUR")}
    assert [name for name, each in found.items() if each.required] == ["name", "iban"]
    for name, answer in {**asked().values, "bic": "COBADEFFXXX"}.items():
        assert re.fullmatch(found[name].pattern or "", answer)
    assert not re.fullmatch(found["iban"].pattern or "", "DE89")
    assert world.payouts.requirements("US", "EUR") == world.payouts.requirements("DE", "USD") == ()
    assert await world.payouts.onboard(asked("US")) == Declined(None, "unsupported_country")


async def test_a_ref_that_is_none_is_declined(world: Any) -> None:
    assert await world.payouts.recipient_status("nobody", CALL) == Declined(None, "iban_invalid")
    seen = await world.payouts.fetch((), CALL)
    assert seen == {}


async def test_looking_and_stopping_show_nothing(world: Any) -> None:
    item = world.item(1_000)
    target = Target(item.item_id, "batch_1")
    assert await world.payouts.fetch((target,), CALL) == {item.item_id: Unknown("files_only")}
