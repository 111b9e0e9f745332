"""Creators who are paid in the currency of their account: quoted, pinned, sent, returned."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.api.filerail import INSTANCE, Rail
from tests.api.finance import Finance, open_finance
from tests.storage.databases import Place

from shoutgraph import sdk
from shoutgraph.domain.errors import LimitExceededError
from shoutgraph.domain.exchanges import GROSS_MAX_MINOR
from shoutgraph.domain.packages import Rate
from shoutgraph.domain.policies import Policy
from shoutgraph.services import packages
from shoutgraph.services.packages import Quoted
from shoutgraph.services.payouts import request
from shoutgraph.services.payouts.exchange import Desk
from shoutgraph.storage import ledger, personal

EXCHANGE = """exchange { gross { minorUnits currency } spreadBasisPoints spread { minorUnits currency }
  rate { currency version numerator denominator } }"""
QUOTE = f"""query($id: ID!, $coins: Coins!) {{ payoutQuote(coins: $coins, recipientId: $id) {{
  amount {{ minorUnits currency }} sent {{ minorUnits currency }} {EXCHANGE} exchangeHoldsUntil
  fee {{ minorUnits }} arrives {{ minorUnits currency }} }} }}"""
ASKED = f"payout {{ id amount {{ minorUnits currency }} {EXCHANGE} recipient {{ currency }} }}"
REFUSED = "payout { id } errors { ... on QuoteExpiredError { currentAmountMinorUnits currency } }"
PARTS = "{ payoutBatches(first: 10) { nodes { parts { count total { minorUnits currency } } } } }"
LISTED = f"{{ payouts(first: 10) {{ nodes {{ amount {{ currency }} {EXCHANGE} }} }} }}"


@pytest.fixture
def finance(place: Place) -> Iterator[Finance]:
    rail = Rail(currencies=frozenset({"EUR", "JPY", "USD"}), limits={"JPY": (100, 50_000)})
    with open_finance(place, rail) as finance:
        yield finance
        finance.world.verify()


def publish(finance: Finance, currency: str, numerator: int, version: int = 0) -> None:
    world, staff = finance.world, finance.world.staff("finance")
    quoted = Quoted(currency, numerator, 100, 0, "a bank", world.clock(), version, confirm_jump=True)
    world.run(packages.publish_rate(world.tools, staff, world.request("rate", staff), quoted))


def account_in(finance: Finance, currency: str, name: str = "nova") -> str:
    given = {"providerCode": INSTANCE, "label": "My bank", "ref": "12345678", "currency": currency}
    made = finance.do(finance.creator(name), "payoutRecipientCreate", "recipient { id currency }", **given)
    assert made["recipient"]["currency"] == currency, made
    return str(made["recipient"]["id"])


def ask(finance: Finance, coins: int, to: str, shape: str = ASKED, **more: Any) -> Any:
    return finance.do(finance.creator(), "payoutRequest", shape, coins=str(coins), recipientId=to, **more)


def held(finance: Finance) -> dict[str, int]:
    names = ("liab:coins:EUR", "fx:EUR", "rev:payout:EUR", "fx:JPY", f"cash:psp:{INSTANCE}:JPY")
    return dict(finance.world.read(lambda tx: ledger.balances(tx, names)))


def approved(finance: Finance, coins: int, to: str, **more: Any) -> str:
    payout_id = str(ask(finance, coins, to, **more)["payout"]["id"])
    finance.do(finance.staff, "payoutApprove", "payout { id }", payoutId=payout_id)
    return payout_id


def seen(finance: Finance, payout_id: str) -> tuple[str, str | None]:
    payout = finance.payout(payout_id)
    return payout["status"], payout["review"]


def copied(finance: Finance) -> list[Any]:
    """What the creator's copy of their data says of exchanges."""
    owner = finance.world.people["nova"].user_id
    assert owner is not None
    copy = finance.world.read(lambda tx: {name: list(rows) for name, rows in personal.tell(tx, owner)})
    return [row["amount_minor"] for row in copy["payout_exchange"]]


