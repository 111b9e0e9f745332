"""Root mutations: nullable, one argument `input`, and a refusal that becomes the payload's `errors`."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, ParamSpec, TypeVar, cast

import strawberry
from strawberry.extensions.field_extension import AsyncExtensionResolver, FieldExtension
from strawberry.types.base import StrawberryList, StrawberryOptional, get_object_definition
from strawberry.types.field import StrawberryField
from strawberry.types.union import StrawberryUnion

from shoutgraph.api import failures
from shoutgraph.api.graphql import errors as user_errors
from shoutgraph.api.graphql.directives import Cost, RequiresScope
from shoutgraph.api.graphql.request import plain
from shoutgraph.domain import audit as rules
from shoutgraph.domain.errors import ShoutgraphError
from shoutgraph.services import audit

P = ParamSpec("P")
T = TypeVar("T")

COST: Final = "10"
"""Weight of a mutation that says no other."""


class RefusalsAsData(FieldExtension):
    """Turns a refusal of the mutation's own union into its payload; any other goes to `errors[]`."""

    def __init__(self) -> None:
        self._field: StrawberryField | None = None
        self._payload: type[Any] | None = None
        self._members: frozenset[type] = frozenset()
        self._empty: dict[str, None] = {}
        self._replays = False

    def apply(self, field: StrawberryField) -> None:
        """Remembers the field; its types can be read only once the whole schema is known."""
        self._field = field

    async def resolve_async(
        self, next_: AsyncExtensionResolver, source: object, info: strawberry.Info, **kwargs: object
    ) -> object:
        """Runs the mutation with nothing loaded before it and nothing kept after it."""
        info.context.forget_loaded()
        try:
            return await self._told(next_, source, info, kwargs)
        except ShoutgraphError as refusal:
            return self.payload_of((refusal,))
        except ExceptionGroup as group:
            refusals = [error for error in group.exceptions if isinstance(error, ShoutgraphError)]
            if len(refusals) < len(group.exceptions):
                raise
            return self.payload_of(refusals)
        finally:
            info.context.forget_loaded()

    async def _told(
        self, next_: AsyncExtensionResolver, source: object, info: strawberry.Info, kwargs: dict[str, object]
    ) -> object:
        """Runs the mutation; what only staff may do writes its line of the audit trail with its first change."""
        assert self._field is not None, "the schema was built"
        if not any(isinstance(each, RequiresScope) for each in self._field.directives):
            return await next_(source, info, **kwargs)
        given = plain(kwargs.get("input"))
        assert isinstance(given, dict), "an input is an object"
        act = rules.act_of(info.context.viewer.principal, info.field_name, given)
        acting = audit.acting(info.context.tools, act)
        with info.context.acting(acting.tools):
            payload = await next_(source, info, **kwargs)
        if not getattr(payload, "replayed", False):
            await acting.store.settle()
        return payload

    def payload_of(self, refusals: Sequence[ShoutgraphError]) -> object:
        """The payload that carries these refusals.

        Raises:
            FailureError: a refusal that is not in the union, but has a code for `errors[]`.
            LookupError: a refusal that the mutation should have listed.
        """
        if self._payload is None:
            self._read_types()
        found = [self._datum(refusal) for refusal in refusals]
        assert self._payload is not None, "the types were read"
        payload = self._payload(**self._empty, errors=found)
        if self._replays:
            payload.replayed = any(refusal.replayed for refusal in refusals)
        return payload

    def _datum(self, refusal: ShoutgraphError) -> user_errors.UserErrorType:
        datum = user_errors.as_data(refusal)
        if datum is not None and type(datum) in self._members:
            return datum
        failure = failures.of_refusal(refusal)
        if failure is not None:
            raise failure from refusal
        name = self._field.name if self._field else ""
        msg = f"{name} does not list {type(refusal).__name__} among its failures"
        raise LookupError(msg) from refusal

    def _read_types(self) -> None:
        assert self._field is not None, "the schema was built"
        payload, union = read_payload(self._field)
        definition = get_object_definition(payload, strict=True)
        self._payload = payload
        self._replays = any(field.python_name == "replayed" for field in definition.fields)
        self._members = frozenset(cast("Sequence[type]", union.types))
        self._empty = {
            field.python_name: None
            for field in definition.fields
            if field.init and field.python_name != "errors" and field.default_value is strawberry.UNSET
        }


def read_payload(field: StrawberryField) -> tuple[type[Any], StrawberryUnion]:
    """The payload class of a root mutation and the union of its failures.

    Raises:
        TypeError: the field is not nullable, or the payload has no `errors: [<Mutation>Error!]!`.
    """
    of = field.type
    payload = of.of_type if isinstance(of, StrawberryOptional) else None
    definition = None if payload is None else get_object_definition(cast("type", payload))
    if definition is None:
        raise TypeError(f"mutation {field.name} must return its payload or None")
    of_errors = next((each.type for each in definition.fields if each.python_name == "errors"), None)
    union = of_errors.of_type if isinstance(of_errors, StrawberryList) else None
    if not isinstance(union, StrawberryUnion):
        raise TypeError(f"the payload of mutation {field.name} must list its failures in errors")
    return cast("type[Any]", payload), union


def mutation(
    *,
    description: str,
    cost: str = COST,
    directives: Sequence[object] = (),
    deprecation_reason: str | None = None,
) -> Callable[[Callable[P, Awaitable[T | None]]], T]:
    """Makes a root mutation of an async resolver that returns its payload or raises a refusal."""

    def decorate(resolver: Callable[P, Awaitable[T | None]]) -> T:
        field = strawberry.mutation(
            resolver=resolver,
            description=description,
            deprecation_reason=deprecation_reason,
            directives=[Cost(weight=cost), *directives],
            extensions=[RefusalsAsData()],
        )
        return cast("T", field)

    return decorate


def outcome(description: str) -> Any:  # noqa: ANN401  (it stands for a field of any object type)
    """The field of a payload that holds what the mutation made: null exactly if `errors` is not empty."""
    return strawberry.field(default=None, description=description)


def replayed() -> bool:
    """The field `replayed: bool` of a payload whose input has an idempotency key."""
    text = "True if this key had already been carried out: the first result is returned."
    return cast("bool", strawberry.field(default=False, description=text))


def refusals() -> list[Any]:
    """The field `errors: list[<Mutation>Error]` of a payload."""
    return cast("list[Any]", strawberry.field(default_factory=list, description="Expected failures."))
