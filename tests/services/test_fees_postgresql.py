"""Fees from several processes at once: each coin of them becomes revenue once."""

import pytest
from tests.services.processes import Processes
from tests.services.racing import seller, someone

from shoutgraph.domain import accounts, ids, ledger, postings
from shoutgraph.services.money import fees
from shoutgraph.storage import ledger as rows
from shoutgraph.storage.tx import Tx

pytestmark = pytest.mark.postgresql_only
GIFTS = 40
FEE = 3


def test_fees_are_swept_once_however_many_processes_sweep(processes: Processes) -> None:
    world, fan, (_, creator, _) = processes.world, someone(processes, 10 * GIFTS), seller(processes)
    assert fan.user_id is not None
    user_id = fan.user_id

    def give(tx: Tx) -> None:
        for _ in range(GIFTS):
            taken = ledger.take(rows.list_of_spendable_lots(tx, accounts.paid(user_id).code), 10)
            ref, to = world.tools.new_id(ids.GIFT), creator.id
            sent = postings.gift_sent(ref=ref, user_id=user_id, creator_id=to, fee_coins=FEE, taken=taken)
            rows.post(tx, sent)

    world.write(give)
    results = [coins for _ in range(3) for coins in processes.everywhere(fees.sweep)]
    assert sum(results) == GIFTS * FEE
    assert world.balance("rev:fees:EUR") == GIFTS * FEE * 100
    assert sum(world.balance(accounts.fee_stripe(number).code) for number in range(ledger.FEE_STRIPES)) == 0
