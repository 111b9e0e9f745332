"""Gift cards from several processes at once: a card is redeemed or cancelled, once, and never both."""

from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest
from tests.services.processes import COUNT, Call, Processes
from tests.services.racing import ROUNDS, coins_of, someone, won

from shoutgraph.domain import errors
from shoutgraph.domain.cards import Card, CardState
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import Viewer
from shoutgraph.services.topups import cards
from shoutgraph.services.topups.cards import Bought
from shoutgraph.storage import cards as rows
from shoutgraph.tools import Done, Tools

pytestmark = pytest.mark.postgresql_only


def test_a_card_goes_to_one_of_all_who_redeem_it_or_back_to_its_buyer(processes: Processes) -> None:
    world, buyer = processes.world, someone(processes)
    world.give_coins(buyer, 100)
    asked = world.request("giftCardBuy", buyer)

    def buy(tools: Tools) -> Coroutine[Any, Any, Done[Bought]]:
        tools = replace(tools, new_secret=lambda: asked.key)
        return cards.buy(tools, buyer, asked, coins=100)

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


def test_a_card_that_is_bought_while_its_payment_goes_back_is_revoked_or_never_made(processes: Processes) -> None:
    for _ in range(ROUNDS):
        buyer = someone(processes)
        topup = processes.bought(buyer, 1_000)
        processes.bank.settle(topup, disputed=1_000)
        requests = [processes.world.request("giftCardBuy", buyer) for _ in range(3)]

        def buy(asked: Request, buyer: Viewer = buyer) -> Call[Done[Bought]]:
            return lambda tools: cards.buy(replace(tools, new_secret=lambda: asked.key), buyer, asked, coins=300)

        results = processes.at_once(buy(requests[0]), processes.tell(topup), *(buy(each) for each in requests[1:]))
        made = [each.value.card.id for each in won(results, Done)]
        states = {card.state for card in processes.world.read(lambda tx: rows.list_of(tx, made)) if card is not None}  # noqa: B023
        found = coins_of(processes, buyer)
        assert states <= {CardState.REVOKED}
        assert (found.available_coins, found.debt_coins) == (0, 0)
