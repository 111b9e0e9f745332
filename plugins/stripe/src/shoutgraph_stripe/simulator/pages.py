"""Stripe's own pages, without scripts: where the fan pays, and where a creator tells who they are."""

from html import escape
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from shoutgraph_stripe.simulator import checkout, connect, forms
from shoutgraph_stripe.simulator.refusals import RefusedError
from shoutgraph_stripe.simulator.state import World

_PAGE: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<h1>{title}</h1>
<p>{text}</p>
<form method="post">{buttons}</form>
</html>"""

_BUTTON: Final = '<button name="way" value="{way}">{label}</button>'
_WAYS: Final = {"pay": "Pay", "later": "Pay by direct debit", "fail": "Pay by a debit that fails", "back": "Back"}


def routes(world: World) -> list[Route]:
    """The pages."""

    async def checkout_page(request: Request) -> Response:
        try:
            session = world.get(request.path_params["ref"], checkout.KIND)
            if request.method == "GET":
                text = f"{session['_description']}: {session['amount_total']} {session['currency']}"
                return _page("Pay", text, _WAYS if session["status"] == "open" else {})
            way = forms.read((await request.body()).decode()).get("way")
            if way == "back":
                return RedirectResponse(session["cancel_url"], HTTPStatus.SEE_OTHER)
            {"later": checkout.process, "fail": checkout.decline}.get(str(way), checkout.pay)(world, session)
        except RefusedError as refused:
            return _page("No", str(refused), {}, status=refused.status)
        return RedirectResponse(session["success_url"], HTTPStatus.SEE_OTHER)

    async def setup_page(request: Request) -> Response:
        try:
            account = world.get(request.path_params["ref"], connect.ACCOUNT)
        except RefusedError as refused:
            return _page("No", str(refused), {}, status=refused.status)
        if request.method == "GET":
            return _page("Tell us who you are", account["id"], {"done": "That is all"})
        connect.complete(world, account)
        return RedirectResponse(account["_return_url"], HTTPStatus.SEE_OTHER)

    methods = ["GET", "POST"]
    return [Route("/c/pay/{ref}", checkout_page, methods=methods), Route("/setup/{ref}", setup_page, methods=methods)]


def _page(title: str, text: str, ways: dict[str, str], *, status: int = HTTPStatus.OK) -> HTMLResponse:
    buttons = "".join(_BUTTON.format(way=way, label=escape(label)) for way, label in ways.items())
    return HTMLResponse(_PAGE.format(title=escape(title), text=escape(text), buttons=buttons), status)
