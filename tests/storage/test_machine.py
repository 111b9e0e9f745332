"""Random lives of the books: every posting, on a real database, against a second opinion and the laws, step by step."""

import time
from collections import Counter
from typing import Final

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.soak import Extent
from tests.storage.auditor import Auditor
from tests.storage.databases import Kind, Place
from tests.storage.facts import Outcome
from tests.storage.life import VERBS
from tests.storage.lives import Lives
from tests.storage.misdeeds import MISDEEDS

STEPS_OF_A_ROUND: Final = {Kind.SQLITE: 3_400, Kind.POSTGRESQL: 760}
"""A step takes a server much longer, and what the generator reaches is seen on the other database."""

RULES_OF_A_LIFE: Final = 50
STEPS_OF_A_LIFE: Final = 190
"""About as many as a life takes from its beginning to when everything is wound up."""

MORE_MAX: Final = 16
"""How many shorter runs follow at most while something was not reached."""

LEAST: Final = 3
"""How often each verb must be done in a run, so that the generator is seen to reach it."""

DOABLE: Final = sorted(verb for verb in VERBS if hasattr(Auditor, verb) and verb != "repeat")
TURNS: Final = (
    "a card of several lots",
    "a card was redeemed by another",
    "a card was revoked",
    "a creator came to owe",
    "a debt was repaid",
    "a dispute of a part without coins",
    "a dispute was lost in part",
    "a payout came back at another rate than the newest",
    "a payout left in another currency",
    "a refund after another",
    "a refund came back",
    "a refund of granted coins",
    "a reserve was drawn",
    "a line was explained that somebody had proposed to place",
    "a video was paid with both kinds of coin",
    "an open order held more than was taken back",
    "an open order of several lots was reversed",
    "an open order was reversed",
    "an open order was spared",
    "another amount took the place of a line",
    "coins of other lots were taken",
    "foreign money came",
    "foreign money gained",
    "foreign money left cash",
    "foreign money left disp",
    "foreign money lost",
    "goodwill after a refund",
    "goodwill of bought coins",
    "goodwill of granted coins",
    "granted coins went along",
    "lapsed coins came back",
    "money that went back undid a lapse of liab:unclaimed",
    "money that went back undid a lapse of rev:breakage",
    "money that nobody knew had left",
    "money that nobody knew paid a debt",
    "of a payout a spread was kept",
    "spent coins became debt",
    "two people agreed that less is owed",
    "two people agreed that more is owed",
    "what was placed was explained after all",
    "won coins made a new lot",
    "won coins undid a debt",
    "won coins went back to what an order had held",
)
"""The rarer ways that the auditor knows, each to be taken at least once."""


def lives(place: Place) -> type[Lives]:
    return type("Lives", (Lives,), {"place": place, "reached": Counter(), "turns": Counter()})


def run(machine: type[Lives], steps: int, seed: int) -> None:
    """Lives about that many steps."""
    chosen = settings(
        max_examples=max(1, steps // STEPS_OF_A_LIFE),
        stateful_step_count=RULES_OF_A_LIFE,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
        print_blob=True,
        report_multiple_bugs=False,
    )
    run_state_machine_as_test(hypothesis.seed(seed)(machine), settings=chosen)


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


def reach_the_rest(machine: type[Lives], steps: int) -> None:
    """Hypothesis draws from what else is imported, so one run may miss a rare turn."""
    for seed in range(MORE_MAX):
        if not unreached(machine):
            return
        run(machine, steps, seed)
    assert unreached(machine) == set()


@pytest.mark.no_cover
def test_no_life_of_the_books_breaks_a_law(place: Place, extent: Extent):
    machine, began, each = lives(place), time.monotonic(), STEPS_OF_A_ROUND[place.kind]
    for seed in extent.seeds("steps", suite=each, soak=1_000_000, each=each):
        run(machine, each, seed)
    if place.kind is Kind.SQLITE or extent.long:
        reach_the_rest(machine, each // 4)
    steps, took_s = machine.reached.total(), time.monotonic() - began
    extent.tell(f"{steps} checked steps, {steps / took_s:.0f} a second")
