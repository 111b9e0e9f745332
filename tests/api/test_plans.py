"""What plans do and what they leave to graphql-core, on a small graph that has a bit of everything."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import orjson
import pytest
import strawberry
from strawberry.extensions.field_extension import FieldExtension
from tests.api.sample import World

from shoutgraph.api.graphql import fields, loaders
from shoutgraph.api.graphql.assembly import assemble
from shoutgraph.api.graphql.context import Context, Info
from shoutgraph.api.graphql.directives import requires
from shoutgraph.api.graphql.engine import engine as engines
from shoutgraph.api.graphql.engine.engine import CompiledEngine
from shoutgraph.api.graphql.execution import Request, Runner
from shoutgraph.api.graphql.room import Room
from shoutgraph.domain.users import ANONYMOUS, Scope

T = TypeVar("T")
CALLS: list[object] = []


class Louder(FieldExtension):
    def resolve(self, next_: Any, source: object, info: strawberry.Info, **kwargs: object) -> object:
        return str(next_(source, info, **kwargs)).upper()


@strawberry.interface(name="Thing", description="A thing.")
class ThingType:
    id: strawberry.ID = strawberry.field(description="Id.")


@strawberry.type(name="Author", description="An author.")
class AuthorType(ThingType):
    name: str = strawberry.field(description="Name.")


@strawberry.type(name="Book", description="A book.")
class BookType(ThingType):
    pages: int = strawberry.field(description="Pages; some books have too many.")

    @loaders.batch(description="Who wrote it.")
    @staticmethod
    async def author(parents: "list[BookType]", context: Context, shout: bool = False) -> list[AuthorType | None]:  # noqa: FBT001, FBT002, ARG004
        CALLS.append(("author", len(parents), shout))
        return [AuthorType(id=strawberry.ID("a" + book.id), name="Ada") if book.pages > 1 else None for book in parents]

    @strawberry.field(description="The id, louder.", extensions=[Louder()])
    def loud(self) -> str:
        return self.id

    @fields.resolver(description="Waits for the other books.")
    async def read(self) -> str:
        CALLS.append("begun")
        await asyncio.sleep(0)
        CALLS.append("ended")
        return "read"

    @fields.resolver(description="Only for moderators.", directives=[requires(Scope.MODERATION)])
    def secret(self) -> str | None:
        return "secret"


@strawberry.type(name="Shelf", description="A shelf.")
class ShelfType:
    books: list[BookType] = strawberry.field(description="Its books.")


@strawberry.type
class LibraryQuery:
    @fields.resolver(description="Shelves.")
    async def shelves(self, info: Info, many: int = 2, pages: int = 2) -> list[ShelfType]:  # noqa: ARG002
        CALLS.append(("shelves", many))
        return [
            ShelfType(books=[BookType(id=strawberry.ID(f"{shelf}{book}"), pages=pages) for book in range(3)])
            for shelf in range(many)
        ]

    @fields.resolver(description="Things of several kinds.")
    def things(self) -> list[ThingType]:
        return [AuthorType(id=strawberry.ID("a"), name="Ada"), BookType(id=strawberry.ID("b"), pages=1)]


SCHEMA = assemble([Room(query=LibraryQuery)])


class Told(CompiledEngine):
    """Says whether it answered."""

    async def run(self, *asked: Any) -> Any:
        data = await super().run(*asked)
        CALLS.append("compiled" if data is not None else "left")
        return data


def answer(query: str, **variables: object) -> tuple[Any, list[object]]:
    """What is answered, the same both ways, and what was called for it with plans."""
    found = []
    for engine in (None, Told(SCHEMA, patient=False)):
        CALLS.clear()
        context = Context(tools=World(), viewer=ANONYMOUS, request_id="request-0001")  # type: ignore[arg-type]
        found.append(run(Runner(SCHEMA, engine=engine).answer(Request(query, variables), context)).json())
    assert found[0] == found[1]
    return orjson.loads(found[1]), list(CALLS)


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def test_a_batch_resolver_is_called_once_for_all_lists_at_its_place() -> None:
    body, calls = answer("{ shelves { books { id author { name } } } }")
    assert calls == [("shelves", 2), ("author", 6, False), "compiled"]
    assert body["data"]["shelves"][1]["books"][2] == {"id": "12", "author": {"name": "Ada"}}


def test_async_resolvers_of_a_list_are_awaited_together() -> None:
    _, calls = answer("{ shelves(many: 1) { books { read } } }")
    assert calls == [("shelves", 1), *["begun"] * 3, *["ended"] * 3, "compiled"]


def test_nothing_is_called_for_an_empty_list() -> None:
    assert answer("{ shelves(many: 0) { books { author { name } read } } }")[1] == [("shelves", 0), "compiled"]


@pytest.mark.parametrize("given", [{}, {"many": 1}, {"many": None}, {"many": 2**40}])
def test_a_variable_may_be_given_left_out_null_or_wrong(given: dict[str, object]) -> None:
    _, calls = answer("query ($many: Int) { shelves(many: $many) { books { id } } }", **given)
    assert calls[-1] == "compiled" or given.get("many", 0) not in {0, 1}


@pytest.mark.parametrize(("quiet", "kept"), [(True, []), (False, [("author", 3, True)])])
def test_a_condition_is_decided_before_anything_is_called(quiet: bool, kept: list[object]) -> None:  # noqa: FBT001
    query = """query ($quiet: Boolean!) { shelves(many: 1) { books { ...B @skip(if: $quiet) ... { id } } } }
      fragment B on Book { author(shout: true) { id } again: author(shout: true) @include(if: false) { id } }"""
    assert answer(query, quiet=quiet)[1] == [("shelves", 1), *kept, "compiled"]


def test_an_interface_is_told_apart_by_its_values() -> None:
    query = "{ things { __typename ... on Author { name } ... on Book { pages author { id } } ... on Thing { id } } }"
    body, calls = answer(query)
    assert [each["__typename"] for each in body["data"]["things"]] == ["Author", "Book"]
    assert calls == [("author", 1, False), "compiled"]


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("{ shelves { books { loud } } }", "a field with an extension"),
        ("{ __schema { queryType { name } } }", "introspection"),
        ("{ shelves { books { secret } } }", "no right to it"),
        ("query ($n: Int!) { shelves(many: $n) { books { id } } }", "a variable that is missing"),
    ],
)
def test_what_a_plan_cannot_do_graphql_core_does(query: str, why: str) -> None:
    _, calls = answer(query)
    assert "left" in calls, why


def test_an_error_has_its_path_and_only_its_field_is_null(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BookType, "pages", property(lambda _book: 2**40, lambda _book, _pages: None), raising=False)
    body, calls = answer("{ things { id ... on Book { pages } } }")
    assert (body["data"], "left" in calls) == (None, True)
    assert body["errors"][0]["path"] == ["things", 1, "pages"]


def test_an_operation_is_compiled_when_its_document_is_kept_and_comes_again_and_plans_are_forgotten_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engines, "MADE_MAX", 2)
    engine = Told(SCHEMA)
    runner = Runner(SCHEMA, engine=engine)

    def ask(query: str) -> object:
        context = Context(tools=World(), viewer=ANONYMOUS, request_id="request-0001")  # type: ignore[arg-type]
        run(runner.answer(Request(query, {}), context))
        return CALLS[-1]

    one, two, three = ("{ things { id } }", "{ things { __typename } }", "{ things { id __typename } }")
    assert [ask(one) for _ in range(4)] == ["left", "left", "compiled", "compiled"]
    assert [ask(two) for _ in range(3)] == [ask(three) for _ in range(3)] == ["left", "left", "compiled"]
    assert [ask(one), ask(three)] == ["left", "compiled"], "the oldest plan went"
