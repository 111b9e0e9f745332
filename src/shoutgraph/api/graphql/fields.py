"""Typed decorators for fields with a resolver; plain attributes use `strawberry.field`."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar, cast

import strawberry

F = TypeVar("F", bound=Callable[..., object])

SHARED: Final = "shared"
"""The mark of subscriptions whose streams clients share."""


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
    *,
    description: str,
    shared: bool = False,
    directives: Sequence[object] = (),
    deprecation_reason: str | None = None,
) -> Callable[[F], F]:
    """Makes a root subscription of an async generator method.

    Args:
        shared: the stream is a log that begins now, or after the cursor in its argument `after`; then each event is
            run once for all clients who ask the same with the same rights. Its payloads have a `cursor`.
    """

    def decorate(function: F) -> F:
        field = strawberry.subscription(
            resolver=function,
            description=description,
            directives=directives,
            deprecation_reason=deprecation_reason,
            metadata={SHARED: shared},
        )
        return cast("F", field)

    return decorate
