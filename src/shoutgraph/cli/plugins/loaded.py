"""What the commands look at: the plugins as a server would load them, and the instances with money in flight."""

from datetime import datetime
from typing import TYPE_CHECKING, Final

from shoutgraph.cli.shared import DataDir, read_settings
from shoutgraph.domain.errors import FaultError
from shoutgraph.plugins import statuses
from shoutgraph.settings import Settings

if TYPE_CHECKING:
    from shoutgraph.plugins.providers import Providers

DEFAULT_URL: Final = "http://127.0.0.1:8000"

BREAKERS: Final = (
    "Breakers are each serving process's own, and closed at its start: its log tells what it could not do."
)


def load(data_dir: DataDir) -> tuple[Settings, "Providers"]:
    """The settings, and the plugins as they say.

    Raises:
        SettingsError: a setting is unknown or does not fit.
        PluginsBrokenError: plugins are strict, and one is not fine.
    """
    from shoutgraph import app

    settings = read_settings(data_dir=data_dir)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    return settings, app.load_providers(settings, base_url=settings.public_url or DEFAULT_URL)


def in_use(settings: Settings) -> frozenset[str] | None:
    """The instances that money is in flight with, or None where there is no database to ask."""
    from shoutgraph import app
    from shoutgraph.services import readiness

    try:
        with app.open_reader(settings) as store:
            return frozenset(store.read_now(readiness.in_use))
    except FaultError:
        return None


def unexplained(settings: Settings) -> tuple[int, datetime | None]:
    """How many lines of providers nobody explained yet, and since when; none where there is no database to ask."""
    from shoutgraph import app
    from shoutgraph.services.money import suspense

    try:
        with app.open_reader(settings) as store:
            return store.read_now(suspense.waiting)
    except FaultError:
        return 0, None


def paint(state: statuses.State) -> str:
    """A state in its colour."""
    return f"[green]{state}[/]" if state in statuses.FINE else f"[red]{state}[/]"
