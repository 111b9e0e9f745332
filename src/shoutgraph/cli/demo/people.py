"""The people of the demo: each has a token and speaks GraphQL over HTTP, as a front end would."""

import uuid
from dataclasses import dataclass
from typing import Any, Final

import httpx

from shoutgraph.testing.clients import document_of

ANSWER_S: Final = 30.0


class StoryError(Exception):
    """The API answered something that the story does not expect."""


@dataclass(frozen=True, slots=True)
class Person:
    """Someone with a token."""

    name: str
    role: str
    http: httpx.Client
    token: str

    def ask(self, document: str, **variables: object) -> Any:  # noqa: ANN401 - JSON
        """The data of an operation.

        Raises:
            StoryError: the answer has errors.
        """
        response = self.http.post(
            "/graphql",
            json={"query": document, "variables": variables},
            headers={"authorization": f"Bearer {self.token}", "accept": "application/graphql-response+json"},
        )
        body = response.json()
        if body.get("errors"):
            raise StoryError(f"{self.name}: {body['errors'][0]['message']}")
        return body["data"]

    def do(self, mutation: str, fields: str, **given: object) -> Any:  # noqa: ANN401 - JSON
        """Runs a mutation under a fresh idempotency key and gives what it made.

        Raises:
            StoryError: the mutation was refused.
        """
        return self.run(mutation, fields, idempotencyKey=str(uuid.uuid1()), **given)

    def run(self, mutation: str, fields: str, **given: object) -> Any:  # noqa: ANN401 - JSON
        """Runs a mutation with just this input and gives its payload.

        Raises:
            StoryError: the mutation was refused.
        """
        payload = self.ask(document_of(mutation, fields), input=given)[mutation]
        if payload["errors"]:
            refusal = payload["errors"][0]
            raise StoryError(f"{self.name}: {mutation} was refused: {refusal['code']}: {refusal['message']}")
        return payload


def client_of(url: str) -> httpx.Client:
    """The connection that everyone shares."""
    return httpx.Client(base_url=url, timeout=ANSWER_S)
