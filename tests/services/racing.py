"""What races begin with: new people, creators, orders and payments, and what became of them."""

from typing import Any, Final, TypeVar

from tests.services.processes import Processes
from tests.services.world import new_id

from shoutgraph.domain import ids
from shoutgraph.domain.categories import Category
from shoutgraph.domain.creators import Creator, Offer, Profile
from shoutgraph.domain.orders.order import Order
from shoutgraph.domain.orders.states import Actor
from shoutgraph.domain.users import Viewer
from shoutgraph.domain.wallets import id_of
from shoutgraph.storage import journal, wallets
from shoutgraph.storage.wallets import Balances
from shoutgraph.tools import Done

T = TypeVar("T")
ROUNDS: Final = 8
EVENTS_MAX: Final = 100


def won(results: list[Any], kind: type[T]) -> list[T]:
    """Those of this kind."""
    return [result for result in results if isinstance(result, kind)]


def done(results: list[Any]) -> list[Any]:
    """What the mutations that were not refused made."""
    return [each.value for each in won(results, Done)]


def someone(processes: Processes, coins: int = 0, *, promo: int = 0) -> Viewer:
    """A new fan with so many coins."""
    fan = processes.world.person(new_id("ada"))
    if coins or promo:
        processes.world.give_coins(fan, coins, promo=promo)
    return fan


def seller(processes: Processes, **terms: Any) -> tuple[Viewer, Creator, Offer]:
    """A new creator with an offer."""
    return processes.world.creator(new_handle(), **terms)


def new_handle() -> str:
    return "nova" + new_id("x")[-12:]


def profile_of(handle: str) -> Profile:
    return Profile(handle=handle, name="Nova", country="DE", categories=(Category.MUSICIAN,), languages=("en",))


def awaiting(processes: Processes) -> tuple[Viewer, Viewer, Order]:
    """A fan, a creator, and an order between them that waits for the creator."""
    run, fan, (creator, _, offer) = processes.run, someone(processes, 1_000), seller(processes)
    order = run(processes.order(fan, offer.id)).value
    passing = processes.move(processes.world.staff("moderator"), order, "screen_pass", Actor.MODERATOR)
    return fan, creator, run(passing).value


def moved(processes: Processes, order: Order) -> int:
    """How many revisions an order has gone on."""
    return processes.world.order(order).revision - order.revision


def coins_of(processes: Processes, fan: Viewer) -> Balances:
    """The fan's coins by the books."""
    assert fan.user_id is not None, "a fan is a person"
    user_id = fan.user_id
    return processes.world.read(lambda tx: wallets.balances(tx, user_id))


def told(processes: Processes, topic: str) -> list[str]:
    """The types of a subject's events."""
    processes.settle()
    lines = processes.world.read(lambda tx: journal.list_of_topic(tx, topic, after=0, limit=EVENTS_MAX))
    return [line.type for line in lines]


def wallet_of(fan: Viewer) -> str:
    return id_of(ids.UserId(str(fan.user_id)))
