"""`shoutgraph watch`: the live feed of orders in the terminal, as an internal tool sees it."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

import typer

from shoutgraph.cli.shared import console, fail

RETRIES_MAX: Final = 1_000
RETRY_S: Final = 1
FATAL: Final = frozenset({4400, 4401, 4403, 4406, 4409, 4429, 4500})
"""Close codes after which the same token and the same words would be refused again."""
TOKEN: Final = "WATCH_TOKEN"  # noqa: S105 - the name of a variable
"""Where the token may be; not among the settings, whose unknown names are refused."""
PROTOCOL: Final = "graphql-transport-ws"
OPEN_S: Final = 5

FEED: Final = """
subscription ($after: String) {
  orderEvents(after: $after) {
    cursor occurredAt orderId transition actor previousStatus status
    order { price creator { handle } }
  }
}
"""
COLOURS: Final = {
    "COMPLETED": "green",
    "SPLIT": "green",
    "DELIVERED": "green",
    "DISPUTED": "red",
    "REJECTED": "red",
    "EXPIRED": "yellow",
    "DECLINED": "yellow",
    "CANCELLED": "yellow",
    "REFUNDED": "yellow",
}


def watch(
    token: Annotated[str, typer.Option(help="Bearer token or API key.", envvar=TOKEN)],
    url: Annotated[str, typer.Option(help="Address of the API.")] = "ws://127.0.0.1:8000/graphql",
    after: Annotated[str | None, typer.Option(help="Resume after this cursor; by default from now on.")] = None,
) -> None:
    """Watch orders as they move. Reconnects by itself and resumes after the last line, so that none is missed."""
    try:
        asyncio.run(_watch(url, token, after))
    except KeyboardInterrupt:
        console.print("[dim]stopped[/]")


async def _watch(url: str, token: str, after: str | None) -> None:
    from websockets.exceptions import ConnectionClosed, InvalidHandshake

    for _ in range(RETRIES_MAX):
        try:
            async for event in follow(url, token, after):
                after = event["cursor"]
                console.print(line_of(event), soft_wrap=True)
        except ConnectionClosed as closed:
            if closed.rcvd is not None and closed.rcvd.code in FATAL:
                fail(f"the server refuses: {closed.rcvd.reason}")
        except (OSError, InvalidHandshake, TimeoutError):
            console.print("[dim]no connection; trying again[/]")
        await asyncio.sleep(RETRY_S)
    fail(f"gave up after {RETRIES_MAX} connections")


async def follow(url: str, token: str, after: str | None) -> AsyncIterator[dict[str, Any]]:
    """One connection's worth of order events after a cursor, over graphql-transport-ws.

    Raises:
        ConnectionClosed: the connection ended; resume after the last cursor.
    """
    from websockets.asyncio.client import connect
    from websockets.typing import Subprotocol

    async with connect(url, subprotocols=[Subprotocol(PROTOCOL)], open_timeout=OPEN_S) as socket:
        await socket.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}))
        await socket.recv()
        payload = {"query": FEED, "variables": {"after": after}}
        await socket.send(json.dumps({"type": "subscribe", "id": "feed", "payload": payload}))
        async for text in socket:
            message = json.loads(text)
            if message["type"] == "complete":
                return
            if message["type"] == "ping":
                await socket.send('{"type":"pong"}')
            else:
                yield _event_of(message)


def _event_of(message: dict[str, Any]) -> dict[str, Any]:
    payload = message["payload"]
    found = payload if message["type"] == "error" else payload.get("errors")
    if found:
        fail(found[0]["message"])
    event: dict[str, Any] = payload["data"]["orderEvents"]
    return event


def line_of(event: dict[str, Any]) -> str:
    """One event as a line of the terminal."""
    at, order, status = event["occurredAt"][11:19], event["order"], event["status"]
    colour = COLOURS.get(status, "cyan")
    what = f"{order['price']} coins, @{order['creator']['handle']}" if order and order["creator"] else ""
    before = (event["previousStatus"] or "").lower().replace("_", " ")
    now = status.lower().replace("_", " ")
    return (
        f"[dim]{at}[/] {event['orderId'][-6:]}  {before or 'new':>20} -> [{colour}]{now:<20}[/] "
        f"[dim]{event['transition']} by {event['actor'].lower()}; {what}[/]"
    )
