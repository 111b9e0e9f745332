"""The auditor's view of money that a provider moved and no transfer explains."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.storage.auditor_cards import Cards
from tests.storage.facts import BOOK, PAR, Outcome

PLACES = ("rev:packs", "exp:psp", "cash:bank", "cash:transit")


@dataclass
class Line:
    """What moved, in above zero and out below, and what people say of it. Units: book units."""

    operation: str
    instance: str
    currency: str
    units: int
    state: str = "OPEN"
    account: str = ""
    by: str = ""


class Suspense(Cards):
    """What must come of what a provider lists and the books do not know."""

    def __init__(self, now: datetime) -> None:
        super().__init__(now)
        self.lines: dict[str, Line] = {}

    def look(self) -> dict[str, Any]:
        lines = {line_id: (line.state, line.units) for line_id, line in self.lines.items()}
        return super().look() | {"lines": lines}

    def waiting(self) -> list[str]:
        return [line_id for line_id, line in self.lines.items() if line.state in {"OPEN", "PROPOSED"}]

    def take_in(self, operation: str, instance: str, currency: str, units: int) -> Outcome:
        lines = [line for line in self.lines.values() if line.operation == operation]
        waiting = [line_id for line_id in self.waiting() if self.lines[line_id].operation == operation]
        rest = units - sum(line.units for line in lines if line.state == "PLACED")
        if sum(self.lines[line_id].units for line_id in waiting) == rest:
            return Outcome.NOTHING
        for line_id in waiting:
            line = self.lines[line_id]
            self.seen["a line was explained that somebody had proposed to place"] += line.state == "PROPOSED"
            line.state = "CLEARED"
            self.carry(line, -line.units)
            self.transfers.add(("recon.cleared", line_id))
        self.seen["another amount took the place of a line"] += bool(waiting and rest)
        if rest:
            line_id = f"{operation}#{len(lines)}"
            self.lines[line_id] = Line(operation, instance, currency, rest)
            self.carry(self.lines[line_id], rest)
            self.transfers.add(("recon.suspense", line_id))
        return Outcome.DONE

    def explain(self, operation: str) -> None:
        """What waits is cleared; what was placed is there for people to undo."""
        lines = [line for line in self.lines.values() if line.operation == operation]
        if lines:
            self.seen["what was placed was explained after all"] += any(line.state == "PLACED" for line in lines)
            self.take_in(operation, lines[0].instance, lines[0].currency, 0)

    def carry(self, line: Line, units: int) -> None:
        self.add(f"cash:psp:{line.instance}:{line.currency}", -units)
        self.add(f"suspense:{line.instance}:{line.currency}", units)

    def propose_line(self, line_id: str, account: str, by: str) -> Outcome:
        line = self.lines[line_id]
        if line.state != "OPEN":
            return Outcome.OTHERWISE
        if not self.is_place(line, account):
            return Outcome.NO_PLACE
        line.state, line.account, line.by = "PROPOSED", account, by
        return Outcome.DONE

    def is_place(self, line: Line, account: str) -> bool:
        name, currency = account.rsplit(":", 1)
        if currency != "debt":
            return name in PLACES and currency == line.currency
        return name.startswith("user:user_") and line.currency == BOOK and line.units > 0 and line.units % PAR == 0

    def confirm_line(self, line_id: str, by: str) -> Outcome:
        line = self.lines[line_id]
        if line.state != "PROPOSED":
            return Outcome.OTHERWISE
        if line.by == by:
            return Outcome.SAME_PERSON
        place = line.account
        if place.endswith(":debt"):
            coins = line.units // PAR
            if coins > -self.balances[place]:
                return Outcome.TOO_MUCH
            self.seen["money that nobody knew paid a debt"] += 1
            self.add("mint", -coins)
            self.add(place, coins)
            place = f"recv:users:{BOOK}"
        self.seen["money that nobody knew had left"] += line.units < 0
        line.state = "PLACED"
        self.add(f"suspense:{line.instance}:{line.currency}", -line.units)
        self.add(place, line.units)
        self.transfers.add(("recon.placed", line_id))
        return Outcome.DONE

    def reject_line(self, line_id: str) -> Outcome:
        line = self.lines[line_id]
        if line.state != "PROPOSED":
            return Outcome.OTHERWISE
        line.state = "OPEN"
        return Outcome.DONE
