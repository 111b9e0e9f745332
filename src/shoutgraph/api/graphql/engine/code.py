"""Python text that is being written: fresh names, the values that it refers to, and at last a function."""

from collections.abc import Sequence
from itertools import islice
from typing import Final, cast

from shoutgraph.api.graphql.engine import running
from shoutgraph.api.graphql.engine.running import Plan
from shoutgraph.api.graphql.engine.unsupported import UnexpectedValueError, UnsupportedError

PAD: Final = "    "
FIELDS_MAX: Final = 1_000
"""How many fields a plan may write out: fragments that spread fragments could make it as large as they like.

Each takes some 60 us to compile and 600 bytes to keep.
"""


class Tally:
    """Counts the fields of all plans that are kept."""

    def __init__(self) -> None:
        self.fields = 0


class Budget:
    """Counts the fields that a plan and the plans inside it have written out, some only when it runs."""

    def __init__(self, tally: Tally) -> None:
        self._spent = 0
        self._tally = tally

    def spend(self, fields: int) -> None:
        """Counts more of them.

        Raises:
            UnsupportedError: they are too many for a plan.
        """
        self._spent += fields
        self._tally.fields += fields
        if self._spent > FIELDS_MAX:
            raise UnsupportedError

    def leave(self) -> None:
        """Counts for nobody any more, whatever a plan that still runs writes."""
        self._tally.fields -= self._spent
        self._tally = Tally()


class Code:
    """One plan while it is written."""

    def __init__(self) -> None:
        self._names: dict[str, object] = {
            "together": running.together,
            "each": running.each,
            "islice": islice,
            "batched": running.batched,
            "check_list": running.check_list,
            "Unexpected": UnexpectedValueError,
        }
        self._held: dict[int, str] = {}
        self._count = 0
        self._prelude: dict[str, None] = {}
        self._functions: list[str] = []

    def fresh(self, letter: str) -> str:
        """A name that nothing has."""
        self._count += 1
        return f"{letter}{self._count}"

    def hold(self, value: object) -> str:
        """The name of a value that is not text."""
        if id(value) not in self._held:
            name = self._held[id(value)] = self.fresh("k")
            self._names[name] = value
        return self._held[id(value)]

    def first(self, line: str) -> None:
        """A line that runs once, before all others."""
        self._prelude[line] = None

    def function(self, lines: Sequence[str]) -> None:
        """A function beside the others."""
        self._functions.extend(PAD + line for line in lines)

    def finish(self, entry: str) -> Plan:
        """The plan, which runs this function of one argument.

        Raises:
            UnsupportedError: Python cannot compile it, being nested too deeply.
        """
        lines = [
            "async def plan(xs, CONTEXT, INFO, VARIABLES):",
            *(PAD + line for line in self._prelude),
            *self._functions,
            f"{PAD}return await {entry}(xs)",
        ]
        try:
            exec(compile("\n".join(lines), "<plan>", "exec"), self._names)  # noqa: S102 - every part of the text is ours
        except (SyntaxError, RecursionError, MemoryError):
            raise UnsupportedError from None
        return cast("Plan", self._names["plan"])
