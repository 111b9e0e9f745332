"""A server whose clock was moved: tokens live in real time, so everyone who was let in still is."""

from tests.api.harness import Client, Socket
from tests.e2e.crowd import PLACE, new_key, wish
from tests.e2e.market import Market
from tests.e2e.processes import Server
from tests.e2e.wire import FEED

ADVANCE = """mutation { testClockAdvance(input: {seconds: 691200}) { now errors { ... on UserError { code } } } }"""


def test_a_token_is_as_good_on_streams_as_on_requests_after_time_was_moved(server: Server, market: Market):
    admin, fan = Client(server.url, market.token("ops", "admin")), Client(server.url, market.token(market.rich_id))
    tool = Client(server.url, market.token("desk", "service"))
    assert admin.data(ADVANCE)["testClockAdvance"]["errors"] == []
    with Socket(server.socket_url) as socket, tool.events(FEED) as stream:
        socket.init(market.token("desk", "service")).subscribe("feed", FEED)
        placed = fan.data(PLACE, input=wish(market.sellers[0].offer_id, new_key()))["orderPlace"]
        assert placed["errors"] == []
        message = socket.receive()
        assert message["payload"]["data"]["orderEvents"]["status"] == "SCREENING"
        event = stream.next()
        assert event is not None
        assert event.data["data"]["orderEvents"]["status"] == "SCREENING"
    for client in (admin, fan, tool):
        client.close()
