"""A new plugin works as it is written: it installs, is clean, and passes the kit, along the commands of the guide."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from shoutgraph.plugins import writing
from shoutgraph.plugins.writing import Kind, WritingError

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "PLUGINS.md"
PATIENCE_S = 110
INSTALL = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index", "--target"]


def run(command: list[str], folder: Path, site: Path) -> str:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SHOUTGRAPH_")}
    more = {"PYTHONPATH": str(site), "COLUMNS": "200", "NO_COLOR": "1", "MYPYPATH": str(ROOT / "src")}
    done = subprocess.run(
        command,
        cwd=folder,
        env=environ | more,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, f"{command}: {done.stdout}"
    return done.stdout


def as_here(line: str, site: Path) -> list[str]:
    """A command of the guide where there is no network, and the environment is not to be changed."""
    words = shlex.split(line)
    if words[0] == "pip":
        return [*INSTALL, str(site), "./" + words[-1].partition("[")[0]]
    assert words[0] == "shoutgraph"
    return [sys.executable, "-m", *words]


def test_the_guide_leads_to_a_plugin_that_conforms(tmp_path: Path) -> None:
    section = GUIDE.read_text().partition("## Write one")[2]
    block = re.search(r"```console\n(.*?)```", section, re.DOTALL)
    assert block is not None
    site = tmp_path / "site"
    lines = [line.removeprefix("$ ") for line in block[1].splitlines()]
    assert [line.split()[0] for line in lines] == ["shoutgraph", "pip", "shoutgraph"]
    said = [run(as_here(line, site), tmp_path, site) for line in lines]
    assert "shoutgraph-acme conforms." in said[-1]
    assert "│ M04 │" in said[-1]
    plugin = tmp_path / "shoutgraph-acme"
    listed = run([sys.executable, "-m", "shoutgraph", "plugins", "show", "acme"], tmp_path, site)
    assert re.search(r"api_key +│ API key +│ secret +│ yes", listed)
    for name in ("config.py", "wire.py", "provider.py", "simulator/upstream.py"):
        assert f"`{name}`" in section
        assert (plugin / "src" / "shoutgraph_acme" / name).is_file()


@pytest.mark.parametrize("kind", [Kind.PAYOUT, Kind.REDEEM])
def test_the_other_kinds_conform_under_any_name(kind: Kind, tmp_path: Path) -> None:
    plugin, site = tmp_path / "plugin", tmp_path / "site"
    writing.write("north-bank", kind, plugin)
    run([*INSTALL, str(site), str(plugin)], tmp_path, site)
    said = run([sys.executable, "-m", "shoutgraph", "plugins", "check", "shoutgraph-north-bank"], tmp_path, site)
    assert "shoutgraph-north-bank conforms." in said


@pytest.mark.parametrize("kind", Kind)
def test_what_is_written_is_clean(kind: Kind, tmp_path: Path) -> None:
    plugin = tmp_path / "plugin"
    written = writing.write("acme", kind, plugin)
    assert {path.relative_to(plugin).parts[0] for path in written} == {"README.md", "pyproject.toml", "src", "tests"}
    run([sys.executable, "-m", "ruff", "check", "--no-cache", "."], plugin, tmp_path)
    run([sys.executable, "-m", "ruff", "format", "--no-cache", "--check", "."], plugin, tmp_path)
    run([sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path / "mypy")], plugin, tmp_path)


def test_nothing_of_the_old_name_is_left(tmp_path: Path) -> None:
    for path in writing.write("north-bank", Kind.TOPUP, tmp_path / "plugin"):
        assert "acme" not in (str(path) + path.read_text()).lower().replace(str(tmp_path).lower(), "")
    project = tomllib.loads((tmp_path / "plugin" / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["shoutgraph"] == {"north-bank": "shoutgraph_north_bank"}


@pytest.mark.parametrize("name", ["", "Acme", "9pay", "a--b", "class", "../acme", "a" * 41])
def test_a_name_that_is_none_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(WritingError):
        writing.write(name, Kind.TOPUP, tmp_path / "plugin")
    assert not (tmp_path / "plugin").exists()


def test_nothing_is_written_over(tmp_path: Path) -> None:
    with pytest.raises(WritingError, match="is there already"):
        writing.write("acme", Kind.TOPUP, tmp_path)
