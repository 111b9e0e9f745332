"""The simulated Stripe as a web application: its API, and the pages that its objects lead to."""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shoutgraph_stripe.config import API_VERSION
from shoutgraph_stripe.simulator import checkout, connect, forms, pages, reversals
from shoutgraph_stripe.simulator.forms import Params
from shoutgraph_stripe.simulator.refusals import RefusedError
from shoutgraph_stripe.simulator.state import Saved, Thing, World

FAILED: Final[Thing] = {"error": {"type": "api_error", "message": "Something went wrong on our end."}}

Ask = Callable[[World, Request, Params], Thing]


def build(world: World, api_key: str) -> Starlette:
    """The application."""

    def served(work: Ask) -> Callable[[Request], object]:
        async def answer(request: Request) -> Response:
            raw = await request.body() if request.method == "POST" else request.url.query.encode()
            try:
                _require_allowed(world, request, api_key)
                if request.method == "POST":
                    return _changed(world, request, raw, work)
                params = forms.read(raw.decode())
                return JSONResponse(world.expanded(work(world, request, params), params))
            except RefusedError as refused:
                return JSONResponse(refused.body, refused.status)

        return answer

    api = [Route(path, served(work), methods=[method]) for (method, path), work in _API.items()]
    return Starlette(routes=[*api, *pages.routes(world)])


def _require_allowed(world: World, request: Request, api_key: str) -> None:
    if world.locked is not None:
        status, code = world.locked
        raise RefusedError("This key is not let in.", status=status, code=code)
    if request.headers.get("authorization") != f"Bearer {api_key}":
        raise RefusedError("Invalid API Key provided.", status=HTTPStatus.UNAUTHORIZED)
    if request.headers.get("stripe-version") != API_VERSION:
        raise RefusedError("Another version of the API is asked for.", param="stripe-version")


def _changed(world: World, request: Request, raw: bytes, work: Ask) -> Response:
    """Does it once for each key: a repeat gets the first answer, and another request with the same key is refused."""
    key = request.headers.get("idempotency-key")
    asked = f"{request.method} {request.url.path} ".encode() + raw
    saved = None if key is None else world.saved.get(key)
    if saved is not None:
        if saved.asked != asked:
            raise RefusedError("Keys for idempotent requests can only be used for the same.", kind="idempotency_error")
        return JSONResponse(saved.body, saved.status, {"idempotent-replayed": "true"})
    params = forms.read(raw.decode())
    answer = Saved(asked, HTTPStatus.OK, world.expanded(work(world, request, params), params))
    if world.fail_next:
        world.fail_next = False
        answer = Saved(asked, HTTPStatus.INTERNAL_SERVER_ERROR, FAILED)
    if key is not None:
        world.saved[key] = Saved(answer.asked, answer.status, json.loads(json.dumps(answer.body)))
    return JSONResponse(answer.body, answer.status)


def _one(kind: str) -> Ask:
    def get(world: World, request: Request, params: Params) -> Thing:
        forms.only(params, "expand")
        return world.get(request.path_params["ref"], kind)

    return get


def _several(kind: str, *by: str) -> Ask:
    return lambda world, _, params: world.listed(kind, params, by=by)


def _made(work: Callable[[World, Params], Thing]) -> Ask:
    return lambda world, _, params: work(world, params)


def _expire(world: World, request: Request, params: Params) -> Thing:
    forms.only(params, "expand")
    return checkout.expire(world, world.get(request.path_params["ref"], checkout.KIND))


_API: Final[dict[tuple[str, str], Ask]] = {
    ("POST", "/v1/checkout/sessions"): _made(checkout.create),
    ("GET", "/v1/checkout/sessions"): _several(checkout.KIND, "payment_intent"),
    ("GET", "/v1/checkout/sessions/{ref}"): _one(checkout.KIND),
    ("POST", "/v1/checkout/sessions/{ref}/expire"): _expire,
    ("GET", "/v1/payment_intents/{ref}"): _one("payment_intent"),
    ("POST", "/v1/refunds"): _made(reversals.create),
    ("GET", "/v1/refunds"): _several(reversals.REFUND, "payment_intent"),
    ("GET", "/v1/disputes"): _several(reversals.DISPUTE, "payment_intent"),
    ("POST", "/v1/accounts"): _made(connect.create_account),
    ("GET", "/v1/accounts"): _several(connect.ACCOUNT),
    ("GET", "/v1/accounts/{ref}"): _one(connect.ACCOUNT),
    ("POST", "/v1/account_links"): _made(connect.link),
    ("POST", "/v1/transfers"): _made(connect.create_transfer),
    ("GET", "/v1/transfers"): _several(connect.TRANSFER, "transfer_group", "destination"),
    ("GET", "/v1/transfers/{ref}"): _one(connect.TRANSFER),
    ("GET", "/v1/events"): _several("event", "type"),
}
