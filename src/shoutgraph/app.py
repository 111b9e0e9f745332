"""The composition root: the only place that chooses implementations, reads the wall clock and makes ids."""

import base64
import contextlib
import functools
import os
import secrets
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import uuid_utils
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount

from shoutgraph.api import bank_files, exports, http, manifest_keys, media, statement_files, tokens, webhooks
from shoutgraph.api.addresses import Peers, networks_of
from shoutgraph.api.auth import Doorkeeper
from shoutgraph.api.drain import Drain
from shoutgraph.api.graphql.engine.engine import CompiledEngine
from shoutgraph.api.graphql.execution import Runner
from shoutgraph.api.graphql.schema import build_schema
from shoutgraph.api.health import Check
from shoutgraph.api.jwks import RemoteIssuer
from shoutgraph.api.metering import Meter
from shoutgraph.api.tokens import Issuer, LocalIssuer
from shoutgraph.api.transport import Transport
from shoutgraph.api.trusted import open_documents
from shoutgraph.domain import ids
from shoutgraph.domain.clock import Clock
from shoutgraph.files import anchors as anchor_files, key_files, signing
from shoutgraph.files.agreed_time import AgreedTime, counted
from shoutgraph.files.anchors import AnchorFolder
from shoutgraph.files.links import Links
from shoutgraph.files.local import open_local_files
from shoutgraph.files.travel import TravelClock
from shoutgraph.jobs import anchors as anchor_jobs, every, expiry, runner
from shoutgraph.outbound.courier import Courier, Rules
from shoutgraph.plugins import loading, switches
from shoutgraph.plugins.providers import Providers
from shoutgraph.plugins.routes import Choice, Route
from shoutgraph.sdk import Simulator, SimulatorSetup
from shoutgraph.services import anchors, api_keys, readiness, users
from shoutgraph.services.watch import Watch
from shoutgraph.settings import SANDBOX, Settings
from shoutgraph.storage import engine, migrations
from shoutgraph.telemetry import metrics
from shoutgraph.tools import Tools

SECRET_BYTES: Final = 32
JOBS: Final = every.JOBS
PROVIDERS_FRESH_S: Final = 10.0
"""How long the answer is good whether money is in flight with a provider that nobody can ask."""
ANCHORS_FRESH_S: Final = 30.0
"""How long the answer is good whether the database agrees with its newest anchor."""

SANDBOX_PATH: Final = "/sandbox"


def wall_clock() -> datetime:
    """The time now."""
    return datetime.now(UTC)


def new_id(prefix: str) -> str:
    """A fresh id with this prefix."""
    return ids.encode(prefix, uuid_utils.uuid7().bytes)


def new_secret() -> str:
    """A fresh secret of 256 random bits."""
    return secrets.token_urlsafe(SECRET_BYTES)


@dataclass(frozen=True, slots=True)
class App:
    """Everything that runs, put together."""

    settings: Settings
    base_url: str
    tools: Tools
    issuer: LocalIssuer
    runner: Runner
    asgi: Starlette
    drain: Drain


