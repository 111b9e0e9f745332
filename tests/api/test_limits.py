"""Documents that ask for too much are refused before they cost anything."""

import time

import pytest
from tests.api.harness import Client
from tests.api.sample import SCHEMA, World

from shoutgraph.api import limits
from shoutgraph.api.failures import FailureError, RequestErrors
from shoutgraph.api.graphql import documents
from shoutgraph.api.graphql.documents import Documents

GRAPH = SCHEMA._schema
LIFT = "lift(input: {}) { replayed }"


def nested(depth: int) -> str:
    return "{ stars { nodes " + "{ again " * (depth - 3) + "{ handle }" + " }" * (depth - 3) + " } }"


def chained(count: int) -> str:
    """Fragments that spread the next one twice: 2^count selections once written out."""
    spreads = [f"fragment F{n} on Star {{ ...F{n + 1} again {{ ...F{n + 1} }} }}" for n in range(count)]
    return "{ stars { nodes { ...F0 } } } " + " ".join(spreads) + f" fragment F{count} on Star {{ handle }}"


def code(client: Client, query: str) -> str | None:
    errors = client.post(query).json().get("errors")
    return errors[0]["extensions"]["code"] if errors else None


def test_documents_within_the_limits_run(client: Client) -> None:
    assert code(client, nested(limits.DEPTH_MAX)) is None
    assert code(client, "{ " + " ".join(f"a{n}: viewer" for n in range(limits.ALIASES_MAX)) + " }") is None
    five = " ".join(f"m{n}: {LIFT}" for n in range(limits.ROOT_MUTATIONS_MAX))
    assert code(client, f"mutation {{ {five} }}") is None


@pytest.mark.parametrize(
    "query",
    [
        nested(limits.DEPTH_MAX + 1),
        "{ " + " ".join(f"a{n}: viewer" for n in range(limits.ALIASES_MAX + 1)) + " }",
        "{ " + "viewer " * limits.TOKENS_MAX + "}",
        "# x\n" * (limits.COMMENTS_MAX + 1) + "{ viewer }",
        "mutation { " + " ".join(f"m{n}: {LIFT}" for n in range(limits.ROOT_MUTATIONS_MAX + 1)) + " }",
        "mutation { ...M } fragment M on Mutation { " + " ".join(f"m{n}: {LIFT}" for n in range(6)) + " }",
        "{ a: viewer ...A ...A } fragment A on Query { " + " ".join(f"a{n}: viewer" for n in range(15)) + " }",
        "{ stars { " + "nodes { handle } " * (limits.REPEATS_MAX + 1) + "} }",
        "{ stars { ...C } } fragment C on StarConnection { " + "nodes { handle } ... { nodes { handle } } " * 26 + "}",
        "query A { viewer } query B " + nested(limits.DEPTH_MAX + 1),
        "{ " + "... { " * 400 + "viewer" + " }" * 401,
        "{ stars { nodes " + "{ again " * 600 + "}" * 602,
        "{ echo(text: " + "[" * 900 + "]" * 900 + ") }",
    ],
)
def test_documents_beyond_a_limit_are_refused(client: Client, world: World, query: str) -> None:
    began = time.process_time()
    assert code(client, query) == "DOCUMENT_LIMIT"
    assert time.process_time() - began < 1
    assert world.version == 1


@pytest.mark.parametrize(
    "query",
    [
        "mutation { " + " ".join(f"m{n}: {LIFT}" for n in range(7)) + " }",
        f"mutation {{ m0: {LIFT} ... {{ ...M }} m7: {LIFT} }} fragment M on Mutation {{ "
        + " ".join(f"m{n}: {LIFT}" for n in range(1, 7))
        + " }",
    ],
    ids=["plain", "fragments"],
)
def test_the_first_mutation_that_is_too_many_is_named(client: Client, query: str) -> None:
    told = client.post(query).json()["errors"][0]["extensions"]
    assert (told["measure"], told["selection"]) == ("rootMutations", [f"m{limits.ROOT_MUTATIONS_MAX}"])


@pytest.mark.parametrize("count", [10, 30, 90])
def test_fragments_that_spread_each_other_cost_no_more_than_they_are_long(client: Client, count: int) -> None:
    began = time.process_time()
    assert code(client, chained(count)) in {None, "DOCUMENT_LIMIT"}
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    "query",
    [
        "{ ...A } fragment A on Query { ...A }",
        "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A viewer }",
        "{ ...Unknown }",
        "{}",
        "{ stars { nodes {} } }",
        "{ __schema { types {} } }",
        "{ viewer } fragment F on Query {}",
    ],
)
def test_cycles_and_gaps_are_left_to_validation(client: Client, query: str) -> None:
    assert code(client, query) == "GRAPHQL_VALIDATION_FAILED"


@pytest.mark.parametrize(
    "query",
    [
        "{ " + " ".join(f"nothing{n}" for n in range(1_900)) + "}",
        " ".join(f"query Q{n} {{ {'viewer ' * 50} }}" for n in range(36)),
        "{ stars { nodes { " + "again { handle } " * 45 + "again { " + "again { handle } " * 45 + "} } } }",
        "{ stars { nodes { "
        + " ".join(f"...F{n}" for n in range(120))
        + " } } } "
        + " ".join(f"fragment F{n} on Star {{ again {{ handle }} }}" for n in range(120)),
    ],
)
def test_the_longest_documents_are_answered_soon(client: Client, query: str) -> None:
    began = time.process_time()
    client.post(query)
    assert time.process_time() - began < 3


def test_the_introspection_of_tools_is_allowed(client: Client) -> None:
    of_type = "name kind " + "ofType { name kind " * 9 + "}" * 9
    query = "{ __schema { types { name fields { name args { name type { " + of_type + " } } } } } }"
    assert "data" in client.post(query).json()


def test_a_document_is_kept_from_the_second_time_on_and_within_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Documents(GRAPH, hide_suggestions=True)
    first = kept.get("{ viewer }")
    assert not kept._kept, "most of what is made to fill the memory is never asked again"
    again = kept.get("{ viewer }")
    assert again is not first
    assert kept.get("{ viewer }") is again
    monkeypatch.setattr(documents, "DOCUMENTS_MAX", 3)
    for number in (0, 0, 1, 1, 2, 2):
        kept.get(f"{{ a{number}: viewer }}")
    assert kept.get("{ viewer }") is not again
    assert len(kept._kept) == 3
    monkeypatch.setattr(documents, "SEEN_MAX", 3)
    for number in range(9):
        kept.get(f"{{ b{number}: viewer }}")
    assert len(kept._seen) == 3


def test_long_documents_crowd_each_other_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "CHARS_MAX", 60)
    kept = Documents(GRAPH, hide_suggestions=True)
    for number in range(18):
        kept.get(f"query Q{number // 2} {{ viewer }}")
    assert kept._kept
    assert sum(map(len, kept._kept)) <= 60


def test_wrong_documents_are_not_kept() -> None:
    kept = Documents(GRAPH, hide_suggestions=True)
    for text in ("{", "{ nothing }") * 3:
        with pytest.raises((FailureError, RequestErrors)):
            kept.get(text)
    assert not kept._kept
