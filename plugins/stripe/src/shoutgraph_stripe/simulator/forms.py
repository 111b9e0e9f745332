"""Stripe's forms: `a[b][0][c]=d`."""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from shoutgraph_stripe.simulator.refusals import RefusedError

FIELDS_MAX: Final = 500

_STEP: Final = re.compile(r"\[([^\[\]]*)\]")

Params = dict[str, Any]
"""What was sent: text, or the same again below a name."""


def read(text: str) -> Params:
    """The nested values of a form or a query. A list is a mapping by its numbers; `values_of` gives it back."""
    told: Params = {}
    for name, value in parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MAX):
        head, _, rest = name.partition("[")
        steps = [head, *_STEP.findall(f"[{rest}")] if rest else [head]
        inner = told
        for step in steps[:-1]:
            inner = inner.setdefault(step, {})
        inner[steps[-1] or str(len(inner))] = value
    return told


def values_of(value: object) -> list[Any]:
    """The values of a list."""
    return list(value.values()) if isinstance(value, Mapping) else []


def whole(params: Mapping[str, Any], name: str, default: int | None = None) -> int:
    """A whole number.

    Raises:
        RefusedError: it is none, or missing.
    """
    text = params.get(name, default)
    try:
        return int(str(text))
    except ValueError:
        raise RefusedError(f"Invalid integer: {text}", code="parameter_invalid_integer", param=name) from None


def only(params: Mapping[str, Any], *known: str) -> None:
    """Nothing else may be sent.

    Raises:
        RefusedError: there is something else.
    """
    for name in params:
        if name not in known:
            raise RefusedError(f"Received unknown parameter: {name}", code="parameter_unknown", param=name)
