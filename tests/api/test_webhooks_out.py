"""Webhooks out through the front door: a real receiver is told in order, and proves each message."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from starlette.responses import Response
from tests.api.deployment import Deployment, open_deployment
from tests.receiving import Receiver, receiving
from tests.storage.databases import Place

from shoutgraph.domain import endpoints as rules

SHAPE = """endpoint { id revision url label eventTypes status disabledReason
  place { cursor behindCount failureCount failingSince nextAttemptAt } secrets { number expiresAt } } replayed"""
LOOK = "query ($id: ID!) { node(id: $id) { ... on WebhookEndpoint { %s } } }"
SENT = """query ($id: ID!, $status: WebhookDeliveryStatus) {
  webhookDeliveries(endpointId: $id, status: $status, first: 9) {
  nodes { id eventId eventType status attemptCount attempts { number outcome status excerpt durationMilliseconds }
  endpoint { id } } } }"""
FEED = """{ webhookEndpointEvents(first: 500) { nodes {
  ... on WebhookEndpointChangedEvent { endpointId status disabledReason } } } }"""


@pytest.fixture(scope="module")
def to(module_place: Place) -> Iterator[Deployment]:
    """A deployment of its own: its time is moved by days."""
    with open_deployment(module_place) as deployment:
        yield deployment


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def endpoint(to: Deployment, receiver: Receiver, **wish: object) -> dict[str, Any]:
    """An endpoint at the receiver's, which knows its secret; told of changes of features."""
    wish = {"url": receiver.url, "label": "A tool", "eventTypes": ["feature.changed"]} | wish
    made = to.do("admin", "webhookEndpointCreate", f"secret {SHAPE}", **wish)
    receiver.secrets.append(made["secret"])
    found: dict[str, Any] = made["endpoint"]
    return found


def happen(to: Deployment, reason: str) -> None:
    """One line of the journal that endpoints are told of."""
    to.do("admin", "featureRuleSet", "rule { id }", feature="GIFTS", reason=reason)


def end(to: Deployment, *made: dict[str, Any]) -> None:
    for each in made:
        to.do("admin", "webhookEndpointDisable", "endpoint { id }", webhookEndpointId=each["id"])


def look(to: Deployment, of: dict[str, Any], what: str = "status disabledReason") -> Any:
    return to.ask("admin", LOOK % what, id=of["id"])["node"]


def sent(to: Deployment, of: dict[str, Any], status: str | None = None) -> Any:
    return to.ask("admin", SENT, id=of["id"], status=status)["webhookDeliveries"]["nodes"]


def travel(to: Deployment, **by: float) -> None:
    seconds = int(timedelta(**by).total_seconds())
    to.do("admin", "testClockAdvance", "now", seconds=seconds)


def test_a_receiver_is_told_in_order_of_what_it_asked_for_and_can_prove_it(to: Deployment, receiver: Receiver) -> None:
    made = endpoint(to, receiver)
    happen(to, "One")
    happen(to, "Two")
    to.register("somebody")  # of no interest to it
    to.settle()
    events = to.ask("admin", "{ featureEvents(first: 500) { nodes { id cursor } } }")["featureEvents"]["nodes"][-2:]
    assert receiver.proven == [[True], [True]]
    for message, event in zip(receiver.got, events, strict=True):
        assert message.keys() == {"webhook-id", "type", "timestamp", "data"}
        assert (message["type"], message["webhook-id"]) == ("feature.changed", event["id"])
        assert message["data"].keys() == {"id", "cursor", "subjectId", "subjectSequence"}
        assert (message["data"]["id"], message["data"]["cursor"]) == (event["id"], event["cursor"])
    first, second = sent(to, made)[::-1]
    assert (first["eventId"], second["eventId"]) == tuple(receiver.told)
    assert first["status"] == "DELIVERED"
    assert (first["endpoint"]["id"], first["attemptCount"]) == (made["id"], 1)
    [attempt] = first["attempts"]
    assert attempt.pop("durationMilliseconds") >= 0
    assert attempt == {"number": 1, "outcome": "DELIVERED", "status": "200", "excerpt": "thanks"}
    end(to, made)


