"""Suspense through the API: finance sees what no transfer explains, and two people say where it belongs."""

from tests.api import giving
from tests.api.cast import Cast
from tests.api.deployment import Deployment

LINES = """query ($status: SuspenseStatus) { suspenseLines(first: 50, status: $status) {
  nodes { id revision status provider amount { minorUnits currency } place proposedBy decidedBy ageSeconds } } }"""
LINE = "suspenseLine { id revision status place proposedBy decidedBy }"


def ids_of(to: Deployment, status: str | None = None) -> set[str]:
    return {each["id"] for each in to.ask("finance", LINES, status=status)["suspenseLines"]["nodes"]}


def test_two_people_place_what_no_transfer_explains(cast: Cast) -> None:
    to = cast.deployment
    line = giving.in_suspense(to, 70)
    (seen,) = (each for each in to.ask("finance", LINES)["suspenseLines"]["nodes"] if each["id"] == line.id)
    assert (seen["provider"], seen["amount"]) == ("sandbox", {"minorUnits": "70", "currency": "EUR"})
    assert (seen["status"], seen["place"], seen["ageSeconds"] >= 0) == ("OPEN", None, True)

    of, known = {"suspenseLineId": line.id}, {"expectedRevision": seen["revision"]}
    for place in ("user:x:paid", "exp:psp:USD"):
        refused = to.refuse("finance", "suspensePropose", **of, **known, place=place, reason="A fee.")
        assert (refused["code"], refused["path"]) == ("ACCOUNT_NOT_ADJUSTABLE", ["input", "place"])
    wish = to.with_key("suspensePropose", {**of, **known, "place": "exp:psp:EUR", "reason": "A fee."})
    first, again = (to.do("finance", "suspensePropose", f"{LINE} replayed", **wish) for _ in range(2))
    assert (first["replayed"], again["replayed"], again["suspenseLine"]) == (False, True, first["suspenseLine"])
    proposed = first["suspenseLine"]
    assert (proposed["status"], proposed["place"]) == ("PROPOSED", "exp:psp:EUR")

    now = {"expectedRevision": proposed["revision"]}
    assert to.refuse("finance", "suspenseConfirm", **of, **now)["code"] == "SECOND_PERSON"
    for unseen in ({}, known):
        stale = to.refuse("admin", "suspenseConfirm", **of, **unseen)
        assert (stale["code"], stale["currentRevision"]) == ("STALE_REVISION", proposed["revision"])
    placed = to.do("admin", "suspenseConfirm", LINE, **of, **now)["suspenseLine"]
    assert (placed["status"], placed["decidedBy"] != placed["proposedBy"]) == ("PLACED", True)
    assert line.id in ids_of(to, "PLACED")
    assert line.id not in ids_of(to, "OPEN")
    assert to.refuse("admin", "suspenseReject", **of)["code"] == "SUSPENSE_STATE"


def test_what_is_rejected_waits_on(cast: Cast) -> None:
    to = cast.deployment
    of = giving.placed(cast)
    rejected = to.do("finance", "suspenseReject", LINE, suspenseLineId=of["suspenseLineId"])["suspenseLine"]
    assert (rejected["status"], rejected["place"], rejected["proposedBy"]) == ("OPEN", None, None)
    assert rejected["id"] in ids_of(to, "OPEN")
