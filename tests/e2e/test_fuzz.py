"""Every root field as everyone, with arguments made from the schema: whatever is sent, nothing breaks."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import hypothesis
import pytest
from graphql import GraphQLField, GraphQLObjectType
from hypothesis import HealthCheck, Phase, given, settings
from tests.api.harness import Client
from tests.api.released import released
from tests.e2e import inputs, zoo
from tests.e2e.market import Market
from tests.e2e.processes import Nursery, Server
from tests.soak import Extent

MAKERS = ("Create", "Place", "Draft", "Register", "Request")
"""How the names of mutations end that make what others then look for."""

ID = re.compile(r"\b([a-z]{2,12})_[0-7][0-9a-hjkmnp-tv-z]{25}\b")
EXAMPLES_OF_A_ROUND = 4
STRANGERS = ("", "order_", "order_01m817w1sve7s8q03q2a7qhqpy", "\x00", "user_" + "z" * 26, "x" * 200, "ORDER_1", "1")


@dataclass
class Target:
    """A server with something of everything behind it, and a client for each role."""

    server: Server
    clients: dict[str, Client]
    ids: dict[str, list[str]]
    calls: int = 0
    answered: int = 0
    broken: list[object] = field(default_factory=list)

    def id_of(self, at: int, name: str, wild: bool) -> str:  # noqa: FBT001 - as inputs ask for it
        """An id that a field of this name wants, or any other text."""
        if not wild:
            pool = self.ids.get(name.removesuffix("Id").removesuffix("s").lower()) or self.ids["order"]
            return pool[at % len(pool)]
        known = [each for pool in self.ids.values() for each in pool]
        return known[at % len(known)] if at % 2 else STRANGERS[at % len(STRANGERS)]

    def remember(self, text: str) -> None:
        """Keeps the ids in a text for later inputs."""
        for found in ID.finditer(text):
            pool = self.ids.setdefault(found.group(1), [])
            if found.group() not in pool:
                pool.append(found.group())

    def call(self, role: str, document: str, variables: Mapping[str, object]) -> None:
        """Sends one operation, and notes it where something broke."""
        self.calls += 1
        response = self.clients[role].post(document, **variables)
        body = response.json()
        codes = [error["extensions"]["code"] for error in body.get("errors", ())]
        results = [result for result in (body.get("data") or {}).values() if result is not None]
        self.answered += bool(results)
        if response.status_code >= 500 or "INTERNAL" in codes or not all(map(_is_whole, results)):
            self.broken.append((role, document.split(" {")[1], variables, response.status_code, body))
        self.remember(response.text)

    def fuzz(self, kind: str, name: str, of: GraphQLField, seed: int) -> None:
        """Sends inputs of one root field as everyone."""
        declared = ", ".join(f"${arg}: {inputs.declared(each)}" for arg, each in of.args.items())
        passed = ", ".join(f"{arg}: ${arg}" for arg in of.args)
        head = f"{kind} Fuzz({declared})" if declared else kind
        call = f"{name}({passed})" if passed else name
        document = f"{head} {{ {call}{inputs.selection(of.type)} }}"

        @hypothesis.seed(seed)
        @settings(
            max_examples=EXAMPLES_OF_A_ROUND,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(inputs.arguments(name, of.args, self.id_of))
        def run(variables: dict[str, object]) -> None:
            for role in self.clients:
                self.call(role, document, variables)

        run()


def _is_whole(result: object) -> bool:
    """Whether a payload has what the mutation made, or else says why not; anything else is whole."""
    if not isinstance(result, dict) or "errors" not in result:
        return True
    made = [value for name, value in result.items() if name not in {"errors", "replayed"}]
    return all((value is None) == bool(result["errors"]) for value in made)


@pytest.fixture(scope="module")
def target(nursery: Nursery, first_market: Market, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    market = first_market.copy_to(tmp_path_factory.mktemp("zoo") / "data")
    ids = zoo.fill(market, market.folder)
    server = Server(nursery, market.folder).start()
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
    nursery.prove(market.folder)


def _fields(root: GraphQLObjectType | None) -> list[tuple[str, GraphQLField]]:
    assert root is not None, "there is something to send"
    return sorted(root.fields.items(), key=lambda pair: (not pair[0].endswith(MAKERS), pair[0]))


def fuzz(target: Target, kind: str, root: GraphQLObjectType | None, extent: Extent) -> None:
    before = target.calls
    for seed in extent.seeds("examples", suite=EXAMPLES_OF_A_ROUND, soak=200, each=EXAMPLES_OF_A_ROUND):
        for name, of in _fields(root):
            target.fuzz(kind, name, of, seed)
        assert target.broken == []
    extent.tell(f"{target.calls - before} calls, {target.answered} of {target.calls} came as far as a payload")


def test_no_input_breaks_a_mutation(target: Target, extent: Extent):
    fuzz(target, "mutation", released().mutation_type, extent)
    assert target.calls >= 1_000
    assert target.answered >= target.calls // 2, "most inputs came as far as a payload"


def test_no_argument_breaks_a_query(target: Target, extent: Extent):
    fuzz(target, "query", released().query_type, extent)
