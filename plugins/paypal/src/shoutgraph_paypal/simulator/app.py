"""The simulated PayPal as a web application: its API, and the page where fans approve."""

import base64
import binascii
import html
import json
import secrets
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from shoutgraph_paypal.simulator import batches, orders
from shoutgraph_paypal.simulator.state import RefusedError, Thing, World, missing, shown

FAILED: Final[Thing] = {"name": "INTERNAL_SERVER_ERROR", "message": "In words.", "details": [], "links": []}
DENIED: Final[Thing] = {"error": "invalid_token", "error_description": "In words."}

Ask = Callable[[World, Request, Thing], Thing]


def build(world: World, client_id: str, client_secret: str) -> Starlette:
    """The application."""

    async def token(request: Request) -> Response:
        if not _is_client(request, f"{client_id}:{client_secret}"):
            return JSONResponse({"error": "invalid_client"}, HTTPStatus.UNAUTHORIZED)
        made = f"A21AA{secrets.token_urlsafe(40)}"
        world.tokens[made] = world.clock() + timedelta(seconds=world.token_s)
        return JSONResponse({"access_token": made, "token_type": "Bearer", "expires_in": world.token_s})

    def served(work: Ask) -> Callable[[Request], object]:
        async def answer(request: Request) -> Response:
            token = request.headers.get("authorization", "").removeprefix("Bearer ")
            until = world.tokens.get(token)
            if until is None or world.clock() >= until:
                return JSONResponse(DENIED, HTTPStatus.UNAUTHORIZED)
            raw = await request.body()
            try:
                asked = json.loads(raw or b"{}")
                if request.method == "GET":
                    return JSONResponse(shown(work(world, request, asked)))
                return _changed(world, request, asked, work)
            except RefusedError as refused:
                return JSONResponse(refused.body, refused.status)

        return answer

    api = [Route(path, served(work), methods=[method]) for (method, path), work in _API.items()]
    pages = [
        Route("/checkoutnow", _page(world), methods=["GET"]),
        Route("/checkoutnow", _agree(world), methods=["POST"]),
    ]
    return Starlette(routes=[Route("/v1/oauth2/token", token, methods=["POST"]), *api, *pages])


def _is_client(request: Request, named: str) -> bool:
    given = request.headers.get("authorization", "").removeprefix("Basic ")
    try:
        return secrets.compare_digest(base64.b64decode(given, validate=True), named.encode())
    except binascii.Error:
        return False


def _changed(world: World, request: Request, asked: Thing, work: Ask) -> Response:
    """Does it once for each key: a repeat gets the latest state of what the first request made, whatever it asks."""
    key = request.headers.get("paypal-request-id")
    name = f"{request.url.path} {key}"
    if key is not None and name in world.saved:
        status, saved = world.saved[name]
        return JSONResponse(shown(saved() if callable(saved) else saved), status)
    made = work(world, request, asked)
    status = HTTPStatus.NO_CONTENT if request.method == "PATCH" else HTTPStatus.CREATED
    failed = world.fail_next
    world.fail_next = False
    if key is not None:
        world.saved[name] = (HTTPStatus.INTERNAL_SERVER_ERROR, FAILED) if failed else (HTTPStatus.OK, lambda: made)
    if failed:
        return JSONResponse(FAILED, HTTPStatus.INTERNAL_SERVER_ERROR)
    return Response(status_code=status) if request.method == "PATCH" else JSONResponse(shown(made), status)


def _order(world: World, request: Request) -> Thing:
    return orders.get(world, request.path_params["id"])


def _patch(world: World, request: Request, asked: Thing) -> Thing:
    orders.patch(world, _order(world, request), asked)
    return {}


def _refund(world: World, request: Request, asked: Thing) -> Thing:
    capture, order = orders.find_capture(world, request.path_params["id"])
    return orders.refund(world, capture, order, asked)


def _disputes(world: World, request: Request, _: Thing) -> Thing:
    found = orders.disputes_of(world, request.query_params["disputed_transaction_id"])
    listed = ("dispute_id", "status", "dispute_amount", "create_time")
    size = int(request.query_params["page_size"])
    links = [{"href": str(request.url), "rel": "next", "method": "GET"}] if len(found) > size else []
    return {"items": [{name: each[name] for name in listed} for each in found[:size]], "links": links}


def _dispute(world: World, request: Request, _: Thing) -> Thing:
    found = world.disputes.get(request.path_params["id"])
    if found is None:
        raise missing()
    return found


def _batch(world: World, request: Request, _: Thing) -> Thing:
    number, size = (int(request.query_params[each]) for each in ("page", "page_size"))
    return batches.page(world, request.path_params["id"], number, size)


_API: Final[dict[tuple[str, str], Ask]] = {
    ("POST", "/v2/checkout/orders"): lambda world, _, asked: orders.create(world, asked),
    ("GET", "/v2/checkout/orders/{id}"): lambda world, request, _: _order(world, request),
    ("PATCH", "/v2/checkout/orders/{id}"): _patch,
    ("POST", "/v2/checkout/orders/{id}/capture"): lambda world, request, _: orders.complete(
        world, _order(world, request)
    ),
    ("GET", "/v2/payments/captures/{id}"): lambda world, request, _: orders.find_capture(
        world, request.path_params["id"]
    )[0],
    ("POST", "/v2/payments/captures/{id}/refund"): _refund,
    ("GET", "/v1/customer/disputes"): _disputes,
    ("GET", "/v1/customer/disputes/{id}"): _dispute,
    ("POST", "/v1/payments/payouts"): lambda world, _, asked: batches.create(world, asked),
    ("GET", "/v1/payments/payouts/{id}"): _batch,
    ("POST", "/v1/payments/payouts-item/{id}/cancel"): lambda world, request, _: batches.cancel(
        world, batches.find(world, request.path_params["id"])
    ),
}


def _page(world: World) -> Callable[[Request], object]:
    async def page(request: Request) -> Response:
        try:
            order = orders.get(world, request.query_params.get("token", ""))
        except RefusedError:
            return HTMLResponse("This order has expired.", HTTPStatus.NOT_FOUND)
        told = order["purchase_units"][0]["amount"]
        text = html.escape(f"{told['value']} {told['currency_code']}")
        return HTMLResponse(f"<form method='post'><p>{text}</p><button>Pay now</button></form>")

    return page


def _agree(world: World) -> Callable[[Request], object]:
    async def agree(request: Request) -> Response:
        try:
            order = orders.get(world, request.query_params.get("token", ""))
        except RefusedError:
            return HTMLResponse("This order has expired.", HTTPStatus.NOT_FOUND)
        orders.approve(world, order)
        back = order["_back"]
        return RedirectResponse(f"{back}{'&' if '?' in back else '?'}token={order['id']}", HTTPStatus.SEE_OTHER)

    return agree
