"""The provider's language: its JSON, and how its answers are read."""

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, NonNegativeInt, ValidationError

from shoutgraph.sdk import (
    UNAVAILABLE,
    Host,
    HttpAnswer,
    NoAnswer,
    NotExecuted,
    NotSent,
    Unknown,
    retry_after,
)
from shoutgraph_sandbox.config import SandboxConfig

NO_ANSWER: Final = "no_answer"
PROVIDER_ERROR: Final = "provider_error"
UNREADABLE: Final = "unreadable"
RATE_LIMITED: Final = "rate_limited"
KEY_REUSED: Final = "idempotency_key_reused"
NOT_FOUND: Final = "not_found"


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class PaymentShape(_Shape):
    """A payment. Units: minor units of its currency."""

    id: str
    key: str
    operation_id: str
    amount: NonNegativeInt
    currency: str
    status: Literal["action_required", "processing", "paid", "declined", "cancelled", "expired"]
    settled: NonNegativeInt
    refunded: NonNegativeInt
    disputed: NonNegativeInt
    disputes_won: NonNegativeInt
    disputes_lost: NonNegativeInt
    fee: NonNegativeInt
    refunds_failed: NonNegativeInt = 0
    decline_code: str | None
    checkout_url: str
    created_at: AwareDatetime
    expires_at: AwareDatetime
    paid_at: AwareDatetime | None


class PayoutShape(_Shape):
    """A payout. Units: minor units of its currency."""

    id: str
    batch_key: str
    item_id: str
    amount: NonNegativeInt
    currency: str
    status: Literal["processing", "paid", "returned", "rejected", "cancelled"]
    code: str | None
    created_at: AwareDatetime
    paid_at: AwareDatetime | None
    returned_at: AwareDatetime | None


class PaymentsShape(_Shape):
    """A list of payments."""

    payments: list[PaymentShape]


class PayoutsShape(_Shape):
    """A list of payouts."""

    payouts: list[PayoutShape]


class BatchShape(PayoutsShape):
    """A payout batch with its items."""

    id: str


class NoticeShape(_Shape):
    """A webhook: a payment or a payout as it was when it was told."""

    id: str
    type: str
    created_at: AwareDatetime
    payment: PaymentShape | None = None
    payout: PayoutShape | None = None


class _ErrorShape(_Shape):
    code: str


class _ErrorAnswer(_Shape):
    error: _ErrorShape


ShapeT = TypeVar("ShapeT", bound=_Shape)


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider answered, and said no; it did nothing."""

    code: str


class Wire:
    """Speaks to the provider: one request for each call, never a second one."""

    def __init__(self, config: SandboxConfig, host: Host) -> None:
        self._config = config
        self._host = host

    async def ask(
        self, method: str, path: str, shape: type[ShapeT], *, body: object = None, key: str | None = None
    ) -> ShapeT | Refused | NotExecuted | Unknown:
        """Sends one request and reads its answer.

        Only a connection that was never made and a request that was turned away at the door are
        `NotExecuted`.
        """
        headers = {
            "authorization": f"Bearer {self._config.api_key.get_secret_value()}",
            "content-type": "application/json",
        }
        if key is not None:
            headers["idempotency-key"] = key
        content = None if body is None else json.dumps(body).encode()
        url = self._config.base_url + path
        try:
            answer = await self._host.http.request(method, url, headers=headers, content=content)
        except NotSent:
            return NotExecuted(UNAVAILABLE)
        except NoAnswer:
            return Unknown(NO_ANSWER)
        return _read(answer, shape)


def _read(answer: HttpAnswer, shape: type[ShapeT]) -> ShapeT | Refused | NotExecuted | Unknown:
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return NotExecuted(RATE_LIMITED, retry_after=retry_after(answer.headers))
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unknown(PROVIDER_ERROR)
    try:
        if answer.status in {HTTPStatus.OK, HTTPStatus.CREATED}:
            return shape.model_validate_json(answer.body)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            return _refusal(_ErrorAnswer.model_validate_json(answer.body).error.code)
    except ValidationError:
        return Unknown(UNREADABLE)
    return Unknown(UNREADABLE)


def _refusal(code: str) -> Refused | Unknown:
    # The key stands for another payload than ours: something exists, and it is not what we asked for.
    return Unknown(KEY_REUSED) if code == KEY_REUSED else Refused(code)
