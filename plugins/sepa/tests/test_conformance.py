"""SEPA keeps what the host relies on."""

from shoutgraph.testkit.suites import PayoutConformance
from shoutgraph.testkit.upstreams import Stage, Upstream
from shoutgraph_sepa.payouts import PAYOUT
from shoutgraph_sepa.simulator.upstream import SepaUpstream


class TestPayouts(PayoutConformance):
    plugin = PAYOUT
    distribution = "shoutgraph-sepa"

    def upstream(self, stage: Stage) -> Upstream:
        return SepaUpstream(stage)