def test_a_receiver_is_told_again_from_a_cursor_and_skips_only_on_purpose(to: Deployment, receiver: Receiver) -> None:
    made = endpoint(to, receiver)
    happen(to, "One")
    happen(to, "Two")
    to.settle()
    events = [each["data"] for each in receiver.got]
    receiver.forget()
    back = to.do("admin", "webhookReplay", SHAPE, webhookEndpointId=made["id"], after=events[0]["cursor"])
    assert back["endpoint"]["revision"] == 2
    to.settle()
    assert receiver.told == [events[1]["id"]]
    assert (sent(to, made)[0]["attemptCount"], len(sent(to, made))) == (2, 2)
    happen(to, "Three")
    ahead = to.ask("admin", "{ featureEvents(first: 500) { pageInfo { endCursor } } }")["featureEvents"]["pageInfo"]
    wish = {"webhookEndpointId": made["id"], "after": ahead["endCursor"]}
    assert to.refuse("admin", "webhookReplay", **wish)["code"] == "WOULD_SKIP"
    junk = to.refuse("admin", "webhookReplay", **wish | {"after": "junk"})
    assert (junk["code"], junk["path"]) == ("INVALID_CURSOR", ["input", "after"])
    to.do("admin", "webhookReplay", SHAPE, skip=True, **wish)
    to.settle()
    assert len(receiver.got) == 1
    end(to, made)


def test_what_is_not_taken_is_sent_again_later_each_time_and_holds_up_only_its_endpoint(
    to: Deployment, receiver: Receiver
) -> None:
    made, other = endpoint(to, receiver), endpoint(to, receiver, label="Another")
    receiver.answers = [Response("oh " + "x" * 400, 500), Response("fine", 200), Response("fine", 200)]
    happen(to, "One")
    happen(to, "Two")
    to.settle()
    assert len(receiver.got) == 3, "one endpoint waits, the other was told of both"
    waits, told = (made, other) if look(to, made, "place { failureCount }")["place"]["failureCount"] else (other, made)
    first, second = [each["eventId"] for each in sent(to, told)[::-1]]
    place = look(to, waits, "place { failureCount failingSince }")["place"]
    assert (place["failureCount"], place["failingSince"] is None) == (1, False)
    [failed] = sent(to, waits, "FAILED")
    assert (failed["eventId"], len(failed["attempts"][0]["excerpt"])) == (first, rules.EXCERPT_CHARS_MAX)
    waits_as_told(to, receiver, waits, (first, second))
    end(to, made, other)


def waits_as_told(to: Deployment, receiver: Receiver, waits: dict[str, Any], events: tuple[str, str]) -> None:
    """A receiver says how long it wants to be left alone; a redirect is as good as a refusal."""
    first, second = events
    receiver.forget()
    receiver.answers = [Response("slowly", 503, {"retry-after": "600"}), Response("", 302, {"location": "/x"})]
    travel(to, seconds=6)
    to.settle()
    travel(to, seconds=590)
    to.settle()
    assert receiver.told == [first], "it asked for ten minutes"
    travel(to, seconds=11)
    to.settle()
    travel(to, seconds=21)
    to.settle()
    assert receiver.told == [first, first, first, second]
    assert {each["webhook-id"] for each in receiver.got[:3]} == {first}
    [newest, oldest] = sent(to, waits)
    assert [each["status"] for each in oldest["attempts"]] == ["200", "302", "503", "500"]
    assert newest["status"] == oldest["status"] == "DELIVERED"
    assert look(to, waits, "place { failureCount failingSince }")["place"] == {"failureCount": 0, "failingSince": None}


