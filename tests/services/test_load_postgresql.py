"""A mixed load from several processes on one PostgreSQL: every command ends or is refused, and the books balance."""

import random
import time
from collections import Counter
from typing import Final

import pytest
from tests.services.market import Market
from tests.services.processes import Processes
from tests.soak import Extent

pytestmark = pytest.mark.postgresql_only

STEPS_OF_A_ROUND: Final = 240
AT_ONCE: Final = 24


def test_a_mixed_load_meets_refusals_and_no_faults(processes: Processes, extent: Extent) -> None:
    outcomes, began_at, before = Counter[str](), time.monotonic(), Counter(processes.contention)
    for seed in extent.seeds("steps", suite=STEPS_OF_A_ROUND, soak=20_000, each=STEPS_OF_A_ROUND):
        market = Market(processes, random.Random(seed))  # noqa: S311 - a repeatable choice
        for _ in range(STEPS_OF_A_ROUND // AT_ONCE):
            results = processes.at_once(*(market.deal() for _ in range(AT_ONCE)))
            outcomes.update(type(result).__name__ for result in results)
            processes.world.clock.move(hours=1)
        for office in market.offices:
            office.check_parts()
        processes.verify()
    assert outcomes["Done"] > sum(outcomes.values()) / 4
    rate = sum(outcomes.values()) / (time.monotonic() - began_at)
    told = ", ".join(f"{times} {what}" for what, times in outcomes.most_common())
    extent.tell(f"{told}; {rate:.0f} commands a second; taken back: {dict(Counter(processes.contention) - before)}")
