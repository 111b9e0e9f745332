"""Connections to Mollie: no redirects, retries or cookies, no proxies of the environment, answers of bounded size."""

import http.cookiejar
import time
from typing import Any, Final

import requests
from mollie.api.client import Client
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from shoutgraph_mollie.config import MollieConfig

ANSWER_BYTES_MAX: Final = 4 * 1_048_576
CHUNK_BYTES: Final = 65_536
CONNECT_S_MAX: Final = 5.0
CONNECTIONS_MAX: Final = 4
"""As many as the host has threads for an instance."""


class Session(requests.Session):
    """One request is one request."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        self.headers["Accept-Encoding"] = "identity"
        for scheme in ("https://", "http://"):
            self.mount(scheme, HTTPAdapter(pool_maxsize=CONNECTIONS_MAX, max_retries=0))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """There is nowhere else to go."""
        del resp

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # noqa: ANN401 -- as requests
        """Sends a request and reads its whole answer.

        Raises:
            RequestException: the answer did not come, is too large, or takes too long.
        """
        until = time.monotonic() + sum(kwargs["timeout"])
        response = super().send(request, **{**kwargs, "stream": True})
        try:
            response._content = _body(response, until)  # noqa: SLF001 -- where requests itself keeps what it has read
        except (HTTPError, requests.RequestException) as error:
            response.close()
            raise requests.ConnectionError("the answer broke off, or did not end") from error
        return response


def _body(response: requests.Response, until: float) -> bytes:
    # By single reads of the socket: a read that waits for so many bytes could be fed one by one for ever.
    body = bytearray()
    while chunk := response.raw.read1(CHUNK_BYTES):
        body += chunk
        if len(body) > ANSWER_BYTES_MAX or time.monotonic() > until:
            raise requests.RequestException("the answer is too large, or takes too long")
    return bytes(body)


class Caller(Client):
    """Mollie's own client for one call, over connections that others share."""

    UNAME = ""  # the library would tell Mollie what this machine is called

    def __init__(self, config: MollieConfig, session: Session, seconds: float) -> None:
        # `retry=0`: the library's own connects three times.
        super().__init__(api_endpoint=config.base_url, retry=0)
        self.timeout = (min(CONNECT_S_MAX, seconds), seconds)  # type: ignore[assignment] # requests takes fractions
        self.set_api_key(config.api_key.get_secret_value())
        self._client = session