def test_an_endpoint_that_is_gone_or_fails_for_three_days_is_disabled_and_goes_on_where_it_stood(
    to: Deployment, receiver: Receiver
) -> None:
    made = endpoint(to, receiver)
    receiver.answers = [Response("", 410)]
    happen(to, "One")
    to.settle()
    assert look(to, made) == {"status": "DISABLED", "disabledReason": "GONE"}
    happen(to, "Two")
    to.settle()
    assert len(receiver.got) == 1
    receiver.answers = [Response("", 500)] * 1_000
    wish = {"webhookEndpointId": made["id"]}
    again = to.do("admin", "webhookEndpointResume", SHAPE, **wish)["endpoint"]
    assert (again["status"], again["disabledReason"]) == ("ACTIVE", None)
    for _ in range(5):
        to.settle()
        if look(to, made)["status"] != "ACTIVE":
            break
        travel(to, hours=20)
    assert look(to, made) == {"status": "DISABLED", "disabledReason": "FAILING"}
    assert set(receiver.told) == {receiver.told[0]}
    assert len(receiver.got) == 1 + 5, "the last one at the end of the three days"
    told = [
        each for each in to.ask("admin", FEED)["webhookEndpointEvents"]["nodes"] if each["endpointId"] == made["id"]
    ]
    assert [each["disabledReason"] for each in told] == [None, "GONE", None, "FAILING"]
    first = receiver.told[0]
    receiver.forget()
    receiver.answers = []
    to.do("admin", "webhookEndpointResume", SHAPE, **wish)
    to.settle()
    assert receiver.told[0] == first
    assert len(receiver.told) == 2, "nothing was skipped"
    end(to, made)


def test_a_secret_is_rotated_with_an_overlap_and_shown_once(to: Deployment, receiver: Receiver) -> None:
    made = endpoint(to, receiver)
    of = {"webhookEndpointId": made["id"]}
    wish = {**of, "overlapSeconds": 3600, "idempotencyKey": to.key()}
    rotated = to.do("admin", "webhookSecretRotate", f"secret {SHAPE}", **wish)
    assert [each["number"] for each in rotated["endpoint"]["secrets"]] == [2, 1]
    repeated = to.do("admin", "webhookSecretRotate", f"secret {SHAPE}", **wish)
    assert (repeated["secret"], repeated["replayed"]) == (None, True)
    receiver.secrets.append(rotated["secret"])
    tested = to.do("admin", "webhookTest", "message { url body headers { name value } } delivery { status }", **of)
    assert (tested["delivery"]["status"], receiver.proven) == ("DELIVERED", [[True, True]])
    assert receiver.got[0]["type"] == json.loads(tested["message"]["body"])["type"] == "webhook.test"
    travel(to, seconds=3601)
    tried = to.do("admin", "webhookTest", "message { headers { name value } } delivery { id }", dryRun=True, **of)
    assert (tried["delivery"], len(receiver.got)) == (None, 1)
    signature = next(each["value"] for each in tried["message"]["headers"] if each["name"] == "webhook-signature")
    assert signature.count("v1,") == 1
    to.do("admin", "webhookTest", "delivery { id }", **of)
    assert receiver.proven[1] == [False, True]
    end(to, made)


def test_a_paused_endpoint_hears_nothing_until_it_is_active_again(to: Deployment, receiver: Receiver) -> None:
    made = endpoint(to, receiver)
    of = {"webhookEndpointId": made["id"]}
    paused = to.do("admin", "webhookEndpointPause", SHAPE, expectedRevision=1, **of)["endpoint"]
    assert paused["revision"] == 2
    stale = to.refuse("admin", "webhookEndpointUpdate", label="Late", expectedRevision=1, **of)
    assert stale["code"] == "STALE_REVISION"
    happen(to, "One")
    to.settle()
    assert receiver.got == []
    to.do("admin", "webhookEndpointResume", SHAPE, **of)
    to.settle()
    assert len(receiver.got) == 1
    end(to, made)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"url": "ftp://example.com/"}, "INVALID_URL"),
        ({"url": "https://user:secret@example.com/"}, "INVALID_URL"),
        ({"url": "https://example.com/#part"}, "INVALID_URL"),
        ({"url": "https://exa mple.com/"}, "INVALID_URL"),
        ({"url": "nonsense"}, "INVALID_URL"),
        ({"url": "http://169.254.169.254/latest"}, "FORBIDDEN_ADDRESS"),
        ({"eventTypes": ["order.nothing"]}, "UNKNOWN_EVENT_TYPE"),
        ({"label": ""}, "VALIDATION"),
    ],
)
@pytest.mark.sqlite_only
def test_an_endpoint_that_cannot_be_is_refused(to: Deployment, given: dict[str, object], code: str) -> None:
    wish = {"url": "https://example.com/hook", "label": "A tool", "eventTypes": []} | given
    assert to.refuse("admin", "webhookEndpointCreate", **wish)["code"] == code
