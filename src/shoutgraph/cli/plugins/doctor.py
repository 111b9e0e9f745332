"""`plugins doctor`: everything that can be found out before money is at stake."""

import asyncio
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.markup import escape

from shoutgraph.cli.plugins import loaded
from shoutgraph.cli.shared import DataDir, console, fail
from shoutgraph.domain import clock
from shoutgraph.plugins import statuses
from shoutgraph.plugins.statuses import State
from shoutgraph.sdk import Webhooks
from shoutgraph.settings import Settings

if TYPE_CHECKING:
    from shoutgraph.plugins.providers import Providers

ASK_TIMEOUT_S: Final = 5.0
SKEW_MAX_S: Final = 30
"""How far our clock and a provider's may be apart. Signatures of webhooks are refused from 300 s on."""

HTTPS_PORT: Final = "443"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or worth knowing."""

    name: str
    told: str
    wrong: bool = True


def doctor(
    offline: Annotated[bool, typer.Option("--offline", help="Ask nothing of the network.")] = False,  # noqa: FBT002
    data_dir: DataDir = None,
) -> None:
    """Check every plugin and instance; exit code 1 if one is not fine, and say what to do."""
    settings, providers = loaded.load(data_dir)
    findings = [*_states(providers), *_webhooks(settings, providers), *_in_flight(settings, providers)]
    if not offline:
        findings += asyncio.run(_network(providers))
    for each in findings:
        colour = "red" if each.wrong else "yellow"
        console.print(f"[{colour}]{escape(each.name)}[/]: {escape(each.told)}", soft_wrap=True)
    console.print(loaded.BREAKERS, soft_wrap=True)
    wrong_count = sum(each.wrong for each in findings)
    if wrong_count:
        fail(f"{wrong_count} of the checks of plugins and instances went wrong")
    console.print(f"[green]All well:[/] {len(providers.plugins)} plugins, {len(providers.instances)} instances.")


def _states(providers: "Providers") -> Iterator[Finding]:
    for plugin in providers.plugins:
        if plugin.state not in statuses.FINE:
            yield Finding(plugin.name, f"is {plugin.state}: {plugin.detail}")
    for instance in providers.instances:
        if instance.state not in statuses.FINE:
            yield Finding(instance.instance, f"is {instance.state}: {instance.detail}")
    for name in providers.routes.strangers():
        yield Finding(name, "a route names it, and it takes no money")
    if not providers.instances:
        yield Finding("instances", f"{State.MISSING}: no provider is configured: nobody can buy coins")


def _webhooks(settings: Settings, providers: "Providers") -> Iterator[Finding]:
    told = [name for name in sorted(providers.inboxes) if _trust(providers, name) is not Webhooks.NONE]
    base = settings.public_url
    if told and settings.production and (base is None or not base.startswith("https://")):
        yield Finding("public_url", "providers reach webhooks only at an https address; set SHOUTGRAPH_PUBLIC_URL")
    for name in told:
        url = f"{base or loaded.DEFAULT_URL}/hooks/{name}"
        yield Finding(name, f"its webhooks arrive at {url}: the provider has to know this address", wrong=False)


def _trust(providers: "Providers", name: str) -> Webhooks:
    found = providers.topups.get(name) or providers.payouts[name]
    return found.caps.webhooks


def _in_flight(settings: Settings, providers: "Providers") -> Iterator[Finding]:
    in_use = loaded.in_use(settings)
    if in_use is None:
        yield Finding("database", "there is none to ask whether money is in flight", wrong=False)
        return
    missing = providers.missing(in_use)
    for name in sorted(in_use):
        if name in missing:
            yield Finding(name, "money is in flight with it, and nobody can ask it: no process gets ready")
        else:
            yield Finding(name, "money is in flight with it", wrong=False)
    count, since = loaded.unexplained(settings)
    if since is not None:
        told = f"lines that no transfer explains: {count}, the oldest since {clock.to_text(since)}"
        yield Finding("suspense", f"{told}: look at `shoutgraph suspense list`", wrong=False)


async def _network(providers: "Providers") -> list[Finding]:
    hosts = sorted({(host, each.instance) for each in providers.instances for host in each.hosts})
    found = await asyncio.gather(*(_ask(host, instance) for host, instance in hosts))
    return [each for each in found if each is not None]


async def _ask(host: str, instance: str) -> Finding | None:
    name, _, port = host.rpartition(":")
    try:
        async with asyncio.timeout(ASK_TIMEOUT_S):
            await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError) as error:
        return Finding(instance, f"its host {name} is not found: {type(error).__name__}")
    return await _skew(name, port, instance)


async def _skew(name: str, port: str, instance: str) -> Finding | None:
    import httpx

    from shoutgraph import app

    scheme = "https" if port == HTTPS_PORT else "http"
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=ASK_TIMEOUT_S) as client:
            answer = await client.head(f"{scheme}://{name}:{port}/")
        theirs = parsedate_to_datetime(answer.headers["date"])
    except (httpx.HTTPError, KeyError, ValueError):
        return Finding(instance, f"its host {name} did not tell the time", wrong=False)
    apart_s = abs((app.wall_clock() - _aware(theirs)).total_seconds())
    if apart_s <= SKEW_MAX_S:
        return None
    return Finding(instance, f"our clock and that of {name} are {apart_s:.0f} s apart: signatures will be refused")


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.astimezone()
