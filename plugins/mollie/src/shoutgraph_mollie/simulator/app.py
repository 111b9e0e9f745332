"""The simulated Mollie as one ASGI application: its API under `/v2`, and the page where fans pay."""

import html
import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from shoutgraph.sdk import AsgiMessage, AsgiReceive, AsgiSend, Money
from shoutgraph_mollie import amounts
from shoutgraph_mollie.simulator import words
from shoutgraph_mollie.simulator.books import KEY_LIFE, Books, Payment, RefusedError

LIMIT: Final = 50
LIMIT_MAX: Final = 250
STATUSES: Final = ("paid", "pending", "failed", "expired", "canceled")
"""What the page offers, as Mollie's own does in test mode."""


class SimulatedMollie:
    """One profile of a simulated Mollie."""

    def __init__(self, base_url: str, api_key: str, books: Books) -> None:
        self.books = books
        self._base_url = base_url
        self._api_key = api_key
        self._app = Starlette(
            routes=[
                Route("/v2/payments", self._create, methods=["POST"]),
                Route("/v2/payments", self._list, methods=["GET"]),
                Route("/v2/payments/{id}", self._get, methods=["GET"]),
                Route("/v2/payments/{id}", self._cancel, methods=["DELETE"]),
                Route("/v2/payments/{id}/refunds", self._refund, methods=["POST"]),
                Route("/checkout/{id}", self._page, methods=["GET"]),
                Route("/checkout/{id}", self._choose, methods=["POST"]),
            ],
            exception_handlers={RefusedError: _refused},
        )

    async def __call__(self, scope: AsgiMessage, receive: AsgiReceive, send: AsgiSend) -> None:
        """Answers one request."""
        await self._app(scope, receive, send)

    async def _create(self, request: Request) -> Response:
        asked = await self._asked(request)

        def make() -> dict[str, Any]:
            return self._said(self.books.create(asked))

        return self._once(request, make)

    async def _list(self, request: Request) -> Response:
        self._let_in(request)
        newest = list(self.books.payments.values())[::-1]
        since = request.query_params.get("from")
        if since is not None:
            newest = newest[newest.index(self.books.get(since)) :]
        limit = min(int(request.query_params.get("limit", LIMIT)), LIMIT_MAX)
        links: dict[str, Any] = {"self": {"href": str(request.url)}, "next": None}
        if len(newest) > limit:
            links["next"] = {"href": f"{self._base_url}/v2/payments?limit={limit}&from={newest[limit].id}"}
        found = [self._said(each) for each in newest[:limit]]
        return _answer({"count": len(found), "_embedded": {"payments": found}, "_links": links})

    async def _get(self, request: Request) -> Response:
        self._let_in(request)
        embeds = {"refunds", "chargebacks"} <= set(request.query_params.get("embed", "").split(","))
        return _answer(self._said(self.books.get(request.path_params["id"]), embeds=embeds))

    async def _cancel(self, request: Request) -> Response:
        self._let_in(request)
        payment = self.books.get(request.path_params["id"])
        self.books.cancel(payment)
        return _answer(self._said(payment))

    async def _refund(self, request: Request) -> Response:
        asked = await self._asked(request)
        payment = self.books.get(request.path_params["id"])

        def make() -> dict[str, Any]:
            money = amounts.money_of(asked["amount"]["value"], asked["amount"]["currency"])
            return words.refund(self.books.refund(payment, money, description=asked.get("description", "")), payment)

        return self._once(request, make)

    async def _page(self, request: Request) -> Response:
        payment = self.books.get(request.path_params["id"])
        buttons = "".join(f'<button name="status" value="{each}">{each}</button>' for each in STATUSES)
        title = html.escape(f"{payment.asked['description']}: {_told(payment.amount)}")
        return HTMLResponse(f"<!doctype html><title>{title}</title><h1>{title}</h1><form method=post>{buttons}</form>")

    async def _choose(self, request: Request) -> Response:
        payment = self.books.get(request.path_params["id"])
        async with request.form(max_fields=1, max_files=0) as form:
            status = str(form.get("status", ""))
        if status not in STATUSES or payment.status not in {"open", "pending"}:
            raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, "The payment cannot become that")
        self.books.turn(payment, status)
        left = status == "canceled" and payment.asked.get("cancelUrl")
        return RedirectResponse(left or payment.asked["redirectUrl"], HTTPStatus.SEE_OTHER)

    def _said(self, payment: Payment, *, embeds: bool = False) -> dict[str, Any]:
        return words.payment(payment, self._base_url, embeds=embeds)

    def _let_in(self, request: Request) -> None:
        if request.headers.get("authorization") != f"Bearer {self._api_key}":
            raise RefusedError(HTTPStatus.UNAUTHORIZED, "Missing authentication, or failed to authenticate")

    async def _asked(self, request: Request) -> dict[str, Any]:
        self._let_in(request)
        try:
            asked = json.loads(await request.body())
        except ValueError:
            asked = None
        if not isinstance(asked, dict):
            raise RefusedError(HTTPStatus.BAD_REQUEST, "The body is not a JSON object")
        return asked

    def _once(self, request: Request, make: Callable[[], dict[str, Any]]) -> Response:
        """The same key at the same place gives the same answer, whatever is asked for."""
        name, now = (request.url.path, request.headers.get("idempotency-key", "")), self.books.clock()
        kept = self.books.answers.get(name)
        if name[1] and kept is not None and now < kept[0] + KEY_LIFE:
            return Response(kept[2], kept[1], {"idempotent-replayed": "true"}, words.HAL)
        answer = _answer(make(), HTTPStatus.CREATED)
        self.books.answers[name] = (now, answer.status_code, bytes(answer.body))
        return answer


def _answer(said: dict[str, Any], status: int = HTTPStatus.OK) -> Response:
    return Response(json.dumps(said), status, media_type=words.HAL)


async def _refused(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, RefusedError), "only refusals are told so"
    said = {"status": int(error.status), "title": error.status.phrase, "detail": error.detail}
    if error.about is not None:
        said["field"] = error.about
    return JSONResponse(said, int(error.status), media_type=words.HAL)


def _told(money: Money) -> str:
    return f"{money.currency} {amounts.value_of(money)}"
