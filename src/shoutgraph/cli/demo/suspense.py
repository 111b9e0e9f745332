"""The chapter of money that nobody knows: a provider lists it, and two people say where it belongs."""

from typing import TYPE_CHECKING, Any, Final

import httpx

from shoutgraph.cli.demo.people import StoryError
from shoutgraph.cli.demo.telling import money
from shoutgraph.files import key_files

if TYPE_CHECKING:
    from shoutgraph.cli.demo.story import Story

SWEPT_S: Final = 3_700
"""A little more than an hour: so often is a provider asked for all that it has."""
FORGOTTEN: Final = "topup_00000000000000000000000007"
PLACE: Final = "rev:packs:EUR"
LINES: Final = """query Waiting { suspenseLines(status: OPEN, first: 5) {
  nodes { id revision provider line amount { minorUnits currency exponent } ageSeconds } } }"""


def play(story: "Story") -> None:
    """Plays it.

    Raises:
        StoryError: a step did not go as it should.
    """
    finance, admin, tell = story.finance, story.admin, story.tell
    key = key_files.read_or_make(story.folder, "sandbox.key").hex()
    given = {"operation_id": FORGOTTEN, "amount": 900}
    headers = {"authorization": f"Bearer {key}"}
    made = story.http.post(f"{story.url}/sandbox/control/payments", json=given, headers=headers)
    if made.status_code != httpx.codes.OK:
        raise StoryError(f"the sandbox took no payment: {made.status_code}")
    tell.step("sandbox", "platform", "has money under a name of ours, as after a lost disk", FORGOTTEN)
    admin.run("testClockAdvance", "now", seconds=SWEPT_S)

    def look() -> Any:  # noqa: ANN401 - JSON
        return finance.ask(LINES)["suspenseLines"]["nodes"]

    (line,) = story.until(look, lambda nodes: len(nodes) == 1)
    what = "finds it with the hourly sweep: it is in the books, in suspense"
    tell.step("Operator", "platform", what, f"{money(line['amount'])} after the fee, at {line['provider']}")
    of = {"suspenseLineId": line["id"]}
    wish = {"place": PLACE, "reason": "The buyer is not to be found.", "expectedRevision": line["revision"]}
    proposed = finance.do("suspensePropose", "suspenseLine { revision }", **of, **wish)["suspenseLine"]
    tell.step(finance.name, "finance", f"proposes that it belongs to {PLACE}; nothing moves yet")
    shape = "suspenseLine { status place }"
    done = admin.do("suspenseConfirm", shape, **of, expectedRevision=proposed["revision"])["suspenseLine"]
    if (done["status"], done["place"], look()) != ("PLACED", PLACE, []):
        raise StoryError("what nobody knew is in suspense still")
    tell.step(admin.name, "platform", "confirms it, as the second person", "nothing is in suspense any more")
