"""`shoutgraph seed`: a believable catalogue of people who do not exist."""

import asyncio
from typing import Final

from shoutgraph.cli.shared import DataDir, console, read_settings
from shoutgraph.domain.users import ROLES, Viewer
from shoutgraph.settings import Settings

OPERATOR: Final = Viewer(scopes=ROLES["admin"], principal="operator:seed")


def seed(data_dir: DataDir = None) -> None:
    """Load fictional creators with offers, a price list of coin packages, and gifts. Twice changes nothing.

    For development: a real deployment loads its own prices with `shoutgraph prices load`.
    """
    settings = read_settings(data_dir=data_dir)
    creators, prices = asyncio.run(load(settings))
    console.print(f"{creators} creators and {prices} prices are in {settings.database_name}", soft_wrap=True)


async def load(settings: Settings) -> tuple[int, int]:
    """Loads the seeds into a deployment that is not serving; gives how many creators and prices."""
    from shoutgraph import app
    from shoutgraph.services import packages, seeds
    from shoutgraph.services.gifts import catalogue

    async with app.open_app(settings, base_url="http://127.0.0.1") as opened:
        found = await seeds.seed_creators(opened.tools, OPERATOR, seeds.read_creators())
        prices = seeds.read_prices()
        await packages.load(opened.tools, OPERATOR, prices)
        await catalogue.load(opened.tools, OPERATOR, seeds.read_gifts())
    return len(found), len(prices.packages)
