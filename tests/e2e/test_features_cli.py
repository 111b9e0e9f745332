"""An operator sets a rule at the command line, and reads who changed what."""

import re
from pathlib import Path

from tests.e2e.market import Market
from tests.e2e.processes import Nursery


def test_a_rule_is_set_refused_removed_and_remembered(nursery: Nursery, market: Market, tmp_path: Path):
    def run(*words: str) -> tuple[int, str]:
        return nursery.run("features", *words, "--data-dir", market.folder, log=tmp_path / words[0])

    code, said = run("set", "gifts", "percent=12.5", "only=de,at", "--reason", "The first eighth")
    assert (code, said) == (0, "GIFTS is on for 12.5 %, only DE,AT. Version: 1.\n")
    code, said = run("set", "gifts", "percent=200", "only=XX", "--reason", "Wrong")
    assert code == 1
    assert "shareBasisPoints is between 0 and 10000. countriesOn holds" in said
    assert run("remove", "gifts", "--reason", "For all", "--expected-version", "1")[0] == 0
    code, said = run("history")
    assert code == 0
    assert re.search(r"GIFTS +│ all +│ 12\.5 %, only DE,AT +│ everyone +│ operator:features +│ For all", said), said
