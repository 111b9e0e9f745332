"""Domain values of rows, made cheaply where a page has many of them.

A frozen dataclass sets each attribute by a call of `object.__setattr__`, four times the cost of an assignment.
"""

from collections.abc import Callable
from dataclasses import fields, make_dataclass
from typing import Any, TypeVar, cast

V = TypeVar("V")


def maker(kind: type[V]) -> Callable[..., V]:
    """A constructor of a frozen dataclass with slots: it fills a twin that may be written, and freezes it.

    Only for values that check nothing when they are made.
    """
    assert not hasattr(kind, "__post_init__"), "a check would be passed by"
    twin = make_dataclass(kind.__name__, [(each.name, each.type) for each in fields(cast("Any", kind))], slots=True)

    def make(*values: object) -> V:
        made = twin(*values)
        made.__class__ = kind
        return cast("V", made)

    return make
