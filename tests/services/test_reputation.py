"""Reputation: random lives of orders are counted as a person would count them, once, and again from the journal."""

import random
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final

import pytest
from tests.services.processes import Processes
from tests.services.racing import seller, someone
from tests.services.test_orders import Scene
from tests.services.world import World

from shoutgraph.domain import reputation as rules
from shoutgraph.domain.orders.order import Order, RedoGround
from shoutgraph.domain.orders.states import BY_NAME, Actor
from shoutgraph.domain.policies import Policy
from shoutgraph.domain.reputation import NOTHING, WINDOW_DAYS, Badge, Counts, Stars
from shoutgraph.jobs import reputation as job, runner
from shoutgraph.services import reputation
from shoutgraph.services.orders import others, timers
from shoutgraph.services.orders.moves import Turn
from shoutgraph.storage import creators, folds, policies, reputation as rows
from shoutgraph.storage.tx import Tx

LIVES: Final = 24
POLICY: Final = Policy(version=2, reputation_sample_min=3, badge_ratings_min=0)
JOBS: Final = {"reputation": job.tick}


@dataclass
class Lives:
    """Orders that are led through random lives, and what a person with a notebook counts."""

    scene: Scene
    chance: random.Random
    noted: dict[int, Counts] = field(default_factory=dict)

    @property
    def world(self) -> World:
        return self.scene.world

    def note(self, **counts: int) -> None:
        today = rules.day_of(self.world.clock())
        self.noted[today] = self.noted.get(today, NOTHING) + Counts(**counts)

    def wait(self, hours: int) -> None:
        self.world.clock.move(seconds=self.chance.randint(0, hours * 3600))
        if self.chance.random() < 0.3:
            self.world.run(job.tick(self.world.tools))

    def pick(self, *names: str) -> str:
        return self.chance.choice(names)

    def lapse(self, order: Order) -> None:
        """Nobody does anything, until a timer does."""
        self.world.clock.move(days=15)
        self.world.run(timers.fire_due(self.world.tools, limit=10))
        assert self.world.order(order).revision > order.revision

    def waited(self, asked: Order) -> int:
        return (self.world.order(asked).updated_at - asked.state_at) // timedelta(seconds=1)

    def live(self) -> None:
        self.world.give_coins(self.scene.fan, 1_200)
        order = self.world.place(self.scene.fan, self.scene.offer, express=self.chance.random() < 0.5)
        self.wait(20)
        order = self.scene.do(order, "screen_pass", Actor.MODERATOR)
        asked = order
        self.wait(60)
        answer = self.pick("accept", "accept", "accept", "decline", "fan_cancel", "lapse")
        if answer == "lapse":
            self.lapse(order)
            self.note(unanswered=1, waited_s=self.waited(asked))
        elif answer == "fan_cancel":
            self.scene.do(order, answer, Actor.FAN)
        else:
            order = self.scene.do(order, answer, Actor.CREATOR)
            named = {"accept": "accepted", "decline": "declined"}[answer]
            self.note(**{named: 1, "waited_s": self.waited(asked)})
            if answer == "accept":
                self.film(order)

    def film(self, order: Order) -> None:
        spent, late = timedelta(), False
        while True:
            began = self.world.clock()
            self.wait(20)
            step = self.pick("deliver", "deliver", "deliver", "deliver", "creator_withdraw", "lapse")
            if step == "lapse":
                self.lapse(order)
                return self.note(overdue=1)
            if step == "creator_withdraw":
                self.scene.do(order, step, Actor.CREATOR)
                return self.note(withdrawn=1)
            order = self.scene.deliver(order)
            spent += self.world.clock() - began
            late = spent > timedelta(seconds=order.terms.delivery_s)
            self.wait(90)  # which is the platform's own time
            verdict = self.pick("review_pass", "review_pass", "review_changes", "review_reject")
            order = self.scene.do(order, verdict, Actor.MODERATOR)
            if verdict == "review_reject":
                return self.note(refused=1)
            if verdict == "review_pass":
                self.note(delivered=1, late=int(late))
                return self.end(order)

    def end(self, order: Order) -> None:
        self.wait(60)
        way = self.pick("confirm", "lapse", "request_redo", "open_dispute", "platform_cancel")
        if way == "lapse":
            self.lapse(order)
            return self.note(completed=1)
        if way == "platform_cancel":
            self.scene.do(order, way, Actor.STAFF)
            return None
        more: dict[str, Any] = {"ground": RedoGround.WRONG_NAME} if way == "request_redo" else {}
        order = self.scene.do(order, way, Actor.FAN, **more)
        if way == "confirm":
            return self.note(completed=1)
        if way == "request_redo":
            self.note(redone=1)
            self.scene.do(order, "redo_concede", Actor.CREATOR)
            return self.note(refunded=1)
        ends = {"dispute_refund": {"refunded": 1}, "dispute_release": {"completed": 1}, "dispute_split": {}}
        last = self.pick(*ends)
        self.scene.do(order, last, Actor.MODERATOR, **({"back_coins": 10} if last == "dispute_split" else {}))
        return self.note(**ends[last])

    def window(self) -> Counts:
        """The notebook's sum over the days that count."""
        first = rules.first_day(rules.day_of(self.world.clock()))
        return sum((counts for day, counts in self.noted.items() if day >= first), NOTHING)


