# ruff: noqa: ARG002 -- protocols name their arguments
"""Refunds of ours and of others in any order of answers, webhooks, looks and crashes end in the same books."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta

import hypothesis
import pytest
from hypothesis import example, given, settings, strategies as st
from tests.services.bare import BareTopUps, Nothing
from tests.services.test_refunds import FINANCE
from tests.services.till import PRICES
from tests.services.world import World, open_world
from tests.soak import Extent
from tests.storage.databases import Kind, placed

from shoutgraph import sdk
from shoutgraph.domain import errors
from shoutgraph.domain.packages import Platform
from shoutgraph.domain.topups.refund import SENT, WAITING
from shoutgraph.domain.topups.topup import Status, Topup
from shoutgraph.jobs import reconcile
from shoutgraph.plugins import loading
from shoutgraph.services import packages as price_lists
from shoutgraph.services.orders import timers
from shoutgraph.services.topups import create, notice, refund as refunding
from shoutgraph.services.topups.create import Wish
from shoutgraph.storage import refunds, topups

PRICE = 1_000
LIVES_OF_A_ROUND = 15
WINDOW = timedelta(hours=24)


@dataclass(repr=False)
class Vault:
    """What the provider has. `mood` is what happens to the next refund; `seen` every state it was ever in."""

    world: World
    refunded: dict[str, dict[str, int]] = field(default_factory=dict)
    pending: dict[str, tuple[str, int]] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    mood: str = "fine"
    seen: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    failed: dict[str, dict[str, int]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return "Vault()"  # Hypothesis would tell of the whole world in it

    def total(self, ref: str) -> int:
        return sum(self.refunded.setdefault(ref, {}).values())

    def came_back(self, ref: str) -> int:
        return sum(self.failed.setdefault(ref, {}).values())

    def now(self, ref: str) -> tuple[int, int]:
        return self.total(ref), self.came_back(ref)

    def give(self, ref: str, key: str, minor: int) -> bool:
        of = self.refunded.setdefault(ref, {})
        if key not in of and self.total(ref) - self.came_back(ref) + minor > PRICE:
            return False
        of.setdefault(key, minor)
        self.seen.setdefault(ref, []).append(self.now(ref))
        return True

    def fail(self, ref: str, index: int) -> None:
        """A refund that was done fails after all."""
        standing = [key for key in self.refunded.get(ref, {}) if key not in self.failed.setdefault(ref, {})]
        if standing:
            key = standing[index % len(standing)]
            self.failed[ref][key] = self.refunded[ref][key]
            self.seen[ref].append(self.now(ref))

    def settled(self, ref: str, refunded: int, failed: int = 0) -> sdk.Settled:
        euro = lambda minor: sdk.Money(minor, "EUR")  # noqa: E731
        totals = sdk.Totals(euro(PRICE), euro(refunded), euro(0), refunds_failed=euro(failed))
        return sdk.Settled(ref, totals, self.world.clock())


class VaultTopUps(BareTopUps):
    def __init__(self, vault: Vault) -> None:
        self.vault = vault

    async def create(self, request: sdk.TopUpRequest) -> sdk.TopUpOutcome:
        return self.vault.settled(f"ref-{request.call.idempotency_key}", 0)

    async def fetch(self, target: sdk.Target, call: sdk.Call) -> sdk.Observation:
        return self.vault.settled(str(target.ref), *self.vault.now(str(target.ref)))

    async def refund(self, request: sdk.RefundRequest) -> sdk.TopUpOutcome:
        vault, key, ref, minor = self.vault, request.call.idempotency_key, request.ref, request.amount.minor
        mood, vault.mood = vault.mood, "fine"
        answer = self.known(request) or self.moody(request, mood)
        if answer is not None:
            return answer
        if not vault.give(ref, key, minor):
            vault.refused.add(key)
            return sdk.Declined(ref, "too_much")
        if mood == "lost after":
            raise ConnectionError
        return vault.settled(ref, *vault.now(ref))

    def known(self, request: sdk.RefundRequest) -> sdk.TopUpOutcome | None:
        key, ref = request.call.idempotency_key, request.ref
        if key in self.vault.refused:
            return sdk.Declined(ref, "no")
        return sdk.Pending(ref, timedelta(seconds=5)) if key in self.vault.pending else None

    def moody(self, request: sdk.RefundRequest, mood: str) -> sdk.TopUpOutcome | None:
        key, ref = request.call.idempotency_key, request.ref
        match mood:
            case "lost before":
                raise ConnectionError
            case "declined":
                self.vault.refused.add(key)
                return sdk.Declined(ref, "no")
            case "not sent":
                return sdk.NotExecuted("unavailable")
            case "pending":
                self.vault.pending[key] = (ref, request.amount.minor)
                return sdk.Pending(ref, timedelta(seconds=5))
        return None


class VaultPlugin:
    def __init__(self, vault: Vault) -> None:
        self.vault = vault

    @sdk.hookimpl
    def shoutgraph_topup_plugins(self) -> list[sdk.AnyTopUpPlugin]:
        caps = sdk.TopUpCaps(
            currencies=frozenset({"EUR"}),
            refunds=sdk.Refunds.PARTIAL,
            idempotency=sdk.Idempotency("account", WINDOW),
        )
        build = lambda _config, _host: VaultTopUps(self.vault)  # noqa: E731
        return [sdk.TopUpPlugin("vault", "Vault", caps, Nothing, build, lambda _config: frozenset())]


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    with placed(Kind.SQLITE, tmp_path_factory.mktemp("vault")) as place, open_world(place) as world:
        vault = Vault(world)
        setup = loading.Setup(
            instances={"vault": {"plugin": "vault"}},
            environ={},
            clock=world.clock,
            monotonic=world.loop.time,
            extra={"vault": VaultPlugin(vault)},
            discover=False,
            strict=True,
        )
        world.tools = replace(world.tools, providers=loading.load(setup))
        world.run(price_lists.load(world.tools, world.staff("admin"), PRICES))
        yield vault


MINOR = st.integers(1, 600)
MOODS = ("fine", "lost before", "lost after", "declined", "not sent", "pending", "crash")
STEP = st.one_of(
    st.tuples(st.just("ask"), st.sampled_from(MOODS), MINOR),
    st.tuples(st.just("external"), st.just(""), MINOR),
    st.tuples(st.just("fail"), st.just(""), st.integers(0, 5)),
    st.tuples(st.just("webhook"), st.just(""), st.integers(0, 20)),
    st.tuples(st.just("look"), st.just(""), st.integers(0, 90)),
    st.tuples(st.just("pended"), st.sampled_from(("fine", "declined")), st.just(0)),
)


def test_the_same_money_is_booked_once_in_whatever_order_it_is_told_of(vault: Vault, extent: Extent) -> None:
    for seed in extent.seeds("payments", suite=LIVES_OF_A_ROUND, soak=600, each=LIVES_OF_A_ROUND):

        @hypothesis.seed(seed)
        @settings(max_examples=LIVES_OF_A_ROUND, database=None, deadline=None)
        @example(steps=[("ask", "lost before", 1), ("ask", "fine", 1)])
        @given(steps=st.lists(STEP, max_size=9))
        def lives(steps: list[tuple[str, str, int]]) -> None:
            live(vault, steps)

        lives()


def live(vault: Vault, steps: list[tuple[str, str, int]]) -> None:
    """A payment to which all of this happens."""
    world = vault.world
    fan = world.person(f"fan{world.keys}")
    wish = Wish(None, PRICE, "EUR", Platform.WEB, "vault", "https://fan.example/")
    work = create.create(
        world.tools, fan, world.request("topUpCreate", fan), wish, reverse_orders=timers.reverse_orders
    )
    topup = world.run(work).value
    for at, (verb, mood, number) in enumerate(steps):
        take(vault, topup, (verb, mood, number), at)
        check_bounds(vault, topup)
    come_to_rest(vault, topup)
    now = world.read(lambda tx: topups.get(tx, topup.id))
    open_ = [each for each in world.read(lambda tx: refunds.list_of_topup(tx, topup.id)) if each.open]
    total, failed = vault.now(topup.ref or "")
    assert open_ == []
    assert (now.booked.refunded_minor, now.totals.refunded_minor) == (total, total)
    assert (now.booked.refunds_failed_minor, now.totals.refunds_failed_minor) == (failed, failed)
    assert world.wallet(fan) == (PRICE - total + failed, 0, 0)
    assert now.booked.reversed_coins == total - failed
    assert now.status is (Status.PAID if total == failed else now.status)
    world.verify()


def take(vault: Vault, topup: Topup, step: tuple[str, str, int], at: int) -> None:
    world, ref = vault.world, str(topup.ref)
    match step:
        case ("ask", mood, minor):
            vault.mood = mood
            asked = world.request("topUpRefund", FINANCE)
            wish = refunding.Wish(topup.id, "a reason", minor=minor)
            work = refunding.refund(world.tools, FINANCE, asked, wish, reverse_orders=timers.reverse_orders)
            with suppress(errors.ValidationError, errors.InsufficientCoinsError), crashing(mood):
                world.run(work)
        case ("external" | "fail", _, number):
            vault.give(ref, f"external-{at}", number) if step[0] == "external" else vault.fail(ref, number)
        case ("webhook", _, index):
            states = vault.seen.get(ref, [(0, 0)])
            told = vault.settled(ref, *states[index % len(states)])
            target = sdk.Target(topup.id, topup.id, ref)
            listed = sdk.Listed(target, told, world.clock())
            world.write(
                lambda tx: notice.listed(world.tools, tx, "vault", listed, reverse_orders=timers.reverse_orders)
            )
        case ("pended", mood, _):
            for key, (of, minor) in list(vault.pending.items()):
                del vault.pending[key]
                if mood == "declined" or not vault.give(of, key, minor):
                    vault.refused.add(key)
        case (_, _, seconds):
            world.clock.move(seconds=seconds)
            world.run(reconcile.tick(world.tools))


class crashing(suppress):  # noqa: N801 - it reads as a word
    """The process goes away before the provider is asked."""

    def __init__(self, mood: str) -> None:
        super().__init__(SystemError)
        self.patch = pytest.MonkeyPatch()
        if mood == "crash":
            self.patch.setattr(refunding, "go_on", self.crash)

    @staticmethod
    async def crash(*_: object, **__: object) -> None:
        raise SystemError

    def __exit__(self, *error: object) -> bool:  # type: ignore[override]
        self.patch.undo()
        return super().__exit__(*error)  # type: ignore[arg-type]


def check_bounds(vault: Vault, topup: Topup) -> None:
    """What is set aside and what is gone is never more than there was."""
    now = vault.world.read(lambda tx: topups.get(tx, topup.id))
    asked = vault.world.read(lambda tx: refunds.list_of_topup(tx, topup.id))
    held = sum(each.part.minor for each in asked if each.state in WAITING | SENT)
    assert now.booked.reversed_minor + held <= PRICE
    assert now.booked.refunded_minor <= now.totals.refunded_minor <= vault.total(str(topup.ref))


def come_to_rest(vault: Vault, topup: Topup) -> None:
    """The provider ends what it works on, and nothing fails any more."""
    vault.mood = "fine"
    take(vault, topup, ("pended", "fine", 0), 0)
    world = vault.world
    for _ in range(12):
        world.clock.move(minutes=10)
        world.run(reconcile.tick(world.tools))
    world.write(lambda tx: topups.look_soon(tx, topup.id))
    world.run(reconcile.tick(world.tools))
