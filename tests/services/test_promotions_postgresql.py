"""Codes from several processes at once: no use beyond a limit, and none twice by a person."""

import pytest
from tests.services.processes import COUNT, Call, Processes
from tests.services.racing import someone, won

from shoutgraph.domain import errors
from shoutgraph.domain.promotions import Kind, Offered, Use
from shoutgraph.domain.users import Viewer
from shoutgraph.services import promotions
from shoutgraph.services.promotions import Wish
from shoutgraph.tools import Done

pytestmark = pytest.mark.postgresql_only


def code(processes: Processes, **limits: int) -> str:
    world = processes.world
    offered = Offered("A treat", Kind.GRANT, 5, world.clock(), **limits)  # type: ignore[arg-type]
    staff = world.staff("finance")
    wish = Wish(offered, "We race.", codes=(f"RACE{world.keys}",))
    made = processes.run(lambda tools: promotions.create(tools, staff, world.request("promoCreate", staff), wish))
    return made.value.codes[0]


def redeem(processes: Processes, fan: Viewer, text: str) -> Call[Done[Use]]:
    request = processes.world.request("promoCodeRedeem", fan)
    return lambda tools: promotions.redeem(tools, fan, request, text)


def test_one_person_uses_a_code_once_however_many_processes_try(processes: Processes) -> None:
    text, fan = code(processes), someone(processes)
    results = processes.at_once(*(redeem(processes, fan, text) for _ in range(2 * COUNT)))
    assert len(won(results, Done)) == 1
    assert len(won(results, errors.ValidationError)) == 2 * COUNT - 1
    assert processes.world.wallet(fan) == (0, 5, 0)


def test_a_limit_of_all_uses_is_passed_by_nobody(processes: Processes) -> None:
    text, fans = code(processes, uses_max=3), [someone(processes) for _ in range(2 * COUNT)]
    results = processes.at_once(*(redeem(processes, fan, text) for fan in fans))
    assert len(won(results, Done)) == 3
    assert sorted(processes.world.wallet(fan)[1] for fan in fans) == [0] * (2 * COUNT - 3) + [5] * 3
