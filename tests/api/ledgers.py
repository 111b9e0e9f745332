"""Money that waits for people, made behind the API: a held refund, a stray, and what somebody proposed of it."""

from tests.api.deployment import Deployment

from shoutgraph.domain import ids
from shoutgraph.domain.money import Money
from shoutgraph.domain.requests import Request
from shoutgraph.domain.resolutions import Verdict
from shoutgraph.domain.strays import Stray, StrayKind
from shoutgraph.domain.topups import refund as rules
from shoutgraph.domain.users import ROLES, Viewer
from shoutgraph.services.money import resolve
from shoutgraph.services.orders import timers
from shoutgraph.services.topups import apply, refund, set_aside
from shoutgraph.storage import refunds, strays
from shoutgraph.storage.tx import Tx

SOMEBODY = Viewer(scopes=ROLES["finance"], principal="somebody")


def held_refund(to: Deployment, topup_id: str) -> str:
    """A refund of a cent that the risk review held; somebody else asked for it."""

    def work(tx: Tx) -> str:
        desk = apply.open_desk(to.app.tools, tx, timers.reverse_orders)
        asked = refund._set_aside(desk, SOMEBODY, refund.Wish(topup_id, "A kind word", minor=1))
        held = set_aside.keep(desk, asked, rules.held(asked, now=tx.now))
        refunds.schedule(tx, held.id, look_at=None, looks=0)
        return held.id

    return to.write(work)


def stray(to: Deployment) -> str:
    """Something that a provider has and the books do not know."""
    name = to.app.tools.new_id(ids.TOPUP)
    made = to.app.tools.clock()
    found = Stray("sandbox", name, StrayKind.TOPUP, name, None, "SETTLED", Money(100, "EUR"), made)
    to.write(lambda tx: strays.keep(tx, found))
    return f"sandbox/{name}"


def proposed(to: Deployment) -> str:
    """What somebody proposed of a stray."""
    wish = resolve.Wish(stray(to), Verdict.CLOSED, "line 7 of the statement")
    name = to.app.tools.new_id(ids.EVENT)
    asked = Request.of(principal=SOMEBODY.principal, mutation="moneyResolvePropose", key=name, given={})
    return to.run(resolve.propose(to.app.tools, SOMEBODY, asked, wish)).value.id


def gather(to: Deployment, topup_id: str) -> dict[str, str]:
    """One of each, by the prefix of its id."""
    return {"refund": held_refund(to, topup_id), "resolution": proposed(to)}
