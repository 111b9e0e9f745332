"""What the simulated Stripe knows: its objects by id, its events, and what it saved for each idempotency key."""

import copy
import itertools
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from shoutgraph_stripe.config import API_VERSION
from shoutgraph_stripe.simulator import forms
from shoutgraph_stripe.simulator.forms import Params
from shoutgraph_stripe.simulator.refusals import RefusedError, missing

PAGE_MAX: Final = 100
PAGE: Final = 10
DEPTH_MAX: Final = 4
"""How many levels deep Stripe expands."""

Thing = dict[str, Any]
"""An object of Stripe's, as its JSON."""


@dataclass(frozen=True, slots=True)
class Saved:
    """The first answer to a key, which every repeat gets."""

    asked: bytes
    status: int
    body: Thing


@dataclass(slots=True)
class World:
    """One account of Stripe's.

    Args:
        fail_next: the next request that changes something is carried out and answered by a 500, which is saved.
        hold_refunds: of these payments the next refund stays pending.
        doubled: every event of these types comes as two Event objects.
        hidden_for: what is made from now on is not listed by its group for so long.
        balance: what transfers can take, by currency; None is as much as they like.
        locked: nobody is let in: with this status, for this code.
    """

    base_url: str
    clock: Callable[[], datetime]
    things: dict[str, Thing] = field(default_factory=dict)
    events: list[Thing] = field(default_factory=list)
    saved: dict[str, Saved] = field(default_factory=dict)
    fail_next: bool = False
    hold_refunds: set[str] = field(default_factory=set)
    doubled: set[str] = field(default_factory=set)
    hidden_for: timedelta | None = None
    balance: dict[str, int] | None = None
    locked: tuple[int, str] | None = None
    untold: list[Thing] = field(default_factory=list)
    _serials: Iterator[int] = field(default_factory=itertools.count)

    def now(self) -> int:
        """The time. Units: seconds."""
        return int(self.clock().timestamp())

    def make(self, prefix: str, kind: str, **fields: object) -> Thing:
        """A new object."""
        thing: Thing = {"id": f"{prefix}_{secrets.token_hex(12)}", "object": kind, "created": self.now(), **fields}
        thing["_serial"] = next(self._serials)
        self.things[thing["id"]] = thing
        return thing

    def get(self, ref: object, kind: str, *, param: str = "id") -> Thing:
        """An object by its id.

        Raises:
            RefusedError: there is none of this kind.
        """
        thing = self.things.get(str(ref))
        if thing is None or thing["object"] != kind:
            raise missing(kind, ref, param=param)
        return thing

    def all_of(self, kind: str) -> list[Thing]:
        """The objects of one kind, newest first."""
        found = [each for each in self.things.values() if each["object"] == kind]
        return sorted(found, key=lambda each: -each["_serial"])

    def tell(self, kind: str, thing: Thing, *, account: str | None = None) -> None:
        """An event: what the object is now."""
        for _ in range(2 if kind in self.doubled else 1):
            event = self.make(
                "evt",
                "event",
                api_version=API_VERSION,
                data={"object": shown(thing)},
                livemode=False,
                pending_webhooks=1,
                request={"id": None, "idempotency_key": None},
                type=kind,
                **({} if account is None else {"account": account}),
            )
            self.events.append(event)
            self.untold.append(event)

    def listed(self, kind: str, params: Params, *, by: tuple[str, ...] = ()) -> Thing:
        """A page of objects, newest first."""
        forms.only(params, "limit", "starting_after", "created", "expand", *by)
        created = params.get("created", {})
        found = [
            each
            for each in self.all_of(kind)
            if all(each.get(name) == params[name] for name in by if name in params)
            and each["created"] >= forms.whole(created, "gte", 0)
            and not self._is_hidden(each)
        ]
        if "starting_after" in params:
            after = self.get(params["starting_after"], kind, param="starting_after")
            found = [each for each in found if each["_serial"] < after["_serial"]]
        limit = forms.whole(params, "limit", PAGE)
        if not 1 <= limit <= PAGE_MAX:
            raise RefusedError("This value must be between 1 and 100.", param="limit")
        return {"object": "list", "data": found[:limit], "has_more": len(found) > limit}

    def expanded(self, thing: Thing, params: Params) -> Thing:
        """The object as it is answered, with what was asked for put in the place of its id.

        Raises:
            RefusedError: it was asked for more levels than there may be.
        """
        paths = [str(path).split(".") for path in forms.values_of(params.get("expand"))]
        if any(len(path) > DEPTH_MAX for path in paths):
            raise RefusedError("You cannot expand more than 4 levels of a property", param="expand")
        answer: Thing = shown(thing)
        for path in paths:
            self._expand(answer, path)
        return answer

    def _expand(self, thing: Thing, path: list[str]) -> None:
        name, rest = path[0], path[1:]
        if (thing.get("object"), name) == ("charge", "refunds"):
            thing[name] = self.listed("refund", {"payment_intent": thing["payment_intent"]}, by=("payment_intent",))
        if name not in thing:
            raise RefusedError(f"This property cannot be expanded ({name}).", param="expand")
        value = thing[name]
        if isinstance(value, str) and value in self.things:
            value = thing[name] = shown(self.things[value])
        for inner in value if isinstance(value, list) else [value]:
            if rest and isinstance(inner, dict):
                self._expand(inner, rest)

    def _is_hidden(self, thing: Thing) -> bool:
        until: datetime | None = thing.get("_hidden_until")
        return until is not None and self.clock() < until


def shown(value: Any) -> Any:  # noqa: ANN401 -- JSON
    """A copy without what only the simulator knows."""
    if isinstance(value, Mapping):
        return {name: shown(inner) for name, inner in value.items() if not name.startswith("_")}
    if isinstance(value, list):
        return [shown(inner) for inner in value]
    return copy.copy(value)
