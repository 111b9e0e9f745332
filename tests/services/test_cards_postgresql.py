"""Gift cards from several processes at once: a card is redeemed or cancelled, once, and never both."""

from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest
from tests.services.processes import COUNT, Call, Processes
from tests.services.racing import someone, won

from shoutgraph.domain import errors
from shoutgraph.domain.cards import Card, CardState
from shoutgraph.domain.users import Viewer
from shoutgraph.services.topups import cards
from shoutgraph.services.topups.cards import Bought
from shoutgraph.tools import Done, Tools

pytestmark = pytest.mark.postgresql_only


def test_a_card_goes_to_one_of_all_who_redeem_it_or_back_to_its_buyer(processes: Processes) -> None:
    world, buyer = processes.world, someone(processes)
    world.give_coins(buyer, 100)
    asked = world.request("giftCardBuy", buyer)

    def buy(tools: Tools) -> Coroutine[Any, Any, Done[Bought]]:
        tools = replace(tools, new_secret=lambda: asked.key)
        return cards.buy(tools, buyer, asked, coins=100, message=None)

    bought = processes.run(buy).value
    code = bought.code
    assert code is not None

    def redeem(fan: Viewer) -> Call[Done[Card]]:
        request = world.request("giftCardRedeem", fan)
        return lambda tools: cards.redeem(tools, fan, request, code)

    def cancel() -> Call[Done[Card]]:
        request = world.request("giftCardCancel", buyer)
        return lambda tools: cards.cancel(tools, buyer, request, bought.card.id)

    fans = [someone(processes) for _ in range(COUNT)]
    results = processes.at_once(*(redeem(fan) for fan in fans), *(cancel() for _ in range(COUNT)))
    (ended,) = won(results, Done)
    assert len(won(results, errors.ValidationError)) == 2 * COUNT - 1
    assert ended.value.state in {CardState.REDEEMED, CardState.CANCELLED}
    assert sum(world.wallet(each)[0] for each in (buyer, *fans)) == 100
