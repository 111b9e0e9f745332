"""Settings: read once from the environment and an optional TOML file, frozen, unknown names refused.

Every field is a variable with the prefix `SHOUTGRAPH_`; `docs/SETTINGS.md` lists them all. The TOML file named by
`SHOUTGRAPH_CONFIG` holds the same names in lower case and the `[providers.<instance>]` tables.
"""

import os
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from shoutgraph.domain.buckets import MICROS, Rate, Rates
from shoutgraph.domain.packages import Platform
from shoutgraph.domain.users import CallerKind
from shoutgraph.telemetry.choices import LogFormat, LogLevel, Traces

PREFIX: Final = "SHOUTGRAPH_"
CONFIG: Final = "SHOUTGRAPH_CONFIG"
EMBEDDED: Final = "sqlite:///"
SERVERS: Final = ("postgresql://", "postgres://")
WORKERS_MAX: Final = 64
ROUTES_MAX: Final = 200
CHOICES_MAX: Final = 20
WEIGHT_MAX: Final = 1_000_000
RATE_MAX: Final = 1_000_000_000
CONNECTIONS_MAX: Final = 20_000
SANDBOX: Final = "sandbox"
"""The instance of a development deployment that configures none."""


class SettingsError(Exception):
    """The settings cannot be used; the message names each wrong one."""


class Environment(StrEnum):
    """Where this deployment runs: production is strict about secrets, pages and clocks."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class _Table(BaseModel):
    """A table of the TOML file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class When(_Table):
    """Where a route holds; what is left out holds everywhere."""

    country: frozenset[str] | None = Field(default=None, min_length=1)
    currency: frozenset[str] | None = Field(default=None, min_length=1)
    platform: Platform | None = None


class Use(_Table):
    """An instance in a route, and its share of the users."""

    id: str
    weight: int = Field(1, ge=0, le=WEIGHT_MAX)


class TopupRoute(_Table):
    """Who takes the payments of a market."""

    when: When = When()
    use: tuple[Use, ...] = Field(min_length=1, max_length=CHOICES_MAX)


class TopupSettings(_Table):
    """How top-ups find their provider."""

    routes: tuple[TopupRoute, ...] = Field(default=(), max_length=ROUTES_MAX)