@contextlib.asynccontextmanager
async def open_tools(
    settings: Settings, *, base_url: str, environ: Mapping[str, str] = os.environ, restoring: bool = False
) -> AsyncIterator[Tools]:
    """Opens the database, the plugins and the files, and closes them at the end.

    Args:
        restoring: the database may disagree with its anchors.

    Raises:
        StoreUnavailableError: the database is not there, of another release, has a writer already, or disagrees with
            its anchors.
        PluginsBrokenError: plugins are strict, and one is not fine.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    if settings.database_url is None:
        migrations.upgrade(settings.database)
    travel = TravelClock(settings.data_dir / "test-clock", wall_clock) if settings.test_clock else None
    clock = travel or wall_clock
    async with contextlib.AsyncExitStack() as parts:
        folder = anchor_folder(settings)
        if folder is not None:
            with open_reader(settings) as reader:  # a database that must not be served gets no line more either
                await (anchors.find if restoring else anchors.require)(reader, folder)
        chosen = engine.Options(readers=settings.reader_threads, glance_ms=settings.glance_ms)
        store = engine.open_store(settings.database, clock, chosen)
        parts.push_async_callback(store.aclose)
        files = open_local_files(settings.data_dir / "files")
        parts.callback(files.close)
        providers = load_providers(settings, base_url=base_url, clock=clock, environ=environ)
        parts.push_async_callback(providers.aclose)
        rules = Rules(secure=settings.production, local=settings.webhooks_local)
        key = key_files.read_or_make(settings.data_dir, "webhooks.key")
        courier = Courier(key, clock=wall_clock, rules=rules)  # receivers live in real time, as tokens do
        parts.push_async_callback(courier.aclose)
        public_url = settings.public_url or base_url
        links_key = key_files.read_or_make(settings.data_dir, "links.key")
        tools = Tools(
            store=store,
            clock=clock,
            new_id=new_id,
            bell=store.bell,
            providers=providers,
            files=files,
            links=Links(links_key, public_url=public_url, read_s=settings.link_ttl_s),
            public_url=public_url,
            travel=None if travel is None else travel.advance,
            new_secret=new_secret,
            anchors=folder,
            manifests=signing.open_signer(settings.manifest_key_path),
            courier=courier,
            real_clock=wall_clock,
        )
        parts.push_async_callback(anchor_jobs.last, tools)
        yield tools


@contextlib.asynccontextmanager
async def open_app(
    settings: Settings, *, base_url: str, environ: Mapping[str, str] = os.environ, restoring: bool = False
) -> AsyncIterator[App]:
    """Opens what a server needs: the tools, who may come in, the graph, and in development the simulator.

    Args:
        restoring: the database may disagree with its anchors.

    Raises:
        StoreUnavailableError: the database is not there, of another release, has a writer already, or disagrees with
            its anchors.
        PluginsBrokenError: plugins are strict, and one is not fine.
    """
    async with contextlib.AsyncExitStack() as parts:
        tools = await parts.enter_async_context(
            open_tools(settings, base_url=base_url, environ=environ, restoring=restoring)
        )
        doorkeeper, local = _doorkeeper(settings, tools)
        drain = Drain()
        schema = build_schema()
        plans = CompiledEngine(schema) if settings.engine else None
        graph = Runner(schema, engine=plans, production=settings.production)
        parts.enter_context(metrics.registered(graph.documents.usage))
        transport = Transport(
            runner=graph,
            tools=tools,
            authenticate=doorkeeper,
            new_request_id=_new_request_id,
            drain=drain,
            clock=wall_clock,  # tokens live in real time, whatever the test clock says
            allowed_origins=frozenset(settings.allowed_origins),
            graphiql=settings.graphiql_on,
            meter=Meter(settings.rates, key=key_files.read_or_make(settings.data_dir, "links.key")),
            peers=Peers(networks_of(settings.trusted_proxies)),
            trusted=open_documents(settings.trusted_documents, only=settings.trusted_only),
        )
        if not settings.embedded:
            await parts.enter_async_context(transport.meter.shared(tools))
        routes: list[BaseRoute] = [
            *media.routes(tools, drain),
            *webhooks.routes(tools),
            *bank_files.routes(tools, doorkeeper),
            *statement_files.routes(tools),
            *manifest_keys.routes(tools),
            *exports.routes(tools),
        ]
        simulator = _simulator(settings, base_url, tools.clock)
        if simulator is not None:
            routes.append(Mount(SANDBOX_PATH, simulator))
            parts.push_async_callback(simulator.aclose)
            await simulator.start()
        asgi = http.build_asgi(transport, routes=routes, checks=checks_of(tools))
        yield App(settings, base_url, tools, local, graph, asgi, drain)


def checks_of(tools: Tools) -> tuple[Check, ...]:
    """Everything that must be well before requests are sent to a process; a room that knows of more adds a line."""
    return (
        Check("reading", functools.partial(readiness.readable, tools)),
        Check("writing", functools.partial(readiness.writable, tools)),
        Check("providers", functools.partial(readiness.providers, tools), fresh_s=PROVIDERS_FRESH_S),
        Check("anchors", functools.partial(anchors.fault, tools), fresh_s=ANCHORS_FRESH_S),
    )


def clock_watch(settings: Settings) -> Watch:
    """Holds the wall clock against what this machine counts."""
    return Watch(AgreedTime(settings.data_dir), counted, strict=settings.production)


def jobs_of(settings: Settings) -> Mapping[str, runner.Tick]:
    """The jobs; those that act on what is over wait while the time is in doubt. A test clock is moved on purpose."""
    return JOBS if settings.test_clock else expiry.guarded(JOBS, clock_watch(settings))


def checks_of_jobs(settings: Settings, tools: Tools) -> tuple[Check, ...]:
    """What must be well in a process of nothing but jobs: also the time, without which half of them wait."""
    if settings.test_clock:
        return checks_of(tools)
    return (*checks_of(tools), Check("clock", functools.partial(clock_watch(settings).fault, tools)))


def anchor_folder(settings: Settings) -> AnchorFolder | None:
    """Where the journal is anchored, if anywhere.

    Raises:
        KeyFileError: the file of the keys holds none that can be used.
    """
    every = timedelta(seconds=settings.anchor_interval_s)
    return anchor_files.open_folder(settings.anchor_dir, settings.anchor_key_path, every=every)


@contextlib.contextmanager
def open_reader(settings: Settings, *, any_schema: bool = False) -> Iterator[engine.Store]:
    """The database for reading only, beside a serving process.

    Args:
        any_schema: opens it even where guards are missing; `schema_fault` then says so.

    Raises:
        StoreUnavailableError: the database is not there, or of another release.
    """
    options = engine.Options(writing=False, any_schema=any_schema, patient=True)
    store = engine.open_store(settings.database, wall_clock, options)
    try:
        yield store
    finally:
        store.close()


def load_providers(
    settings: Settings,
    *,
    base_url: str,
    clock: Clock = wall_clock,
    environ: Mapping[str, str] = os.environ,
) -> Providers:
    """The configured providers; in development without any, the sandbox.

    Raises:
        SwitchesError: the file of disabled plugins cannot be read.
        PluginsBrokenError: plugins are strict, and one is not fine.
    """
    instances: Mapping[str, Mapping[str, object]] = settings.providers
    if not instances and not settings.production:
        instances = _sandbox_instances(settings, base_url)
    setup = loading.Setup(
        instances=instances,
        environ=environ,
        clock=clock,
        monotonic=time.monotonic,
        strict=settings.plugins_strict,
        disabled=switches.read(settings.data_dir),
        routes=routes_of(settings),
    )
    return loading.load(setup)


def routes_of(settings: Settings) -> tuple[Route, ...]:
    """Who takes which payments, as the settings say."""
    return tuple(
        Route(
            use=tuple(Choice(use.id, use.weight) for use in each.use),
            countries=each.when.country,
            currencies=each.when.currency,
            platform=each.when.platform,
        )
        for each in settings.topup.routes
    )


def local_issuer(settings: Settings) -> LocalIssuer:
    """The issuer of this deployment's own tokens."""
    return tokens.open_local(settings.data_dir, audience=settings.jwt_audience, clock=wall_clock)


