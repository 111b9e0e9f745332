"""One wallet and many clients at once."""

import asyncio
from typing import Any

from tests.e2e.crowd import PLACE, new_key, wish
from tests.e2e.market import POOR_COINS, PRICE, Market
from tests.e2e.processes import Nursery, Server
from tests.e2e.wire import PATIENCE_S, Wire


async def _place_at_once(server: Server, market: Market, subject: str, inputs: list[dict[str, Any]]) -> list[Any]:
    """Sends these inputs from a client each, all connected before the first one sends."""
    token, ready = market.token(subject), asyncio.Barrier(len(inputs))

    async def client(given: dict[str, Any]) -> Any:
        with Wire(server.port, token) as wire:
            await wire.once("{ __typename }")
            await ready.wait()
            return (await wire.once(PLACE, input=given))["orderPlace"]

    async with asyncio.timeout(PATIENCE_S):
        return await asyncio.gather(*(client(given) for given in inputs))


def test_a_wallet_is_never_overdrawn_by_sixty_four_clients(nursery: Nursery, server: Server, market: Market):
    inputs = [wish(market.sellers[at].offer_id, new_key()) for at in range(64)]
    payloads = asyncio.run(_place_at_once(server, market, market.poor_id, inputs))
    placed = [payload for payload in payloads if payload["order"]]
    refused = [payload["errors"] for payload in payloads if not payload["order"]]
    assert len(placed) == POOR_COINS // PRICE == 10
    assert {payload["order"]["status"] for payload in placed} == {"SCREENING"}
    assert [[error["__typename"] for error in errors] for errors in refused] == [["InsufficientCoinsError"]] * 54
    again = asyncio.run(_place_at_once(server, market, market.poor_id, inputs))
    assert [payload["order"] for payload in again] == [payload["order"] for payload in payloads]
    assert [payload["errors"] for payload in again] == [payload["errors"] for payload in payloads]
    assert all(payload["replayed"] for payload in again), "a refusal is an answer for good, too"
    assert nursery.prove(market.folder) == 10
    for kind, left in (("promo", 0), ("paid", POOR_COINS % PRICE)):
        account = f"user:{market.poor_id}:{kind}"
        said = nursery.run("ledger", "statement", account, "--data-dir", market.folder, log=server.log)[1]
        assert f" {left:,} " in said, said


def test_one_key_from_thirty_two_clients_at_once_places_one_order(server: Server, market: Market):
    given = wish(market.sellers[0].offer_id, new_key())
    payloads = asyncio.run(_place_at_once(server, market, market.rich_id, [given] * 32))
    assert len({payload["order"]["id"] for payload in payloads}) == 1
    assert sorted(payload["replayed"] for payload in payloads) == [False] + [True] * 31
    other = given | {"offerId": market.sellers[1].offer_id}
    (payload,) = asyncio.run(_place_at_once(server, market, market.rich_id, [other]))
    assert [error["code"] for error in payload["errors"]] == ["IDEMPOTENCY_KEY_REUSED"]
