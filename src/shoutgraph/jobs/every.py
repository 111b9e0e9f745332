"""Every job that there is."""

from collections.abc import Mapping
from typing import Final

from shoutgraph.jobs import (
    anchors,
    authenticity,
    closures,
    deadlines,
    dormancy,
    earnings,
    endpoints,
    media,
    news,
    notices,
    payouts,
    prices,
    privacy,
    reconcile,
    reputation,
    requests,
    runner,
    screening,
    sweep,
    waitlist,
    wallets,
)

JOBS: Final[Mapping[str, runner.Tick]] = {
    "anchors": anchors.tick,
    "authenticity": authenticity.tick,
    "closures": closures.tick,
    "deadlines": deadlines.tick,
    "dormancy": dormancy.tick,
    "earnings": earnings.tick,
    "endpoints": endpoints.tick,
    "media": media.tick,
    "news": news.tick,
    "notices": notices.tick,
    "payouts": payouts.tick,
    "prices": prices.tick,
    "privacy": privacy.tick,
    "reconcile": reconcile.tick,
    "reputation": reputation.tick,
    "requests": requests.tick,
    "screening": screening.tick,
    "sweep": sweep.tick,
    "waitlist": waitlist.tick,
    "wallets": wallets.tick,
}
"""Everything that the clock starts."""
