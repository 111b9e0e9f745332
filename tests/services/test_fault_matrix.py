"""Every fault of a provider in every call of money: in the end the books say what the provider has, to the cent."""

import contextlib
from dataclasses import dataclass

import pytest
from tests.services.cases import CASES
from tests.services.line import Line, open_line
from tests.services.simulation import quiet_logs
from tests.soak import Extent
from tests.storage.databases import Kind, Place

from shoutgraph.testkit import faults
from shoutgraph.testkit.faults import Answer, Fault
from shoutgraph.testkit.proxy import Which


@dataclass(frozen=True)
class Broken:
    """A fault of the matrix: `fault` is None where nobody listens; a `proof` proves that nothing happened."""

    name: str
    fault: Fault | None
    proof: bool = False
    harmless: bool = False


MATRIX = (
    Broken("refused connection", None, proof=True),
    Broken("429", faults.RATE_LIMITED, proof=True),
    Broken("request delivered twice", faults.TWICE, harmless=True),
    *(
        Broken(each.name, each)
        for each in (
            faults.DROPPED_BEFORE,
            faults.DROPPED_AFTER,
            faults.HANG_BEFORE,
            faults.HANG,
            faults.failing(500),
            faults.failing(503),
            faults.SAVED_500,
            *faults.GARBAGE,
        )
    ),
)


@pytest.mark.parametrize("call", CASES)
def test_a_fault_in_one_call_costs_nothing(place: Place, extent: Extent, call: str) -> None:
    """In the suite once each, on PostgreSQL some of them; in a long run by chance, several in a row."""
    table = MATRIX if place.kind is Kind.SQLITE else MATRIX[::4]
    with quiet_logs(), open_line(place) as line:
        for number, _ in enumerate(extent.seeds("faults", suite=len(table), soak=20 * len(MATRIX))):
            chance = extent.chance
            broken = chance.choice(MATRIX) if extent.long else table[number]
            _meet(line, call, broken, times=chance.randint(1, 3) if extent.long else 1)
        line.prove()
    extent.tell(f"{call}: {number + 1} faults")


def _meet(line: Line, call: str, broken: Broken, *, times: int) -> None:
    case = CASES[call](line)
    case.prepare()
    before = len(line.proxy.asked)
    which = Which.ANY if call == "fetch" else Which.MONEY
    with contextlib.ExitStack() as circumstances:
        if broken.fault is None:
            circumstances.enter_context(line.disconnected())
        else:
            line.proxy.plan(broken.fault, which=which, times=times)
        if broken.fault is not None and broken.fault.answer is Answer.HANG:
            circumstances.enter_context(line.impatient())
        case.call()
    said = f"{call} with {broken.name}"
    if broken.fault is not None:
        assert line.proxy.hurt_count, said
    if not broken.harmless and not broken.proof:
        assert case.doubted, f"{said}: nobody knows what became of it, and we do not say that we do"
    assert not case.failed or broken.proof, f"{said}: what is unknown is never failed"
    line.proxy.mend()
    case.end()
    assert len(line.proxy.asked) > before or broken.fault is None, said
    line.proxy.hurt_count = 0
