"""Promo codes: cheaper or more coins, coins for nothing, once each and no oracle; what fails gives its use back."""

from typing import Any

from tests.api import shops
from tests.api.cast import PURCHASE, Cast

TOPUP = "topUp { id status bonusCoins price { minorUnits } discount { minorUnits } }"
USES = "query ($id: ID!) { node(id: $id) { ... on Promotion { useCount endedAt } } }"
REFUSED = {
    "code": "PROMO_CODE_INVALID",
    "path": ["input", "promoCode"],
    "message": "This code cannot be used for this.",
}


def promote(cast: Cast, kind: str, amount: int, **changes: object) -> tuple[str, str]:
    return shops.coded(cast.deployment, kind=kind, amount=str(amount), **changes)


def start(cast: Cast, who: str, code: str, coins: int = 700) -> dict[str, Any]:
    given = {"buy": {"coins": str(coins)}, "promoCode": code, **PURCHASE}
    made: dict[str, Any] = cast.deployment.do(who, "topUpCreate", TOPUP, **given)["topUp"]
    return made


def refused(cast: Cast, who: str, code: str, coins: int = 700) -> None:
    found = cast.deployment.refuse(who, "topUpCreate", buy={"coins": str(coins)}, promoCode=code, **PURCHASE)
    assert found | REFUSED == found


def uses(cast: Cast, promotion: str) -> int:
    return int(cast.deployment.ask("finance", USES, id=promotion)["node"]["useCount"])


def become(cast: Cast, who: str, topup_id: str, action: str, wanted: str) -> None:
    cast.deployment.control(f"payments/{topup_id}/{action}")
    cast.until(who, "query ($id: ID!) { node(id: $id) { ... on TopUp { status } } }", node=topup_id, wanted=wanted)


def test_a_code_makes_a_top_up_larger_once_a_person_and_gives_the_use_back_when_it_fails(cast: Cast) -> None:
    to = cast.deployment
    to.register("pia")
    promotion, code = promote(cast, "BONUS_SHARE", 1_000, coinsMin="500", countries=["DE"])
    assert code.isalnum()
    assert len(code) == 16
    dressed = f" {code[:4]}-{code[4:].lower()} "
    failing = start(cast, "pia", dressed)
    assert (failing["bonusCoins"], failing["price"]["minorUnits"], uses(cast, promotion)) == ("70", "1100", 1)
    refused(cast, "pia", code)
    become(cast, "pia", failing["id"], "decline", "FAILED")
    assert uses(cast, promotion) == 0
    refused(cast, "pia", code, coins=499)
    paid = start(cast, "pia", code)
    become(cast, "pia", paid["id"], "pay", "PAID")
    wallet = to.ask("pia", "{ wallet { available promo lots(first: 5) { nodes { kind granted expiresAt } } } }")[
        "wallet"
    ]
    assert (wallet["available"], wallet["promo"]) == ("700", "70")
    assert [each["expiresAt"] is None for each in wallet["lots"]["nodes"] if each["kind"] == "PROMO"] == [False]
    assert uses(cast, promotion) == 1
    refused(cast, "pia", code)

    become(cast, "pia", failing["id"], "pay", "PAID")  # late money keeps what was promised
    assert (to.ask("pia", "{ wallet { promo } }")["wallet"]["promo"], uses(cast, promotion)) == ("140", 2)
    to.register("pat", country="AT")
    refused(cast, "pat", code)
    to.do("finance", "promoEnd", "promotion { endedAt }", promotionId=promotion)
    to.register("pim")
    refused(cast, "pim", code)


def test_a_discount_is_money_and_its_lot_knows_what_was_paid(cast: Cast) -> None:
    to = cast.deployment
    to.register("dora")
    _, code = promote(cast, "DISCOUNT", 2_500, amountMax="200", firstPurchaseOnly=True)
    topup = start(cast, "dora", code)
    assert topup["price"] == {"minorUnits": "900"}, "25 % of 11.00 is 2.75, and 2.00 at most"
    assert topup["discount"] == {"minorUnits": "200"}
    _, other = promote(cast, "DISCOUNT", 2_500, firstPurchaseOnly=True)
    refused(cast, "dora", other)  # only one purchase is the first
    become(cast, "dora", topup["id"], "pay", "PAID")
    (lot,) = to.ask("dora", "{ wallet { lots(first: 5) { nodes { granted price { minorUnits } } } } }")["wallet"][
        "lots"
    ]["nodes"]
    assert lot == {"granted": "700", "price": {"minorUnits": "900"}}
    _, again = promote(cast, "BONUS_COINS", 5, firstPurchaseOnly=True)
    refused(cast, "dora", again)


def test_a_granted_code_is_redeemed_once_and_nobody_guesses_another(cast: Cast) -> None:
    to = cast.deployment
    to.register("gil")
    promotion, code = promote(cast, "GRANT", 40, codes=["Welcome-To-Us"], codeCount=0, usesMax="1")
    assert code == "WELCOMETOUS"
    given = to.with_key("promoCodeRedeem", {"promoCode": "welcome to us"})
    first, again = (to.do("gil", "promoCodeRedeem", "coins expiresAt replayed", **given) for _ in range(2))
    assert (first["coins"], first["replayed"], again) == ("40", False, first | {"replayed": True})
    lines = to.ask("gil", "{ wallet { promo statement(first: 1) { nodes { kind coin coins } } } }")["wallet"]
    assert lines == {"promo": "40", "statement": {"nodes": [{"kind": "promo.granted", "coin": "PROMO", "coins": "40"}]}}
    assert uses(cast, promotion) == 1

    to.register("eve")
    tried = [to.refuse("eve", "promoCodeRedeem", promoCode=code)]  # it exists, and is used up
    tried += [to.refuse("eve", "promoCodeRedeem", promoCode=f"GUESS{number}") for number in range(9)]
    assert {(each["code"], each["message"]) for each in tried} == {(REFUSED["code"], REFUSED["message"])}
    _, good = promote(cast, "GRANT", 1)
    assert to.refuse("eve", "promoCodeRedeem", promoCode=good)["code"] == "CODE_ATTEMPTS"
    taken = to.refuse("finance", "promoCreate", **shops.promotion(codes=["welcometous"]))
    assert taken["code"] == "PROMO_CODES"
    both = to.refuse("finance", "promoCreate", **shops.promotion(codes=["ANOTHER"], codeCount=1))
    assert both["code"] == "PROMO_CODES"
