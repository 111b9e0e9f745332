"""A creator who is paid out, and finance, in a world of several processes."""

from datetime import timedelta

from tests.services.bank import PAYOUTS
from tests.services.processes import Call, Processes
from tests.services.racing import seller
from tests.services.world import BOOKS, new_id

from shoutgraph.domain import accounts, ids, ledger, postings
from shoutgraph.domain.creators import Creator, Offer
from shoutgraph.domain.earnings import Balances, Earning, EarningKind
from shoutgraph.domain.payouts import Payout
from shoutgraph.domain.recipients import Recipient
from shoutgraph.domain.users import Viewer
from shoutgraph.jobs import earnings as earning_jobs
from shoutgraph.services import earnings as earning_services
from shoutgraph.services.payouts import decide, onboard, request as payout_requests
from shoutgraph.services.payouts.request import NewRecipient, Wish
from shoutgraph.storage import earnings, ledger as books, payouts, wallets
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done


class Office:
    """A creator with a recipient, and finance."""

    def __init__(self, processes: Processes, of: tuple[Viewer, Creator, Offer] | None = None) -> None:
        self.processes = processes
        self.viewer, self.creator, _ = of or seller(processes)
        self.finance = processes.world.staff("finance")
        self.recipient = processes.run(self.adding()).value

    def adding(self) -> Call[Done[Recipient]]:
        wish = NewRecipient(PAYOUTS, "My bank", new_id("iban"))
        asked = self.processes.world.request("payoutRecipientCreate", self.viewer, ref=wish.ref)
        return lambda tools: payout_requests.add_recipient(tools, self.viewer, asked, wish)

    def removing(self) -> Call[Done[Recipient]]:
        asked = self.processes.world.request("payoutRecipientRemove", self.viewer, of=self.recipient.id)
        return lambda tools: onboard.remove(tools, self.viewer, asked, self.recipient.id)

    def owe(self, coins: int) -> None:
        """A debt, as if what a creator spent had gone back."""
        owner, made = self.viewer.user_id, accounts.money_account("exp:chargeback", "EUR")
        assert owner is not None, "a creator is a person"
        moves = (
            ledger.Posting(accounts.debt(owner), accounts.MINT, coins, "owed"),
            ledger.Posting(accounts.receivable("EUR"), made, coins * BOOKS.par_units, "owed"),
        )
        self.processes.world.write(lambda tx: books.post(tx, ledger.Transfer("test.owed", new_id("owed"), moves)))

    def earn(self, *amounts: int, days: int = 0) -> None:
        """Earnings as the order room makes them; those without a hold are made available."""

        def work(tx: Tx) -> None:
            for coins in amounts:
                order_id = ids.OrderId(new_id(ids.ORDER))
                posting = postings.creator_compensated(
                    BOOKS, order_id=order_id, creator_id=self.creator.id, coins=coins
                )
                books.post(tx, posting)
                matures_at = tx.now + timedelta(days=days)
                earning = Earning(
                    new_id(ids.EARNING),
                    self.creator.id,
                    EarningKind.COMPENSATION,
                    order_id,
                    coins,
                    0,
                    tx.now,
                    matures_at,
                )
                earnings.insert(tx, earning)

        self.processes.world.write(work)
        if not days:
            self.processes.run(earning_jobs.tick)

    def asking(self, coins: int, *, key: str | None = None) -> Call[Done[Payout]]:
        asked = self.processes.world.request("payoutRequest", self.viewer, key, coins=coins)
        wish = Wish(coins, self.recipient.id)
        return lambda tools: payout_requests.request(tools, self.viewer, asked, wish)

    def approving(self, payout: Payout) -> Call[Done[Payout]]:
        asked = self.processes.world.request("payoutApprove", self.finance)
        return lambda tools: decide.approve(tools, self.finance, asked, payout.id)

    def denying(self, payout: Payout) -> Call[Done[Payout]]:
        asked = self.processes.world.request("payoutDeny", self.finance)
        return lambda tools: decide.deny(tools, self.finance, asked, payout.id, note="No")

    def cancelling(self, payout: Payout) -> Call[Done[Payout]]:
        asked = self.processes.world.request("payoutCancel", self.viewer)
        return lambda tools: decide.cancel(tools, self.viewer, asked, payout.id)

    def approved(self, coins: int) -> Payout:
        payout = self.processes.run(self.asking(coins)).value
        return self.processes.run(self.approving(payout)).value

    def now(self, payout: Payout) -> Payout:
        return self.processes.world.read(lambda tx: payouts.get(tx, payout.id))

    @property
    def balances(self) -> Balances:
        return self.processes.run(lambda tools: earning_services.summary(tools, self.viewer)).balances

    @property
    def owed(self) -> int:
        owner = self.viewer.user_id
        assert owner is not None, "a creator is a person"
        return self.processes.world.read(lambda tx: wallets.balances(tx, owner)).debt_coins

    def check_parts(self) -> None:
        """What its earnings say is what its accounts say."""
        rows = self.processes.world.read(lambda tx: earnings.list_of_free(tx, self.creator.id))
        assert sum(earning.remaining_coins for earning in rows) == self.balances.available_coins
