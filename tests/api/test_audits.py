"""The 61 audits of the `graphql-http` suite, by their ids and without its programs: what a server has to answer.

`python -m tests.npm` runs the suite's own where there is node. Source: the GraphQL over HTTP specification; the npm
package graphql-http 1.23.1.
"""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from tests.api.harness import Client

COUNT = 61
JSON = "application/json"
GRAPHQL = "application/graphql-response+json"
TYPENAME = {"query": "{ __typename }"}
BY_NAME = {"query": "query Type($name: String!) { __type(name: $name) { name } }", "variables": {"name": "sometype"}}
UNKNOWN = {"query": "{ eight_f3 }"}
NO_VALUE = {"query": "query Coerce($id: ID!) { __typename }", "variables": {"id": None}}
BROKEN = {"query": "{"}
NO_OBJECTS = ("text", 0, False, ["array"])
NO_TEXTS = ({"an": "object"}, 0, False, ["array"])
REFUSED = range(400, 500)


@dataclass(frozen=True)
class Audit:
    """A request, and what its answer has to be.

    `data` says whether there is some, where that matters; `clean` that there are no errors.
    """

    id: str
    sent: Any
    accept: str = "*/*"
    status: int | range = 200
    method: str = "POST"
    content_type: str | None = JSON
    media_type: str | None = None
    data: bool | None = None
    clean: bool = False


def each_of(prefix: str, name: str, values: tuple[object, ...]) -> list[Audit]:
    return [Audit(f"{prefix}{at}", TYPENAME | {name: value}, "*/*", 400, data=False) for at, value in enumerate(values)]


def nulls() -> list[Audit]:
    named = list(enumerate(("variables", "operationName", "extensions")))
    return [Audit(f"94B{at}", TYPENAME | {name: None}, GRAPHQL, clean=True) for at, name in named] + [
        Audit(f"022{at}", TYPENAME | {name: None}, JSON, clean=True) for at, name in named
    ]


NAMED = {"query": "query Query { __typename }", "operationName": "Query"}
AUDITS = (
    Audit("22EB", TYPENAME, GRAPHQL, media_type=GRAPHQL),
    Audit("4655", TYPENAME, JSON, media_type=JSON),
    Audit("47DE", TYPENAME, "*/*", media_type=JSON),
    Audit("80D8", TYPENAME, "", media_type=JSON),
    Audit("82A3", TYPENAME),
    Audit(
        "BF61",
        {"query": '{ __type(name: "Run\U0001f3c3Swim\U0001f3ca") { name } }'},
        content_type=f"{JSON}; charset=utf-8",
    ),
    Audit("78D5", TYPENAME),
    Audit("2C94", TYPENAME),
    Audit("5A70", TYPENAME, method="GET"),
    Audit("9C48", {"query": "mutation { __typename }"}, GRAPHQL, REFUSED, "GET"),
    Audit("9ABE", TYPENAME, status=REFUSED, content_type="text/plain;charset=UTF-8"),
    Audit("03D4", TYPENAME),
    Audit("A5BF", "", status=400),
    Audit("423L", {"notquery": "{ __typename }"}, GRAPHQL, 400),
    *each_of("LKJ", "query", NO_TEXTS),
    Audit("34A2", TYPENAME, GRAPHQL),
    Audit("13EE", TYPENAME, JSON, clean=True),
    *each_of("6C0", "operationName", NO_TEXTS),
    Audit("8161", NAMED, GRAPHQL),
    Audit("B8B3", NAMED, JSON, clean=True),
    *nulls(),
    *each_of("476", "variables", NO_OBJECTS),
    Audit("2EA1", BY_NAME, GRAPHQL),
    Audit("28B9", BY_NAME, JSON, clean=True),
    Audit("D6D5", BY_NAME, GRAPHQL, method="GET", clean=True),
    Audit("6A70", BY_NAME, JSON, method="GET", clean=True),
    *each_of("58B", "extensions", NO_OBJECTS),
    Audit("428F", TYPENAME | {"extensions": {"some": "value"}}, GRAPHQL),
    Audit("1B7A", TYPENAME | {"extensions": {"some": "value"}}, JSON, clean=True),
    Audit("B6DC", '{ "no JSON', JSON, 400),
    Audit("BCF8", '{ "no JSON', JSON, 400),
    Audit("B7N8", '{ "no JSON', GRAPHQL, 400),
    Audit("8764", {"qeury": "{ __typename }"}, status=REFUSED),
    Audit("3E3A", {"qeury": "{ __typename }"}, status=400),
    Audit("572B", BROKEN, JSON),
    Audit("FDE2", UNKNOWN, JSON),
    Audit("7B9B", NO_VALUE, JSON),
    Audit("865D", BROKEN, GRAPHQL, REFUSED),
    Audit("556A", BROKEN, GRAPHQL, 400),
    Audit("D586", BROKEN, GRAPHQL, 400, data=False),
    Audit("51FE", UNKNOWN, GRAPHQL, REFUSED),
    Audit("74FF", UNKNOWN, GRAPHQL, 400),
    Audit("5E5B", UNKNOWN, GRAPHQL, 400, data=False),
    Audit("86EE", NO_VALUE, GRAPHQL, 400),
)


@pytest.mark.parametrize("audit", AUDITS, ids=lambda audit: audit.id)
def test_an_audit_passes(client: Client, audit: Audit) -> None:
    headers = {"accept": audit.accept}
    if audit.method == "GET":
        params = {name: text if isinstance(text, str) else json.dumps(text) for name, text in audit.sent.items()}
        response = client.http.get("/graphql", params=params, headers=headers)
    else:
        content = audit.sent if isinstance(audit.sent, str) else json.dumps(audit.sent)
        if audit.content_type is not None:
            headers["content-type"] = audit.content_type
        response = client.http.post("/graphql", content=content, headers=headers)
    allowed = audit.status if isinstance(audit.status, range) else (audit.status,)
    assert response.status_code in allowed
    media_type, _, charset = response.headers["content-type"].partition("; ")
    assert charset == "charset=utf-8"
    assert audit.media_type in {None, media_type}
    body = json.loads(response.content.decode("utf-8"))
    assert audit.data in {None, "data" in body}
    assert not (audit.clean and "errors" in body)


def test_every_audit_is_there_once() -> None:
    assert len({audit.id for audit in AUDITS}) == len(AUDITS) == COUNT
