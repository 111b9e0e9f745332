"""Mollie keeps what the host relies on."""

from shoutgraph.testkit.suites import TopUpConformance
from shoutgraph.testkit.upstreams import Stage, Upstream
from shoutgraph_mollie.offers import TOPUP
from shoutgraph_mollie.simulator.upstream import MollieUpstream


class TestTopUps(TopUpConformance):
    plugin = TOPUP
    distribution = "shoutgraph-mollie"

    def upstream(self, stage: Stage) -> Upstream:
        return MollieUpstream(stage)
