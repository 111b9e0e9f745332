"""Four processes on one PostgreSQL: one receipt is presented by several people at once, and by one person often."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.services import kiosk as stores
from tests.services.kiosk import COINS, SOLD, Kiosk
from tests.services.processes import COUNT, Processes
from tests.services.racing import ROUNDS, coins_of, done, someone, won
from tests.services.till import PRICES

from shoutgraph.domain import errors
from shoutgraph.domain.packages import PriceList
from shoutgraph.domain.topups.topup import Review, Status, Topup
from shoutgraph.domain.users import Viewer
from shoutgraph.plugins import loading
from shoutgraph.plugins.providers import Providers
from shoutgraph.services import packages
from shoutgraph.services.orders import timers
from shoutgraph.services.topups import redeem
from shoutgraph.services.topups.redeem import Claim
from shoutgraph.tools import Done, Tools

pytestmark = pytest.mark.postgresql_only


@pytest.fixture
def store() -> Iterator[Kiosk]:
    with stores.open_kiosk() as store:
        yield store


@pytest.fixture
def providers(processes: Processes, store: Kiosk) -> Iterator[Providers]:
    world = processes.world
    nothing = loading.Setup(
        instances={}, environ={}, clock=world.clock, monotonic=world.loop.time, discover=False, strict=True
    )
    loaded = loading.load(stores.beside(store, nothing))
    prices = PriceList(PRICES.rates, (*PRICES.packages, *SOLD), PRICES.units)
    world.run(packages.load(world.tools, world.staff("admin"), prices))
    yield loaded
    world.run(loaded.aclose())


def presenting(
    processes: Processes, providers: Providers, fan: Viewer, receipt: str, *, key: str | None = None
) -> Callable[[Tools], Awaitable[Done[Topup]]]:
    """Presents a receipt in whichever process."""
    world = processes.world
    (package, _) = world.run(packages.list_of_market(world.tools, stores.PHONES))
    request = world.request("topUpRedeem", fan, key, proof=receipt)
    claim = Claim(stores.INSTANCE, package.id, receipt)
    return lambda tools: redeem.redeem(
        replace(tools, providers=providers), fan, request, claim, reverse_orders=timers.reverse_orders
    )


def test_of_several_people_with_one_receipt_one_has_its_coins(
    processes: Processes, providers: Providers, store: Kiosk
) -> None:
    for _ in range(ROUNDS):
        fans, receipt = [someone(processes) for _ in range(COUNT)], store.sell()
        results = processes.at_once(*(presenting(processes, providers, fan, receipt) for fan in fans))
        found = sorted((each.status, each.review or "") for each in done(results))
        assert found == [(Status.NEEDS_REVIEW, Review.REF_TAKEN)] * (COUNT - 1) + [(Status.PAID, "")]
        assert sorted(coins_of(processes, fan).available_coins for fan in fans) == [0] * (COUNT - 1) + [COINS]


def test_one_person_with_one_receipt_has_its_coins_once(
    processes: Processes, providers: Providers, store: Kiosk
) -> None:
    for at in range(ROUNDS):
        fan, receipt = someone(processes), store.sell()
        key = f"the-same-key-for-a-receipt-{at}" if at % 2 else None
        results: list[Any] = processes.at_once(
            *(presenting(processes, providers, fan, receipt, key=key) for _ in range(COUNT))
        )
        refused = {each.decline_code for each in won(results, errors.ProviderDeclinedError)}
        assert refused <= {"already_redeemed"}
        assert coins_of(processes, fan).available_coins == COINS
        if key is not None:
            assert len({each.id for each in done(results)}) == 1
