"""The controls: what a test or a demonstration does to the simulated provider."""

import sqlite3
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Annotated, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shoutgraph_sandbox.simulator import door, due, notices, payments, payouts, rules, store
from shoutgraph_sandbox.simulator.door import Desk
from shoutgraph_sandbox.simulator.due import Step
from shoutgraph_sandbox.simulator.payments import Currency
from shoutgraph_sandbox.simulator.rules import RefusedError, Rules

ModelT = TypeVar("ModelT", bound=BaseModel)

INSTANCE: Final = "sandbox"
FORGOTTEN: Final = "forgotten"

ADVANCE_MAX: Final = timedelta(days=365)

_PAYMENT_STEPS: Final[Mapping[str, Step]] = {
    "later": payments.postpone,
    "decline": payments.decline,
    "expire": payments.expire,
    "fail-refund": payments.fail_refund,
}
_PAYOUT_STEPS: Final[Mapping[str, Step]] = {
    "return": payouts.give_back,
    "reject": payouts.reject,
}


class _Order(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Nothing(_Order):
    """A control without arguments."""


class Stray(_Order):
    """Money that arrives under a name of the caller's that the caller has forgotten."""

    operation_id: payments.Text
    amount: Annotated[int, Field(gt=0)]
    currency: Currency = "EUR"


class Pay(_Order):
    """Money that arrives: what was asked for, where nothing else is said."""

    amount: Annotated[int, Field(gt=0)] | None = None
    currency: Currency | None = None


class Refund(_Order):
    """A refund that somebody makes at the provider itself; all that is left, where no amount is given."""

    amount: Annotated[int, Field(gt=0)] | None = None


class Dispute(_Order):
    """A dispute that opens, or is decided."""

    outcome: Literal["open", "won", "lost"] = "open"


class Advance(_Order):
    """Lets happen what would happen within this time."""

    seconds: Annotated[int, Field(ge=0, le=int(ADVANCE_MAX.total_seconds()))] = 60


class Controls:
    """The endpoints under `/control`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        """The routes."""
        return [
            Route("/payments", self.list_payments, methods=["GET"]),
            Route("/payouts", self.list_payouts, methods=["GET"]),
            Route("/notices", self.list_notices, methods=["GET"]),
            Route("/totals", self.totals, methods=["GET"]),
            Route("/payments", self.stray, methods=["POST"]),
            Route("/payments/{ref}/pay", self.pay, methods=["POST"]),
            Route("/payments/{ref}/refund", self.refund, methods=["POST"]),
            Route("/payments/{ref}/dispute", self.dispute, methods=["POST"]),
            Route("/payments/{ref}/{verb}", self.payment, methods=["POST"]),
            Route("/payouts/{ref}/pay", self.pay_out, methods=["POST"]),
            Route("/payouts/{ref}/{verb}", self.payout, methods=["POST"]),
            Route("/notices/{ref}/replay", self.replay, methods=["POST"]),
            Route("/advance", self.advance, methods=["POST"]),
        ]

    async def list_payments(self, request: Request) -> Response:
        """All payments as the provider sees them."""
        door.require_key(self._desk, request)
        rule, instance = self._desk.rule, request.query_params.get("instance")
        rows = await self._desk.memory.run(lambda db: payments.listed(db, instance, 0))
        extra = ("instance", "customer_ref", "descriptor")
        views = [{**payments.view(row, rule), **{name: row[name] for name in extra}} for row in rows]
        return door.answer({"payments": views})

    async def list_payouts(self, request: Request) -> Response:
        """All payouts as the provider sees them."""
        door.require_key(self._desk, request)
        instance = request.query_params.get("instance")
        rows = await self._desk.memory.run(lambda db: payouts.listed(db, instance, 0))
        extra = ("instance", "batch_id", "recipient_ref", "descriptor")
        views = [{**payouts.view(row), **{name: row[name] for name in extra}} for row in rows]
        return door.answer({"payouts": views})

    async def list_notices(self, request: Request) -> Response:
        """The webhooks, and what became of them."""
        door.require_key(self._desk, request)
        return door.answer({"notices": await self._desk.memory.run(notices.listed)})

    async def totals(self, request: Request) -> Response:
        """What the provider owes us by instance and currency, to compare with the books."""
        door.require_key(self._desk, request)
        return door.answer(await self._desk.memory.run(_totals))

    async def stray(self, request: Request) -> Response:
        """Makes a payment that arrived, as one that was asked for before a disk was lost."""
        desk = self._desk
        door.require_key(desk, request)
        wanted, now = await door.read_as(request, Stray), desk.now()
        row = await desk.memory.run(lambda db: _forgotten(db, wanted, desk.rule, now))
        return door.answer(payments.view(row, desk.rule))

    async def payment(self, request: Request) -> Response:
        """Declines or expires a payment, lets it take a while, or has its newest refund fail after all."""
        step = _known(_PAYMENT_STEPS.get(request.path_params["verb"]))
        rule = self._desk.rule
        return await self._payment(request, Nothing, lambda db, row, _, now: step(db, row, rule, now))

    async def pay(self, request: Request) -> Response:
        """Pays a payment, for what was asked or for something else."""

        def step(db: sqlite3.Connection, row: sqlite3.Row, wanted: Pay, now: int) -> sqlite3.Row:
            if wanted.currency is not None:
                db.execute("UPDATE payment SET currency = ? WHERE id = ?", (wanted.currency, row["id"]))
            return payments.settle(db, row, self._desk.rule, now, arriving=wanted.amount)

        return await self._payment(request, Pay, step)

    async def refund(self, request: Request) -> Response:
        """Refunds a payment at the provider itself."""

        def step(db: sqlite3.Connection, row: sqlite3.Row, wanted: Refund, now: int) -> sqlite3.Row:
            key, left = f"control-{row['refunded']}", payments.left_of(row)
            return payments.refund(db, row, key, wanted.amount or left, self._desk.rule, now)

        return await self._payment(request, Refund, step)

    async def dispute(self, request: Request) -> Response:
        """Opens or decides a dispute."""
        return await self._payment(
            request,
            Dispute,
            lambda db, row, wanted, now: payments.dispute(db, row, wanted.outcome, self._desk.rule, now),
        )

    async def pay_out(self, request: Request) -> Response:
        """Pays a payout, as asked or something else."""

        def step(db: sqlite3.Connection, row: sqlite3.Row, wanted: Pay, now: int) -> sqlite3.Row:
            amount, currency = wanted.amount or row["amount"], wanted.currency or row["currency"]
            db.execute("UPDATE payout SET amount = ?, currency = ? WHERE id = ?", (amount, currency, row["id"]))
            return payouts.pay(db, payouts.get(db, row["id"]), self._desk.rule, now)

        return await self._payout(request, Pay, step)

    async def payout(self, request: Request) -> Response:
        """Returns or rejects a payout."""
        step, rule = _known(_PAYOUT_STEPS.get(request.path_params["verb"])), self._desk.rule
        return await self._payout(request, Nothing, lambda db, row, _, now: step(db, row, rule, now))

    async def replay(self, request: Request) -> Response:
        """Sends a webhook once more."""
        desk = self._desk
        door.require_key(desk, request)
        await door.read_as(request, Nothing)
        ref, now = request.path_params["ref"], desk.now()
        await desk.memory.run(lambda db: notices.replay(db, ref, now))
        desk.courier.wake()
        return door.answer({"replayed": ref})

    async def advance(self, request: Request) -> Response:
        """Lets happen now what would happen within some time."""
        desk = self._desk
        door.require_key(desk, request)
        wanted = await door.read_as(request, Advance)
        now, by = desk.now(), store.span(timedelta(seconds=wanted.seconds))
        count = await desk.memory.run(lambda db: due.advance(db, desk.rule, now, by))
        desk.courier.wake()
        return door.answer({"happened": count})

    async def _payment(
        self,
        request: Request,
        model: type[ModelT],
        step: Callable[[sqlite3.Connection, sqlite3.Row, ModelT, int], sqlite3.Row],
    ) -> Response:
        desk = self._desk
        door.require_key(desk, request)
        wanted = await door.read_as(request, model)
        ref, now = request.path_params["ref"], desk.now()
        row = await desk.memory.run(lambda db: step(db, payments.get(db, ref), wanted, now))
        desk.courier.wake()
        return door.answer(payments.view(row, desk.rule))

    async def _payout(
        self,
        request: Request,
        model: type[ModelT],
        step: Callable[[sqlite3.Connection, sqlite3.Row, ModelT, int], sqlite3.Row],
    ) -> Response:
        desk = self._desk
        door.require_key(desk, request)
        wanted = await door.read_as(request, model)
        ref, now = request.path_params["ref"], desk.now()
        row = await desk.memory.run(lambda db: step(db, payouts.get(db, ref), wanted, now))
        desk.courier.wake()
        return door.answer(payouts.view(row))


def _forgotten(db: sqlite3.Connection, wanted: Stray, rule: Rules, now: int) -> sqlite3.Row:
    texts = dict.fromkeys(("customer_ref", "locale", "descriptor"), FORGOTTEN)
    urls = dict.fromkeys(("return_url", "cancel_url"), rule.base_url)
    asked = payments.NewPayment.model_validate({"instance": INSTANCE, **wanted.model_dump(), **texts, **urls})
    row, is_new = payments.create(db, asked, wanted.operation_id, rule, now)
    return payments.settle(db, row, rule, now, arriving=wanted.amount) if is_new else row


def _known(step: Step | None) -> Step:
    if step is None:
        raise RefusedError(*rules.NOT_FOUND)
    return step


def _totals(db: sqlite3.Connection) -> dict[str, object]:
    by_payment = (
        "SELECT instance, currency, count(*) AS payments_count, sum(settled) AS settled, sum(refunded) AS refunded,"
        " sum(refunds_failed) AS refunds_failed, sum(disputed) AS disputed, sum(disputes_won) AS disputes_won,"
        " sum(disputes_lost) AS disputes_lost, sum(fee) AS fee FROM payment"
        " GROUP BY instance, currency ORDER BY instance, currency"
    )
    by_payout = (
        "SELECT instance, currency, status, count(*) AS payouts_count, sum(amount) AS amount FROM payout"
        " GROUP BY instance, currency, status ORDER BY instance, currency, status"
    )
    return {
        "payments": [dict(row) for row in db.execute(by_payment)],
        "payouts": [dict(row) for row in db.execute(by_payout)],
    }
