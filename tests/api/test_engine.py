"""The compiled engine answers what graphql-core answers, byte by byte: by chance, as everyone, on real data."""

import dataclasses
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import orjson
from tests.api.cast import Cast
from tests.api.chance import Writer
from tests.api.deployment import absent_of
from tests.soak import Extent

from shoutgraph.api.graphql.context import Context
from shoutgraph.api.graphql.documents import Operation
from shoutgraph.api.graphql.engine.engine import CompiledEngine
from shoutgraph.api.graphql.execution import Request, Runner
from shoutgraph.api.graphql.executors import Data
from shoutgraph.api.graphql.schema import build_schema
from shoutgraph.domain.ids import CreatorId, UserId
from shoutgraph.domain.users import ANONYMOUS, Scope, Viewer

DOCUMENTS_OF_A_ROUND = 40
KINDS = {"by": "creator", "of": "creator", "userId": "user", "creatorId": "creator", "offerId": "offer"}


class Counting(CompiledEngine):
    """Counts what it answers."""

    def __init__(self, schema: Any) -> None:
        super().__init__(schema, patient=False)
        self.counts: Counter[bool] = Counter()

    async def run(self, operation: Operation, variables: dict[str, Any], context: Context) -> Data | None:
        data = await super().run(operation, variables, context)
        self.counts[data is not None] += 1
        return data


def viewers_of(cast: Cast) -> dict[str, Viewer]:
    fan, creator, profile = (cast.ids[name] for name in ("fan", "creator", "creator_profile"))
    return {
        "anonymous": ANONYMOUS,
        "fan": Viewer(user_id=UserId(fan), principal=fan),
        "creator": Viewer(UserId(creator), CreatorId(profile), principal=creator),
        "staff": Viewer(scopes=frozenset(Scope), principal="admin-desk"),
    }


def _ordered(answer: bytes) -> dict[str, Any]:
    """An answer whose errors, which come as they happen, are in order."""
    body: dict[str, Any] = orjson.loads(answer)
    body.get("errors", []).sort(key=lambda error: error.get("path", []))
    return body


def _kind_of(answer: bytes) -> str:
    if b'"data"' not in answer:
        return "refused"
    return "with errors" if b'"errors":[{"message"' in answer else "whole"


def ids_by_chance(cast: Cast, chance: random.Random) -> Callable[[str], str]:
    pool = [each for each in cast.ids.values() if "_" in each]
    by_kind: dict[str, list[str]] = {}
    for each in pool:
        by_kind.setdefault(each.partition("_")[0], []).append(each)

    def id_of(name: str) -> str:
        if chance.random() < 0.05:
            return chance.choice(("", "nothing", absent_of(cast.ids["fan_topup"])))
        kind = KINDS.get(name, name.removesuffix("Id").lower())
        return chance.choice(by_kind.get(kind, pool))

    return id_of


class Pair:
    """Both ways to answer, over the same data at the same time."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        schema = build_schema()
        self.engine = Counting(schema)
        self.plans, self._core = Runner(schema, engine=self.engine), Runner(schema)
        now = cast.deployment.app.tools.clock()
        self._tools = dataclasses.replace(cast.deployment.app.tools, clock=lambda: now)
        self._viewers = viewers_of(cast)
        self.found = Counter[str]()

    def compare(self, request: Request) -> None:
        """Answers as everyone, both ways."""
        for who, viewer in self._viewers.items():
            compiled, expected = (self._answer(runner, request, viewer) for runner in (self.plans, self._core))
            assert compiled == expected or _ordered(compiled) == _ordered(expected), f"{who}: {request}"
            self.found[_kind_of(expected)] += 1

    def _answer(self, runner: Runner, request: Request, viewer: Viewer) -> bytes:
        context = Context(tools=self._tools, viewer=viewer, request_id="request-0001")
        return self.cast.deployment.run(runner.answer(request, context)).json()


def test_whatever_is_asked_both_ways_to_answer_give_the_same_bytes(cast: Cast, extent: Extent) -> None:
    pair = Pair(cast)
    for seed in extent.seeds("documents", suite=2 * DOCUMENTS_OF_A_ROUND, soak=20_000, each=DOCUMENTS_OF_A_ROUND):
        chance = random.Random(seed)  # noqa: S311 - a repeatable choice
        for _ in range(DOCUMENTS_OF_A_ROUND):
            writer = Writer(pair.plans.schema, chance, ids_by_chance(cast, chance))
            pair.compare(Request(writer.query(chance.choice((1, 1, 1, 2))), writer.variables))
    found, compiled = pair.found, pair.engine.counts[True]
    extent.tell(f"{dict(found)}, {compiled} compiled")
    assert found["refused"] < found.total() / 4, "most documents are valid and not too dear"
    assert compiled == found["whole"] > found.total() / 4, "whatever is answered whole is compiled"
