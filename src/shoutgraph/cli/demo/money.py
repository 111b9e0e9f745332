"""The chapter of codes: finance makes a promo code, and a fan gives a card that somebody else redeems."""

from typing import TYPE_CHECKING

from shoutgraph.cli.demo.people import StoryError
from shoutgraph.cli.demo.telling import coins

if TYPE_CHECKING:
    from shoutgraph.cli.demo.story import Story


def play(story: "Story") -> None:
    """Plays it.

    Raises:
        StoryError: a step did not go as it should.
    """
    fan, creator, finance, tell = story.fan, story.creator, story.finance, story.tell
    offered = {"label": "A treat", "kind": "GRANT", "amount": "50", "codeCount": 1, "usesMax": "1", "reason": "A demo"}
    made = finance.do("promoCreate", "promotion { id } codes", **offered)
    tell.step(finance.name, "finance", "makes a promo code for 50 coins, good once", made["codes"][0])
    granted = fan.do("promoCodeRedeem", "coins expiresAt", promoCode=made["codes"][0])
    if granted["coins"] != "50":
        raise StoryError("the code granted other coins")
    tell.step(
        fan.name, "fan", f"redeems it and has {coins(granted['coins'])}, granted", f"until {granted['expiresAt'][:10]}"
    )
    card = fan.do("giftCardBuy", "giftCard { id coins } code", coins="70", message="For you")
    tell.step(fan.name, "fan", f"sets {coins(card['giftCard']['coins'])} aside as a gift card", card["code"])
    redeemed = creator.do("giftCardRedeem", "giftCard { status message }", code=card["code"])["giftCard"]
    if redeemed["status"] != "REDEEMED":
        raise StoryError("the card was not redeemed")
    tell.step(creator.name, "creator", "redeems it, and has them at the price that was paid", redeemed["message"])
