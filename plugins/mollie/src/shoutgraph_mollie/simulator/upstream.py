"""The simulated Mollie in the hands of the conformance kit."""

from collections.abc import Mapping, Sequence
from typing import Final

from pydantic import SecretStr

from shoutgraph.sdk import Money, RawWebhook
from shoutgraph.testkit.upstreams import Act, NotSupported, Seen, SimulatedUpstream, Stage
from shoutgraph_mollie.simulator.app import SimulatedMollie
from shoutgraph_mollie.simulator.books import Books, Payment

API_KEY: Final = SecretStr("test_theKeyOfTheSimulatedMollie12345678")
OTHER_MODE: Final = SecretStr("live_theKeyOfTheSimulatedMollie12345678")

_STATUSES: Final[Mapping[Act, str]] = {
    Act.PAY: "paid",
    Act.PAY_LATE: "paid",
    Act.PROCESS: "pending",
    Act.DECLINE: "failed",
    Act.EXPIRE: "expired",
}


class MollieUpstream(SimulatedUpstream):
    """The simulated Mollie, of which nothing happens by itself."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.books = Books(stage.clock)
        self.app = SimulatedMollie(stage.base_url, API_KEY.get_secret_value(), self.books)

    def config(self, base_url: str) -> Mapping[str, object]:
        """A configuration in test mode."""
        return {"mode": "test", "api_key": API_KEY, "base_url": base_url}

    def wrong_configs(self, base_url: str) -> Mapping[str, Mapping[str, object]]:
        """Configurations with one mistake each."""
        good = self.config(base_url)
        return {
            "base_url": {**good, "base_url": "not a url"},
            "api_key": {**good, "api_key": SecretStr("no key of Mollie's at all")},
            "api_key#mode": {**good, "api_key": OTHER_MODE},
            "mode": {**good, "mode": "dry"},
            "colour": {**good, "colour": "red"},
        }

    async def objects(self) -> Sequence[Seen]:
        """Every payment."""
        return [Seen(each.id, each.asked["metadata"]["operation_id"], each.amount) for each in self._payments()]

    async def act(self, verb: Act, ref: str, amount: Money | None = None) -> None:
        """Does it."""
        if verb is Act.TELL_STRANGE:
            self.books.told.append(self.books.new_id("ord"))
            return
        payment = self._named(ref)
        if verb in _STATUSES:
            self.books.turn(payment, _STATUSES[verb])
        elif verb in {Act.PAY_OTHER_AMOUNT, Act.PAY_OTHER_CURRENCY} and amount is not None:
            payment.amount = amount
            self.books.turn(payment, "paid")
        else:
            self._give_back(verb, payment, amount)

    async def deliveries(self) -> Sequence[RawWebhook]:
        """Takes what is to be told: the id of what has changed, and nothing else."""
        told = self.books.told[:]
        self.books.told.clear()
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return [RawWebhook(f"id={each}".encode(), headers, "", self._stage.clock(), "127.0.0.1") for each in told]

    def _give_back(self, verb: Act, payment: Payment, amount: Money | None) -> None:
        match verb:
            case Act.REFUND if amount is not None:
                self.books.refund(payment, amount)
            case Act.HOLD_REFUND:
                payment.holds_next_refund = True
            case Act.FAIL_REFUND:
                payment.refunds[-1].status = "failed"
                self.books.told.append(payment.id)
            case Act.DISPUTE:
                self.books.charge_back(payment)
            case Act.WIN:
                payment.chargebacks[-1].reversed_at = self._stage.clock()
                self.books.told.append(payment.id)
            case Act.LOSE:
                raise NotSupported("Mollie reverses a chargeback, and never says that one stays")
            case _:
                raise NotSupported(f"Mollie knows no {verb}")

    def _named(self, ref: str) -> Payment:
        for each in self._payments():
            if ref in {each.id, each.asked["metadata"]["operation_id"]}:
                return each
        raise NotSupported(f"there is no payment {ref!r}")

    def _payments(self) -> list[Payment]:
        return list(self.books.payments.values())
