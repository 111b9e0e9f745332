"""The chapter of rights: a report with its decision and appeal, a copy of what is kept, leaving, being erased."""

import io
import time
import zipfile
from typing import TYPE_CHECKING, Any, Final

from shoutgraph.cli.demo.people import Person, StoryError

if TYPE_CHECKING:
    from shoutgraph.cli.demo.story import Story

PATIENCE_S: Final = 30.0
PAUSE_S: Final = 0.2
CLOSE_S: Final = 24 * 3600
CLOSING: Final = "{ viewer { closure { status steps { key status } } } }"
WAIT_S: Final = 7 * 24 * 3600
ERASED: Final = "query Erased($id: ID!) { node(id: $id) { ... on Erasure { status } } }"
NAMED: Final = "query Named($id: ID!) { node(id: $id) { ... on User { displayName } } }"
EXPORT: Final = "{ viewer { dataExport { status sizeBytes download { url } } } }"
TRAIL: Final = '{ auditTrail(filter: {action: "reportDecide"}, first: 1) { nodes { actor action digest } } }'


def play(story: "Story") -> None:
    """Plays it.

    Raises:
        StoryError: a step did not go as it should.
    """
    _report(story)
    _copy(story)
    _close(story)
    _leave(story)


def _report(story: "Story") -> None:
    fan, moderator, tell = story.fan, story.moderator, story.tell
    creator = story.creator.ask("{ viewer { creator { id } } }")["viewer"]["creator"]["id"]
    said = {"ground": "IMPERSONATION", "explanation": "There is a singer of this name.", "goodFaith": True}
    report = fan.do("reportFile", "report { id status }", subjectId=creator, **said)["report"]["id"]
    why = {"basis": "TERMS", "rule": "section 2", "facts": "She is that singer."}
    moderator.do("reportDecide", "report { status }", reportId=report, action="NONE", **why)
    fan.do("reportAppeal", "report { status }", reportId=report, text="Are you sure?")
    shape = "report { status decisions { action facts } }"
    final = story.admin.do("reportAppealDecide", shape, reportId=report, upheld=True, **why)["report"]
    words = f"{final['status']}: {final['decisions'][0]['action']}, because '{final['decisions'][0]['facts']}'"
    tell.step(fan.name, "fan", "reports a profile, reads the reasons, appeals; somebody else upholds", words)
    line = story.admin.ask(TRAIL)["auditTrail"]["nodes"][0]
    tell.step("Auditor", "platform", "reads who decided in the audit trail", f"sealed as {line['digest'][:16]}")


def _copy(story: "Story") -> None:
    fan = story.fan
    fan.do("dataExportRequest", "dataExport { status }")
    ready = _ready(fan)
    body = story.http.get(ready["download"]["url"]).content
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        names = archive.namelist()
    told = f"{len(body):,} bytes, {len(names)} files such as {names[0]}"
    story.tell.step(fan.name, "fan", "downloads a copy of everything that is kept about her", told)


def _ready(fan: Person) -> Any:  # noqa: ANN401 - JSON
    deadline = time.monotonic() + PATIENCE_S
    while True:
        found = fan.ask(EXPORT)["viewer"]["dataExport"]
        if found["status"] == "READY":
            return found
        if time.monotonic() > deadline:
            raise StoryError("the copy was not made")
        time.sleep(PAUSE_S)


def _close(story: "Story") -> None:
    tell, ada = story.tell, story.register("Ada", "fan")
    asked = ada.run("closureRequest", "closure { status revocableUntil }", confirm=True, forfeitPromo=True)["closure"]
    story.admin.run("testClockAdvance", "now", seconds=CLOSE_S + 60)
    ended = story.until(lambda: ada.ask(CLOSING)["viewer"]["closure"], lambda found: bool(found["status"] == "CLOSED"))
    told = f"{asked['status']} until {asked['revocableUntil'][:16]}, then {ended['status']}: "
    told += ", ".join(f"{step['key']} {step['status']}" for step in ended["steps"])
    tell.step("Ada", "fan", "closes her account; a job settles it step by step", told)


def _leave(story: "Story") -> None:
    tell, eve = story.tell, story.register("Eve", "fan")
    user = eve.ask("{ viewer { user { id } } }")["viewer"]["user"]["id"]
    wish = eve.do("erasureRequest", "erasure { id status dueAt }", confirm=True)["erasure"]
    taken_back = eve.run("erasureCancel", "erasure { status }", erasureId=wish["id"])["erasure"]["status"]
    told = f"{wish['status']} until {wish['dueAt'][:10]}, then {taken_back}"
    tell.step("Eve", "fan", "asks to be erased, which waits seven days, and takes it back", told)
    meant = eve.do("erasureRequest", "erasure { id }", confirm=True)["erasure"]["id"]
    story.admin.run("testClockAdvance", "now", seconds=WAIT_S + 60)
    story.until(lambda: story.admin.ask(ERASED, id=meant)["node"]["status"], lambda status: bool(status == "DONE"))
    name = story.admin.ask(NAMED, id=user)["node"]["displayName"]
    tell.step(
        "Eve", "fan", "asks again; seven days later nobody knows her", f"her name is now '{name}'; the books stay"
    )
