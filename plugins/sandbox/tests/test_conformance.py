"""The sandbox keeps what the host relies on."""

from shoutgraph.testkit.suites import PayoutConformance, TopUpConformance
from shoutgraph.testkit.upstreams import Stage, Upstream
from shoutgraph_sandbox.payouts import PAYOUT
from shoutgraph_sandbox.simulator.upstream import SandboxUpstream
from shoutgraph_sandbox.topups import TOPUP


class TestTopUps(TopUpConformance):
    plugin = TOPUP
    distribution = "shoutgraph-sandbox"

    def upstream(self, stage: Stage) -> Upstream:
        return SandboxUpstream(stage)


class TestPayouts(PayoutConformance):
    plugin = PAYOUT
    distribution = "shoutgraph-sandbox"

    def upstream(self, stage: Stage) -> Upstream:
        return SandboxUpstream(stage)
