"""Clients of a server, by HTTP and Server-Sent Events, that speak to it as strangers do."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import httpx

PATIENCE_S: Final = 10.0
GRAPHQL: Final = "application/graphql-response+json"
EVENTS: Final = "text/event-stream"
KEY_BYTES: Final = 16
BLANK: Final = b"\n\n"


class AnswerError(Exception):
    """The answer has errors, which are in `errors` as the server wrote them."""

    def __init__(self, errors: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(str(errors[0]["message"]))
        self.errors: Final = errors
        self.code: Final = str(errors[0].get("extensions", {}).get("code", ""))


class RefusedError(Exception):
    """A mutation was refused; `errors` are those of its payload."""

    def __init__(self, mutation: str, errors: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(f"{mutation} was refused: {errors[0]['code']}: {errors[0]['message']}")
        self.errors: Final = errors
        self.code: Final = str(errors[0]["code"])


class Client:
    """GraphQL over HTTP for whoever holds a token, or for nobody."""

    def __init__(self, url: str, token: str | None = None) -> None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self.token: Final = token
        self.http: Final = httpx.Client(base_url=url, headers=headers, timeout=PATIENCE_S)

    def post(self, query: str, /, **variables: object) -> httpx.Response:
        """Sends one operation and gives the whole response."""
        return self.post_for(GRAPHQL, query, **variables)

    def post_for(self, accept: str, query: str, /, **variables: object) -> httpx.Response:
        """Sends one operation and says which media types the answer may have."""
        body = {"query": query, "variables": variables}
        return self.http.post("/graphql", json=body, headers={"accept": accept})

    def data(self, query: str, /, **variables: object) -> Any:  # noqa: ANN401 - JSON
        """The data of one operation.

        Raises:
            AnswerError: the answer has errors.
        """
        body = self.post(query, **variables).json()
        if "errors" in body:
            raise AnswerError(body["errors"])
        return body["data"]

    def code(self, query: str, /, **variables: object) -> str:
        """The code of the first error."""
        body = self.post(query, **variables).json()
        return str(body["errors"][0]["extensions"]["code"])

    def do(self, mutation: str, fields: str, /, **given: object) -> Any:  # noqa: ANN401 - JSON
        """The payload of a mutation under a fresh idempotency key, unless one is given.

        Raises:
            AnswerError: the answer has errors.
            RefusedError: it was refused.
        """
        return self.run(mutation, fields, **{"idempotencyKey": secrets.token_urlsafe(KEY_BYTES), **given})

    def run(self, mutation: str, fields: str, /, **given: object) -> Any:  # noqa: ANN401 - JSON
        """The payload of a mutation with just this input.

        Raises:
            AnswerError: the answer has errors.
            RefusedError: it was refused.
        """
        payload = self.data(document_of(mutation, fields), input=given)[mutation]
        if payload["errors"]:
            raise RefusedError(mutation, payload["errors"])
        return payload

    def events(self, query: str, /, *, last_event_id: str | None = None, **variables: object) -> "EventStream":
        """Opens a stream of Server-Sent Events."""
        headers = {"accept": EVENTS}
        if last_event_id is not None:
            headers["last-event-id"] = last_event_id
        body = {"query": query, "variables": variables}
        request = self.http.build_request("POST", "/graphql", json=body, headers=headers)
        return EventStream(self.http.send(request, stream=True))

    def close(self) -> None:
        """Lets the connections go."""
        self.http.close()


def document_of(mutation: str, fields: str) -> str:
    """The document of one mutation that asks for some fields of its payload, and for what every refusal says."""
    name = mutation[0].upper() + mutation[1:]
    return f"""mutation {name}($input: {name}Input!) {{
      {mutation}(input: $input) {{ {fields} errors {{ ... on UserError {{ code message path }} }} }} }}"""


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event of a stream; `id` is the cursor to go on from."""

    name: str
    data: Any
    id: str | None


class EventStream:
    """Reads Server-Sent Events one at a time."""

    def __init__(self, response: httpx.Response) -> None:
        self.response: Final = response
        self.comments = 0
        self._chunks = response.iter_raw()
        self._rest = b""

    def next(self) -> ServerEvent | None:
        """The next event, or None at the end of the stream."""
        while True:
            while BLANK not in self._rest:
                chunk = next(self._chunks, None)
                if chunk is None:
                    return None
                self._rest += chunk
            block, self._rest = self._rest.split(BLANK, 1)
            if not block.startswith(b":"):
                return _parse(block.decode())
            self.comments += 1

    def close(self) -> None:
        """Ends the stream."""
        self.response.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def _parse(block: str) -> ServerEvent:
    fields = dict(line.split(": ", 1) for line in block.split("\n"))
    data = fields.get("data", "")
    return ServerEvent(fields.get("event", "message"), json.loads(data) if data else None, fields.get("id"))
