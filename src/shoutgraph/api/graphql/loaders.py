"""Relations read once for a whole list, never once per item.

A relation is written as a batch resolver: an async function from all the parents to one value for each.
The compiled engine calls it with the whole list; under graphql-core a loader of the operation gathers the
parents of one turn of the event loop.
"""

import functools
import inspect
from asyncio import Future
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast, get_args

import strawberry
from strawberry.dataloader import AbstractCache, DataLoader

from shoutgraph.telemetry import metrics
from shoutgraph.telemetry.spans import observed

if TYPE_CHECKING:
    from shoutgraph.api.graphql.context import Context

K = TypeVar("K")
V = TypeVar("V")

BATCH_MAX: Final = 500
"""How many keys one call of a batch resolver gets at most."""


class FutureCache(AbstractCache[object, Any]):
    """Remembers values for one operation, and forgets failures so that the next ask tries again."""

    def __init__(self, key_of: Callable[[object], Hashable]) -> None:
        self._key_of = key_of
        self._kept: dict[Hashable, tuple[object, Future[Any]]] = {}

    def get(self, key: object) -> Future[Any] | None:
        """The future of this key, unless it failed."""
        _key, future = self._kept.get(self._key_of(key), (None, None))
        if future is not None and future.done() and (future.cancelled() or future.exception()):
            return None
        return future

    def set(self, key: object, value: Future[Any]) -> None:
        """Keeps a future, and its key alive as long, since a parent is known by identity."""
        self._kept[self._key_of(key)] = (key, value)

    def delete(self, key: object) -> None:
        """Forgets one key, known or not."""
        self._kept.pop(self._key_of(key), None)

    def clear(self) -> None:
        """Forgets everything."""
        self._kept.clear()


class Loaders:
    """The loaders of one operation, made when first asked for."""

    __slots__ = ("_by_function", "_context")

    def __init__(self, context: "Context") -> None:
        self._context = context
        self._by_function: dict[tuple[object, str], DataLoader[Any, Any]] = {}

    def one(self, fetch: Callable[["Context", Sequence[K]], Awaitable[Sequence[V]]], key: K) -> Awaitable[V]:
        """The value of one key."""
        loader = self._by_function.get((fetch, ""))
        if loader is None:
            loader = self._loader((fetch, ""), lambda keys: fetch(self._context, keys), hash)
        return cast("Awaitable[V]", loader.load(key))

    def related(
        self, batch: Callable[..., Awaitable[Sequence[V]]], parent: object, **arguments: object
    ) -> Awaitable[V]:
        """The relation of one parent, with the arguments the client gave."""
        place = (batch, repr(arguments) if arguments else "")
        loader = self._by_function.get(place)
        if loader is None:
            loader = self._loader(place, lambda parents: batch(parents, self._context, **arguments), id)
        return cast("Awaitable[V]", loader.load(parent))

    def _loader(
        self,
        place: tuple[object, str],
        fetch: Callable[[list[Any]], Awaitable[Sequence[Any]]],
        key_of: Callable[[object], Hashable],
    ) -> DataLoader[Any, Any]:
        cache = FutureCache(key_of)
        loader: DataLoader[Any, Any] = DataLoader(load_fn=fetch, max_batch_size=BATCH_MAX, cache_map=cache)
        self._by_function[place] = loader
        return loader


def batch(
    *, description: str, directives: Sequence[object] = (), deprecation_reason: str | None = None
) -> Callable[[Callable[..., Awaitable[Sequence[V]]]], V]:
    """Makes a field of `async def relation(parents: list[P], context: Context, ...) -> list[V]`.

    In a class body it goes above `@staticmethod`. The function stays attached as `__batch__`.
    """

    def decorate(function: Callable[..., Awaitable[Sequence[V]]]) -> V:
        raw = _observed(inspect.unwrap(function))
        field = strawberry.field(
            resolver=_resolver_of(raw),
            description=description,
            directives=directives,
            deprecation_reason=deprecation_reason,
        )
        return cast("V", field)

    return decorate


def _observed(raw: Callable[..., Awaitable[Sequence[V]]]) -> Callable[..., Awaitable[Sequence[V]]]:
    name = raw.__qualname__

    @functools.wraps(raw)
    async def fetch(parents: Sequence[object], context: "Context", **arguments: object) -> Sequence[V]:
        metrics.LOADED.observe(len(parents))
        with observed(
            "load", metrics.LOADS, attributes={"shoutgraph.relation": name, "shoutgraph.parents": len(parents)}
        ):
            return await raw(parents, context, **arguments)

    return fetch


def _resolver_of(raw: Callable[..., Awaitable[Sequence[V]]]) -> Callable[..., Awaitable[V]]:
    signature = inspect.signature(raw)
    _parents, _context, *arguments = signature.parameters.values()
    of_one = get_args(signature.return_annotation)
    if not of_one:
        raise TypeError(f"{raw.__qualname__} must say that it returns a list")

    def resolve(root: object, info: "strawberry.Info[Context, Any]", **given: object) -> Awaitable[V]:
        return info.context.loaders.related(raw, root, **given)

    keyword = inspect.Parameter.KEYWORD_ONLY
    resolve.__name__, resolve.__qualname__, resolve.__module__ = (
        raw.__name__,
        raw.__qualname__,
        raw.__module__,
    )
    resolve.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter("root", keyword, annotation=object),
            inspect.Parameter("info", keyword, annotation=strawberry.Info),
            *(argument.replace(kind=keyword) for argument in arguments),
        ],
        return_annotation=of_one[0],
    )
    resolve.__batch__ = raw  # type: ignore[attr-defined]
    return resolve
