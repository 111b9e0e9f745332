"""Random lives of the books: every posting, on a real database, against a second opinion and the laws, step by step.

`SHOUTGRAPH_SOAK_STEPS` asks for more steps than the suite takes, from a fresh seed that is told; `SHOUTGRAPH_SOAK_SEED`
takes that one again.
"""

import os
import secrets
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Final

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.storage.auditor import Auditor
from tests.storage.facts import Outcome
from tests.storage.life import VERBS
from tests.storage.lives import Lives
from tests.storage.misdeeds import MISDEEDS

SUITE_STEPS: Final = 3_500
RULES_OF_A_LIFE: Final = 50
STEPS_OF_A_LIFE: Final = 190
"""About as many as a life takes from its beginning to when everything is wound up."""

MORE_MAX: Final = 8
"""How many shorter runs follow at most while something was not reached."""

LEAST: Final = 3
"""How often each verb must be done in a run, so that the generator is seen to reach it."""

DOABLE: Final = sorted(verb for verb in VERBS if hasattr(Auditor, verb) and verb != "repeat")
TURNS: Final = (
    "a debt was repaid",
    "a dispute of a part without coins",
    "a dispute was lost in part",
    "a refund after another",
    "a refund of granted coins",
    "a video was paid with both kinds of coin",
    "an open order held more than was taken back",
    "an open order of several lots was reversed",
    "an open order was reversed",
    "an open order was spared",
    "coins of other lots were taken",
    "foreign money came",
    "foreign money left cash",
    "foreign money left disp",
    "lapsed coins came back",
    "spent coins became debt",
    "won coins made a new lot",
    "won coins undid a debt",
    "won coins went back to what an order had held",
)
"""The rarer ways that the auditor knows, each to be taken at least once."""


def lives(tmp_path: Path) -> type[Lives]:
    return type("Lives", (Lives,), {"folder": tmp_path, "reached": Counter(), "turns": Counter()})


def run(machine: type[Lives], steps: int, seed: int | None) -> str:
    """Lives that many steps, and tells how it went."""
    chosen = settings(
        max_examples=max(1, steps // STEPS_OF_A_LIFE),
        stateful_step_count=RULES_OF_A_LIFE,
        derandomize=seed is None,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
        print_blob=True,
        report_multiple_bugs=False,
    )
    started = time.perf_counter()
    sys.stdout.write(f"seed: {'derandomized' if seed is None else seed}\n")
    run_state_machine_as_test(machine if seed is None else hypothesis.seed(seed)(machine), settings=chosen)
    took_s = time.perf_counter() - started
    count = machine.reached.total()
    return f"{count} checked steps in {took_s:.1f} s, {count / took_s:.0f} a second; seed {seed}"


def unreached(machine: type[Lives]) -> set[str]:
    """The verbs, refusals, misdeeds and turns that the generator has not reached."""
    done = Counter({verb: n for (verb, said), n in machine.reached.items() if said is Outcome.DONE})
    tried, said = ({key[at] for key in machine.reached} for at in (0, 1))
    return (
        {verb for verb in DOABLE if done[verb] < LEAST}
        | {outcome.name for outcome in set(Outcome) - said}
        | ({misdeed.do.__name__ for misdeed in MISDEEDS} - tried)
        | {turn for turn in TURNS if not machine.turns[turn]}
    )


@pytest.mark.timeout(86_400)
def test_no_life_of_the_books_breaks_a_law(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    asked = os.environ.get("SHOUTGRAPH_SOAK_STEPS")
    seed = int(os.environ.get("SHOUTGRAPH_SOAK_SEED") or secrets.randbits(32)) if asked else None
    machine = lives(tmp_path)
    told = run(machine, int(asked or SUITE_STEPS), seed)
    for more in range(MORE_MAX):  # Hypothesis draws from what else is imported, so one run may miss a rare turn
        if not unreached(machine):
            break
        run(machine, SUITE_STEPS // 4, more)
    assert unreached(machine) == set()
    if asked:
        with capsys.disabled():
            sys.stdout.write(f"\n{told}\n")
