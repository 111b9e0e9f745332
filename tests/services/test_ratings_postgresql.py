"""Ratings from several processes at once: each order once, and every creator's counts are their rows."""

import random
from typing import Any, Final

import pytest
from tests.services.processes import COUNT, Call, Processes
from tests.services.racing import ROUNDS, done, seller, someone, won

from shoutgraph.domain import errors
from shoutgraph.domain.creators import Creator
from shoutgraph.domain.orders.order import Order
from shoutgraph.domain.orders.rating import STARS, Decision, Given, Rating, Tally
from shoutgraph.domain.orders.states import Actor, State
from shoutgraph.domain.users import Viewer
from shoutgraph.services.orders import rate
from shoutgraph.services.orders.moves import Turn
from shoutgraph.services.orders.rate import Rated, Subject
from shoutgraph.storage import creators, orders, ratings
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done

pytestmark = pytest.mark.postgresql_only

FANS: Final = 16


def rating(processes: Processes, fan: Viewer, order: Order, stars: int, key: str | None = None) -> Call[Done[Rated]]:
    request = processes.world.request("orderRate", fan, key, stars=stars)
    return lambda tools: rate.rate(tools, fan, request, Turn(order.id), Given(stars, "So."))


def changing(processes: Processes, fan: Viewer, of: Rating, stars: int) -> Call[Done[Rated]]:
    request = processes.world.request("ratingUpdate", fan)
    return lambda tools: rate.update(tools, fan, request, Subject(of.id), Given(stars))


def deciding(processes: Processes, moderator: Viewer, of: Rating, *, hidden: bool) -> Call[Done[Rated]]:
    request = processes.world.request("ratingHide", moderator)
    statement = Decision(hidden=hidden, reason="ABUSE", note="because", by="", at=processes.world.clock())
    return lambda tools: rate.decide(tools, moderator, request, Subject(of.id), statement)


def counted(processes: Processes, of: Creator) -> tuple[Tally, Creator, Tally]:
    """The tally as it is kept, the creator, and what the rows say."""

    def query(tx: Tx) -> tuple[Tally, Creator, Tally]:
        rows = tx._connection.execute(
            f"SELECT stars, count(*) FROM rating WHERE creator_id = '{of.id}' AND hidden = 0 GROUP BY stars"  # noqa: S608
        ).fetchall()
        found: dict[int, int] = dict(rows)
        (kept,) = ratings.list_of_tallies(tx, [of.id])
        return kept, creators.get(tx, of.id), Tally(tuple(found.get(stars, 0) for stars in STARS))

    return processes.world.read(query)


def check(processes: Processes, of: Creator) -> Tally:
    kept, creator, rows = counted(processes, of)
    assert kept == rows
    assert (creator.rating_sum, creator.rating_count) == (rows.sum, rows.count)
    return kept


def delivered(processes: Processes, many: int) -> tuple[Creator, list[tuple[Viewer, Order]]]:
    """A creator, and orders of many fans whose videos wait for them."""
    creator, profile, offer = seller(processes)
    fans = [someone(processes, 1_000) for _ in range(many)]
    return profile, [(fan, processes.delivered(fan, creator, offer.id)) for fan in fans]


def test_many_fans_rate_one_creator_at_once_and_every_star_counts(processes: Processes) -> None:
    chance = random.Random(5)  # noqa: S311 - no secret
    of, waiting = delivered(processes, FANS)
    given = [chance.choice(STARS) for _ in waiting]
    results = processes.at_once(
        *(rating(processes, fan, order, stars) for (fan, order), stars in zip(waiting, given, strict=True))
    )
    made: list[Any] = done(results)
    assert len(made) == FANS
    assert check(processes, of).counts == tuple(given.count(stars) for stars in STARS)
    for fan, order in waiting:
        after = processes.world.read(lambda tx, of=order: orders.get(tx, of.id))
        assert (after.state, after.revision) == (State.COMPLETED, order.revision + 2), fan
    moderator = processes.world.staff("moderator")
    calls = [
        deciding(processes, moderator, each.rating, hidden=True)
        if at % 3 == 0
        else changing(processes, waiting[at][0], each.rating, chance.choice(STARS))
        for at, each in enumerate(made)
    ]
    chance.shuffle(calls)
    assert len(done(processes.at_once(*calls))) == FANS
    hidden = len([at for at in range(FANS) if at % 3 == 0])
    assert check(processes, of).count == FANS - hidden


def test_an_order_is_rated_once_by_many_attempts(processes: Processes) -> None:
    for number in range(ROUNDS // 2):
        of, [(fan, order)] = delivered(processes, 1)
        results = processes.at_once(*(rating(processes, fan, order, 1 + at) for at in range(COUNT)))
        assert len(done(results)) == 1
        assert {refusal.code for refusal in won(results, errors.OrderStateError)} == {"ALREADY_RATED"}
        assert check(processes, of).count == 1
        other, [(fan, order)] = delivered(processes, 1)
        results = processes.everywhere(rating(processes, fan, order, 5, key=f"one-key-of-the-round-{number}"))
        assert sorted(each.replayed for each in results) == [False, *[True] * (COUNT - 1)]
        assert check(processes, other).counts == (0, 0, 0, 0, 1)


def test_a_rating_and_a_confirmation_pay_the_creator_once(processes: Processes) -> None:
    for _ in range(ROUNDS // 2):
        of, [(fan, order)] = delivered(processes, 1)
        results = processes.at_once(
            processes.move(fan, order, "confirm", Actor.FAN),
            rating(processes, fan, order, 3),
            processes.move(fan, order, "open_dispute", Actor.FAN),
        )
        after = processes.world.order(order)
        rated = bool(won([each.value for each in won(results, Done)], Rated))
        assert rated is (after.state is State.COMPLETED)
        assert check(processes, of).count == int(rated)


def test_moderators_hide_a_rating_once(processes: Processes) -> None:
    moderator = processes.world.staff("moderator")
    of, [(fan, order)] = delivered(processes, 1)
    made = processes.run(rating(processes, fan, order, 2)).value.rating
    results = processes.at_once(*(deciding(processes, moderator, made, hidden=True) for _ in range(COUNT)))
    assert len(done(results)) == 1
    assert {refusal.code for refusal in won(results, errors.ValidationError)} == {"RATING_STATE"}
    assert check(processes, of).count == 0