def test_what_was_quoted_is_what_is_paid_for_ten_minutes_and_each_batch_has_one_currency(finance: Finance) -> None:
    finance.earn(60_000)
    publish(finance, "JPY", 6_123)  # a yen is worth 61.23 book units
    publish(finance, "USD", 9_200)
    yen, dollars, euros = account_in(finance, "JPY"), account_in(finance, "USD"), finance.recipient()
    finance.world.clock.move(days=3)
    quote = finance.creator().data(QUOTE, id=yen, coins="10001")["payoutQuote"]
    agreed = {
        "gross": {"minorUnits": "10001", "currency": "EUR"},
        "spreadBasisPoints": 100,
        "spread": {"minorUnits": "101", "currency": "EUR"},  # 100.01, rounded up
        "rate": {"currency": "JPY", "version": 1, "numerator": "6123", "denominator": "100"},
    }
    sent = {"minorUnits": "16168", "currency": "JPY"}  # 9900 * 100 / 61.23, rounded down
    assert (quote["amount"], quote["exchange"], quote["sent"]) == (agreed["gross"], agreed, sent)
    assert quote["exchangeHoldsUntil"].startswith("2026-03-04T12:10:00")

    publish(finance, "JPY", 6_300, 1)
    finance.world.clock.move(minutes=10)
    payout = ask(finance, 10_001, yen, expectedAmountMinorUnits="16168")["payout"]
    assert (payout["amount"], payout["exchange"], payout["recipient"]) == (sent, agreed, {"currency": "JPY"})
    finance.do(finance.staff, "payoutApprove", "payout { id }", payoutId=payout["id"])
    finance.world.clock.move(minutes=1)
    late = ask(finance, 10_001, yen, REFUSED, expectedAmountMinorUnits="16168")["errors"][0]
    assert (late["code"], late["path"]) == ("QUOTE_EXPIRED", ["input", "expectedAmountMinorUnits"])
    assert (late["currentAmountMinorUnits"], late["currency"]) == ("15714", "JPY")
    for to, minor in ((dollars, "10760"), (euros, "10000")):
        approved(finance, 10_000, to, expectedAmountMinorUnits=minor)
    finance.tick()
    batches = finance.staff.data(PARTS)["payoutBatches"]["nodes"]
    assert [len(each["parts"]) for each in batches] == [1, 1, 1]
    sums = sorted(tuple(part["total"].values()) for each in batches for part in each["parts"])
    assert sums == [("10000", "EUR"), ("10760", "USD"), ("16168", "JPY")]
    listed = finance.creator().data(LISTED)["payouts"]["nodes"]
    assert [each["exchange"] and each["exchange"]["rate"]["currency"] for each in listed] == [None, "USD", "JPY"]
    assert copied(finance) == [16_168, 10_760], "their copy says at what"


def test_what_comes_back_is_exactly_what_left_whatever_the_rate_is_then(finance: Finance) -> None:
    finance.earn(60_000)
    publish(finance, "JPY", 6_123)
    yen = account_in(finance, "JPY")
    finance.world.clock.move(days=3)
    start, balance = held(finance), finance.balance()
    payout_id = approved(finance, 10_001, yen)
    finance.tick()
    key = finance.key_of(payout_id)
    finance.state(f"paid {key} 16168")  # euros: somebody has to look
    assert seen(finance, payout_id) == ("UNKNOWN", "AMOUNT_MISMATCH")
    assert held(finance) == start
    finance.state(f"paid {key} 16168 JPY")
    assert seen(finance, payout_id) == ("PAID", None)
    gone = {"liab:coins:EUR": -1_000_100, "fx:EUR": 990_000, "rev:payout:EUR": 10_100, "fx:JPY": -1_616_800}
    gone[f"cash:psp:{INSTANCE}:JPY"] = 1_616_800
    assert {code: units - start[code] for code, units in held(finance).items()} == gone
    finance.world.verify()

    publish(finance, "JPY", 6_300, 1)
    loss = finance.world.run(packages.revalue(finance.world.tools))
    assert loss == 990_000 - 16_168 * 63  # what left is worth more now
    publish(finance, "JPY", 5_000, 2)
    finance.state(f"back {key} 16000 JPY")  # a bank kept some of it: somebody has to look
    assert seen(finance, payout_id) == ("PAID", "AMOUNT_MISMATCH")
    finance.state(f"back {key} 16168 JPY")
    assert seen(finance, payout_id) == ("RETURNED", None)
    assert finance.balance() == balance
    assert held(finance) == start | {"fx:EUR": start["fx:EUR"] - loss}
    finance.world.clock.move(days=1)
    assert finance.world.run(packages.revalue(finance.world.tools)) == -loss
    assert held(finance) == start


