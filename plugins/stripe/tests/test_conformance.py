"""Stripe keeps what the host relies on."""

from shoutgraph.testkit.suites import PayoutConformance, TopUpConformance
from shoutgraph.testkit.upstreams import Stage, Upstream
from shoutgraph_stripe.offers import PAYOUT, TOPUP
from shoutgraph_stripe.simulator.upstream import StripeUpstream


class TestTopUps(TopUpConformance):
    plugin = TOPUP
    distribution = "shoutgraph-stripe"

    def upstream(self, stage: Stage) -> Upstream:
        return StripeUpstream(stage)


class TestPayouts(PayoutConformance):
    plugin = PAYOUT
    distribution = "shoutgraph-stripe"

    def upstream(self, stage: Stage) -> Upstream:
        return StripeUpstream(stage)
