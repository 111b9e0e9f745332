"""`shoutgraph.testing`, as a front-end team uses it: a test of theirs, and the one of the guide as it stands there."""

import re
from pathlib import Path

import pytest

from shoutgraph.testing import AnswerError, RefusedError, open_market

FEED = "subscription { orderEvents { transition order { id } } }"
WALLET = "{ wallet { available held } }"
GUIDE = Path(__file__).parents[2] / "docs" / "GRAPHQL.md"


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

        with pytest.raises(RefusedError) as refused:
            market.order(fan, creator, expectedPrice="1")
        assert refused.value.code == "PRICE_CHANGED"
        with pytest.raises(AnswerError) as stranger:
            market.anonymous.data(WALLET)
        assert stranger.value.code == "UNAUTHENTICATED"


def test_the_test_of_the_guide_passes_wherever_it_runs(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SHOUTGRAPH_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/production")
    [lines] = re.findall(r"```python\n(from shoutgraph.testing .+?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    guide: dict[str, object] = {}
    exec(lines, guide)  # noqa: S102 - the guide's own lines
    test = guide["test_nobody_accepts"]
    assert callable(test)
    test()
