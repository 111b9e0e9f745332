"""Each call of money once, with one fault in it: what it leaves at once, and what it must end in."""

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any

from tests.services.kiosk import INSTANCE as KIOSK, PHONES, PRODUCT
from tests.services.line import Line
from tests.services.world import BOOKS, new_id

from shoutgraph.domain import errors, ids, postings
from shoutgraph.domain.earnings import Earning, EarningKind
from shoutgraph.domain.packages import Platform
from shoutgraph.domain.pages import PageArgs
from shoutgraph.domain.payouts import Payout, PayoutState
from shoutgraph.domain.topups.refund import RefundState
from shoutgraph.domain.topups.topup import Status, Submission, Topup, TopupFilter
from shoutgraph.jobs import earnings as earning_jobs
from shoutgraph.services.orders import timers
from shoutgraph.services.payouts import decide, request as payout_requests
from shoutgraph.services.payouts.request import NewRecipient
from shoutgraph.services.topups import cancel, create, redeem, refund
from shoutgraph.storage import earnings, ledger as books, packages, payouts, refunds, topups
from shoutgraph.storage.tx import Tx
from shoutgraph.testkit.upstreams import Act

COINS = 1_000
REVERSE = timers.reverse_orders


class Case(ABC):
    """One call. `doubted` is whether nobody knows now what became of it; `failed` whether we said that it failed."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.world = line.world
        self.fan = line.world.person("ada")

    def prepare(self) -> None:  # noqa: B027 - many need nothing
        """What comes before the call."""

    @abstractmethod
    def call(self) -> None:
        """The call that meets the fault."""

    @property
    @abstractmethod
    def doubted(self) -> bool:
        """Whether it is unknown what became of it."""

    @property
    def failed(self) -> bool:
        """Whether we say that nothing happened."""
        return False

    @abstractmethod
    def end(self) -> None:
        """Lets it come to its end, and checks that it is the true one."""

    def buy(self) -> Topup:
        """Asks for coins."""
        wish = create.Wish(None, COINS, "EUR", Platform.WEB, "sandbox", "https://fan.example/back")
        asked = self.world.request("topUpCreate", self.fan)
        try:
            work = create.create(self.world.tools, self.fan, asked, wish, reverse_orders=REVERSE)
            self.world.run(work)
        except errors.ProviderUnavailableError:
            pass
        return self.newest()

    def newest(self) -> Topup:
        """The fan's newest top-up."""
        only, args = TopupFilter(user_id=self.fan.user_id), PageArgs(1, None, backward=False)
        return self.world.read(lambda tx: topups.list_of_page(tx, args, only)[0])

    def topup(self, topup: Topup) -> Topup:
        """The top-up as it is now."""
        return self.world.read(lambda tx: topups.get(tx, topup.id))

    def paid(self) -> Topup:
        """A top-up that is paid."""
        topup = self.buy()
        self.line.act(Act.PAY, topup.id)
        self.line.deliver(*self.line.deliveries())
        after = self.topup(topup)
        assert after.status is Status.PAID, after
        return after

    def objects(self, topup: Topup) -> list[dict[str, Any]]:
        """What the provider has of a top-up."""
        return [each for each in self.line.seen("payments") if each["operation_id"] == topup.id]


class Create(Case):
    """A fan asks for coins."""

    def call(self) -> None:
        self.made = self.buy()

    @property
    def doubted(self) -> bool:
        return self.topup(self.made).status is Status.PROCESSING

    @property
    def failed(self) -> bool:
        return self.topup(self.made).status is Status.FAILED

    def end(self) -> None:
        self.line.pass_days()
        there, after = self.objects(self.made), self.topup(self.made)
        assert len(there) <= 1, "one key makes one payment"
        if not there:
            assert after.submission is Submission.NOT_EXECUTED, after
            return
        assert (after.submission, after.ref) == (Submission.KNOWN, there[0]["id"])
        self.line.act(Act.PAY_LATE, self.made.id)
        self.line.pass_days()
        assert self.topup(self.made).status is Status.PAID


class Fetch(Case):
    """A look at a payment that was paid, and that no webhook told of."""

    def prepare(self) -> None:
        self.line.tick()  # the sweep had its turn
        self.made = self.buy()
        self.line.act(Act.PAY, self.made.id)
        self.line.deliveries()

    def call(self) -> None:
        self.world.write(lambda tx: topups.look_soon(tx, self.made.id))
        self.line.tick()

    @property
    def doubted(self) -> bool:
        return self.topup(self.made).status is Status.ACTION_REQUIRED

    def end(self) -> None:
        self.line.pass_days()
        after = self.topup(self.made)
        assert (after.status, after.booked.credited) == (Status.PAID, True)


class Refund(Case):
    """Finance gives money back."""

    def prepare(self) -> None:
        self.made = self.paid()

    def call(self) -> None:
        finance = self.world.staff("finance")
        asked = self.world.request("refundCreate", finance)
        wish = refund.Wish(self.made.id, "regret", 400)
        done = self.world.run(refund.refund(self.world.tools, finance, asked, wish, reverse_orders=REVERSE))
        self.refund_id = done.value.id

    @property
    def state(self) -> RefundState:
        return self.world.read(lambda tx: refunds.get(tx, self.refund_id).state)

    @property
    def doubted(self) -> bool:
        return self.state is RefundState.UNKNOWN

    @property
    def failed(self) -> bool:
        return self.state is RefundState.FAILED

    def end(self) -> None:
        self.line.pass_days()
        (there,) = self.objects(self.made)
        after = self.topup(self.made)
        assert there["refunded"] in {0, 400}, "one key gives back once"
        assert after.totals.refunded_minor == after.booked.refunded_minor == there["refunded"]
        assert self.state is (RefundState.SUCCEEDED if there["refunded"] else RefundState.FAILED)


