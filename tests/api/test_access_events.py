"""Who learns of which event: in pages, over WebSocket and over SSE alike."""

from collections.abc import Mapping
from typing import Any, Final

import pytest
from tests.api.cast import PRICE, VIEWERS, Cast
from tests.api.deployment import absent_of, answer_of
from tests.api.test_access import ROWS, outcome_of

READERS: Final = tuple(who for who in VIEWERS if who != "anonymous")
PAGE: Final = """query ($ids: [ID!], $after: String) {
  orderEvents(first: 500, after: $after, filter: {orderIds: $ids}) {
  nodes { ... on OrderStatusChangedEvent { transition orderId order { id } } } pageInfo { endCursor } } }"""
STREAM: Final = """subscription ($after: String) { orderEvents(after: $after) { transition orderId order { id } } }"""
EVERYTHING: Final = ["draft of the first", "submit of the first", "theirs", "elsewhere", "theirs again"]
SEEN: Final[Mapping[str, list[str]]] = {
    "fan": ["draft of the first", "submit of the first", "elsewhere"],
    "other_fan": ["theirs", "theirs again"],
    "creator": ["submit of the first", "theirs", "theirs again"],
    "other_creator": ["elsewhere"],
    "moderator": EVERYTHING,
    "finance": EVERYTHING,
    "service": EVERYTHING,
    "admin": EVERYTHING,
}
"""The fan drafts and submits an order to the creator; the other fan orders from the creator; the fan orders from the
other creator; the other fan orders from the creator again."""


def page_of(cast: Cast, who: str, **variables: object) -> list[Mapping[str, Any]]:
    """The events of a page of the journal."""
    nodes: list[Mapping[str, Any]] = cast.deployment.ask(who, PAGE, **variables)["orderEvents"]["nodes"]
    return nodes


def happen(cast: Cast) -> dict[tuple[str, str], str]:
    """What SEEN says happens; gives the words of each event."""
    to = cast.deployment
    first = cast.order("DRAFT")
    cast.move("orderSubmit", first)
    shape = "order { id }"
    theirs = to.do("other_fan", "orderPlace", shape, **cast.wish())["order"]
    away = cast.wish(offerId=cast.ids["other_creator_offer"])
    elsewhere = to.do("fan", "orderPlace", shape, **away)["order"]
    again = to.do("other_fan", "orderPlace", shape, **cast.wish())["order"]
    return {
        ("draft", first["id"]): "draft of the first",
        ("submit", first["id"]): "submit of the first",
        ("submit", theirs["id"]): "theirs",
        ("submit", elsewhere["id"]): "elsewhere",
        ("submit", again["id"]): "theirs again",
    }


def cursor_of(cast: Cast) -> str:
    """The end of the journal, when all that happened stands in it."""
    cast.deployment.settle_journal()
    cursor: str = cast.deployment.ask("admin", PAGE, ids=[absent_of(cast.ids["DRAFT"])])["orderEvents"]["pageInfo"][
        "endCursor"
    ]
    return cursor


def test_pages_and_streams_tell_everybody_their_own_events(cast: Cast) -> None:
    to, after = cast.deployment, cursor_of(cast)
    sockets = {who: to.socket(who) for who in READERS}
    streams = {who: to.clients[who].events(STREAM, after=after) for who in READERS}
    for socket in sockets.values():
        socket.subscribe("events", STREAM, after=after)
    words = happen(cast)

    def told(event: Mapping[str, Any]) -> str:
        assert event["order"] == {"id": event["orderId"]}, "who learns of an event may see its order"
        return words[event["transition"], event["orderId"]]

    for who in READERS:
        paged = [told(event) for event in page_of(cast, who, after=after)]
        with sockets[who] as socket, streams[who] as stream:
            pushed = [told(socket.next("events")["data"]["orderEvents"]) for _ in SEEN[who]]
            sent = [stream.next() for _ in SEEN[who]]
        assert paged == pushed == SEEN[who], who
        assert [told(event.data["data"]["orderEvents"]) for event in sent if event] == SEEN[who], who


def test_events_of_a_hidden_order_are_like_those_of_none(cast: Cast) -> None:
    for order_id in (cast.ids["IN_PRODUCTION"], cast.ids["DRAFT"]):
        for who in ("other_fan", "other_creator"):
            assert page_of(cast, who, ids=[order_id]) == page_of(cast, who, ids=[absent_of(order_id)]) == []
    assert [event["transition"] for event in page_of(cast, "fan", ids=[cast.ids["DRAFT"]])] == ["draft"]
    assert page_of(cast, "creator", ids=[cast.ids["DRAFT"]]) == []


def test_a_key_that_reads_only_events_does_not_see_the_orders(cast: Cast) -> None:
    to = cast.deployment
    key = to.do("admin", "apiKeyCreate", "token", label="bell", scopes=["EVENTS_READ"])["token"]
    to.let_in("bell", key)
    events = page_of(cast, "bell", ids=[cast.ids["IN_PRODUCTION"]])
    assert [event["transition"] for event in events] == ["submit", "screen_pass", "accept"]
    assert [event["order"] for event in events] == [None, None, None]


@pytest.mark.parametrize("field", sorted(ROWS["Subscription"]))
@pytest.mark.parametrize("who", VIEWERS)
def test_a_subscription_lets_in_whom_the_table_says(cast: Cast, who: str, field: str) -> None:
    wanted = ROWS["Subscription"][field][who]
    feed = f"subscription ($after: String) {{ {field}(after: $after) {{ id }} }}"
    with cast.deployment.socket(who) as socket:
        socket.subscribe("events", feed, after="no cursor")
        message = socket.receive()
        refused = message["payload"] if message["type"] == "error" else message["payload"]["errors"]
    over_socket = outcome_of(answer_of({"errors": refused}))
    with cast.deployment.clients[who].events(feed, after="no cursor") as stream:
        first = stream.next()
    assert first is not None
    over_stream = outcome_of(answer_of(first.data))
    assert over_socket == over_stream == ("BAD_USER_INPUT" if wanted == "yes" else wanted)


def test_a_quote_counts_the_coins_of_whoever_asks(cast: Cast) -> None:
    document = """query ($id: ID!) { quote(offerId: $id, country: "DE", currency: "EUR") {
      total missingCoins topUpCoins missingMoney { minorUnits } } viewer { wallet { available promo } } }"""
    for who in VIEWERS:
        answer = cast.deployment.ask(who, document, id=cast.ids["other_creator_offer"])
        quote, wallet = answer["quote"], answer["viewer"]["wallet"] or {}
        missing = max(0, PRICE - sum(int(coins) for coins in wallet.values()))
        rich = missing == 0
        assert rich == (who in {"fan", "other_fan"}), who
        assert (quote["total"], quote["missingCoins"]) == (str(PRICE), str(missing)), who
        assert (quote["topUpCoins"] is None, quote["missingMoney"] is None) == (rich, rich), who


def test_a_viewer_learns_whether_they_are_signed_in(cast: Cast) -> None:
    for who in VIEWERS:
        viewer = cast.deployment.ask(who, "{ viewer { isAuthenticated } }")["viewer"]
        assert viewer == {"isAuthenticated": who != "anonymous"}
