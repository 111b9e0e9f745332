"""The chapter of coins that lapse: a country's rule, a notice that nobody answers, and an owner who comes back."""

import json
from typing import TYPE_CHECKING, Any, Final

from shoutgraph.cli.demo.people import Person, StoryError
from shoutgraph.cli.demo.telling import coins

if TYPE_CHECKING:
    from shoutgraph.cli.demo.story import Story

COUNTRY: Final = "AT"
RULE: Final = {f"{COUNTRY}.unclaimed.months": 6, f"{COUNTRY}.unclaimed.notice_days": 14}
DAY_S: Final = 86_400
HALF_A_YEAR_S: Final = 185 * DAY_S
NOTICE_S: Final = 15 * DAY_S
BOUGHT: Final = "700"
WALLET: Final = "{ wallet { available unclaimed dormancy { coins lapsesAt } } }"
WHY: Final = "{ explainDormancy { words } }"


def play(story: "Story") -> None:
    """Plays it.

    Raises:
        StoryError: a step did not go as it should.
    """
    owner, admin, tell = _buyer(story), story.admin, story.tell
    published = admin.ask("{ policy { version } }")["policy"]["version"]
    changes = [{"name": "dormancy", "value": json.dumps(RULE)}]
    given = {"expectedVersion": published, "changes": changes, "reason": "As a lawyer there says."}
    admin.do("policyPublish", "__typename", **given)
    what = f"publishes a rule for {COUNTRY}: half a year, and two weeks of notice; there is none for any other country"
    tell.step(admin.name, "platform", what)

    def look() -> Any:  # noqa: ANN401 - JSON
        return owner.ask(WALLET)["wallet"]

    admin.run("testClockAdvance", "now", seconds=HALF_A_YEAR_S)
    notice = story.until(look, lambda wallet: wallet["dormancy"] is not None)["dormancy"]
    words = owner.ask(WHY)["explainDormancy"]["words"]
    tell.step(
        "Operator", "platform", f"moves the test clock on; {owner.name} is told of {coins(notice['coins'])}", words[0]
    )
    admin.run("testClockAdvance", "now", seconds=NOTICE_S)
    gone = story.until(look, lambda wallet: wallet["available"] == "0")
    if (gone["unclaimed"], gone["dormancy"]) != (BOUGHT, None):
        raise StoryError("what lapsed is not kept for its owner")
    tell.step(owner.name, "fan", "does nothing: they lapse, and are kept", f"{coins(gone['unclaimed'])} unclaimed")
    back = owner.do("walletReclaim", "wallet { available unclaimed }")["wallet"]
    if (back["available"], back["unclaimed"]) != (BOUGHT, "0"):
        raise StoryError("what lapsed did not come back")
    tell.step(owner.name, "fan", "comes back and claims them", f"wallet {coins(back['available'])}")


def _buyer(story: "Story") -> Person:
    owner = story.register("Lena", "fan", country=COUNTRY)
    wanted = {"buy": {"coins": BOUGHT}, "currency": "EUR", "providerCode": "sandbox", "returnUrl": story.url}
    topup = owner.do("topUpCreate", "topUp { nextAction { ... on RedirectAction { url } } }", **wanted)["topUp"]
    story.pay(topup["nextAction"]["url"])
    story.until(lambda: owner.ask("{ wallet { available } }")["wallet"], lambda wallet: wallet["available"] == BOUGHT)
    story.tell.step(owner.name, "fan", f"who lives in {COUNTRY}, buys {coins(BOUGHT)} and forgets them")
    return owner
