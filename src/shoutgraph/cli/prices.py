"""`shoutgraph prices`: what coins cost, from a file of the operator's."""

import json
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import typer
from rich.markup import escape
from rich.table import Column, Table

from shoutgraph.cli.shared import DataDir, console, fail, read_settings, show, work_with
from shoutgraph.domain import clock, money, packages as rules, pages, price_files
from shoutgraph.domain.errors import ValidationError
from shoutgraph.domain.packages import Package, PriceList, UnitPrice
from shoutgraph.domain.price_lists import Warned
from shoutgraph.domain.users import ROLES, Viewer

if TYPE_CHECKING:
    from shoutgraph.tools import Tools

FILE_BYTES_MAX: Final = 4 * 1024 * 1024
CHANGES_MAX: Final = 100
"""Changes that are told one by one; a first list has hundreds."""
OPERATOR: Final = Viewer(scopes=ROLES["admin"], principal="operator:prices")

T = TypeVar("T")

commands = typer.Typer(help="Load and list what coins cost.", no_args_is_help=True)


@commands.command()
def load(
    file: Annotated[Path, typer.Argument(help="The price list: JSON, or TOML if its name ends in .toml.")],
    data_dir: DataDir = None,
) -> None:
    """Make a price list the one that holds. What it does not name goes off sale; loading it twice changes nothing.

    What looks wrong in it is told, and loaded all the same; `prices check` only tells.

    The embedded database is worked on while no server runs. Top-ups that are on their way keep the price that they
    were sold at.
    """
    from shoutgraph.services import packages

    prices = read(file)

    async def change(tools: "Tools") -> tuple[packages.Loaded, packages.OnSale, packages.OnSale]:
        _tell_warnings(await tools.store.read(lambda tx: packages.warnings_of(tx, prices)))
        before = await tools.store.read(packages.on_sale)
        loaded = await packages.load(tools, OPERATOR, prices)
        return loaded, before, await tools.store.read(packages.on_sale)

    loaded, before, after = work_with(data_dir, change)
    old: list[Package | UnitPrice] = [*before.packages, *before.units]
    new: list[Package | UnitPrice] = [*after.packages, *after.units]
    _tell_changes("-", old, {each.id for each in new})
    _tell_changes("+", new, {each.id for each in old})
    console.print(
        f"Added: {loaded.packages} packages, {loaded.units} unit prices, {loaded.rates} rates. "
        f"Retired: {loaded.retired}. On sale: {len(after.packages)} packages.",
        soft_wrap=True,
    )


@commands.command()
def check(
    file: Annotated[Path, typer.Argument(help="The price list: JSON, or TOML if its name ends in .toml.")],
    data_dir: DataDir = None,
) -> None:
    """Tell what looks wrong in a price list, and load nothing. Runs beside the server."""
    from shoutgraph import app
    from shoutgraph.services import packages

    prices = read(file)
    with app.open_reader(read_settings(data_dir=data_dir)) as store:
        found = store.read_now(lambda tx: packages.warnings_of(tx, prices))
    _tell_warnings(found)
    console.print(f"{len(prices.packages)} packages, {len(found)} warnings.", soft_wrap=True)


@commands.command()
def revalue(data_dir: DataDir = None) -> None:
    """Value what is held in other currencies at their newest rates, once a day; the difference is booked.

    On PostgreSQL it works beside the server, on an embedded database while no server writes.
    """
    from shoutgraph.services import packages

    gain = work_with(data_dir, packages.revalue)
    console.print(f"Booked: {gain} book units." if gain else "Nothing to book today.", soft_wrap=True)


@commands.command()
def history(data_dir: DataDir = None) -> None:
    """List the newest versions of the prices, and who published them why. Runs beside the server."""
    from shoutgraph import app
    from shoutgraph.services import packages

    args = pages.read_args(scope=packages.LISTS, first=pages.PAGE_MAX, kinds=(int,))
    with app.open_reader(read_settings(data_dir=data_dir)) as store:
        found = store.read_now(lambda tx: packages.versions(tx, args))
    names = ("version", "status", "takes effect", "ended", "by", "packages", "warnings", "reason")
    table = Table(*names, title="Price lists")
    for each in found:
        ended = "" if each.ended_at is None else clock.to_text(each.ended_at)
        told = (each.state.value, clock.to_text(each.effective_from), ended, each.published_by)
        counts = (str(each.packages_count), str(len(each.warnings)))
        table.add_row(str(each.version), *map(escape, (*told, *counts, each.reason)))
    show(table)


