"""The document of the kit lists exactly the behaviours that there are."""

from tests.repo import source

from shoutgraph.testkit import running
from shoutgraph.testkit.registry import Kind

LETTERS = {Kind.TOPUP: "T", Kind.REDEEM: "R", Kind.PAYOUT: "P"}


def test_every_behaviour_is_documented_as_it_is() -> None:
    wanted = [
        [each.id, "".join(letter for kind, letter in LETTERS.items() if kind in each.kinds), each.sentence]
        for each in running.BEHAVIOURS
    ]
    assert sorted(source.rows("CONFORMANCE.md")) == sorted(wanted)


def test_every_behaviour_has_an_id_of_its_own() -> None:
    ids = [each.id for each in running.BEHAVIOURS]
    assert len(set(ids)) == len(ids) == 41
