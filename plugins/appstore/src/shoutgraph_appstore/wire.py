"""The App Store Server API: one request for each call, never a second one."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

import jwt
from pydantic import BaseModel, ConfigDict, ValidationError

from shoutgraph.sdk import (
    RETRY_AFTER_MAX,
    UNAVAILABLE,
    Absent,
    Host,
    HttpAnswer,
    NoAnswer,
    NotExecuted,
    NotSent,
    Unknown,
)
from shoutgraph_appstore.config import AppStoreConfig

AUDIENCE: Final = "appstoreconnect-v1"
ALGORITHM: Final = "ES256"
TOKEN_LIFE: Final = timedelta(minutes=5)
NO_SUCH_TRANSACTION: Final = 4_040_010
"""The store's number for a transaction that it does not have."""

NO_ANSWER: Final = "no_answer"
PROVIDER_ERROR: Final = "provider_error"
REFUSED: Final = "refused"
UNREADABLE: Final = "unreadable"
RATE_LIMITED: Final = "rate_limited"


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class _Found(_Shape):
    signedTransactionInfo: str  # noqa: N815 -- the store's name


class _Error(_Shape):
    errorCode: int  # noqa: N815 -- the store's name


class Wire:
    """Asks the App Store about transactions of one application."""

    def __init__(self, config: AppStoreConfig, host: Host) -> None:
        self._config = config
        self._host = host

    async def transaction(self, ref: str) -> str | Absent | NotExecuted | Unknown:
        """The transaction as the store signs it now.

        Only a connection that was never made and a request that was turned away at the door are `NotExecuted`.
        """
        url = f"{self._config.api}/inApps/v1/transactions/{quote(ref, safe='')}"
        headers = {"authorization": f"Bearer {self._token()}", "accept": "application/json"}
        try:
            answer = await self._host.http.request("GET", url, headers=headers)
        except NotSent:
            return NotExecuted(UNAVAILABLE)
        except NoAnswer:
            return Unknown(NO_ANSWER, ref=ref)
        return _read(answer, ref, self._host.now())

    def _token(self) -> str:
        now = self._host.now()
        claims = {
            "iss": self._config.issuer_id,
            "iat": int(now.timestamp()),
            "exp": int((now + TOKEN_LIFE).timestamp()),
            "aud": AUDIENCE,
            "bid": self._config.bundle_id,
        }
        key = self._config.signing_key.get_secret_value()
        return jwt.encode(claims, key, ALGORITHM, headers={"kid": self._config.key_id})


def _read(answer: HttpAnswer, ref: str, now: datetime) -> str | Absent | NotExecuted | Unknown:
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return NotExecuted(RATE_LIMITED, retry_after=_retry_after(answer.headers, now))
    try:
        if answer.status == HTTPStatus.OK:
            return _Found.model_validate_json(answer.body).signedTransactionInfo
        if answer.status == HTTPStatus.NOT_FOUND:
            code = _Error.model_validate_json(answer.body).errorCode
            return Absent() if code == NO_SUCH_TRANSACTION else Unknown(REFUSED, ref=ref, detail=str(code))
    except ValidationError:
        return Unknown(UNREADABLE, ref=ref)
    failed = answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return Unknown(PROVIDER_ERROR if failed else REFUSED, ref=ref, detail=str(answer.status))


def _retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long to wait. The store names a moment, in milliseconds; who stands between may name seconds.

    Source: App Store Server API, "Identifying rate limits".
    """
    text = headers.get("retry-after", "")
    if not (text.isascii() and text.isdigit()):
        return None
    number = int(text)
    wait = timedelta(seconds=number) if number <= RETRY_AFTER_MAX.total_seconds() else _until(number, now)
    return min(max(wait, timedelta(0)), RETRY_AFTER_MAX)


def _until(milliseconds: int, now: datetime) -> timedelta:
    try:
        return timedelta(milliseconds=milliseconds - int(now.timestamp() * 1000))
    except OverflowError:
        return RETRY_AFTER_MAX
