"""Briefs through the front door: kinds of orders, what must be said and whether it was, redos that name what is not."""

from typing import Any

from tests.api.cast import BRIEF, PRICE, WORDS, Cast

CHECKLIST = "checklist { key kind text ticked } deliveryNote"


def order_of(cast: Cast, order_id: str, shape: str, who: str = "fan") -> Any:
    return cast.deployment.ask(who, f"query ($id: ID!) {{ order(id: $id) {{ {shape} }} }}", id=order_id)["order"]


def test_the_creator_ticks_off_what_must_be_said_and_a_redo_names_what_is_missing(cast: Cast) -> None:
    to = cast.deployment
    placed = to.do("fan", "orderPlace", "order { id }", **cast.wish(brief=BRIEF | {"mustSay": ["Grace", "forty"]}))
    order = placed["order"]
    cast.move("orderScreenPass", order)
    cast.move("orderAccept", order)
    before = order_of(cast, order["id"], CHECKLIST, "creator")
    assert [(item["key"], item["ticked"]) for item in before["checklist"]] == [
        ("must-1", None),
        ("must-2", None),
        ("not-1", None),
    ]
    given = {"orderId": order["id"], "videoId": cast.video(order["id"])}

    for changes, code in (
        ({}, "UNTICKED_ITEMS"),
        ({"tickedKeys": ["must-1", "must-3"]}, "UNKNOWN_ITEM"),
        ({"tickedKeys": ["must-1"], "note": " "}, "EMPTY"),
    ):
        assert to.refuse("creator", "orderDeliver", **given | changes)["code"] == code
    to.do("creator", "orderDeliver", "order { id }", **given, tickedKeys=["not-1", "must-1"], note="Forty is not kind.")
    assert order_of(cast, order["id"], CHECKLIST)["checklist"][0]["ticked"] is None, "the fan knows of no video yet"
    ticked = [True, False, True]
    for who in ("moderator", "creator"):
        shown = order_of(cast, order["id"], CHECKLIST, who)
        assert [item["ticked"] for item in shown["checklist"]] == ticked
    cast.move("orderReviewPass", order)
    shown = order_of(cast, order["id"], CHECKLIST)
    assert [item["ticked"] for item in shown["checklist"]] == ticked
    assert shown["deliveryNote"] == "Forty is not kind."

    complain_of_what_was_not_said(cast, order["id"])


def complain_of_what_was_not_said(cast: Cast, order_id: str) -> None:
    to = cast.deployment
    asked = {"orderId": order_id, "ground": "MUST_SAY_MISSING", "itemKey": "must-2", "note": "Nobody said it."}
    for changes, code in (
        ({"itemKey": None}, "ITEM_REQUIRED"),
        ({"itemKey": "not-1"}, "UNKNOWN_ITEM"),
        ({"ground": "WRONG_NAME"}, "ITEM_NOT_NEEDED"),
    ):
        assert to.refuse("fan", "orderRedoRequest", **asked | changes)["code"] == code
    redo = to.do("fan", "orderRedoRequest", "order { redoGround redoItem { key } note }", **asked)["order"]
    assert redo == {"redoGround": "MUST_SAY_MISSING", "redoItem": {"key": "must-2"}, "note": "Nobody said it."}
    to.do("creator", "orderRedoContest", "order { id }", orderId=order_id, **WORDS)
    said = order_of(cast, order_id, "statements { side text ground missing }", "creator")["statements"]
    assert said == [
        {"side": "FAN", "text": "Nobody said it.", "ground": "MUST_SAY_MISSING", "missing": "forty"},
        {"side": "CREATOR", "text": "This is why.", "ground": None, "missing": None},
    ]
    again = to.do("creator", "orderDisputeAnswer", "order { waitingFor }", orderId=order_id, text="Still.")["order"]
    assert again["waitingFor"] == "FAN", "the creator has spoken; the fan has not"


def test_a_business_pays_its_own_surcharge_for_an_offer_that_serves_businesses(cast: Cast) -> None:
    to = cast.deployment
    brief = BRIEF | {"usage": "BUSINESS", "instructions": "x" * 500, "pronouns": "she"}
    wish = cast.wish(brief=brief, expectedPrice=str(PRICE + 70))
    for mutation in ("orderDraft", "orderPlace"):
        refused = to.refuse("fan", mutation, **wish)
        assert (refused["code"], refused["path"]) == ("BUSINESS_NOT_OFFERED", ["input", "brief", "usage"])
    offer = cast.offer("creator", title="For everybody", businessSurcharge="70")
    wish["offerId"] = offer
    document = """query ($id: ID!) { quote(offerId: $id, country: "DE", currency: "EUR", usage: BUSINESS) {
      base business total licence offer { businessSurcharge } } }"""
    quote = to.ask("fan", document, id=offer)["quote"]
    assert (quote["business"], quote["total"], quote["offer"]["businessSurcharge"]) == ("70", str(PRICE + 70), "70")
    drafted = to.do("fan", "orderDraft", "order { id price }", **wish)["order"]
    to.do("creator", "offerUpdate", "offer { id }", offerId=offer, businessSurcharge="90")
    dear = to.refuse("fan", "orderSubmit", orderId=drafted["id"], expectedPrice=drafted["price"])
    assert (dear["code"], dear["currentPrice"]) == ("PRICE_CHANGED", str(PRICE + 90))
    shape = "order { price businessSurcharge licence brief { usage pronouns } }"
    paid = to.do("fan", "orderSubmit", shape, orderId=drafted["id"], expectedPrice=str(PRICE + 90))["order"]
    assert paid == {
        "price": str(PRICE + 90),
        "businessSurcharge": "90",
        "licence": quote["licence"],
        "brief": {"usage": "BUSINESS", "pronouns": "she"},
    }
    to.do("creator", "offerUpdate", "offer { id }", offerId=offer, businessSurcharge=None)
    assert to.refuse("fan", "orderPlace", **wish)["code"] == "BUSINESS_NOT_OFFERED"
    personal = order_of(cast, cast.ids["DELIVERED"], "licence")["licence"]
    assert personal != quote["licence"], "private people have another licence"
