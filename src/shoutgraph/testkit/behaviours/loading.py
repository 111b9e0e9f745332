"""C01 to C03: what a plugin is before it moves any money: its import, its descriptor, its configuration."""

import asyncio
import copy
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import FrozenInstanceError
from importlib import metadata
from typing import Any, Final

from pydantic import SecretStr

from shoutgraph.plugins import discovery, loading
from shoutgraph.plugins.statuses import State
from shoutgraph.sdk import API
from shoutgraph.sdk.specs import ENTRY_POINTS
from shoutgraph.testkit import registry
from shoutgraph.testkit.registry import Behaviour
from shoutgraph.testkit.trials import Trial, secrets_in
from shoutgraph.testkit.verdicts import declared, require

IMPORT_S_MAX: Final = 1.0
"""How long an import may take, without what the host has imported anyway. Units: seconds of CPU, calibrated."""

PROBE_TIMEOUT_S: Final = 120.0
NO_DISTRIBUTION: Final = "the test names no distribution"
WRITTEN_DOWN: Final = "a secret that somebody wrote down"


async def quiet_import(trial: Trial) -> None:
    """C01."""
    point = _entry_point(trial)
    told = await _probe(
        {
            "module": point.module,
            "packages": [point.module.partition(".")[0]],
            "names": [each.name for _, each in discovery.entry_points(ENTRY_POINTS)],
        }
    )
    require(not told["while_disabled"], f"{point.module} was imported although it is disabled")
    require(not told["seen"], f"importing {point.module} had effects: {told['seen']}")
    took_s: float = told["took_s"]
    require(took_s <= IMPORT_S_MAX, f"importing {point.module} took {took_s:.1f} s of CPU (calibrated)")


async def _probe(wanted: Mapping[str, object]) -> Any:  # noqa: ANN401 -- JSON
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-B",  # compiled modules are the interpreter's files, and none of the plugin's effects
        "-m",
        "shoutgraph.testkit.probe",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PROBE_TIMEOUT_S):
        out, err = await process.communicate(json.dumps(wanted).encode())
    require(process.returncode == 0, f"the import failed: {err.decode(errors='replace')[-500:]}")
    return json.loads(out)


async def sound_descriptor(trial: Trial) -> None:
    """C02."""
    plugin = trial.plugin
    for name in ("key", "caps"):
        try:
            setattr(plugin, name, getattr(plugin, name))
        except FrozenInstanceError:
            continue
        require(met=False, sentence=f"the descriptor's {name} can be changed")
    require(discovery.KEY.fullmatch(plugin.key), f"the key {plugin.key!r} does not read {discovery.KEY.pattern}")
    require(plugin.api[0] == API[0] and plugin.api[1] <= API[1], f"API {plugin.api} is not {API}")
    require(plugin.label.strip(), "the label says nothing")
    if trial.subject.distribution is None:
        trial.notes.append(NO_DISTRIBUTION)
        return
    point = _entry_point(trial)
    others = {each.name for _, each in discovery.entry_points(ENTRY_POINTS)} - {point.name}
    setup = loading.Setup(
        instances={}, environ={}, clock=trial.clock, monotonic=time.monotonic, disabled=frozenset(others)
    )
    (status,) = [each for each in loading.load(setup).plugins if each.name == point.name]
    require(status.state is State.ACTIVE, f"as it is installed, it is {status.state}: {status.detail}")
    require(plugin.key in status.keys, f"its entry point offers {status.keys}, and not {plugin.key}")


def _entry_point(trial: Trial) -> metadata.EntryPoint:
    name = trial.subject.distribution
    declared(name, NO_DISTRIBUTION)
    found = [each for each in metadata.distribution(str(name)).entry_points if each.group == ENTRY_POINTS]
    require(len(found) == 1, f"{name} has {len(found)} entry points in the group {ENTRY_POINTS}, not one")
    return found[0]


async def strict_configuration(trial: Trial) -> None:
    """C03."""
    model, config = trial.plugin.config, trial.config()
    for name, field in model.model_fields.items():
        require(field.title or field.description, f"the field {name} has neither a title nor a description")
    require(model.model_json_schema()["properties"], "the configuration has no JSON schema")
    secrets = list(secrets_in(config))
    for name in sorted({str(path[0]) for path, _ in secrets}):
        if model.model_fields[name].is_required():
            _require_refused(trial, {each: config[each] for each in config if each != name}, name, "is missing")
    for path, _ in secrets:
        for blank in ("", " " * 16):
            _require_refused(trial, _with(config, path, SecretStr(blank)), str(path[0]), "is blank")
        _require_refused(trial, _with(config, path, WRITTEN_DOWN), str(path[0]), "is written down")
    for name, wrong in trial.upstream.wrong_configs(trial.proxy.url).items():
        _require_refused(trial, wrong, name.partition("#")[0], "is wrong")


def _require_refused(trial: Trial, config: Mapping[str, object], name: str, how: str) -> None:
    status = trial.status_with(config)
    require(status.state is State.MISCONFIGURED, f"a configuration whose {name} {how} makes an instance {status.state}")
    require(name in status.detail, f"the refusal of a {name} that {how} does not name it: {status.detail!r}")
    for _, secret in secrets_in(config):
        value = secret.get_secret_value()
        require(not value.strip() or value not in status.detail, f"the refusal of {name} tells a secret")


def _with(config: Mapping[str, object], path: tuple[str | int, ...], value: object) -> dict[str, object]:
    """The configuration with something else at the end of a path."""
    changed: Any = copy.deepcopy(dict(config))
    inner = changed
    for step in path[:-1]:
        inner[step] = list(inner[step]) if isinstance(inner[step], tuple) else inner[step]
        inner = inner[step]
    inner[path[-1]] = value
    answer: dict[str, object] = changed
    return answer


BEHAVIOURS: Final = (
    Behaviour("C01", "Importing it has no effect and takes no time", registry.ALL, quiet_import),
    Behaviour("C02", "Its descriptor is sound and its distribution says what it needs", registry.ALL, sound_descriptor),
    Behaviour("C03", "A wrong configuration is refused and the field is named", registry.ALL, strict_configuration),
)
