# ruff: noqa: ARG002 -- protocols name their arguments
"""What pretended providers in memory have in common: nothing that can be refunded, cancelled, read or proven."""

from collections.abc import Sequence

from pydantic import BaseModel

from shoutgraph import sdk


class Nothing(BaseModel):
    """No configuration."""


class _Bare:
    async def aclose(self) -> None:
        """Holds nothing."""

    def receive(self, raw: sdk.RawWebhook) -> sdk.Delivery:
        raise sdk.BadSignature("it signs nothing")


class BareTopUps(_Bare):
    """Takes money, and never gives it back."""

    async def refund(self, request: sdk.RefundRequest) -> sdk.TopUpOutcome:
        return sdk.NotExecuted("unsupported")

    async def cancel(self, target: sdk.Target, call: sdk.Call) -> sdk.TopUpOutcome:
        return sdk.Unknown("unsupported")


class BarePayouts(_Bare):
    """Sends money, and never stops it."""

    async def cancel(self, target: sdk.Target, call: sdk.Call) -> sdk.ItemOutcome:
        return sdk.Unknown("unsupported")

    def ingest(self, document: sdk.Artifact) -> Sequence[sdk.Notice]:
        raise sdk.MalformedNotice