@pytest.fixture
def lives(world: World) -> Lives:
    world.write(lambda tx: policies.insert(tx, POLICY))
    return Lives(Scene(world), random.Random(11))  # noqa: S311 - no secret


def known(lives: Lives) -> rules.Reputation:
    (found,) = lives.world.run(reputation.list_of(lives.world.tools, [lives.scene.profile.id]))
    return found


def settle(lives: Lives) -> int:
    return lives.world.run(runner.settle(lives.world.tools, JOBS))


def test_random_lives_are_counted_as_they_were_lived_and_again_from_the_journal(lives: Lives) -> None:
    who, world = lives.scene.profile.id, lives.world
    assert known(lives).new
    for _ in range(LIVES):
        lives.live()
        settle(lives)
        assert known(lives).counts == lives.window()
    kept = world.read(rows.all_days)
    assert kept == {(who, day): counts for day, counts in lives.noted.items()}
    assert settle(lives) == 0
    proof = world.read(reputation.prove)
    assert (proof.days, proof.wrong) == (len(kept), ())

    day = max(lives.noted)
    wrong = rows.DayRow.__table__.update().where(rows._DAY.c.day == day).values(accepted=99)  # type: ignore[attr-defined]
    world.write(lambda tx: tx.run(rows.Statement(lambda: wrong)))
    (found,) = world.read(reputation.prove).wrong
    assert (found[0], found[1], found[2].accepted, found[3]) == (who, day, 99, lives.noted[day])
    before = known(lives)
    assert world.run(reputation.rebuild(world.tools)) == len(kept)
    assert (world.read(rows.all_days), world.read(reputation.prove).wrong) == (kept, ())
    assert known(lives) == before


def test_a_window_moves_on_without_a_write_until_nothing_is_left_of_it(lives: Lives) -> None:
    world, scene = lives.world, lives.scene
    for _ in range(3):
        world.give_coins(scene.fan, 1_200)
        order = scene.do(world.place(scene.fan, scene.offer), "screen_pass", Actor.MODERATOR)
        world.clock.move(seconds=3_601)  # the writer's clock may be ahead by some microseconds
        scene.do(order, "decline", Actor.CREATOR)
    settle(lives)
    found = known(lives)
    assert (found.response_s, found.acceptance.bps, found.on_time.bps) == (3_600, 0, None)
    assert found.badges == (Badge.FAST_RESPONDER,)
    held = world.read(lambda tx: creators.get(tx, scene.profile.id))
    assert (held.response_sort_s, held.badges) == (3_600, found.badges)
    world.clock.move(days=WINDOW_DAYS - 1)
    assert (settle(lives), known(lives).counts.declined) == (0, 3)
    world.clock.move(days=1)
    assert settle(lives) == 1
    assert (known(lives).new, known(lives).response_s, known(lives).badges) == (True, None, ())
    held = world.read(lambda tx: creators.get(tx, scene.profile.id))
    assert (held.response_sort_s, held.badges) == (rules.UNKNOWN_S, ())
    assert settle(lives) == 0
    world.write(lambda tx: policies.insert(tx, replace(POLICY, version=3, reputation_sample_min=0)))
    assert (settle(lives), known(lives).policy_version) == (1, 3)


