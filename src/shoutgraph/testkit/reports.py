"""The report: what each plugin passed, left out and failed, as JSON that a program can read."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from shoutgraph.testkit import running

FORMAT: Final = 1
"""The version of the report's form."""


def report(records: Iterable[Mapping[str, Any]]) -> dict[str, object]:
    """The verdicts by plugin and id. A plugin conforms when it failed nothing."""
    plugins: dict[str, dict[str, Any]] = {}
    for each in records:
        told = plugins.setdefault(each["plugin"], _empty(each))
        match each["status"]:
            case "passed":
                told["passed"].append(each["id"])
            case status:
                told[status][each["id"]] = each["detail"]
        if each["notes"]:
            told["left_out"][each["id"]] = list(each["notes"])
    for told in plugins.values():
        told["passed"].sort()
        told["conforms"] = not told["failed"]
    sentences = {each.id: each.sentence for each in running.BEHAVIOURS}
    return {"format": FORMAT, "behaviours": sentences, "plugins": dict(sorted(plugins.items()))}


def write(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Writes the report."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report(records), indent=2, sort_keys=True) + "\n", encoding="utf-8")


def lines(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """The report in short, for a terminal."""
    told: Any = report(records)["plugins"]
    found = []
    for key, plugin in told.items():
        counts = {name: len(plugin[name]) for name in ("passed", "skipped", "failed")}
        verdict = "conforms" if plugin["conforms"] else "DOES NOT CONFORM"
        found.append(f"{key} {verdict}: " + ", ".join(f"{count} {name}" for name, count in counts.items()))
        found += [f"  {name} skipped: {reason}" for name, reason in sorted(plugin["skipped"].items())]
        found += [f"  {name} left out: {note}" for name, all_ in sorted(plugin["left_out"].items()) for note in all_]
        found += [f"  {name} FAILED: {reason}" for name, reason in sorted(plugin["failed"].items())]
    return found


def _empty(record: Mapping[str, Any]) -> dict[str, Any]:
    about = {name: record[name] for name in ("distribution", "version", "sdk")}
    return {**about, "passed": [], "skipped": {}, "failed": {}, "left_out": {}}
