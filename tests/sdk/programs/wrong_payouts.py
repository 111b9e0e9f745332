# ruff: noqa: ARG002, I001 -- wrong on purpose
"""Plugins that send money, and hooks, with one thing wrong each. `error:` names what mypy says of the line."""

from collections.abc import Sequence

from right import SENDS, Config, Pays, Sends, hosts
from shoutgraph import sdk


class OneOutcome(Sends):
    async def submit(self, batch: sdk.PayoutBatch) -> sdk.BatchOutcome:
        return sdk.Unknown("closed")  # error: return-value


class SaysAbsent(Sends):
    async def submit(self, batch: sdk.PayoutBatch) -> sdk.BatchOutcome:
        return sdk.BatchOutcome({each.item_id: sdk.Absent() for each in batch.items})  # error: misc


class LooksAtOne(Sends):
    async def fetch(self, target: sdk.Target, call: sdk.Call) -> sdk.ItemObservation:  # error: override
        return sdk.Absent()


class WaitsForFiles(Sends):
    async def ingest(self, document: sdk.Artifact) -> Sequence[sdk.Notice]:  # error: override
        raise sdk.MalformedNotice


class AsksTheProvider(Sends):
    async def requirements(self, country: str, currency: str) -> Sequence[sdk.Requirement]:  # error: override
        return ()


class SaysPaid(Sends):
    async def onboard(self, request: sdk.OnboardRequest) -> sdk.RecipientOutcome:
        return sdk.Pending("acct_1", request.call.timeout)  # error: return-value


class Promises:
    """It neither onboards nor quotes."""


def taking(config: Config, host: sdk.Host) -> Pays:
    return Pays(config, host)


PLUGIN = sdk.PayoutPlugin("wrong", "Takes money", SENDS, Config, taking, hosts)  # error: arg-type
ONBOARDS: sdk.Onboards = Promises()  # error: assignment
QUOTES: sdk.Quotes = Promises()  # error: assignment
BLOCKS: sdk.BlockingQuotes = Sends()  # error: assignment


class Hooks(sdk.HookSpecs):
    def shoutgraph_review(self, kind: str, request: object) -> str:  # error: override
        return f"allow {kind} {request}"

    def shoutgraph_screen(self, subject: sdk.OrderVideo) -> sdk.Verdict:  # error: override
        return sdk.Verdict.DENY
