"""Payments at a provider that fails at every third call, in virtual time: the books agree to the cent."""

import time

import pytest
from tests.services.reckoning import Reckoning
from tests.services.simulation import Simulation
from tests.services.world import open_world
from tests.soak import Extent
from tests.storage.databases import Kind, Place

PAYMENTS = {Kind.SQLITE: 500, Kind.POSTGRESQL: 100}
"""In the suite; ten thousand and more are a command of their own: see docs/OPERATIONS.md."""
ROUND = {Kind.SQLITE: 500, Kind.POSTGRESQL: 100}
"""The payments of one round."""
ROUND_OF_SOAK = 10_000
TIMEOUT_S = 600


@pytest.mark.no_cover
@pytest.mark.timeout(TIMEOUT_S)
def test_the_books_agree_with_the_provider_to_the_minor_unit(place: Place, extent: Extent) -> None:
    """What a fault, a crash or a webhook out of order could cost; each payment, and all of them together."""
    size = ROUND_OF_SOAK if extent.long else ROUND[place.kind]
    for seed in extent.seeds("payments", suite=PAYMENTS[place.kind], soak=100_000, each=size):
        begun = time.monotonic()
        inner = place.inside(str(seed))
        with open_world(inner) as world:
            simulation = Simulation(world, seed=seed, count=size)
            simulation.live()
            simulation.calm_down()
            reckoning = Reckoning(simulation)
            reckoning.check()
        inner.drop()
        calls, faults = simulation.acquirer.calls.total(), simulation.acquirer.faults.total()
        assert faults >= 0.3 * calls, "nearly every third call went wrong"
        extent.tell(_figures(simulation, reckoning, seconds=time.monotonic() - begun))


def _figures(simulation: Simulation, reckoning: Reckoning, *, seconds: float) -> str:
    acquirer, told = simulation.acquirer, simulation.told
    calls, faults = acquirer.calls.total(), acquirer.faults.total()
    settled = sum(each.settled for each in acquirer.payments.values() if each.currency == "EUR")
    sent_again = sum(each.attempts - 1 for each in reckoning.topups.values())
    figures = {
        "purchases": simulation.count,
        "payments at the provider": len(acquirer.payments),
        "cents settled": settled,
        "calls": calls,
        "of them faulty": faults,
        "webhooks sent": acquirer.webhooks["sent"],
        "webhooks lost for good": acquirer.webhooks["never arrive"],
        "repeated": told["webhook REPEATED"],
        "forged or old": acquirer.webhooks["forged or old"],
        "requests sent again": sent_again,
        "refunds": len(reckoning.refunds),
        "payouts": len(reckoning.payouts),
        "crashes": simulation.store.crashes.total(),
        "units of work": simulation.store.writes,
        "flagged for people": reckoning.flagged.total(),
    }
    return ", ".join(f"{count:,} {what}" for what, count in figures.items()) + f"; {seconds:.0f} s"
