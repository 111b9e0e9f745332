"""`shoutgraph features`: for whom each part of the product is on, who changed that, and changing it."""

import secrets
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.markup import escape
from rich.table import Table

from shoutgraph.cli.shared import DataDir, console, fail, read_settings, show, work_with
from shoutgraph.domain import clock, money, pages
from shoutgraph.domain.features import WHOLE, Feature, Lists, Rule, Terms
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import ROLES, Viewer

if TYPE_CHECKING:
    from shoutgraph.services.features import Wish

OPERATOR: Final = Viewer(scopes=ROLES["admin"], principal="operator:features")
CONDITIONS: Final = frozenset({"off", "allow", "deny", "starts", "ends", "only", "without", "percent"})
PERCENT_BPS: Final = money.BPS // 100

commands = typer.Typer(help="Show and change for whom features are on.", no_args_is_help=True)

Which = Annotated[Feature, typer.Argument(help="Which part of the product.", case_sensitive=False)]
Provider = Annotated[str, typer.Option(help="Only this way to buy coins; with TOPUPS.")]
Why = Annotated[str, typer.Option(help="Why, for whoever asks later.")]
Expected = Annotated[int | None, typer.Option(help="The version that you saw in force; 0 for none.")]
Conditions = Annotated[
    list[str] | None, typer.Argument(metavar="CONDITION...", help="Such as percent=10 only=DE,AT, or off.")
]


@commands.command("list")
def list_rules(data_dir: DataDir = None) -> None:
    """List the rules in force; what has none is on for everyone. Runs beside the server."""
    from shoutgraph import app
    from shoutgraph.services import features

    with app.open_reader(read_settings(data_dir=data_dir)) as store:
        found = store.read_now(features.in_force)
    table = Table("feature", "provider", "version", "on for", "since", "by", "reason", title="Features")
    for each in found:
        rule = each.rule
        told = (rule.provider or "all", str(rule.version), _words(rule), clock.to_text(rule.changed_at))
        table.add_row(rule.feature, *map(escape, (*told, rule.changed_by, rule.reason)))
    if not found:
        console.print("Every feature is on for everyone.")
        return
    show(table)


@commands.command()
def history(data_dir: DataDir = None) -> None:
    """List the newest changes of all rules, and who made them why. Runs beside the server."""
    from shoutgraph import app
    from shoutgraph.services import features

    args = pages.read_args(scope="", first=pages.PAGE_MAX)
    with app.open_reader(read_settings(data_dir=data_dir)) as store:
        found = store.read_now(lambda tx: features.list_of_changes(tx, args, None))
    table = Table("at", "feature", "provider", "before", "after", "by", "reason", title="Changes of features")
    for each in found:
        before, after = ("everyone" if side is None else _words(side.rule) for side in (each.before, each.after))
        made = each.made
        told = (clock.to_text(made.changed_at), made.feature, made.provider or "all", before, after)
        table.add_row(*map(escape, (*told, made.changed_by, made.reason)))
    show(table)


@commands.command("set")
def set_rule(
    feature: Which,
    reason: Why,
    conditions: Conditions = None,
    provider: Provider = WHOLE,
    expected_version: Expected = None,
    data_dir: DataDir = None,
) -> None:
    """Say for whom a feature is on, as a whole: a condition that is left out is none.

    The conditions: off; allow= and deny= with ids of users; starts= and ends= with times in UTC; only= and without=
    with countries; percent= of all people, where who is in stays in. Lists are parted by commas.

    On PostgreSQL it works beside the server, on an embedded database while no server writes; the API does the same.
    """
    from shoutgraph.services.features import Wish

    said = _read(conditions or [])
    only = _listed(said.get("only", "").upper())
    terms = Terms(
        enabled="off" not in said,
        share_bps=_share(said.get("percent", "100")),
        countries_on=only or None,
        countries_off=_listed(said.get("without", "").upper()),
        starts_at=_time(said.get("starts")),
        ends_at=_time(said.get("ends")),
    )
    lists = Lists(_listed(said.get("allow", "")), _listed(said.get("deny", "")))
    rule = _change(Wish(feature, provider, terms, lists, reason, expected_version), data_dir)
    told = f"{_name(rule)} is on for {_words(rule)}. Version: {rule.version}."
    console.print(escape(told), soft_wrap=True)


@commands.command()
def remove(
    feature: Which, reason: Why, provider: Provider = WHOLE, expected_version: Expected = None, data_dir: DataDir = None
) -> None:
    """End a rule: the feature is on for everyone again."""
    from shoutgraph.services.features import Wish

    wish = Wish(feature, provider, Terms(), Lists(), reason, expected_version)
    rule = _change(wish, data_dir, remove=True)
    console.print(escape(f"{_name(rule)} is on for everyone. Version: {rule.version}."), soft_wrap=True)


def _change(wish: "Wish", data_dir: Path | None, *, remove: bool = False) -> Rule:
    from shoutgraph.services import features

    name, use_case = ("featureRuleRemove", features.remove_rule) if remove else ("featureRuleSet", features.set_rule)
    asked = Request.of(principal=OPERATOR.principal, mutation=name, key=secrets.token_hex(16), given={})
    return work_with(data_dir, lambda tools: use_case(tools, OPERATOR, asked, wish)).value


def _name(rule: Rule) -> str:
    return rule.feature if rule.provider == WHOLE else f"{rule.feature} by {rule.provider}"


def _words(rule: Rule) -> str:
    """For whom a rule has a feature on, in short."""
    terms = rule.terms
    if not terms.enabled:
        return "nobody"
    parts = [f"{terms.share_bps / PERCENT_BPS:g} %"]
    if terms.countries_on is not None:
        parts.append("only " + ",".join(terms.countries_on))
    if terms.countries_off:
        parts.append("without " + ",".join(terms.countries_off))
    if terms.starts_at is not None:
        parts.append("from " + clock.to_text(terms.starts_at))
    if terms.ends_at is not None:
        parts.append("until " + clock.to_text(terms.ends_at))
    if rule.listed_count:
        parts.append(f"{rule.listed_count} named")
    return ", ".join(parts)


def _read(conditions: list[str]) -> dict[str, str]:
    said = {name: value for name, _, value in (each.partition("=") for each in conditions)}
    for name in said.keys() - CONDITIONS:
        fail(f"{name}: a condition is one of {', '.join(sorted(CONDITIONS))}")
    return said


def _listed(text: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in text.split(",") if each.strip())


def _share(percent: str) -> int:
    try:
        return round(Decimal(percent) * PERCENT_BPS)
    except ArithmeticError:
        fail(f"percent={percent}: a percentage is a number, such as 12.5")


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        fail(f"{text}: a time is as in 2027-01-31T12:00:00")
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
