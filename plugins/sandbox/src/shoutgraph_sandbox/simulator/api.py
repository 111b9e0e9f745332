"""The simulated provider's API, as a plugin calls it."""

import asyncio
import sqlite3
from collections.abc import MutableMapping
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from shoutgraph_sandbox.simulator import door, magic, payments, payouts, rules, store
from shoutgraph_sandbox.simulator.door import Desk
from shoutgraph_sandbox.simulator.magic import Magic
from shoutgraph_sandbox.simulator.payments import Currency
from shoutgraph_sandbox.simulator.rules import RefusedError


class NewRefund(BaseModel):
    """What a caller wants back."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    amount: Annotated[int, Field(gt=0)]
    currency: Currency


class LostResponse(Response):
    """An answer that breaks off before its body: the caller cannot know what happened."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the head of the answer, and then nothing."""
        del scope, receive
        start: MutableMapping[str, Any] = {
            "type": "http.response.start",
            "status": HTTPStatus.OK,
            "headers": [(b"content-length", b"1000"), (b"content-type", b"application/json")],
        }
        await send(start)
        await send({"type": "http.response.body", "body": b"{", "more_body": True})


class Api:
    """The endpoints under `/v1`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        """The routes."""
        return [
            Route("/payments", self.create, methods=["POST"]),
            Route("/payments", self.list_payments, methods=["GET"]),
            Route("/payments/by-key", self.find, methods=["GET"]),
            Route("/payments/{ref}", self.look, methods=["GET"]),
            Route("/payments/{ref}/refunds", self.refund, methods=["POST"]),
            Route("/payments/{ref}/cancel", self.cancel, methods=["POST"]),
            Route("/batches", self.submit, methods=["POST"]),
            Route("/payouts", self.list_payouts, methods=["GET"]),
            Route("/payouts/lookup", self.lookup, methods=["POST"]),
            Route("/payouts/{ref}/cancel", self.cancel_payout, methods=["POST"]),
        ]

    async def create(self, request: Request) -> Response:
        """Makes a payment."""
        desk = self._desk
        door.require_key(desk, request)
        wanted, key = await door.read_as(request, payments.NewPayment), door.idempotency_key(request)
        now = desk.now()
        row, is_new = await desk.memory.run(lambda db: payments.create(db, wanted, key, desk.rule, now))
        desk.courier.wake()
        meaning = magic.of(wanted.amount) if is_new else None
        if meaning is Magic.LOST_RESPONSE:
            return LostResponse()
        if meaning is Magic.SLOW:
            await self._dawdle(request)
        status = HTTPStatus.CREATED if is_new else HTTPStatus.OK
        return door.answer(payments.view(row, desk.rule), status)

    async def look(self, request: Request) -> Response:
        """Shows a payment."""
        door.require_key(self._desk, request)
        ref = request.path_params["ref"]
        row = await self._desk.memory.run(lambda db: payments.get(db, ref))
        return door.answer(payments.view(row, self._desk.rule))

    async def find(self, request: Request) -> Response:
        """Shows the payment that a key made."""
        door.require_key(self._desk, request)
        instance, key = request.query_params.get("instance", ""), request.query_params.get("key", "")
        row = await self._desk.memory.run(lambda db: payments.by_key(db, instance, key))
        return door.answer(payments.view(row, self._desk.rule))

    async def list_payments(self, request: Request) -> Response:
        """Lists payments."""
        door.require_key(self._desk, request)
        instance, since = _listing(request)
        rows = await self._desk.memory.run(lambda db: payments.listed(db, instance, since))
        return door.answer({"payments": [payments.view(row, self._desk.rule) for row in rows]})

    async def refund(self, request: Request) -> Response:
        """Gives money back."""
        desk = self._desk
        door.require_key(desk, request)
        wanted, key = await door.read_as(request, NewRefund), door.idempotency_key(request)
        ref, now = request.path_params["ref"], desk.now()

        def step(db: sqlite3.Connection) -> sqlite3.Row:
            row = payments.get(db, ref)
            if row["currency"] != wanted.currency:
                raise RefusedError(*rules.WRONG_CURRENCY)
            return payments.refund(db, row, key, wanted.amount, desk.rule, now)

        row = await desk.memory.run(step)
        desk.courier.wake()
        return door.answer(payments.view(row, desk.rule))

    async def cancel(self, request: Request) -> Response:
        """Ends a payment."""
        desk = self._desk
        door.require_key(desk, request)
        ref, now = request.path_params["ref"], desk.now()
        row = await desk.memory.run(lambda db: payments.cancel(db, payments.get(db, ref), desk.rule, now))
        desk.courier.wake()
        return door.answer(payments.view(row, desk.rule))

    async def submit(self, request: Request) -> Response:
        """Takes a batch of payouts in."""
        desk = self._desk
        door.require_key(desk, request)
        wanted, key = await door.read_as(request, payouts.NewBatch), door.idempotency_key(request)
        now = desk.now()
        batch_id, rows, is_new = await desk.memory.run(lambda db: payouts.submit(db, wanted, key, desk.rule, now))
        desk.courier.wake()
        status = HTTPStatus.CREATED if is_new else HTTPStatus.OK
        return door.answer({"id": batch_id, "payouts": [payouts.view(row) for row in rows]}, status)

    async def list_payouts(self, request: Request) -> Response:
        """Lists payouts."""
        door.require_key(self._desk, request)
        instance, since = _listing(request)
        rows = await self._desk.memory.run(lambda db: payouts.listed(db, instance, since))
        return door.answer({"payouts": [payouts.view(row) for row in rows]})

    async def lookup(self, request: Request) -> Response:
        """Shows those of several payouts that there are."""
        door.require_key(self._desk, request)
        wanted = await door.read_as(request, payouts.Lookup)
        rows = await self._desk.memory.run(lambda db: payouts.found(db, wanted))
        return door.answer({"payouts": [payouts.view(row) for row in rows]})

    async def cancel_payout(self, request: Request) -> Response:
        """Stops a payout."""
        desk = self._desk
        door.require_key(desk, request)
        ref, now = request.path_params["ref"], desk.now()
        row = await desk.memory.run(lambda db: payouts.cancel(db, payouts.get(db, ref), desk.rule, now))
        desk.courier.wake()
        return door.answer(payouts.view(row))

    async def _dawdle(self, request: Request) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(_gone(request), self._desk.rule.slow.total_seconds())


async def _gone(request: Request) -> None:
    # The body was read, so that the next message says that the caller has hung up.
    await request.receive()


def _listing(request: Request) -> tuple[str | None, int]:
    try:
        since = datetime.fromisoformat(request.query_params.get("since", "1970-01-01T00:00:00+00:00"))
    except ValueError:
        raise RefusedError(*rules.INVALID) from None
    aware = since if since.tzinfo is not None else since.replace(tzinfo=UTC)
    return request.query_params.get("instance"), store.micros(aware)
