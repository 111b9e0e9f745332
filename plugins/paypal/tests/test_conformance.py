"""PayPal keeps what the host relies on."""

from shoutgraph.testkit.suites import PayoutConformance, TopUpConformance
from shoutgraph.testkit.upstreams import Stage, Upstream
from shoutgraph_paypal.offers import PAYOUT, TOPUP
from shoutgraph_paypal.simulator.upstream import PayPalUpstream


class TestTopUps(TopUpConformance):
    plugin = TOPUP
    distribution = "shoutgraph-paypal"

    def upstream(self, stage: Stage) -> Upstream:
        return PayPalUpstream(stage)


class TestPayouts(PayoutConformance):
    plugin = PAYOUT
    distribution = "shoutgraph-paypal"

    def upstream(self, stage: Stage) -> Upstream:
        return PayPalUpstream(stage)