def _doorkeeper(settings: Settings, tools: Tools) -> tuple[Doorkeeper, LocalIssuer]:
    # Tokens live in real time, whatever the test clock says.
    local = local_issuer(settings)
    issuers: list[Issuer] = []
    if settings.jwks_url is not None and settings.jwt_issuer is not None:
        remote = RemoteIssuer(
            issuer=settings.jwt_issuer,
            audience=settings.jwt_audience,
            jwks_url=settings.jwks_url,
            clock=wall_clock,
            role_claim=settings.jwt_role_claim,
        )
        issuers.append(remote)
    if not settings.production or not issuers:
        issuers.append(local)
    keeper = Doorkeeper(
        issuers=issuers,
        identify=users.Identities(tools).identify,
        clock=wall_clock,
        prove_key=functools.partial(api_keys.prove, tools),
    )
    return keeper, local


def _simulator(settings: Settings, base_url: str, clock: Clock) -> Simulator | None:
    """The sandbox's upstream, in development only: money is never pretended in production."""
    if settings.production or settings.providers:
        return None
    factory = loading.simulators().get(SANDBOX)
    if factory is None:
        return None
    setup = SimulatorSetup(
        base_url=base_url + SANDBOX_PATH,
        state_path=settings.data_dir / "sandbox.db",
        webhook_base_url=base_url,
        webhook_secret=SecretStr(_sandbox_secret(settings)),
        api_key=SecretStr(key_files.read_or_make(settings.data_dir, "sandbox.key").hex()),
        clock=clock,
    )
    return factory(setup)


def _sandbox_instances(settings: Settings, base_url: str) -> Mapping[str, Mapping[str, object]]:
    if SANDBOX not in loading.simulators():
        return {}
    shared = {
        "base_url": base_url + SANDBOX_PATH,
        "api_key": SecretStr(key_files.read_or_make(settings.data_dir, "sandbox.key").hex()),
        "webhook_secrets": [SecretStr(_sandbox_secret(settings))],
    }
    return {
        "sandbox": {"plugin": "sandbox", **shared},
        "sandbox-payouts": {"plugin": "sandbox-payouts", **shared},
    }


def _sandbox_secret(settings: Settings) -> str:
    return "whsec_" + base64.b64encode(key_files.read_or_make(settings.data_dir, "sandbox-webhooks.key")).decode()


def _new_request_id() -> str:
    return uuid_utils.uuid7().hex
