"""What every endpoint shares: who may come in, how much they may bring, how they are told no."""

import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final, TypeVar

from pydantic import BaseModel, SecretStr, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from shoutgraph_sandbox.simulator import rules, store
from shoutgraph_sandbox.simulator.delivery import Courier
from shoutgraph_sandbox.simulator.rules import RefusedError, Rules

BODY_BYTES_MAX: Final = 262_144
KEY_CHARS_MAX: Final = 200

ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Desk:
    """What the endpoints work with."""

    memory: store.Store
    courier: Courier
    rule: Rules
    clock: Callable[[], datetime]
    api_key: SecretStr | None

    def now(self) -> int:
        """The time as it is kept."""
        return store.micros(self.clock())


def require_key(desk: Desk, request: Request) -> None:
    """Lets callers in who know the API key.

    Raises:
        RefusedError: the caller does not.
    """
    if desk.api_key is None:
        return
    wanted = f"Bearer {desk.api_key.get_secret_value()}"
    given = request.headers.get("authorization", "")
    if not hmac.compare_digest(wanted.encode(), given.encode()):
        raise RefusedError(*rules.UNAUTHORIZED)


def idempotency_key(request: Request) -> str:
    """The key that the caller sent.

    Raises:
        RefusedError: there is none, or it is too long.
    """
    key = request.headers.get("idempotency-key", "")
    if not 0 < len(key) <= KEY_CHARS_MAX:
        raise RefusedError(*rules.INVALID)
    return key


async def read(request: Request) -> bytes:
    """The body.

    Raises:
        RefusedError: it is too large.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large")
    return bytes(body)


async def read_as(request: Request, model: type[ModelT]) -> ModelT:
    """The body as one of our models; JSON only, so that no form on another site can post here.

    Raises:
        RefusedError: it is something else.
    """
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "json_only")
    try:
        return model.model_validate_json(await read(request) or b"{}")
    except ValidationError:
        raise RefusedError(*rules.INVALID) from None


def answer(body: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """A JSON answer."""
    text = json.dumps(body).encode()
    return Response(text, status, media_type="application/json", headers={"cache-control": "no-store"})


async def refused(request: Request, error: Exception) -> Response:
    """The answer to what was refused."""
    del request
    assert isinstance(error, RefusedError), "only refusals come here"
    return JSONResponse({"error": {"code": error.code}}, error.status)
