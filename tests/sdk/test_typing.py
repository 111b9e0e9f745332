"""A plugin with a wrong signature does not type-check."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"

HEAD = """
from collections.abc import Iterable, Mapping, Sequence
from pydantic import BaseModel

from shoutgraph import sdk

class Config(BaseModel):
    url: str

class Good:
    def __init__(self, config: Config, host: sdk.Host) -> None: ...
    async def create(self, request: sdk.TopUpRequest) -> sdk.TopUpOutcome:
        return sdk.NotExecuted("no")
    async def fetch(self, target: sdk.Target, call: sdk.Call) -> sdk.Observation:
        return sdk.Absent()
    async def refund(self, request: sdk.RefundRequest) -> sdk.TopUpOutcome:
        return sdk.Unknown("no")
    async def cancel(self, target: sdk.Target, call: sdk.Call) -> sdk.TopUpOutcome:
        return sdk.Unknown("no")
    def receive(self, raw: sdk.RawWebhook) -> sdk.Delivery:
        raise sdk.BadSignature
    async def aclose(self) -> None: ...

CAPS = sdk.TopUpCaps(currencies=frozenset({"EUR"}))

def hosts(config: Config) -> frozenset[str]:
    return frozenset({config.url})
"""

OFFER = """
{body}
PLUGIN = sdk.TopUpPlugin("mine", "Mine", CAPS, Config, {name}, hosts)
"""

GOOD = OFFER.format(body="", name="Good")
WRONG = {
    "not async": "    def create(self, request: sdk.TopUpRequest) -> sdk.TopUpOutcome: ...",
    "another outcome": "    async def create(self, request: sdk.TopUpRequest) -> sdk.Paid: ...",
    "another request": "    async def create(self, request: sdk.PayoutBatch) -> sdk.TopUpOutcome: ...",
    "absent is not an outcome": "    async def create(self, request: sdk.TopUpRequest) -> sdk.Observation: ...",
    "one argument too many": "    async def refund(self, r: sdk.RefundRequest, why: str) -> sdk.TopUpOutcome: ...",
    "another proof": "    def receive(self, raw: bytes) -> sdk.Delivery: ...",
}


def check(folder: Path, programs: dict[str, str]) -> dict[str, str]:
    names = {f"plugin_{at}.py": program for at, program in enumerate(programs.values())}
    for name, program in names.items():
        (folder / name).write_text(HEAD + program)
    (folder / "mypy.ini").write_text("[mypy]\nstrict = True\ndisable_error_code = empty-body\n")
    command = [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "--cache-dir", str(folder / "cache")]
    environ = {**os.environ, "MYPYPATH": str(SOURCE)}
    done = subprocess.run(
        [*command, *names], cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode in {0, 1}, done.stderr
    lines = done.stdout.splitlines()
    return {
        label: "\n".join(line for line in lines if line.startswith(name))
        for label, name in zip(programs, names, strict=True)
    }


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    programs = {"good": GOOD}
    for label, method in WRONG.items():
        programs[label] = OFFER.format(body=f"class Bad(Good):\n{method}", name="Bad")
    programs["another config"] = OFFER.format(
        body="class Other(BaseModel):\n    key: str\ndef build(config: Other, host: sdk.Host) -> Good: ...",
        name="build",
    )
    return check(tmp_path_factory.mktemp("typing"), programs)


def test_a_plugin_that_follows_the_protocol_type_checks(told: dict[str, str]) -> None:
    assert told["good"] == ""


@pytest.mark.parametrize("label", [*WRONG, "another config"])
def test_a_plugin_with_a_wrong_signature_does_not_type_check(told: dict[str, str], label: str) -> None:
    assert 'Argument 5 to "TopUpPlugin"' in told[label]