class Settings(BaseModel):
    """Everything an operator can choose. Units: `_s` seconds, `_bytes` bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    environment: Environment = Field(Environment.DEVELOPMENT, description="development or production.")
    data_dir: Path = Field(Path("shoutgraph-data"), description="Folder of the embedded database, files and keys.")
    database_url: SecretStr | None = Field(
        None, description="postgresql://user@host/name, or sqlite:///path; by default a file in the data folder."
    )
    database_owner_url: SecretStr | None = Field(
        None, description="How `shoutgraph migrate` connects; by default as database_url says."
    )
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    public_url: str | None = Field(
        None, description="Address that people and providers reach; by default host and port."
    )
    allowed_origins: tuple[str, ...] = Field(
        (), description="Origins of front ends that may read answers and open sockets (JSON list)."
    )
    graphiql: bool | None = Field(None, description="Serve GraphiQL; by default only in development.")
    test_clock: bool = Field(default=False, description="Let an admin move time; refused in production.")
    reader_threads: int = Field(4, ge=1, le=64, description="Threads that read, each with a connection of its own.")
    glance_ms: int = Field(
        2,
        ge=0,
        le=1_000,
        description="How many milliseconds the event loop may read from SQLite itself before a thread does; 0: never.",
    )
    engine: bool = Field(default=True, description="Answer queries by compiled plans; otherwise by graphql-core alone.")
    workers: int = Field(
        1, ge=1, le=WORKERS_MAX, description="Processes that `shoutgraph serve` runs; more than 1 on PostgreSQL only."
    )
    health_port: int | None = Field(
        None, ge=0, le=65535, description="Port of the health checks of `shoutgraph work`; none by default."
    )
    log_format: LogFormat | None = Field(
        None, description="console or json; by default json in production. Lines go to the standard error."
    )
    log_level: LogLevel = Field(LogLevel.WARNING, description="debug, info, warning or error.")
    metrics_port: int | None = Field(
        None,
        ge=1,
        le=65535 - WORKERS_MAX,
        description="Port of `/metrics`; worker N listens N ports above it. None by default.",
    )
    metrics_host: str = Field("127.0.0.1", description="Address on which `/metrics` is served.")
    traces: Traces = Field(Traces.NONE, description="none, console or otlp, which reads the OTEL_* variables.")
    jobs: bool = Field(default=True, description="Run deadlines, payouts and reconciliation in `serve` too.")
    job_interval_s: int = Field(1, ge=1, le=3600, description="Pause between two rounds of the jobs.")
    anchor_dir: Path | None = Field(
        None, description="Folder outside of this machine's reach for signed anchors of the journal; none by default."
    )
    anchor_key: Path | None = Field(
        None, description="File of the keys that sign anchors; by default anchor-keys.json in the data folder."
    )
    anchor_interval_s: int = Field(60, ge=1, le=3600, description="Pause between two anchors, if the journal grew.")
    manifest_key: Path | None = Field(
        None,
        description="File of the keys that sign manifests of videos; by default manifest-keys.json in the data folder.",
    )
    webhooks_local: bool = Field(
        default=False, description="Let webhooks go to 127.0.0.1 too, for tests; refused in production."
    )
    link_ttl_s: int = Field(600, ge=10, le=600, description="Life of a signed media link.")
    jwt_issuer: str | None = Field(
        None, description="Issuer of an OpenID Connect provider; by default the local issuer."
    )
    jwt_audience: str = Field("shoutgraph", description="Audience that tokens must name.")
    jwks_url: str | None = Field(None, description="Address of the provider's public keys.")
    jwt_role_claim: str = Field("role", description="Claim that names the role of staff.")
    rate_anonymous: int = Field(
        200, ge=0, le=RATE_MAX, description="Points of cost a second for an address that is not signed in; 0: no limit."
    )
    rate_person: int = Field(500, ge=0, le=RATE_MAX, description="Points a second for a person; 0: no limit.")
    rate_staff: int = Field(
        2500, ge=0, le=RATE_MAX, description="Points a second for staff, tools and API keys; 0: no limit."
    )
    rate_burst_s: int = Field(60, ge=10, le=3600, description="Seconds for which unused points are saved up.")
    connections: int = Field(
        50, ge=0, le=CONNECTIONS_MAX, description="Sockets and streams of one person at a process; 0: no limit."
    )
    trusted_proxies: tuple[str, ...] = Field(
        (), description="Addresses or networks whose X-Forwarded-For is believed (JSON list)."
    )
    trusted_documents: Path | None = Field(
        None, description="Manifest of trusted documents, or a folder of them; none by default."
    )
    trusted_only: tuple[CallerKind, ...] = Field(
        (), description="Who may send trusted documents only: anonymous, person, staff (JSON list)."
    )
    plugins_strict: bool = Field(default=False, description="Refuse to start when a plugin is broken.")
    providers: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="Provider instances, from the TOML file: plugin name and its settings."
    )
    topup: TopupSettings = Field(
        TopupSettings(), description="Routes, from the TOML file: which instance takes which payments."
    )

    @model_validator(mode="after")
    def _production_is_strict(self) -> "Settings":
        if self.environment is Environment.PRODUCTION and self.test_clock:
            raise ValueError("test_clock is never on in production")
        if self.environment is Environment.PRODUCTION and self.webhooks_local:
            raise ValueError("webhooks_local is never on in production")
        if (self.jwks_url is None) != (self.jwt_issuer is None):
            raise ValueError("jwt_issuer and jwks_url go together")
        return self

    @model_validator(mode="after")
    def _proxies_are_addresses(self) -> "Settings":
        for each in self.trusted_proxies:
            try:
                ip_network(each)
            except ValueError:
                raise ValueError(f"trusted_proxies: {each} is neither an address nor a network") from None
        return self

    @model_validator(mode="after")
    def _databases_are_known(self) -> "Settings":
        if self.database_url is not None and not self._url.startswith((EMBEDDED, *SERVERS)):
            raise ValueError("database_url starts with postgresql:// or sqlite:///")
        owner = self.database_owner_url
        if owner is not None and (self.embedded or not owner.get_secret_value().startswith(SERVERS)):
            raise ValueError("database_owner_url is the same postgresql:// database as database_url, for its owner")
        return self

    @model_validator(mode="after")
    def _routes_lead_somewhere(self) -> "Settings":
        known = set(self.providers) or (set() if self.production else {SANDBOX})
        for at, route in enumerate(self.topup.routes):
            names = [each.id for each in route.use]
            strange = sorted(set(names) - known)
            if strange:
                raise ValueError(f"topup.routes.{at}: there is no instance {strange[0]} among the providers")
            if len(set(names)) != len(names):
                raise ValueError(f"topup.routes.{at}: an instance is named twice")
        return self

    @property
    def production(self) -> bool:
        """Whether this deployment serves real people."""
        return self.environment is Environment.PRODUCTION

    @property
    def rates(self) -> Rates:
        """What callers may spend."""
        burst_s = self.rate_burst_s

        def rate(per_s: int) -> Rate | None:
            return Rate(per_s * burst_s, burst_s * MICROS) if per_s else None

        return Rates(rate(self.rate_anonymous), rate(self.rate_person), rate(self.rate_staff), self.connections or None)

    @property
    def log_form(self) -> LogFormat:
        """How lines of the log are written."""
        return self.log_format or (LogFormat.JSON if self.production else LogFormat.CONSOLE)

    @property
    def graphiql_on(self) -> bool:
        """Whether the GraphiQL page is served."""
        return not self.production if self.graphiql is None else self.graphiql

    @property
    def anchor_key_path(self) -> Path:
        """The file of the keys that sign anchors."""
        return self.data_dir / "anchor-keys.json" if self.anchor_key is None else self.anchor_key

    @property
    def manifest_key_path(self) -> Path:
        """The file of the keys that sign manifests."""
        return self.data_dir / "manifest-keys.json" if self.manifest_key is None else self.manifest_key

    @property
    def embedded(self) -> bool:
        """Whether the database is a file of this machine, which one process writes to."""
        return self.database_url is None or self.database_url.get_secret_value().startswith(EMBEDDED)

    @property
    def database(self) -> str:
        """The database as storage takes it: a path, or an address with whatever secret is in it."""
        return str(self.database_path) if self.embedded else self._url

    @property
    def database_owner(self) -> str:
        """The database as a migration takes it."""
        owner = self.database_owner_url
        return self.database if owner is None else owner.get_secret_value()

    @property
    def database_name(self) -> str:
        """The database in words that may be shown: without names of people, secrets and parameters."""
        if self.embedded:
            return str(self.database_path)
        try:
            parts = urlsplit(self._url)
            host = parts.hostname or "localhost"
            place = host if parts.port is None else f"{host}:{parts.port}"
        except ValueError:
            return "the database"
        return f"postgresql://{place}{parts.path}"

    @property
    def database_path(self) -> Path:
        """The file of the embedded database.

        Raises:
            SettingsError: the database is not embedded.
        """
        if self.database_url is None:
            return self.data_dir / "shoutgraph.db"
        if not self.embedded:
            raise SettingsError("The database is not a file of this machine; this works on the embedded one only.")
        return Path(self._url.removeprefix(EMBEDDED))

    @property
    def _url(self) -> str:
        return "" if self.database_url is None else self.database_url.get_secret_value()


_TABLES: Final = frozenset({"providers", "topup"})
"""What only the TOML file has."""


def load(overrides: Mapping[str, object], environ: Mapping[str, str] = os.environ) -> Settings:
    """Reads the settings; what the command line gives overrides the environment, which overrides the file.

    Raises:
        SettingsError: an unknown name, or a value that does not fit.
    """
    values: dict[str, object] = {}
    config = environ.get(CONFIG)
    if config is not None:
        values.update(_read_toml(Path(config)))
    names = {name for name in environ if name.startswith(PREFIX)} - {CONFIG}
    for name in sorted(names):
        field = name.removeprefix(PREFIX).lower()
        if field not in Settings.model_fields or field in _TABLES:
            raise SettingsError(f"{name} is not a setting; see docs/SETTINGS.md.")
        values[field] = _value(field, environ[name])
    values.update({name: value for name, value in overrides.items() if value is not None})
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        lines = [_told(".".join(map(str, each["loc"])), each["msg"]) for each in error.errors()]
        raise SettingsError("; ".join(lines)) from None


def _told(name: str, message: str) -> str:
    """One thing that is wrong, without the value: it may be a secret."""
    text = message.removeprefix("Value error, ")
    return f"{name}: {text}" if name else f"{text}."


_LISTS: Final = frozenset({"allowed_origins", "trusted_proxies", "trusted_only"})


def _value(field: str, text: str) -> object:
    if field in _LISTS:
        return tuple(each.strip() for each in text.strip("[]").replace('"', "").split(",") if each.strip())
    return text


def _read_toml(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from None
