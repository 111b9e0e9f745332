"""`shoutgraph.testing`, as a front-end team uses it: one test of theirs from an empty wallet to a refund in time."""

import pytest

from shoutgraph.testing import AnswerError, RefusedError, open_market

FEED = "subscription { orderEvents { transition order { id } } }"
WALLET = "{ wallet { available held } }"


def test_a_front_end_team_tests_its_whole_story_in_one_process():
    with open_market(allowed_origins=("https://fan.example",)) as market:
        fan, creator = market.person("Ada"), market.creator("Nova", price=250)
        market.buy_coins(fan, 1_000)
        with market.socket(fan) as socket, fan.events(FEED) as stream:
            socket.subscribe("1", FEED)
            first = market.order(fan, creator)
            heard = [socket.next("1")["data"]["orderEvents"], stream.next().data["data"]["orderEvents"]]
            assert heard == [{"transition": "submit", "order": {"id": first["id"]}}] * 2
        assert market.deliver(creator, first)["status"] == "DELIVERED"

        second = market.order(fan, creator)
        assert fan.data(WALLET)["wallet"] == {"available": "500", "held": "500"}
        market.advance(days=3, minutes=1)
        late = fan.data("query ($id: ID!) { order(id: $id) { status } }", id=second["id"])
        assert late["order"]["status"] == "EXPIRED"
        assert int(fan.data(WALLET)["wallet"]["available"]) == 750

        with pytest.raises(RefusedError) as refused:
            market.order(fan, creator, expectedPrice="1")
        assert refused.value.code == "PRICE_CHANGED"
        with pytest.raises(AnswerError) as stranger:
            market.anonymous.data(WALLET)
        assert stranger.value.code == "UNAUTHENTICATED"
