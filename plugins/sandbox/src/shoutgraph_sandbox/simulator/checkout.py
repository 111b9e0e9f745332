"""The hosted pages as endpoints. A payment's id is what lets the fan in; it cannot be guessed."""

import base64
import hashlib
import sqlite3
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from shoutgraph_sandbox.simulator import door, due, magic, pages, payments, rules
from shoutgraph_sandbox.simulator.door import Desk
from shoutgraph_sandbox.simulator.due import Step
from shoutgraph_sandbox.simulator.magic import Magic
from shoutgraph_sandbox.simulator.rules import RefusedError

FIELDS_MAX: Final = 10

_CHOICES: Final[Mapping[str, Step]] = {
    "pay": payments.settle,
    "later": payments.postpone,
    "decline": payments.decline,
}


class Checkout:
    """The endpoints under `/checkout`."""

    def __init__(self, desk: Desk, css: str) -> None:
        self._desk = desk
        self._css = css
        self._style = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()

    def routes(self) -> list[Route]:
        """The routes."""
        return [
            Route("/{ref}", self.show, methods=["GET"]),
            Route("/{ref}", self.choose, methods=["POST"]),
            Route("/{ref}/verify", self.ask_code, methods=["GET"]),
            Route("/{ref}/verify", self.check_code, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Shows the page."""
        row = await self._row(request)
        if row is None:
            return self._page(pages.missing(self._css), HTTPStatus.NOT_FOUND)
        return self._page(pages.checkout(row, self._css, self._desk.rule.base_url))

    async def choose(self, request: Request) -> Response:
        """Does what the fan chose, and leads back to the shop."""
        row = await self._row(request)
        if row is None:
            return self._page(pages.missing(self._css), HTTPStatus.NOT_FOUND)
        choice = (await _form(request)).get("choice", "")
        step = _CHOICES.get(choice)
        wants_code = choice == "verify" or (choice == "pay" and _needs_code(row))
        if wants_code and row["status"] == "action_required":
            return _go(f"{self._desk.rule.base_url}/checkout/{row['id']}/verify")
        if step is None or row["status"] != "action_required":
            return self._page(pages.checkout(row, self._css, self._desk.rule.base_url))
        return await self._end(row, step)

    async def ask_code(self, request: Request) -> Response:
        """Shows the page of the 3-D Secure step."""
        row = await self._row(request)
        if row is None or row["status"] != "action_required":
            return await self.show(request)
        return self._page(pages.verify(row, self._css, self._desk.rule.base_url, wrong=False))

    async def check_code(self, request: Request) -> Response:
        """Pays if the code is right."""
        row = await self._row(request)
        if row is None or row["status"] != "action_required":
            return await self.show(request)
        if (await _form(request)).get("code", "").strip() == rules.CODE:
            return await self._end(row, payments.settle)
        row = await self._step(row["id"], payments.guess)
        if row["status"] != "action_required":
            return _go(row["return_url"])
        return self._page(pages.verify(row, self._css, self._desk.rule.base_url, wrong=True))

    async def _row(self, request: Request) -> sqlite3.Row | None:
        ref, now, rule = request.path_params["ref"], self._desk.now(), self._desk.rule

        def step(db: sqlite3.Connection) -> sqlite3.Row:
            due.run(db, rule, now)  # a page that is too old is so from the moment it is, not from the next tick
            return payments.get(db, ref)

        try:
            row = await self._desk.memory.run(step)
        except RefusedError:
            return None
        # Only the id opens the page; the caller's operation id may be known to others.
        return row if row["id"] == ref else None

    async def _end(self, row: sqlite3.Row, step: Step) -> Response:
        try:
            ended = await self._step(row["id"], step)
        except RefusedError:
            return _go(f"{self._desk.rule.base_url}/checkout/{row['id']}")  # somebody was faster
        return _go(ended["return_url"])

    async def _step(self, ref: str, step: Step) -> sqlite3.Row:
        desk, now = self._desk, self._desk.now()
        row = await desk.memory.run(lambda db: step(db, payments.get(db, ref), desk.rule, now))
        desk.courier.wake()
        return row

    def _page(self, page: pages.Page, status: HTTPStatus = HTTPStatus.OK) -> Response:
        # A browser applies form-action to the redirect that follows, too.
        form_action = " ".join(("'self'", *page.leads_to))
        policy = (
            f"default-src 'none'; style-src 'sha256-{self._style}'; form-action {form_action};"
            " base-uri 'none'; frame-ancestors 'none'"
        )
        headers = {
            "content-security-policy": policy,
            "cache-control": "no-store",
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
        }
        return HTMLResponse(page.html, status, headers=headers)


def _needs_code(row: sqlite3.Row) -> bool:
    return magic.of(row["amount"]) is Magic.NEEDS_ACTION


def _go(url: str) -> Response:
    return RedirectResponse(url, HTTPStatus.SEE_OTHER, headers={"cache-control": "no-store"})


async def _form(request: Request) -> dict[str, str]:
    try:
        fields = parse_qs((await door.read(request)).decode(), max_num_fields=FIELDS_MAX)
    except ValueError:
        return {}
    return {name: values[0] for name, values in fields.items()}
