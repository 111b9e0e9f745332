"""The App Store keeps what the host relies on."""

from shoutgraph.testkit.suites import RedeemConformance
from shoutgraph.testkit.upstreams import Stage, Upstream
from shoutgraph_appstore.offers import TOPUP
from shoutgraph_appstore.simulator.upstream import AppStoreUpstream


class TestReceipts(RedeemConformance):
    plugin = TOPUP
    distribution = "shoutgraph-appstore"

    def upstream(self, stage: Stage) -> Upstream:
        return AppStoreUpstream(stage)