def test_the_time_that_an_order_is_frozen_is_nobodys(lives: Lives) -> None:
    scene, world = lives.scene, lives.world
    world.give_coins(scene.fan, 1_200)
    order = scene.do(world.place(scene.fan, scene.offer), "screen_pass", Actor.MODERATOR)
    admin = world.staff("admin")
    for change in (others.freeze, others.unfreeze):
        request = world.request(change.__name__, admin)
        order = world.run(change(world.tools, admin, request, Turn(order.id))).value
        world.clock.move(seconds=5 * 3_600 + 1)
    scene.do(order, "accept", Actor.CREATOR)
    settle(lives)
    counts = known(lives).counts
    assert (counts.accepted, counts.waited_s // 3_600) == (1, 5)


@pytest.mark.postgresql_only
def test_processes_that_count_at_once_count_each_line_once(processes: Processes) -> None:
    creator, profile, offer = seller(processes)
    world, moderator = processes.world, processes.world.staff("moderator")
    for _ in range(3):
        fans = [someone(processes, 1_000) for _ in range(4)]
        orders = [processes.run(processes.order(fan, offer.id)).value for fan in fans]
        for order in orders:
            processes.run(processes.move(moderator, order, "screen_pass", Actor.MODERATOR))
        moves = [processes.move(creator, order, "decline", Actor.CREATOR) for order in orders]
        processes.at_once(*(call for move in moves for call in (move, reputation.fold)), reputation.rebuild)
    for _ in range(4):
        processes.everywhere(reputation.fold)
    (found,) = world.run(reputation.list_of(world.tools, [profile.id]))
    assert (found.counts.asked, found.counts.declined, world.read(reputation.prove).wrong) == (12, 12, ())


@pytest.mark.sqlite_only
def test_every_transition_that_counts_is_one_of_the_machine() -> None:
    assert BY_NAME.keys() >= rules.COUNTED


@pytest.mark.sqlite_only
def test_figures_need_a_sample_and_badges_their_thresholds() -> None:
    policy = Policy(version=1)
    good = Counts(accepted=9, unanswered=1, waited_s=864_001, delivered=20, completed=19, withdrawn=1)
    found = rules.judge("x", good, stars=Stars(480, 10), policy=policy, today=100)
    assert (found.response_s, found.acceptance.bps, found.on_time.bps, found.completion.bps, found.redo.bps) == (
        86_401,
        9_000,
        10_000,
        9_500,
        0,
    )
    assert found.badges == (Badge.ALWAYS_ON_TIME, Badge.TOP_RATED)
    less = rules.judge("x", Counts(accepted=4, delivered=4, completed=4), stars=Stars(500, 50), policy=policy, today=1)
    assert (less.new, less.response_s, less.acceptance.bps, less.completion.bps, less.badges) == (
        True,
        None,
        None,
        None,
        (),
    )


@pytest.mark.sqlite_only
def test_nobody_counts_by_themselves(lives: Lives) -> None:
    who = lives.scene.profile.id
    lives.world.write(lambda tx: rows.add(tx, {(who, 5): Counts(accepted=2)}))

    def lie(tx: Tx) -> None:
        rows.keep(tx, [(rules.Reputation(who, 0, 59, 1, 5, Counts(accepted=3)), 5)])

    def boast(tx: Tx) -> None:
        creators.show(tx, replace(creators.get(tx, who), badges=(Badge.TOP_RATED,)))

    def skip(tx: Tx) -> None:
        folds.begin(tx, "x")
        folds.advance(tx, "x", seq=10**6)

    for wrong in (lie, boast, skip):
        with pytest.raises(Exception, match=r"sum of its days|known for|lines that there are"):
            lives.world.write(wrong)
