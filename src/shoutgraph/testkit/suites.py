"""The base classes: subclass one, name the plugin and its simulator, and pytest runs every behaviour.

See `shoutgraph.testkit.upstreams` for a complete example.
"""

from abc import ABC, abstractmethod
from importlib import metadata
from pathlib import Path
from typing import Any, ClassVar

import pytest

from shoutgraph.sdk import API
from shoutgraph.testkit import running
from shoutgraph.testkit.registry import Behaviour, Kind
from shoutgraph.testkit.trials import Descriptor
from shoutgraph.testkit.upstreams import Stage, Upstream
from shoutgraph.testkit.verdicts import Status, Verdict

PROPERTY = "conformance"
"""The name under which a test's verdict is recorded."""


class Conformance(ABC):
    """What the three have in common."""

    plugin: ClassVar[Descriptor]
    """The descriptor that the plugin offers."""

    distribution: ClassVar[str | None] = None
    """The distribution that it comes with; without one, C01 and a part of C02 are left out."""

    @abstractmethod
    def upstream(self, stage: Stage) -> Upstream:
        """A new simulator for each behaviour."""

    def _check(self, behaviour: Behaviour, folder: Path, record_property: Any) -> None:  # noqa: ANN401 -- pytest's
        verdict = running.run(self, behaviour, folder)
        record_property(PROPERTY, record_of(self.plugin, self.distribution, verdict))
        for note in verdict.notes:
            print(f"{verdict.id}: left out: {note}")  # noqa: T201 -- shown by pytest, with -rP or when it fails
        if verdict.status is Status.SKIPPED:
            pytest.skip(f"{verdict.id}: {verdict.detail}")  # not declared by the plugin, or not had by its upstream
        if verdict.status is Status.FAILED:
            pytest.fail(f"{verdict.id}: {behaviour.sentence}: {verdict.detail}", pytrace=False)


class TopUpConformance(Conformance):
    """For plugins that take money."""

    @pytest.mark.parametrize("behaviour", running.behaviours_of(Kind.TOPUP), ids=str)
    def test_conformance(self, behaviour: Behaviour, tmp_path: Path, record_property: Any) -> None:  # noqa: ANN401
        """One behaviour."""
        self._check(behaviour, tmp_path, record_property)


class RedeemConformance(Conformance):
    """For plugins that redeem receipts of a store."""

    @pytest.mark.parametrize("behaviour", running.behaviours_of(Kind.REDEEM), ids=str)
    def test_conformance(self, behaviour: Behaviour, tmp_path: Path, record_property: Any) -> None:  # noqa: ANN401
        """One behaviour."""
        self._check(behaviour, tmp_path, record_property)


class PayoutConformance(Conformance):
    """For plugins that send money."""

    @pytest.mark.parametrize("behaviour", running.behaviours_of(Kind.PAYOUT), ids=str)
    def test_conformance(self, behaviour: Behaviour, tmp_path: Path, record_property: Any) -> None:  # noqa: ANN401
        """One behaviour."""
        self._check(behaviour, tmp_path, record_property)


def record_of(plugin: Descriptor, distribution: str | None, verdict: Verdict) -> dict[str, object]:
    """A verdict as the report keeps it."""
    return {
        "plugin": plugin.key,
        "distribution": distribution,
        "version": metadata.version(distribution) if distribution else None,
        "sdk": ".".join(map(str, API)),
        "id": verdict.id,
        "status": verdict.status.value,
        "detail": verdict.detail,
        "notes": list(verdict.notes),
    }
