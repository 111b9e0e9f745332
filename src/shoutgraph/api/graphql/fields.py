"""Typed decorators for fields with a resolver; plain attributes use `strawberry.field`."""

from collections.abc import Callable, Sequence
from typing import TypeVar, cast

import strawberry

F = TypeVar("F", bound=Callable[..., object])


def resolver(
    *, description: str, directives: Sequence[object] = (), deprecation_reason: str | None = None
) -> Callable[[F], F]:
    """Makes a field of a method, which may be async; trivial ones are better sync."""

    def decorate(function: F) -> F:
        field = strawberry.field(
            resolver=function,
            description=description,
            directives=directives,
            deprecation_reason=deprecation_reason,
        )
        return cast("F", field)

    return decorate


def subscription(
    *, description: str, directives: Sequence[object] = (), deprecation_reason: str | None = None
) -> Callable[[F], F]:
    """Makes a root subscription of an async generator method."""

    def decorate(function: F) -> F:
        field = strawberry.subscription(
            resolver=function,
            description=description,
            directives=directives,
            deprecation_reason=deprecation_reason,
        )
        return cast("F", field)

    return decorate
