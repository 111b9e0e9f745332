"""Top-up events over WebSocket and SSE: what a buyer must do next, what became of it, and from where to go on."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.api.harness import Socket
from tests.api.test_money import Bank, open_bank
from tests.storage.databases import Place

EVENT = """id cursor previousStatus status topUpId topUpRevision
  topUp { id status nextAction { __typename ... on RedirectAction { url } } }"""
STREAM = f"""subscription ($after: String, $only: TopUpEventFilterInput) {{
  topUpEvents(after: $after, filter: $only) {{ {EVENT} }} }}"""
PAGE = f"""query ($after: String, $only: TopUpEventFilterInput) {{
  topUpEvents(first: 100, after: $after, filter: $only) {{
    nodes {{ cursor ... on TopUpStatusChangedEvent {{ {EVENT} }} }} pageInfo {{ endCursor hasNextPage }} }} }}"""


@pytest.fixture
def bank(place: Place) -> Iterator[Bank]:
    with open_bank(place) as bank:
        yield bank


def page(bank: Bank, token: str, **variables: Any) -> list[dict[str, Any]]:
    """Everything that somebody may see, the oldest first."""
    nodes: list[dict[str, Any]] = bank.client(token).data(PAGE, **variables)["topUpEvents"]["nodes"]
    return nodes


def steps(events: list[dict[str, Any]]) -> list[tuple[str | None, str]]:
    return [(each["previousStatus"], each["status"]) for each in events]


def user(bank: Bank, name: str) -> str:
    return str(bank.till.world.person(name).user_id)


def settled(bank: Bank) -> None:
    """What was written stands in the journal."""
    bank.till.world.run(bank.till.world.tools.store.settle_journal())  # type: ignore[attr-defined]


def pay(bank: Bank, topup_id: str) -> None:
    bank.till.control(f"payments/{topup_id}/pay")
    bank.till.tick(minutes=2)


LIFE = [(None, "CREATED"), ("CREATED", "ACTION_REQUIRED"), ("ACTION_REQUIRED", "PAID")]


def test_a_buyer_is_told_what_to_do_and_what_became_of_it(bank: Bank) -> None:
    token = user(bank, "ada")
    with Socket(bank.served.socket_url).init(token) as socket:
        socket.subscribe("feed", STREAM, after=None)
        socket.subscribe("theirs", STREAM, only={"topUpIds": ["topup_00000000000000000000000000"]})
        seen: list[dict[str, Any]] = []
        with bank.client(token).events(STREAM) as stream:
            topup = bank.buy(bank.person("ada"))["topUp"]
            while len(seen) < 2:
                seen.append(socket.next("feed")["data"]["topUpEvents"])
            assert seen[-1]["topUp"]["nextAction"]["url"].startswith(bank.till.url)
            pay(bank, topup["id"])
            seen.append(socket.next("feed")["data"]["topUpEvents"])
            sent = [stream.next() for _ in LIFE]
        assert steps(seen) == LIFE
        assert [each.data["data"]["topUpEvents"]["id"] for each in sent if each] == [each["id"] for each in seen]
        assert {each["topUpId"] for each in seen} == {topup["id"]}
        assert [each["topUpRevision"] for each in seen] == sorted(each["topUpRevision"] for each in seen)


def test_a_stream_goes_on_from_its_cursor(bank: Bank) -> None:
    topup = bank.buy(bank.person("ada"))["topUp"]
    settled(bank)
    token = user(bank, "ada")
    first, second = page(bank, token)
    pay(bank, topup["id"])
    settled(bank)
    assert steps(page(bank, token, after=second["cursor"])) == LIFE[2:]
    with Socket(bank.served.socket_url).init(token) as socket:
        socket.subscribe("feed", STREAM, after=first["cursor"])
        assert [socket.next("feed")["data"]["topUpEvents"]["status"] for _ in LIFE[1:]] == ["ACTION_REQUIRED", "PAID"]
    with bank.client(token).events(STREAM, last_event_id=second["cursor"]) as stream:
        event = stream.next()
    assert event is not None
    assert event.data["data"]["topUpEvents"]["status"] == "PAID"


def test_only_the_buyer_and_finance_hear_of_a_top_up(bank: Bank) -> None:
    bank.buy(bank.person("ada"))
    theirs = bank.buy(bank.person("bob"))["topUp"]["id"]
    settled(bank)
    ada, bob, finance = (page(bank, token) for token in (user(bank, "ada"), user(bank, "bob"), "staff:finance"))
    assert steps(ada) == steps(bob) == LIFE[:2]
    assert {each["topUpId"] for each in bob} == {theirs}
    assert [each["id"] for each in finance] == [*(each["id"] for each in ada), *(each["id"] for each in bob)]
    assert [each["topUp"]["nextAction"] for each in finance] == [None] * 4, "whoever has the page could pay"
    for token in ("staff:moderator", "staff:service"):
        assert bank.client(token).code(PAGE) == "FORBIDDEN"


def test_a_filter_picks_top_ups_and_states(bank: Bank) -> None:
    fan, token = bank.person("ada"), user(bank, "ada")
    one, two = (bank.buy(fan)["topUp"]["id"] for _ in range(2))
    settled(bank)
    assert {each["topUpId"] for each in page(bank, token, only={"topUpIds": [one]})} == {one}
    chosen = page(bank, token, only={"status": ["ACTION_REQUIRED"]})
    assert [each["topUpId"] for each in chosen] == [one, two]
    assert page(bank, token, only={"topUpIds": [two], "status": ["PAID"]}) == []
