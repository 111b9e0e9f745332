"""What providers list: news that no webhook brought is booked, and money that the books do not know is found."""

from collections.abc import Iterator

import pytest
from tests.services.test_refunds import ask
from tests.services.till import Till, open_till
from tests.storage.databases import Place

from shoutgraph import sdk
from shoutgraph.domain import ids
from shoutgraph.domain.strays import StrayKind
from shoutgraph.domain.topups.topup import Status, Topup
from shoutgraph.jobs import sweep
from shoutgraph.services.money import subjects, sweep as sweeping
from shoutgraph.storage import journal, sweeps
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools


@pytest.fixture
def till(place: Place) -> Iterator[Till]:
    with open_till(place) as till:
        yield till


def forgotten(till: Till, topup: Topup) -> str:
    """Money at the provider under a name that the books have never heard of."""
    name = till.world.tools.new_id(ids.TOPUP)
    till.control("payments", operation_id=name, amount=topup.terms.price_minor)
    return name


def test_a_sweep_books_what_no_webhook_told_and_finds_what_nobody_knows(till: Till) -> None:
    fan = till.world.person("ada")
    topup = till.buy(fan, 1_000).value
    till.control(f"payments/{topup.id}/pay")
    lost = forgotten(till, topup)
    assert till.world.run(sweep.tick(till.world.tools)) == 1
    assert (till.topup(topup).status, till.world.wallet(fan)) == (Status.PAID, (1_000, 0, 0))
    (waiting,) = till.world.read(subjects.list_of)
    assert (waiting.subject.id, waiting.subject.amount is not None) == (f"sandbox/{lost}", True)
    told = till.world.read(lambda tx: journal.list_of_topic(tx, f"sandbox/{lost}", after=0, limit=5))
    assert [each.type for each in told] == ["money.stray_found"]
    before = till.world.read(sweeps.list_of)
    assert till.world.run(sweep.tick(till.world.tools)) == 0, "it is not due"
    assert till.world.read(sweeps.list_of) == before
    till.world.clock.move(hours=1, seconds=1)
    assert till.world.run(sweep.tick(till.world.tools)) == 0, "people were told before"
    assert all(each.since > was.since for each, was in zip(till.world.read(sweeps.list_of), before, strict=True))


def test_what_breaks_in_a_list_holds_up_none_beside_it_and_is_listed_again(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    fan = till.world.person("ada")
    broken, sound = [till.buy(fan, 1_000).value for _ in range(2)]
    for topup in (broken, sound):
        till.control(f"payments/{topup.id}/pay")
    listed = sweep.KINDS[StrayKind.TOPUP]

    def breaks(tools: Tools, tx: Tx, instance: str, found: sdk.Listed) -> bool:
        assert found.target.operation_id != broken.id
        return listed(tools, tx, instance, found)

    with monkeypatch.context() as patch:
        patch.setitem(sweep.KINDS, StrayKind.TOPUP, breaks)
        till.world.run(sweep.tick(till.world.tools))
    assert (till.topup(broken).paid, till.topup(sound).paid) == (False, True)
    assert till.world.read(sweeps.list_of_totals) != [], "the day's totals are not held up either"
    till.world.clock.move(minutes=11)
    till.world.run(sweep.tick(till.world.tools))
    assert till.topup(broken).paid


def test_the_cash_books_say_what_top_ups_and_payouts_say(till: Till) -> None:
    fan = till.world.person("ada")
    first, second = till.paid(fan, 1_000), till.paid(fan, 1_000)
    ask(till, first, minor=300)
    till.control(f"payments/{second.id}/dispute", outcome="open")
    till.look(second)
    till.world.run(sweep.tick(till.world.tools))
    found = {each.instance: each for each in till.world.read(lambda tx: sweeping.totals_now(tx, "today"))}
    total = found["sandbox"]
    assert (total.differs, total.books_units, total.unbooked_minor) == (False, till.cash() * 100, 0)
    assert len(till.world.read(sweeps.list_of_totals)) >= 1
