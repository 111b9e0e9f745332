"""The pretended bank in the hands of the conformance kit."""

from collections.abc import Mapping, Sequence
from typing import Final

from shoutgraph.sdk import Artifact, Money
from shoutgraph.testkit.upstreams import Act, NotSupported, Recipient, Seen, SimulatedUpstream, Stage
from shoutgraph_sepa import identifiers
from shoutgraph_sepa.simulator.bank import CLOSED_IBAN, OWN_IBAN, Bank

_RECIPIENTS: Final[Mapping[Recipient, str]] = {
    Recipient.GOOD: "DE89370400440532013000||Jürgen Weiß",
    Recipient.OTHER: "FR1420041010050500013M02606||Zoé Łęcka",
    Recipient.BAD: f"{CLOSED_IBAN}||Initech Services N.V.",
}


class SepaUpstream(SimulatedUpstream):
    """The bank, of which nothing happens by itself. Nobody can be asked: everything goes by file."""

    def __init__(self, stage: Stage) -> None:
        self.bank = Bank(stage.clock)

    def config(self, base_url: str) -> Mapping[str, object]:
        """The account; there is no address, and nothing secret."""
        del base_url
        return {"name": "Shout & Co. GmbH", "iban": OWN_IBAN}

    def wrong_configs(self, base_url: str) -> Mapping[str, Mapping[str, object]]:
        """Configurations with one mistake each."""
        good = self.config(base_url)
        return {
            "iban": {**good, "iban": "NL42MOCK0000000001"},
            "iban#far": {**good, "iban": "BR1800360305000010009795493C1"},
            "bic": {**good, "bic": "NOBANK"},
            "name": {**good, "name": "||"},
            "lead_days": {**good, "lead_days": -1},
            "colour": {**good, "colour": "red"},
        }

    async def objects(self) -> Sequence[Seen]:
        """Every payment that the bank has read in a file."""
        payments = self.bank.payments.values()
        return [Seen(each.reference, identifiers.from_bank(each.reference), each.amount) for each in payments]

    async def act(self, verb: Act, ref: str, amount: Money | None = None) -> None:
        """Does it at the bank."""
        reference = ref if ref in self.bank.payments else identifiers.to_bank(ref) or ref
        match verb:
            case Act.PAY:
                self.bank.pay(reference)
            case Act.PAY_OTHER_AMOUNT | Act.PAY_OTHER_CURRENCY:
                self.bank.pay(reference, amount)
            case Act.REJECT:
                self.bank.reject(reference)
            case Act.RETURN:
                self.bank.give_back(reference)
            case Act.STATE_FOREIGN:
                self.bank.mix_strangers_in()
            case Act.SILENCE:
                self.bank.papers()  # what it wrote is lost, and it writes no more by itself
            case _:
                raise NotSupported(f"a bank knows no {verb}")

    async def recipient(self, kind: Recipient) -> str:
        """An account; every account that exists is ready."""
        if kind not in _RECIPIENTS:
            raise NotSupported(f"there is no account that is {kind}: an IBAN can be paid or is wrong")
        return _RECIPIENTS[kind]

    def answers(self) -> Mapping[str, str]:
        """An account, as somebody types it."""
        return {"name": "Jürgen Weiß", "iban": "de89 3704 0044 0532 0130 00"}

    async def upload(self, document: Artifact) -> None:
        """Hands a file over."""
        self.bank.take(document.body)

    async def documents(self) -> Sequence[Artifact]:
        """Takes the bank's papers."""
        return self.bank.papers()
