"""What the tests put to the test."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.testkit import acme

from shoutgraph.testkit import running
from shoutgraph.testkit.verdicts import Status, Verdict


@dataclass(frozen=True)
class Subject:
    """A plugin and its simulator."""

    plugin: Any
    upstream: Any = acme.AcmeUpstream
    distribution: str | None = None


def failed(verdicts: dict[str, Verdict]) -> dict[str, str]:
    """What failed, and why."""
    return {name: each.detail for name, each in verdicts.items() if each.status is Status.FAILED}


def checked(subject: Subject, folder: Path, *ids: str) -> dict[str, Verdict]:
    """The verdicts about some behaviours only."""
    wanted = [each for each in running.behaviours_of(running.kind_of(subject)) if each.id in ids]
    return running.run_all(subject, folder, wanted)