class Cancel(Case):
    """A fan gives up."""

    def prepare(self) -> None:
        self.made = self.buy()

    def call(self) -> None:
        asked = self.world.request("topUpCancel", self.fan)
        try:
            work = cancel.cancel(self.world.tools, self.fan, asked, self.made.id, reverse_orders=REVERSE)
            self.world.run(work)
        except errors.ProviderUnavailableError:
            pass

    @property
    def doubted(self) -> bool:
        return self.topup(self.made).status is Status.ACTION_REQUIRED

    def end(self) -> None:
        self.line.deliveries()
        self.line.pass_days()
        (there,) = self.objects(self.made)
        after = self.topup(self.made)
        assert (after.status is Status.FAILED) is (there["status"] == "cancelled" or after.expired), (after, there)
        assert not after.booked.credited


class Submit(Case):
    """Finance lets a payout go."""

    def prepare(self) -> None:
        if "nova" not in self.world.people:
            viewer, creator, _ = self.world.creator("nova")
            asked = self.world.request("payoutRecipientCreate", viewer)
            add = payout_requests.add_recipient(
                self.world.tools, viewer, asked, NewRecipient("sandbox-payouts", "Bank", "DE00")
            )
            self.line.payee = (viewer, creator, self.world.run(add).value)
        assert self.line.payee is not None
        self.viewer, creator, recipient = self.line.payee
        self.world.write(lambda tx: self._earn(tx, creator.id))
        self.world.run(earning_jobs.tick(self.world.tools))
        asked = self.world.request("payoutRequest", self.viewer)
        wish = payout_requests.Wish(COINS, recipient.id)
        self.made = self.world.run(payout_requests.request(self.world.tools, self.viewer, asked, wish)).value
        finance = self.world.staff("finance")
        asked = self.world.request("payoutApprove", finance)
        self.world.run(decide.approve(self.world.tools, finance, asked, self.made.id))

    def call(self) -> None:
        self.line.tick()

    @property
    def now(self) -> Payout:
        return self.world.read(lambda tx: payouts.get(tx, self.made.id))

    @property
    def doubted(self) -> bool:
        return self.now.state is PayoutState.UNKNOWN

    @property
    def failed(self) -> bool:
        return self.now.state in {PayoutState.NOT_EXECUTED, PayoutState.REJECTED}

    def end(self) -> None:
        self.line.pass_days()
        there = self.items()
        assert len(there) <= 1, "it is sent once at most"
        if not there:
            assert self.now.state is PayoutState.NOT_EXECUTED, self.now
        elif there[0]["status"] == "processing":
            self.line.act(Act.PAY, there[0]["id"])
        self.line.deliveries()
        self.line.pass_days()
        assert (self.now.state is PayoutState.PAID) is bool(there), self.now

    def items(self) -> list[dict[str, Any]]:
        """What the provider has of the payout."""
        return [each for each in self.line.seen("payouts") if each["item_id"] == self.made.key]

    def _earn(self, tx: Tx, creator_id: ids.CreatorId) -> None:
        order_id = ids.OrderId(new_id(ids.ORDER))
        books.post(tx, postings.creator_compensated(BOOKS, order_id=order_id, creator_id=creator_id, coins=COINS))
        kind = EarningKind.COMPENSATION
        earnings.insert(tx, Earning(new_id(ids.EARNING), creator_id, kind, order_id, COINS, 0, tx.now, tx.now))


class PayoutFetch(Submit):
    """A look at a payout that was paid, and that no webhook told of."""

    def prepare(self) -> None:
        super().prepare()
        self.line.tick()
        self.line.act(Act.PAY, self.items()[0]["id"])
        self.line.deliveries()

    def call(self) -> None:
        self.world.write(lambda tx: payouts.look_soon(tx, self.made.id))
        self.line.tick()

    @property
    def doubted(self) -> bool:
        return self.now.state is PayoutState.SUBMITTED


class Redeem(Case):
    """A phone's receipt is presented."""

    def call(self) -> None:
        self.receipt = self.line.kiosk.sell()
        package = self.world.read(self._package)
        asked = self.world.request("topUpRedeem", self.fan)
        claim = redeem.Claim(KIOSK, package, self.receipt)
        try:
            self.world.run(redeem.redeem(self.world.tools, self.fan, asked, claim, reverse_orders=REVERSE))
        except errors.ProviderUnavailableError:
            self.again = replace(claim)
        self.made = self.newest()

    @property
    def doubted(self) -> bool:
        return self.topup(self.made).status is Status.PROCESSING

    @property
    def failed(self) -> bool:
        return self.topup(self.made).status is Status.FAILED

    def end(self) -> None:
        if hasattr(self, "again"):  # the device presents it once more
            asked = self.world.request("topUpRedeem", self.fan)
            self.world.run(redeem.redeem(self.world.tools, self.fan, asked, self.again, reverse_orders=REVERSE))
            self.made = self.newest()
        self.line.pass_days()
        after = self.topup(self.made)
        assert (after.status, after.ref) == (Status.PAID, self.line.kiosk.sold[self.receipt]["id"])

    def _package(self, tx: Tx) -> str:
        return next(each.id for each in packages.list_of_market(tx, PHONES) if each.product == PRODUCT)


CASES: dict[str, type[Case]] = {
    "create": Create,
    "redeem": Redeem,
    "refund": Refund,
    "cancel": Cancel,
    "fetch": Fetch,
    "payout submit": Submit,
    "payout fetch": PayoutFetch,
}
