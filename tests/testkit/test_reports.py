"""The suites under pytest, and what they leave behind: a report for programs and one for people."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.testkit import good

from shoutgraph.testkit import reports
from shoutgraph.testkit.suites import Conformance, record_of
from shoutgraph.testkit.upstreams import Act, Forgery, NotSupported, Receipt, Recipient, Seen, SimulatedUpstream
from shoutgraph.testkit.verdicts import Status, Verdict

pytest_plugins = ["pytester"]

SUITE = """
    from dataclasses import replace


    from shoutgraph.testkit.suites import TopUpConformance
    from tests.testkit import acme, good, wrong

    class TestRight(TopUpConformance):
        plugin = good.topup()

        def upstream(self, stage):
            return acme.AcmeUpstream(stage)

    class TestWrong(TopUpConformance):
        plugin = good.topup(wrong.NeverWaits, key="acme-wrong")

        def upstream(self, stage):
            return acme.AcmeUpstream(stage)
"""
RECORDS = [
    record_of(good.topup(), None, Verdict("M02", Status.PASSED)),
    record_of(good.topup(), None, Verdict("M01", Status.PASSED, notes=["a look asks nobody"])),
    record_of(good.topup(), None, Verdict("W05", Status.SKIPPED, "caps.webhooks is not HINT")),
    record_of(good.payout(), "shoutgraph-sandbox", Verdict("P01", Status.FAILED, "an item was lost")),
]


def test_a_report_says_by_plugin_what_passed_was_left_out_and_failed() -> None:
    told: Any = reports.report(RECORDS)["plugins"]
    assert told["acme"]["passed"] == ["M01", "M02"]
    assert told["acme"]["skipped"] == {"W05": "caps.webhooks is not HINT"}
    assert told["acme"]["left_out"] == {"M01": ["a look asks nobody"]}
    assert (told["acme"]["conforms"], told["acme"]["version"], told["acme"]["sdk"]) == (True, None, "1.0")
    assert told["acme-payouts"]["failed"] == {"P01": "an item was lost"}
    assert (told["acme-payouts"]["conforms"], told["acme-payouts"]["version"]) == (False, "0.1.0")


def test_a_report_is_written_where_it_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "new" / "conformance.json"
    reports.write(path, RECORDS)
    assert json.loads(path.read_text()) == reports.report(RECORDS)


def test_the_terminal_is_told_in_short() -> None:
    assert reports.lines(RECORDS) == [
        "acme conforms: 2 passed, 1 skipped, 0 failed",
        "  W05 skipped: caps.webhooks is not HINT",
        "  M01 left out: a look asks nobody",
        "acme-payouts DOES NOT CONFORM: 0 passed, 0 skipped, 1 failed",
        "  P01 FAILED: an item was lost",
    ]


def test_pytest_runs_a_suite_and_writes_the_report(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    pytester.makepyfile(SUITE)
    done = pytester.runpytest_subprocess(
        "-p", "no:cacheprovider", "-rs", "-k", "M05 or W05", "--conformance-report=told.json"
    )
    done.assert_outcomes(passed=1, failed=1, skipped=2)
    done.stdout.fnmatch_lines_random(["*W05: caps.webhooks is not HINT*", "*acme-wrong DOES NOT CONFORM*"])
    told = json.loads((pytester.path / "told.json").read_text())["plugins"]
    assert (told["acme"]["conforms"], told["acme-wrong"]["conforms"]) == (True, False)
    assert "429 with Retry-After" in told["acme-wrong"]["failed"]["M05"]


async def _refuses(work: Any) -> None:
    with pytest.raises(NotSupported):
        await work


class Bare(SimulatedUpstream):
    """An upstream that says only what every one has to."""

    def config(self, base_url: str) -> dict[str, object]:
        return {"base_url": base_url}

    async def objects(self) -> list[Seen]:
        return []


def test_a_suite_and_an_upstream_that_leave_out_what_they_have_to_say_cannot_be_made() -> None:
    for kind, missing in ((SimulatedUpstream, "config.* objects"), (Conformance, "upstream")):
        with pytest.raises(TypeError, match=missing):
            kind()


@pytest.mark.anyio
async def test_an_upstream_supports_nothing_that_it_does_not_say() -> None:
    upstream = Bare()
    await upstream.start()
    await _refuses(upstream.act(Act.PAY, "ref"))
    await _refuses(upstream.deliveries())
    await _refuses(upstream.recipient(Recipient.GOOD))
    await _refuses(upstream.documents())
    await _refuses(upstream.receipt(Receipt.GENUINE, "user_1"))
    with pytest.raises(NotSupported):
        upstream.forge(None, Forgery.OLD)  # type: ignore[arg-type]
    assert upstream.wrong_configs("http://127.0.0.1") == {}
    await upstream.aclose()
