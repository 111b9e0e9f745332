"""What every resolver gets: the tools, the viewer and the loaders of this one operation."""

from collections.abc import Awaitable, Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import strawberry

from shoutgraph.api.graphql import loaders
from shoutgraph.api.metering import Account
from shoutgraph.domain.users import Viewer
from shoutgraph.tools import Tools

K = TypeVar("K")
V = TypeVar("V")


def rights_of(viewer: Viewer) -> Hashable:
    """Everything about a viewer that an answer may depend on."""
    return viewer.principal, viewer.user_id, viewer.creator_id, viewer.scopes


class Context:
    """One operation of one viewer. Each event of a subscription runs in a fork with empty loaders."""

    __slots__ = ("_loaders", "account", "last_event_id", "request_id", "tools", "viewer")

    def __init__(
        self,
        *,
        tools: Tools,
        viewer: Viewer,
        request_id: str,
        last_event_id: str | None = None,
        account: Account | None = None,
    ) -> None:
        self.tools = tools
        self.viewer: Final = viewer
        self.request_id: Final = request_id
        self.last_event_id: Final = last_event_id
        self.account: Final = account
        self._loaders: loaders.Loaders | None = None

    def fork(self) -> "Context":
        """The same operation with nothing loaded, so that the next event is read afresh."""
        return Context(tools=self.tools, viewer=self.viewer, request_id=self.request_id)

    @contextmanager
    def acting(self, tools: Tools) -> Iterator[None]:
        """Lends other tools to a root mutation while it runs; root mutations run one after another."""
        own = self.tools
        self.tools = tools
        try:
            yield
        finally:
            self.tools = own

    def forget_loaded(self) -> None:
        """Drops what was loaded; called around each root mutation, since it changes what was read."""
        self._loaders = None

    @property
    def loaders(self) -> loaders.Loaders:
        """The loaders of this operation."""
        if self._loaders is None:
            self._loaders = loaders.Loaders(self)
        return self._loaders

    def load(self, fetch: Callable[["Context", Sequence[K]], Awaitable[Sequence[V]]], key: K) -> Awaitable[V]:
        """The value of one key; `fetch` is called once with all the keys asked for in the same turn."""
        return self.loaders.one(fetch, key)


Info = strawberry.Info[Context, Any]
"""The annotation of a resolver's `info` parameter."""
