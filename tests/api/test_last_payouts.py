"""The last payouts of somebody who leaves: in parts where a limit asks for them, and to whoever can be paid."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from tests.api.cast import RULES, Cast
from tests.api.test_closures import CLOSURE, blocks, look, verify

from shoutgraph.storage import policies

PAYOUTS = "{ payouts(first: 9) { nodes { id coins recipient { label } } } }"


@contextmanager
def ruled(cast: Cast, **changes: int) -> Iterator[None]:
    """Other rules, for a while."""
    version = cast.rules()[0]
    strict, lax = replace(RULES, version=version + 1, **changes), replace(RULES, version=version + 2)
    cast.deployment.write(lambda tx: policies.insert(tx, strict))
    yield
    cast.deployment.write(lambda tx: policies.insert(tx, lax))


def star(cast: Cast, who: str, *currencies: str) -> str:
    """A creator who leaves with 63 coins, and says where money may go: to an account in each of these currencies."""
    to = cast.deployment
    user_id = to.register(who)
    given = {"creatorId": cast.profile(who, who.replace("_", ".")), "quantity": 90, "expectedPrice": "90"}
    to.do("fan", "giftSend", "gift { id }", **(cast.present() | given))
    for currency in currencies:
        there = {"providerCode": "sandbox-payouts", "label": currency, "ref": "DE00SANDBOX0001", "currency": currency}
        to.do(who, "payoutRecipientCreate", "recipient { id }", **there)
    to.do(who, "closureRequest", CLOSURE, confirm=True)
    return user_id


def asked(cast: Cast, who: str) -> list[tuple[str, str]]:
    """What was asked for, the newest first: the coins, and to which account."""
    found = cast.deployment.ask(who, PAYOUTS)["payouts"]["nodes"]
    return [(each["coins"], each["recipient"]["label"]) for each in found]


def test_who_leaves_is_paid_in_parts_where_a_limit_asks_for_them(cast: Cast) -> None:
    who = "wealthy_star"
    user_id = star(cast, who, "EUR")
    with ruled(cast, payout_day_coins=43):
        for _ in range(2):  # what matures meanwhile is seen at the next look
            steps = look(cast, who, user_id)
        assert asked(cast, who) == [("43", "EUR")]
        assert steps["PAYOUT"] == ("WAITING", ("OPEN_PAYOUTS",))
    look(cast, who, user_id)
    assert asked(cast, who) == [("20", "EUR"), ("43", "EUR")]
    verify(cast)


def test_an_account_that_nobody_can_pay_stands_in_the_way_of_no_other(cast: Cast) -> None:
    to, who = cast.deployment, "travelling_star"
    user_id = star(cast, who, "CHF")
    for _ in range(2):
        steps = look(cast, who, user_id)
    assert steps["PAYOUT"] == ("BLOCKED", ("PAYOUT_REFUSED",)), "nobody has said what a franc is worth"
    there = {"providerCode": "sandbox-payouts", "label": "EUR", "ref": "DE00SANDBOX0001"}
    to.do(who, "payoutRecipientCreate", "recipient { id }", **there)
    look(cast, who, user_id)
    assert asked(cast, who) == [("63", "EUR")]
    payout = to.ask(who, PAYOUTS)["payouts"]["nodes"][0]["id"]
    to.do("finance", "payoutDeny", "payout { id }", payoutId=payout, note="The account is another's.")
    look(cast, who, user_id)
    assert blocks(cast, who, "PAYOUT") == [("PAYOUT_FAILED", "WAIT", True)]