def test_without_a_rate_or_beyond_what_the_provider_sends_nothing_is_asked_for(finance: Finance) -> None:
    finance.earn(60_000)
    yen = account_in(finance, "JPY")
    unquoted = finance.creator().post(QUOTE, id=yen, coins="1000").json()["errors"][0]
    assert unquoted["extensions"]["reason"] == "PAYOUT_NO_RATE"
    assert ask(finance, 1_000, yen)["errors"][0]["code"] == "PAYOUT_NO_RATE"
    publish(finance, "JPY", 6_000)
    assert ask(finance, 40_000, yen)["errors"][0]["code"] == "PROVIDER_UNAVAILABLE"  # 66,000 yen
    unknown = {"providerCode": INSTANCE, "label": "My bank", "ref": "12345678", "currency": "CHF"}
    refused = finance.do(finance.creator(), "payoutRecipientCreate", "recipient { id }", **unknown)
    assert refused["errors"][0]["code"] == "PROVIDER_UNAVAILABLE"
    assert finance.balance()["available"] == "60000"


def test_the_last_payout_is_as_large_as_the_provider_takes_in_the_currency_of_the_account() -> None:
    caps = sdk.PayoutCaps(currencies=frozenset({"HUF"}), limits={"HUF": (100, 5_000_000)}, granularity={"HUF": 100})
    desk = Desk(Policy(version=1), caps, Rate("HUF", "EUR", 1, 27, 100))
    most = desk.most(10**7)
    assert desk.terms(most).amount.minor <= 5_000_000 < desk.terms(most + 1).amount.minor
    assert desk.terms(most).amount.minor % 100 == 0
    assert [desk.takes(desk.terms(coins).amount) for coins in (1, 2, most)] == [False, True, True]
    assert desk.most(7) == 7
    with pytest.raises(LimitExceededError):
        desk.terms(GROSS_MAX_MINOR + 1)


def test_an_account_in_another_currency_without_a_rate_is_paid_by_who_knows_it_and_converts(place: Place) -> None:
    rail = Rail(asks=True, ready=True, currencies=frozenset({"EUR", "JPY"}), limits={"JPY": (0, 10**9)})
    with open_finance(place, rail) as finance:
        finance.earn(10_000)
        told = {"country": "DE", "currency": "JPY", "returnUrl": "https://fan.example/back"}
        answers = [{"name": "account", "value": "12345678"}]
        given = {"providerCode": INSTANCE, "label": "My bank", "answers": answers} | told
        made = finance.do(finance.creator(), "payoutRecipientCreate", "recipient { id currency }", **given)["recipient"]
        assert made["currency"] == "JPY"
        quote = finance.creator().data(QUOTE, id=made["id"], coins="1000")["payoutQuote"]
        assert (quote["sent"]["currency"], quote["exchange"], quote["arrives"]["minorUnits"]) == ("EUR", None, "975")
        publish(finance, "JPY", 6_000)
        quote = finance.creator().data(QUOTE, id=made["id"], coins="1000")["payoutQuote"]
        assert (quote["sent"], quote["arrives"]["minorUnits"]) == ({"minorUnits": "1650", "currency": "JPY"}, "1625")
        late = ask(finance, 1_000, made["id"], REFUSED, expectedAmountMinorUnits="1000")["errors"][0]
        assert (late["code"], late["currentAmountMinorUnits"]) == ("QUOTE_EXPIRED", "1650")
        publish(finance, "JPY", 10**8, 1)  # a yen is worth more than the coins
        assert ask(finance, 1_000, made["id"])["errors"][0]["code"] == "PROVIDER_UNAVAILABLE", "nobody sends nothing"
        told |= {"currency": "EUR"}
        given = {"providerCode": INSTANCE, "label": "My bank", "answers": answers} | told
        euros = finance.do(finance.creator(), "payoutRecipientCreate", "recipient { id }", **given)["recipient"]["id"]
        for coins in (10**13 + 1, 2**63 - 1):
            refused = finance.creator().post(QUOTE, id=euros, coins=str(coins)).json()["errors"][0]
            assert refused["extensions"]["reason"] == "OUT_OF_RANGE"
        assert finance.creator().data(QUOTE, id=euros, coins=str(10**13))["payoutQuote"]["fee"] == {"minorUnits": "25"}


def test_what_a_provider_would_have_to_round_is_refused_before_anybody_decides(place: Place) -> None:
    with open_finance(place, Rail(granularity={"EUR": 100})) as finance:
        finance.earn(2_050)
        to = finance.recipient()
        assert ask(finance, 1_050, to)["errors"][0]["code"] == "PROVIDER_UNAVAILABLE"
        payout_id = approved(finance, 1_000, to)
        finance.tick()
        assert seen(finance, payout_id) == ("SUBMITTING", None)
        owner = finance.world.people["nova"]
        assert finance.world.run(request.settle(finance.world.tools, owner)) == frozenset()
        both = finance.creator().data("{ payouts(first: 9) { nodes { coins } } }")["payouts"]["nodes"]
        assert both == [{"coins": "1000"}] * 2, "the last payout of who leaves, too, is what the provider sends"
