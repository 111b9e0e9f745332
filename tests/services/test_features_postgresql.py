"""Rules from several processes at once: each change is a version of its own, and nobody overwrites what they read."""

import pytest
from tests.services.processes import COUNT, Call, Processes
from tests.services.racing import someone, won

from shoutgraph.domain import errors, pages
from shoutgraph.domain.features import WHOLE, Feature, Lists, Rule, Terms
from shoutgraph.services import features
from shoutgraph.services.features import Wish
from shoutgraph.storage import features as gates
from shoutgraph.tools import Done

pytestmark = pytest.mark.postgresql_only


def setting(processes: Processes, share_bps: int, expected_version: int | None = None) -> Call[Done[Rule]]:
    admin = processes.world.staff("admin")
    terms = Terms(share_bps=share_bps)
    wish = Wish(Feature.GIFTS, WHOLE, terms, Lists(), "A race", expected_version)
    request = processes.world.request("featureRuleSet", admin)
    return lambda tools: features.set_rule(tools, admin, request, wish)


def test_every_change_is_a_version_and_a_stale_one_is_refused(processes: Processes) -> None:
    made = won(processes.at_once(*(setting(processes, share) for share in range(2 * COUNT))), Done)
    assert sorted(done.value.version for done in made) == list(range(1, 2 * COUNT + 1))
    newest = 2 * COUNT
    raced = processes.at_once(*(setting(processes, 5_000, newest) for _ in range(COUNT)))
    assert len(won(raced, Done)) == 1
    assert len(won(raced, errors.StaleRevisionError)) == COUNT - 1
    args = pages.read_args(scope="", first=pages.PAGE_MAX)
    changes = processes.world.read(lambda tx: features.list_of_changes(tx, args, Feature.GIFTS))
    assert sorted(change.made.version for change in changes) == list(range(1, newest + 2))


def test_every_process_goes_by_a_rule_as_soon_as_it_is_set(processes: Processes) -> None:
    user_id = str(someone(processes).user_id)
    for share, is_off in ((0, True), (10_000, False), (0, True)):
        processes.run(setting(processes, share))
        for tools in processes.each:
            off = processes.world.run(tools.store.read(lambda tx: gates.find_off(tx, Feature.GIFTS, [user_id])))
            assert (user_id in off) is is_off
