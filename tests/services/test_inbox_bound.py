# ruff: noqa: ARG002 -- protocols name their arguments
"""The inbox of webhooks: however silent a provider is, a round ends before others may take up what it took."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from pydantic import SecretStr
from tests.services.bare import BareTopUps, Nothing
from tests.services.till import Till, open_till
from tests.storage.databases import Place

from shoutgraph import sdk
from shoutgraph.domain import errors
from shoutgraph.domain.notices import NoticeState, Stored
from shoutgraph.jobs import reconcile
from shoutgraph.plugins import loading
from shoutgraph.services import notices
from shoutgraph.storage import notices as rows
from shoutgraph.storage.tx import Tx

SECRET = SecretStr("a secret that both sides know, as long as it has to be")
SILENT = "silent"


@dataclass
class Silent(BareTopUps):
    """Signs hints at payments under names that nobody knows, and answers late or never, side by side."""

    till: Till | None = None
    began: dict[bytes, datetime] = field(default_factory=dict)
    told: list[bytes] = field(default_factory=list)
    lost: list[bytes] = field(default_factory=list)
    answer: sdk.Observation = sdk.Unknown("no_answer")  # noqa: RUF009 - frozen
    asked: int = 0

    async def create(self, request: sdk.TopUpRequest) -> sdk.TopUpOutcome:
        return sdk.NotExecuted("unsupported")

    async def fetch(self, target: sdk.Target, call: sdk.Call) -> sdk.Observation:
        assert self.till is not None
        self.asked += 1
        body = str(target.ref).split()[0].encode()
        clock = self.till.world.clock
        self.began[body] += call.timeout
        clock.now = max(clock.now, self.began[body])
        if body in await _claimable(self.till):
            self.lost.append(body)
        return self.answer

    def receive(self, raw: sdk.RawWebhook) -> sdk.Delivery:
        assert self.till is not None
        self.told.append(raw.body)
        self.began[raw.body] = self.till.world.clock()
        names = [f"{raw.body.decode()} {n}" for n in range(9)]
        hints = [sdk.Notice(name, sdk.Target("", "", name), sdk.NoticeKind.TOPUP) for name in names]
        proof = sdk.external_proof(raw, "none", lambda _raw: None, tolerance=None)
        return sdk.Delivery(proof, tuple(hints))


async def _claimable(till: Till) -> set[bytes]:
    """What another worker could take up now."""
    found: set[bytes] = set()

    def work(tx: Tx) -> None:
        claim = rows.claim_waiting(
            tx, older_than=timedelta(), tries_max=notices.TRIES_MAX, lease=notices.LEASE, limit=rows.LIST_MAX
        )
        found.update(stored.body for stored in claim)
        raise errors.NotFoundError("It only looked.")

    with pytest.raises(errors.NotFoundError):
        await till.world.tools.store.write(work)
    return found


class Plugin:
    """Offers the silent one."""

    def __init__(self, silent: Silent) -> None:
        self.silent = silent

    @sdk.hookimpl
    def shoutgraph_topup_plugins(self) -> list[sdk.AnyTopUpPlugin]:
        caps = sdk.TopUpCaps(
            currencies=frozenset({"EUR"}),
            webhooks=sdk.Webhooks.SIGNED,
            idempotency=None,
            lookup=sdk.Lookup(by_key=True),
        )
        return [sdk.TopUpPlugin(SILENT, "Silent", caps, Nothing, lambda *_: self.silent, lambda _config: frozenset())]


@pytest.fixture
def silent(place: Place) -> Iterator[Silent]:
    silent = Silent()

    def prepare(setup: loading.Setup) -> loading.Setup:
        instances = {**setup.instances, SILENT: {"plugin": SILENT}}
        return replace(setup, instances=instances, extra={**setup.extra, SILENT: Plugin(silent)})

    with open_till(place, prepare) as till:
        silent.till = till
        yield silent


def test_a_round_of_a_silent_provider_ends_within_its_leases(silent: Silent) -> None:
    assert silent.till is not None
    world = silent.till.world
    bodies = [f"delivery-{n}".encode() for n in range(notices.TAKEN_MAX)]
    for body in bodies:
        stored = Stored(None, SILENT, bytes(32), body, {}, "", "127.0.0.1", world.clock())
        world.write(lambda tx, stored=stored: rows.insert(tx, stored))
    world.clock.move(minutes=2)
    assert world.run(notices.replay(world.tools, reconcile.HANDLERS)) == notices.TAKEN_MAX
    assert sorted(silent.told) == sorted(bodies), "each of them once"
    assert silent.lost == [], "and none while somebody else could take it up"
    assert world.read(lambda tx: rows.count(tx, NoticeState.RECEIVED)) == len(bodies), "they are taken up again"


def test_what_one_delivery_may_ask_is_bounded_too(silent: Silent) -> None:
    assert silent.till is not None
    world = silent.till.world
    silent.answer = sdk.Absent()  # it answers, but late
    stored = Stored(None, SILENT, bytes(32), b"many", {}, "", "127.0.0.1", world.clock())
    world.write(lambda tx: rows.insert(tx, stored))
    world.clock.move(minutes=2)
    assert world.run(notices.replay(world.tools, reconcile.HANDLERS)) == 1
    assert silent.asked * notices.NAMING <= notices.ASKING < notices.LEASE
