"""For the integration tests of front ends and tools: a whole deployment in this process, its people, and its clock.

    with open_market() as market:
        fan, creator = market.person("Ada"), market.creator("Nova", price=250)
        market.buy_coins(fan, 1_000)
        order = market.order(fan, creator)
        market.advance(days=3)  # nobody accepted: the fan has the coins back

It is the real thing, on embedded SQLite and the sandbox provider: what passes here passes against a server.
"""

from shoutgraph.testing.clients import AnswerError, Client, EventStream, RefusedError, ServerEvent
from shoutgraph.testing.markets import Market, Person, open_market
from shoutgraph.testing.sockets import ClosedError, Socket

__all__ = [
    "AnswerError",
    "Client",
    "ClosedError",
    "EventStream",
    "Market",
    "Person",
    "RefusedError",
    "ServerEvent",
    "Socket",
    "open_market",
]
