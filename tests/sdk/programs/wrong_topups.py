# ruff: noqa: ARG002, I001, RET503 -- wrong on purpose
"""Plugins that take money, with one thing wrong each. `error:` names what mypy says of the line."""

from collections.abc import Sequence
from typing import TypeAlias

from pydantic import BaseModel, SecretStr

from right import CAPS, Blocks, Config, Pays, Redeems, Sends, hosts
from shoutgraph import sdk

Plugin: TypeAlias = sdk.TopUpPlugin[Config]


class NotAsync(Redeems):
    def redeem(self, request: sdk.Redemption) -> sdk.TopUpOutcome:  # error: override
        return sdk.Unknown("closed")


class Forgets:
    """It has no `cancel`."""

    async def create(self, request: sdk.TopUpRequest) -> sdk.TopUpOutcome:
        return sdk.Unknown("closed")

    async def fetch(self, target: sdk.Target, call: sdk.Call) -> sdk.Observation:
        return sdk.Absent()

    async def refund(self, request: sdk.RefundRequest) -> sdk.TopUpOutcome:
        return sdk.Unknown("closed")

    def receive(self, raw: sdk.RawWebhook) -> sdk.Delivery:
        raise sdk.BadSignature

    async def aclose(self) -> None:
        return None


class SaysAbsent(Pays):
    async def create(self, request: sdk.TopUpRequest) -> sdk.TopUpOutcome:
        return sdk.Absent()  # error: return-value


class SaysFailed(Pays):
    async def create(self, request: sdk.TopUpRequest) -> sdk.TopUpOutcome:
        return sdk.Failed("ref")  # error: attr-defined, no-any-return


class SaysNothing(Pays):
    async def create(self, request: sdk.TopUpRequest) -> sdk.TopUpOutcome:  # error: return
        if request.amount.minor:
            return sdk.Unknown("closed")


class SaysTrue(Pays):
    async def create(self, request: sdk.TopUpRequest) -> sdk.TopUpOutcome:
        return True  # error: return-value


class PaysOut(Pays):
    async def create(self, request: sdk.TopUpRequest) -> sdk.TopUpOutcome:
        return sdk.Rejected("ref", "closed")  # error: return-value


class CountsInFloats(Pays):
    async def create(self, request: sdk.TopUpRequest) -> sdk.TopUpOutcome:
        money = sdk.Money(4.99, "EUR")  # error: arg-type
        return sdk.Settled("ref", sdk.Totals.of(money), self.host.now())


class Guesses(Pays):
    def receive(self, raw: sdk.RawWebhook) -> sdk.Delivery:
        return sdk.Delivery(None, ())  # error: arg-type


class TakesBytes(Pays):
    def receive(self, raw: bytes) -> sdk.Delivery:  # error: override
        raise sdk.BadSignature


class TakesMore(Pays):
    async def refund(self, request: sdk.RefundRequest, why: str) -> sdk.TopUpOutcome:  # error: override
        return sdk.Unknown(why)


class OtherConfig(BaseModel):
    secret: SecretStr


def other(_config: OtherConfig, _host: sdk.Host) -> Redeems:
    return Redeems()


def forgetting(_config: Config, _host: sdk.Host) -> Forgets:
    return Forgets()


def sending(_config: Config, _host: sdk.Host) -> Sends:
    return Sends()


def half(_config: Config, _host: sdk.Host) -> Pays | Blocks | Forgets:
    return Blocks()


def alone(config: Config) -> Pays:
    return Pays(config, None)  # error: arg-type


OFFERS: Sequence[Plugin] = (
    sdk.TopUpPlugin("wrong", "Missing", CAPS, Config, forgetting, hosts),  # error: arg-type
    sdk.TopUpPlugin("wrong", "Another kind", CAPS, Config, sending, hosts),  # error: arg-type
    sdk.TopUpPlugin("wrong", "One of several", CAPS, Config, half, hosts),  # error: arg-type
    sdk.TopUpPlugin("wrong", "Another config", CAPS, Config, other, hosts),  # error: arg-type
    sdk.TopUpPlugin("wrong", "No host", CAPS, Config, alone, hosts),  # error: arg-type
    sdk.TopUpPlugin("wrong", "No hosts", CAPS, Config, Pays, "api.example"),  # error: arg-type
    sdk.TopUpPlugin("wrong", "No model", CAPS, dict, Pays, hosts),  # error: arg-type
    sdk.TopUpPlugin("wrong", "No caps", {"currencies": ["EUR"]}, Config, Pays, hosts),  # error: arg-type
)
NO_CURRENCY = sdk.TopUpCaps()  # error: call-arg
STARS = sdk.TopUpCaps(currencies=frozenset({"EUR"}), webhooks="signed")  # error: arg-type
