"""Refunds of every end move with everything else, through the guards of the target."""

from pathlib import Path

import pytest
from tests.services.test_by_hand import settle
from tests.services.test_refunds import Review, ask
from tests.services.till import open_till
from tests.storage import databases
from tests.storage.databases import Clock, Kind, Place

from shoutgraph import sdk
from shoutgraph.domain.resolutions import Verdict
from shoutgraph.services.topups import refund as refunding
from shoutgraph.storage import ledger_proof, moving


@pytest.mark.parametrize("kind", list(Kind))
def test_refunds_and_resolutions_move(
    place: Place, tmp_path: Path, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_till(place) as till:
        topup = till.paid(till.world.person("ada"), 1_000)
        ask(till, topup, minor=300)
        till.control(f"payments/{topup.id}/fail-refund")
        till.look(topup)
        ask(till, topup, minor=300)
        with monkeypatch.context() as patch:
            patch.setattr(refunding, "TIMEOUT", refunding.TIMEOUT * 0)
            settle(till, ask(till, topup, minor=700).value.id, Verdict.NOT_EXECUTED)
        hooks = type(till.world.tools.providers.hooks)
        for verdict in (sdk.Verdict.DENY, sdk.Verdict.HOLD):
            with monkeypatch.context() as patch:
                patch.setattr(hooks, "review", Review.review)
                patch.setattr(hooks, "verdict", verdict, raising=False)
                ask(till, topup, minor=600)
    (tmp_path / "target").mkdir()
    with databases.placed(kind, tmp_path / "target") as to:
        moved = moving.move(
            place.database("world"),
            to.database("target"),
            Clock(),
            prove=ledger_proof.verify,
            tell=lambda _name, _count: None,
        )
    assert (moved.rows["refund"], moved.rows["taken_back"], moved.rows["resolution"]) == (5, 2, 1)
