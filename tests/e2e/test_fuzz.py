"""Every mutation as everyone, with inputs made from the schema: whatever is sent, nothing breaks."""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, GraphQLSchema, build_schema
from hypothesis import HealthCheck, Phase, given, settings
from tests.api.harness import Client
from tests.e2e import inputs, zoo
from tests.e2e.market import Market
from tests.e2e.processes import Nursery, Server

from shoutgraph.api.graphql import schema as published

EXAMPLES = int(os.environ.get("SHOUTGRAPH_EXAMPLES", "5"))
"""Inputs of each mutation; everyone sends each of them."""

SCHEMA = build_schema(published.build_schema().as_str())
"""What `shoutgraph schema` prints."""

MAKERS = ("Create", "Place", "Draft", "Register", "Request")
"""How the names of mutations end that make what others then look for."""

ID = re.compile(r"\b([a-z]{2,12})_[0-7][0-9a-hjkmnp-tv-z]{25}\b")
STRANGERS = ("", "order_", "order_01m817w1sve7s8q03q2a7qhqpy", "\x00", "user_" + "z" * 26, "x" * 200, "ORDER_1", "1")


@dataclass
class Target:
    """A server with something of everything behind it, and a client for each role."""

    server: Server
    clients: dict[str, Client]
    ids: dict[str, list[str]]
    calls: int = 0
    answered: int = 0

    def id_of(self, at: int, name: str) -> str:
        """An id that a field of this name would want, most of the time."""
        prefix = name.removesuffix("Id").lower()
        kind, of_kind = at % 10, self.ids.get(prefix) or self.ids["order"]
        if kind < 7:
            return of_kind[at % len(of_kind)]
        known = [each for pool in self.ids.values() for each in pool]
        return known[at % len(known)] if kind < 9 else STRANGERS[at % len(STRANGERS)]

    def remember(self, text: str) -> None:
        """Keeps the ids in a text for later inputs."""
        for found in ID.finditer(text):
            pool = self.ids.setdefault(found.group(1), [])
            if found.group() not in pool:
                pool.append(found.group())

    def call(self, role: str, document: str, given_input: object) -> None:
        """Sends one input; fails the test where something broke."""
        self.calls += 1
        response = self.clients[role].post(document, input=given_input)
        body = response.json()
        assert response.status_code < 500, body
        codes = [error["extensions"]["code"] for error in body.get("errors", ())]
        assert "INTERNAL" not in codes, body
        for payload in (body.get("data") or {}).values():
            if payload is not None:
                self.answered += 1
                _check_payload(payload)
        self.remember(response.text)


def _check_payload(payload: dict[str, Any]) -> None:
    results = [value for name, value in payload.items() if name not in {"errors", "replayed"}]
    assert all((value is None) == bool(payload["errors"]) for value in results), payload
    assert all(error["code"] and error["message"] for error in payload["errors"]), payload


@pytest.fixture(scope="module")
def target(nursery: Nursery, first_market: Market, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("zoo") / "data"
    shutil.copytree(first_market.folder, folder)
    market = first_market.at(folder)
    ids = zoo.fill(market, folder)
    server = Server(nursery, folder).start()
    people = {"fan": market.rich_id, "creator": market.sellers[0].user_id}
    tokens = {name: market.token(user_id) for name, user_id in people.items()}
    tokens |= {role: market.token(f"tool-{role}", role) for role in ("moderator", "finance", "service", "admin")}
    clients = {name: Client(server.url, token) for name, token in tokens.items()} | {"nobody": Client(server.url)}
    target = Target(server, clients, ids)
    target.remember(clients["fan"].post('{ coinPackages(country: "DE", currency: EUR) { id } }').text)
    yield target
    for client in clients.values():
        client.close()
    said = server.log.read_text()
    assert server.stop() == 0, said
    assert "Traceback" not in said
    nursery.prove(folder)


def _in_order(schema: GraphQLSchema) -> list[str]:
    assert schema.mutation_type is not None, "there is something to send"
    return sorted(schema.mutation_type.fields, key=lambda name: (not name.endswith(MAKERS), name))


@pytest.mark.parametrize("mutation", _in_order(SCHEMA))
def test_no_input_breaks(target: Target, mutation: str):
    field_type = SCHEMA.mutation_type.fields[mutation]  # type: ignore[union-attr]
    of = field_type.args["input"].type
    assert isinstance(of.of_type, GraphQLInputObjectType)  # type: ignore[union-attr]
    document = f"mutation Fuzz($input: {of}) {{ {mutation}(input: $input){inputs.selection(field_type.type)} }}"

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(inputs.of_field(of, "input", target.id_of))
    def run(given_input: object) -> None:
        for role in target.clients:
            target.call(role, document, given_input)

    run()


def test_the_fuzz_reached_behind_the_types(target: Target):
    assert target.calls >= 1_000
    assert target.answered >= target.calls // 2, "most inputs came as far as a payload"
