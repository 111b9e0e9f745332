"""Gift cards: bought, redeemed by whoever has the code, given back, and revoked with the payment; the books hold."""

from typing import Any

from tests.api import shops
from tests.api.cast import Cast

from shoutgraph.domain.postings import Books
from shoutgraph.storage import ledger_proof

WALLET = "{ wallet { available debt lots(first: 9) { nodes { kind granted remaining price { minorUnits } } } } }"
STATUS = "query ($id: ID!) { node(id: $id) { ... on GiftCard { status } } }"


def someone(cast: Cast, name: str, coins: int) -> str | None:
    cast.deployment.register(name)
    return cast.buy(name, coins=coins) if coins else None


def wallet(cast: Cast, who: str) -> dict[str, Any]:
    found: dict[str, Any] = cast.deployment.ask(who, WALLET)["wallet"]
    return found


def status(cast: Cast, who: str, card: str) -> str:
    return str(cast.deployment.ask(who, STATUS, id=card)["node"]["status"])


def proven(cast: Cast) -> None:
    cast.deployment.settle_journal()
    assert cast.deployment.read(lambda tx: ledger_proof.verify(tx, books=Books("EUR", 100))) == []


def test_a_card_is_redeemed_once_by_whoever_has_the_code_at_the_price_that_was_paid(cast: Cast) -> None:
    to = cast.deployment
    someone(cast, "bea", 700)
    someone(cast, "leo", 0)
    given = to.with_key("giftCardBuy", {"coins": "140", "message": "Happy birthday!"})
    made, again = (
        to.do("bea", "giftCardBuy", "giftCard { id status message expiresAt } code", **given) for _ in range(2)
    )
    assert (made["giftCard"]["status"], made["giftCard"]["message"], again["code"]) == ("OPEN", "Happy birthday!", None)
    card = made["giftCard"]["id"]
    assert again["giftCard"]["id"] == card
    assert wallet(cast, "bea")["available"] == "560"
    assert to.ask("leo", STATUS, id=card)["node"] is None, "it is the buyer's"

    tried = to.with_key("giftCardRedeem", {"code": f" {made['code'][:8].lower()}-{made['code'][8:]}"})
    for _ in range(2):
        assert to.do("leo", "giftCardRedeem", "giftCard { status }", **tried)["giftCard"] == {"status": "REDEEMED"}
    assert wallet(cast, "leo") == {
        "available": "140",
        "debt": "0",
        "lots": {"nodes": [{"kind": "PAID", "granted": "140", "remaining": "140", "price": {"minorUnits": "220"}}]},
    }
    refused = to.refuse("bea", "giftCardRedeem", code=made["code"])
    guessed = to.refuse("bea", "giftCardRedeem", code="NOTACODE12345678")
    assert (refused["code"], refused["message"]) == (guessed["code"], guessed["message"])
    assert to.refuse("bea", "giftCardCancel", giftCardId=card)["code"] == "CARD_STATE"
    cards = to.ask("bea", "{ giftCards(first: 5) { nodes { id status } } }")["giftCards"]["nodes"]
    assert cards == [{"id": card, "status": "REDEEMED"}]
    for coins, code in (("69", "CARD_MIN"), ("20001", "CARD_MAX")):
        assert to.refuse("bea", "giftCardBuy", coins=coins)["code"] == code
    assert to.refuse("bea", "giftCardBuy", coins="600")["code"] == "INSUFFICIENT_COINS"
    proven(cast)


def test_a_card_that_is_cancelled_or_lapses_gives_the_coins_back_to_the_same_lots(cast: Cast) -> None:
    to = cast.deployment
    someone(cast, "ben", 700)
    before = wallet(cast, "ben")
    card, code = shops.card(to, "ben", coins="700")
    assert wallet(cast, "ben")["available"] == "0"
    assert to.do("ben", "giftCardCancel", "giftCard { status }", giftCardId=card)["giftCard"] == {"status": "CANCELLED"}
    assert wallet(cast, "ben") == before
    assert to.refuse("ben", "giftCardRedeem", code=code)["code"] == "CARD_CODE_INVALID"
    proven(cast)


def test_a_payment_that_is_charged_back_takes_an_open_card_with_it_and_a_redeemed_one_is_owed(cast: Cast) -> None:
    to = cast.deployment
    first = someone(cast, "mo", 700)
    card, code = shops.card(to, "mo", coins="300")
    to.control(f"payments/{first}/dispute")
    cast.until(
        "mo", "query ($id: ID!) { node(id: $id) { ... on TopUp { status } } }", node=str(first), wanted="DISPUTED"
    )
    assert status(cast, "mo", card) == "REVOKED"
    assert to.refuse("mo", "giftCardRedeem", code=code)["code"] == "CARD_VOID"
    assert (wallet(cast, "mo")["available"], wallet(cast, "mo")["debt"]) == ("0", "0")

    second = someone(cast, "max", 700)
    _, code = shops.card(to, "max", coins="300")
    someone(cast, "may", 0)
    to.do("may", "giftCardRedeem", "giftCard { status }", code=code)
    to.control(f"payments/{second}/dispute")
    cast.until(
        "max", "query ($id: ID!) { node(id: $id) { ... on TopUp { status } } }", node=str(second), wanted="DISPUTED"
    )
    assert (wallet(cast, "max")["available"], wallet(cast, "max")["debt"]) == ("0", "300")
    assert wallet(cast, "may")["available"] == "300"
    proven(cast)


def test_coins_that_come_back_from_a_card_pay_what_is_owed_before_they_can_be_spent(cast: Cast) -> None:
    to = cast.deployment
    someone(cast, "deb", 700)
    card, _ = shops.card(to, "deb", coins="700")
    second = cast.buy("deb", coins=300)
    _, code = shops.card(to, "deb", coins="300")
    someone(cast, "pal", 0)
    redeemed = to.with_key("giftCardRedeem", {"code": code})
    for _ in range(12):  # a repeat tries no code
        assert to.do("pal", "giftCardRedeem", "giftCard { status }", **redeemed)["giftCard"] == {"status": "REDEEMED"}
    to.control(f"payments/{second}/dispute")
    cast.until("deb", "query ($id: ID!) { node(id: $id) { ... on TopUp { status } } }", node=second, wanted="DISPUTED")
    assert (wallet(cast, "deb")["available"], wallet(cast, "deb")["debt"]) == ("0", "300")
    to.do("deb", "giftCardCancel", "giftCard { status }", giftCardId=card)
    assert (wallet(cast, "deb")["available"], wallet(cast, "deb")["debt"]) == ("400", "0")
    proven(cast)


def test_whoever_excluded_themselves_buys_no_card(cast: Cast) -> None:
    someone(cast, "exa", 700)
    cast.deployment.do("exa", "spendingExclude", "__typename", days=200)
    refused = cast.deployment.refuse("exa", "giftCardBuy", coins="300")
    assert (refused["__typename"], refused["code"]) == ("BuyingPausedError", "SELF_EXCLUDED")
    assert wallet(cast, "exa")["available"] == "700"