@commands.command("list")
def list_prices(
    country: Annotated[str | None, typer.Option(help="What people there are offered, such as DE.")] = None,
    currency: Annotated[str | None, typer.Option(help="Only prices in this currency, such as EUR.")] = None,
    data_dir: DataDir = None,
) -> None:
    """List what is on sale, by market. The country ZZ stands for all that have no prices of their own."""
    from shoutgraph import app
    from shoutgraph.services import packages

    with app.open_reader(read_settings(data_dir=data_dir)) as store:
        sold = store.read_now(lambda tx: packages.on_sale(tx, country=country, currency=currency))
    if not sold.packages and not sold.units:
        fail("nothing is on sale there; `shoutgraph prices load` puts something on sale")
    numbers = (Column(name, justify="right") for name in ("bonus", "price", "version"))
    table = Table("market", Column("coins", justify="right"), *numbers, title="Prices")
    for package in sold.packages:
        told = (f"{package.bonus_coins:,}", money.to_text(package.price), str(package.version))
        table.add_row(rules.name_of(package.market), f"{package.coins:,}", *told)
    for unit in sold.units:
        told = ("", _price_of(unit), str(unit.version))
        table.add_row(rules.name_of(unit.market), f"{unit.coins_min:,} to {unit.coins_max:,}", *told)
    show(table)


def read(file: Path) -> PriceList:
    """The price list in a file.

    Raises:
        Exit: it is not one; the file and the place in it are named.
    """
    prices = read_with(file, price_files.read_list)
    try:
        rules.check_list(prices)
    except ValidationError as error:
        fail(f"{file}: {error}")
    return prices


def read_with(file: Path, reading: Callable[[object], T]) -> T:
    """What a file of an operator's says: JSON, or TOML if its name ends in .toml.

    Raises:
        Exit: it cannot be read; the file and the place in it are named.
    """
    with file.open("rb") as opened:
        content = opened.read(FILE_BYTES_MAX + 1)
    if len(content) > FILE_BYTES_MAX:
        fail(f"{file}: it has at most {FILE_BYTES_MAX:,} bytes")
    try:
        text = content.decode()
        return reading(tomllib.loads(text) if file.suffix == ".toml" else json.loads(text, object_pairs_hook=_once))
    except (ValueError, RecursionError, ValidationError) as error:
        fail(f"{file}: {error}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose names differ; by itself Python keeps the last of two alike."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)} is named twice")
    return found


def _tell_warnings(warnings: Iterable[Warned]) -> None:
    for each in warnings:
        console.print(f"warning: {each.message}", soft_wrap=True, highlight=False, markup=False)


def _tell_changes(sign: str, prices: Iterable[Package | UnitPrice], others: set[str]) -> None:
    changed = [each for each in prices if each.id not in others]
    for each in changed[:CHANGES_MAX]:
        what = f"{each.coins:,} coins" if isinstance(each, Package) else "any number of coins"
        cost = money.to_text(each.price) if isinstance(each, Package) else _price_of(each)
        bonus = f", {each.bonus_coins:,} on top" if isinstance(each, Package) and each.bonus_coins else ""
        store = f", in the store {each.product}" if isinstance(each, Package) and each.product else ""
        line = f"{sign} {rules.name_of(each.market)}: {what} for {cost}{bonus}{store}"
        console.print(line, soft_wrap=True, highlight=False, markup=False)
    if len(changed) > CHANGES_MAX:
        console.print(f"{sign} and {len(changed) - CHANGES_MAX} more")


def _price_of(unit: UnitPrice) -> str:
    return f"{money.to_text(money.Money(unit.price_minor, unit.market.currency))} for every {unit.per_coins:,}"
