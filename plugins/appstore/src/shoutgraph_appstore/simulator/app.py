"""The App Store Server API as an ASGI application: it answers `Get Transaction Info` to callers with a good token."""

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shoutgraph.sdk import AsgiMessage, AsgiReceive, AsgiSend
from shoutgraph_appstore.simulator.authority import Authority
from shoutgraph_appstore.simulator.sales import App, Sales

AUDIENCE = "appstoreconnect-v1"


class Store:
    """The simulated store of one application."""

    def __init__(self, app: App, sales: Sales, authority: Authority, callers_key: ec.EllipticCurvePublicKey) -> None:
        self.sold_by = app
        self.sales = sales
        self.authority = authority
        self._callers_key = callers_key
        self._app = Starlette(routes=[Route("/inApps/v1/transactions/{number}", self._transaction)])

    async def __call__(self, scope: AsgiMessage, receive: AsgiReceive, send: AsgiSend) -> None:
        """Answers one request."""
        await self._app(scope, receive, send)

    async def _transaction(self, request: Request) -> Response:
        if not self._lets_in(request.headers.get("authorization", "")):
            return Response("Unauthenticated\n", 401)
        number = request.path_params["number"]
        if not number.isdigit():
            return _error(400, 4_000_006, "Invalid transaction id.")
        sale = self.sales.sold.get(number)
        if sale is None:
            return _error(404, 4_040_010, "Transaction id not found.")
        return JSONResponse(
            {"signedTransactionInfo": self.authority.signed(sale.payload(self.sold_by, self.sales.now()))}
        )

    def _lets_in(self, authorization: str) -> bool:
        try:
            claims = jwt.decode(
                authorization.removeprefix("Bearer "),
                self._callers_key,
                ["ES256"],
                audience=AUDIENCE,
                options={"verify_exp": False, "verify_iat": False, "require": ["exp", "iat", "iss", "bid"]},
            )
        except jwt.InvalidTokenError:
            return False
        now = self.sales.clock().timestamp()
        return bool(claims["bid"] == self.sold_by.bundle_id and claims["iat"] - 60 <= now < claims["exp"])


def _error(status: int, code: int, message: str) -> Response:
    return JSONResponse({"errorCode": code, "errorMessage": message}, status)
