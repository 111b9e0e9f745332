"""Plugins that do everything right fail nothing, and only what they do not declare is left out."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.testkit import acme, blocking, good
from tests.testkit.subjects import Subject, checked, failed

from shoutgraph.sdk import Money, Refunds, TopUpCaps, Webhooks
from shoutgraph.testkit import running
from shoutgraph.testkit.upstreams import Act, NotSupported
from shoutgraph.testkit.verdicts import Status

BARE = TopUpCaps(currencies=good.CURRENCIES)
FULL = replace(good.TOPUP_CAPS, refunds=Refunds.FULL, disputes=False, countries=None)

RIGHT = {
    "topup": (Subject(good.topup()), "C01 W05"),
    "topup over the host's own HTTP": (Subject(good.topup(good.LentHttp)), "C01 W05"),
    "topup with hints": (
        Subject(good.topup(good.Hints, caps=replace(good.TOPUP_CAPS, webhooks=Webhooks.HINT))),
        "C01 W01 W02 W03 W04",
    ),
    "topup with signed hints of refunds": (Subject(good.topup(good.HintsOfRefunds)), "C01 W05"),
    "topup that declares nothing": (
        Subject(good.topup(caps=BARE)),
        "C01 M01 M02 M03 M06 R01 W01 W02 W03 W04 W05 W06 W07 W08",
    ),
    "topup with full refunds": (Subject(good.topup(caps=FULL)), "C01 W05"),
    "topup that blocks": (Subject(blocking.threaded()), "C01 W05"),
    "redeem": (Subject(good.topup(good.Redeems, caps=good.REDEEM_CAPS), acme.StoreUpstream), "C01 W05"),
    "payout": (Subject(good.payout()), "C01 P06 P07 W05"),
    "payout by file": (
        Subject(good.payout(good.BankPayouts, caps=good.BANK_CAPS), acme.BankUpstream),
        "C01 C05 C08 L01 M01 M02 M03 M04 M05 M06 M07 P08 P09 W01 W02 W03 W04 W05 W06 W07 W08",
    ),
}
"""Plugins, and what does not apply to them."""


class NeverSaysLost(acme.AcmeUpstream):
    async def act(self, verb: Act, ref: str, amount: Money | None = None) -> None:
        if verb is Act.LOSE:
            raise NotSupported("a dispute is won, or goes on")
        await super().act(verb, ref, amount)


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_plugin_fails_nothing(name: str, tmp_path: Path) -> None:
    subject, left_out = RIGHT[name]
    verdicts = running.run_all(subject, tmp_path)
    assert failed(verdicts) == {}
    skipped = [each for each, verdict in verdicts.items() if verdict.status is Status.SKIPPED]
    assert " ".join(skipped) == left_out


def test_an_end_of_disputes_that_the_provider_does_not_know_leaves_out_that_end_only(tmp_path: Path) -> None:
    verdict = checked(Subject(good.topup(), NeverSaysLost), tmp_path, "R02")["R02"]
    assert (verdict.status, list(verdict.notes)) == (Status.PASSED, ["a dispute is won, or goes on"])
