"""Orders in every state, videos, earnings and prices: something for each mutation to find."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from tests.e2e.market import OPERATOR, Market
from tests.services.world import World

from shoutgraph import app, settings
from shoutgraph.domain.creators import Offer
from shoutgraph.domain.orders.machine import Command
from shoutgraph.domain.orders.order import Order, RedoGround
from shoutgraph.domain.orders.states import Actor
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import Viewer
from shoutgraph.services import offers, packages, seeds
from shoutgraph.services.orders import deliver, moves
from shoutgraph.services.orders.moves import Turn

EACH = 4
"""Orders of each state."""

_PASS = (("screen_pass", Actor.MODERATOR),)
_ACCEPT = (*_PASS, ("accept", Actor.CREATOR))
_UPLOAD = (*_ACCEPT, ("upload", Actor.CREATOR))
_DELIVER = (*_UPLOAD, ("review_pass", Actor.MODERATOR))
WAYS: Mapping[str, tuple[tuple[str, Actor], ...]] = MappingProxyType(
    {
        "SCREENING": (),
        "AWAITING_ACCEPTANCE": _PASS,
        "IN_PRODUCTION": _ACCEPT,
        "IN_REVIEW": _UPLOAD,
        "CHANGES_REQUIRED": (*_UPLOAD, ("review_changes", Actor.MODERATOR)),
        "DELIVERED": _DELIVER,
        "REDO_REQUESTED": (*_DELIVER, ("request_redo", Actor.FAN)),
        "DISPUTED": (*_DELIVER, ("open_dispute", Actor.FAN)),
        "COMPLETED": (*_DELIVER, ("confirm", Actor.FAN)),
    }
)


def fill(market: Market, folder: Path) -> dict[str, list[str]]:
    """Fills the market's folder; gives the ids of what is in it by prefix, the most wanted first."""
    chosen = settings.load({"data_dir": folder}, {})
    loop = asyncio.new_event_loop()
    opening = app.open_app(chosen, base_url="http://127.0.0.1", environ={})
    opened = loop.run_until_complete(opening.__aenter__())
    try:
        keeper = Keeper(World(opened.tools, opened.tools.clock, loop), market)  # type: ignore[arg-type]
        return keeper.fill()
    finally:
        loop.run_until_complete(opening.__aexit__(None, None, None))
        loop.close()


class Keeper:
    """Takes orders of one fan from one creator to every state."""

    def __init__(self, world: World, market: Market) -> None:
        self.world = world
        seller = market.sellers[0]
        self.fan = Viewer(user_id=market.rich_id, principal=market.rich_id)  # type: ignore[arg-type]
        self.creator = Viewer(seller.user_id, seller.creator_id, principal=seller.user_id)  # type: ignore[arg-type]
        self.moderator = world.staff("moderator")
        self.found: dict[str, list[str]] = {
            "order": [],
            "video": [],
            "offer": [each.offer_id for each in market.sellers[:3]],
            "creator": [each.creator_id for each in market.sellers[:3]],
            "user": [market.rich_id, market.poor_id, seller.user_id],
        }

    def fill(self) -> dict[str, list[str]]:
        """Makes everything."""
        run, tools = self.world.run, self.world.tools
        run(packages.load(tools, OPERATOR, seeds.read_prices()))
        ((offer, *_),) = run(offers.list_by_creator(tools, Viewer(), [self.creator.creator_id]))  # type: ignore[list-item]
        for _ in range(EACH):
            for way in WAYS.values():
                self._order(offer, way)
        return self.found

    def _order(self, offer: Offer, way: tuple[tuple[str, Actor], ...]) -> None:
        order = self.world.place(self.fan, offer)
        for name, actor in way:
            order = self._upload(order) if name == "upload" else self._move(order, name, actor)
        self.found["order"].append(order.id)

    def _move(self, order: Order, name: str, actor: Actor) -> Order:
        viewer = {Actor.FAN: self.fan, Actor.CREATOR: self.creator, Actor.MODERATOR: self.moderator}[actor]
        command = Command(name, actor, reason="OTHER", note="Because.", ground=RedoGround.WRONG_NAME)
        taking = moves.take(self.world.tools, viewer, self._request(viewer, name), Turn(order.id), command)
        return self.world.run(taking).value

    def _upload(self, order: Order) -> Order:
        video_id = self.world.ready_video(order)
        self.found["video"].append(video_id)
        asked = self._request(self.creator, "upload")
        done = self.world.run(deliver.deliver(self.world.tools, self.creator, asked, Turn(order.id), video_id))
        return done.value

    def _request(self, viewer: Viewer, mutation: str) -> Request:
        return self.world.request(mutation, viewer)
