"""Gift cards bought with money: made once when they are paid, and their coins follow the money wherever it goes."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
from tests.api.cast import PURCHASE, Cast
from tests.api.harness import PATIENCE_S
from tests.api.test_gift_cards import proven, someone, status, wallet

PAID = "query ($id: ID!) { node(id: $id) { ... on TopUp { status } } }"
OF_TOPUP = (
    "query ($id: ID!) { node(id: $id) { ... on TopUp { status giftCard { status keptBecause message recipientName"
    " card { id status origin codeEnding coins message recipientName topUpId } } } } }"
)
WORDS = {"message": "Happy birthday!", "recipientName": "Grace"}


def asked(cast: Cast, who: str, coins: int = 300, **changes: object) -> str:
    given = {"buy": {"coins": str(coins)}, "asGiftCard": WORDS, **PURCHASE, **changes}
    return str(cast.deployment.do(who, "topUpCreate", "topUp { id }", **given)["topUp"]["id"])


def look(cast: Cast, who: str, topup: str) -> dict[str, Any]:
    found: dict[str, Any] = cast.deployment.ask(who, OF_TOPUP, id=topup)["node"]
    return found


def bought(cast: Cast, who: str, coins: int = 300) -> tuple[str, str]:
    """A card that was paid for: its top-up, and its id."""
    topup = asked(cast, who, coins)
    cast.deployment.control(f"payments/{topup}/pay")
    cast.until(who, PAID, node=topup, wanted="PAID")
    return topup, str(look(cast, who, topup)["giftCard"]["card"]["id"])


def told_again(cast: Cast, topup: str) -> int:
    """Has the provider send every webhook of a top-up once more; gives how many of them we took."""
    to = cast.deployment
    key = to.app.settings.data_dir.joinpath("sandbox.key").read_bytes().hex()

    def notices() -> list[dict[str, Any]]:
        url = f"{to.served.url}/sandbox/control/notices"
        answer = httpx.get(url, headers={"authorization": f"Bearer {key}"}, timeout=PATIENCE_S)
        return [each for each in answer.json()["notices"] if topup in str(each["body"])]

    known = {each["id"] for each in notices()}
    for notice in known:
        to.control(f"notices/{notice}/replay")
    deadline = time.monotonic() + PATIENCE_S
    while {each["state"] for each in notices()} != {"delivered"}:
        assert time.monotonic() < deadline, notices()
        time.sleep(0.02)
    to.settle()
    return len(notices())


def test_a_card_is_made_once_when_it_is_paid_and_redeemed_and_a_charge_back_is_its_buyers_debt(cast: Cast) -> None:
    to = cast.deployment
    for name in ("amy", "kim"):
        someone(cast, name, 0)
    topup = asked(cast, "amy")
    assert look(cast, "amy", topup)["giftCard"] == {"status": "WAITING", "keptBecause": None, **WORDS, "card": None}
    to.control(f"payments/{topup}/pay")
    cast.until("amy", PAID, node=topup, wanted="PAID")
    assert told_again(cast, topup) >= 2
    found = look(cast, "amy", topup)["giftCard"]
    card = found["card"]["id"]
    assert found == {
        "status": "ISSUED",
        "keptBecause": None,
        **WORDS,
        "card": {
            "id": card,
            "status": "OPEN",
            "origin": "PURCHASE",
            "codeEnding": "",
            "coins": "300",
            "topUpId": topup,
            **WORDS,
        },
    }
    shown = to.ask("amy", "{ giftCards(first: 5) { nodes { id origin } } }")["giftCards"]["nodes"]
    assert shown == [{"id": card, "origin": "PURCHASE"}]
    assert wallet(cast, "amy") == {"available": "0", "debt": "0", "lots": {"nodes": [
        {"kind": "PAID", "granted": "300", "remaining": "0", "price": {"minorUnits": "472"}}]}}  # fmt: skip

    assert to.refuse("kim", "giftCardCode", giftCardId=card)["code"] == "NOT_FOUND"
    first = to.do("amy", "giftCardCode", "code", giftCardId=card)["code"]
    again = to.with_key("giftCardCode", {"giftCardId": card})
    made, repeated = (to.do("amy", "giftCardCode", "giftCard { codeEnding } code", **again) for _ in range(2))
    assert (made["giftCard"]["codeEnding"], repeated["code"]) == (made["code"][-3:], None)
    assert to.refuse("kim", "giftCardRedeem", code=first)["code"] == "CARD_CODE_INVALID", "another one was made"
    shape = "giftCard { status recipientName topUpId }"
    redeemed = to.do("kim", "giftCardRedeem", shape, code=made["code"])["giftCard"]
    assert redeemed == {"status": "REDEEMED", "recipientName": "Grace", "topUpId": None}
    assert wallet(cast, "kim")["lots"]["nodes"][0]["price"] == {"minorUnits": "472"}

    to.control(f"payments/{topup}/dispute")
    cast.until("amy", PAID, node=topup, wanted="DISPUTED")
    assert (wallet(cast, "amy")["debt"], wallet(cast, "kim")["available"]) == ("300", "300")
    refused = to.refuse("amy", "topUpCreate", buy={"coins": "300"}, asGiftCard={}, **PURCHASE)
    assert refused["code"] == "WALLET_LOCKED"
    proven(cast)


def test_the_quote_says_what_the_withdrawal_of_a_part_would(cast: Cast) -> None:
    to = cast.deployment
    someone(cast, "rob", 0)
    topup, card = bought(cast, "rob", 700)
    quote = "query ($id: ID!, $coins: Coins) { topUpWithdrawalQuote(topUpId: $id, coins: $coins) { refusalCode } }"

    def refusals() -> list[object]:
        said = [to.ask("rob", quote, id=topup, coins=coins) for coins in ("300", "700", None)]
        return [each["topUpWithdrawalQuote"]["refusalCode"] for each in said]

    assert refusals() == ["CARD_OPEN", None, None]
    made = "query ($id: ID!) { node(id: $id) { ... on GiftCard { createdAt redeemableSince } } }"
    seen = to.ask("rob", made, id=card)["node"]
    assert seen["redeemableSince"] == seen["createdAt"]
    to.do("rob", "giftCardCancel", "giftCard { id }", giftCardId=card)
    assert refusals() == [None, None, None]


def test_the_money_of_an_open_card_goes_back_to_the_cent_and_the_card_is_void(cast: Cast) -> None:
    to = cast.deployment
    someone(cast, "ria", 0)
    topup, card = bought(cast, "ria", 700)
    code = to.do("ria", "giftCardCode", "code", giftCardId=card)["code"]
    to.do("finance", "topUpRefund", "refund { id }", topUpId=topup, reason="They asked.")
    assert cast.until("ria", PAID, node=topup, wanted="REFUNDED")
    assert status(cast, "ria", card) == "REVOKED"
    assert to.refuse("fan", "giftCardRedeem", code=code)["code"] == "CARD_VOID"
    assert to.refuse("ria", "giftCardCode", giftCardId=card)["code"] == "CARD_STATE"
    assert (wallet(cast, "ria")["available"], wallet(cast, "ria")["debt"]) == ("0", "0")

    topup, card = bought(cast, "ria", 700)
    quote = "query ($id: ID!) { topUpWithdrawalQuote(topUpId: $id) { coins amount { minorUnits } refusalCode } }"
    offered = {"coins": "700", "amount": {"minorUnits": "1100"}, "refusalCode": None}
    assert to.ask("ria", quote, id=topup)["topUpWithdrawalQuote"] == offered
    part = {"topUpId": topup, "coins": "300"}
    assert to.refuse("ria", "topUpWithdraw", **part)["code"] == "CARD_OPEN"
    assert (
        to.refuse("finance", "topUpRefund", topUpId=topup, amount={"coins": "300"}, reason="Them.")["code"]
        == "CARD_OPEN"
    )
    assert status(cast, "ria", card) == "OPEN"
    to.do("ria", "giftCardCancel", "giftCard { id }", giftCardId=card)
    given = to.do("ria", "topUpWithdraw", "withdrawal { coins amount { minorUnits } }", **part)
    assert given["withdrawal"]["coins"] == "300"
    cast.until("ria", PAID, node=topup, wanted="PARTLY_REFUNDED")
    assert (status(cast, "ria", card), wallet(cast, "ria")["available"]) == ("CANCELLED", "400")

    topup, card = bought(cast, "ria", 700)
    code = to.do("ria", "giftCardCode", "code", giftCardId=card)["code"]
    to.do("fan", "giftCardRedeem", "giftCard { status }", code=code)
    spent = to.refuse("finance", "topUpRefund", topUpId=topup, reason="They asked.")
    assert spent["code"] == "INSUFFICIENT_COINS"
    assert to.ask("ria", quote, id=topup)["topUpWithdrawalQuote"]["refusalCode"] == "WITHDRAWAL_SPENT"
    proven(cast)


def test_an_open_card_is_void_with_its_charge_back_and_what_comes_back_is_the_buyers(cast: Cast) -> None:
    to = cast.deployment
    someone(cast, "sue", 0)
    topup, card = bought(cast, "sue")
    code = to.do("sue", "giftCardCode", "code", giftCardId=card)["code"]
    waiting = asked(cast, "sue")
    to.control(f"payments/{topup}/dispute")
    cast.until("sue", PAID, node=topup, wanted="DISPUTED")
    assert status(cast, "sue", card) == "REVOKED"
    assert to.refuse("fan", "giftCardRedeem", code=code)["code"] == "CARD_VOID"
    assert (wallet(cast, "sue")["available"], wallet(cast, "sue")["debt"]) == ("0", "0")

    to.control(f"payments/{waiting}/pay")
    cast.until("sue", PAID, node=waiting, wanted="PAID")
    kept = look(cast, "sue", waiting)["giftCard"]
    assert (kept["status"], kept["keptBecause"], kept["card"]) == ("KEPT", "WALLET_LOCKED", None)
    assert wallet(cast, "sue")["available"] == "300", "it was paid for, so the coins are there"
    to.control(f"payments/{topup}/dispute", outcome="won")
    cast.until("sue", PAID, node=topup, wanted="PAID")
    assert wallet(cast, "sue")["available"] == "600"
    proven(cast)


def test_a_code_that_several_redeem_at_once_goes_to_one_of_them(cast: Cast) -> None:
    to, names = cast.deployment, ("al", "bo", "cy", "di")
    for name in ("pam", *names):
        someone(cast, name, 0)
    _, card = bought(cast, "pam")
    code = to.do("pam", "giftCardCode", "code", giftCardId=card)["code"]
    document = "mutation ($input: GiftCardRedeemInput!) { giftCardRedeem(input: $input) { errors { __typename } } }"

    keys = {who: to.with_key("giftCardRedeem", {"code": code}) for who in names}
    with ThreadPoolExecutor(len(names)) as pool:
        answers = list(pool.map(lambda who: to.clients[who].data(document, input=keys[who]), names))
    assert sorted(len(each["giftCardRedeem"]["errors"]) for each in answers) == [0, 1, 1, 1]
    assert sum(int(wallet(cast, who)["available"]) for who in names) == 300
    proven(cast)


def test_a_card_is_bought_within_the_limits_of_cards_and_of_buying(cast: Cast) -> None:
    to = cast.deployment
    someone(cast, "lia", 0)
    for coins, code in (("69", "CARD_MIN"), ("20001", "CARD_MAX")):
        refused = to.refuse("lia", "topUpCreate", buy={"coins": coins}, asGiftCard={}, **PURCHASE)
        assert (refused["code"], refused["path"]) == (code, ["input", "buy"])
    long = to.refuse("lia", "topUpCreate", buy={"coins": "70"}, asGiftCard={"recipientName": "x" * 61}, **PURCHASE)
    assert (long["code"], long["path"]) == ("TOO_LONG", ["input", "asGiftCard", "recipientName"])
    to.do("lia", "spendingExclude", "__typename", days=200)
    refused = to.refuse("lia", "topUpCreate", buy={"coins": "70"}, asGiftCard={}, **PURCHASE)
    assert refused["code"] == "SELF_EXCLUDED"
