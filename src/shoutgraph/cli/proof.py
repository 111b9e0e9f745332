"""Proving the books of a deployment, and saying in words how much was proven."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from pydantic import SecretStr

from shoutgraph import app
from shoutgraph.services import books
from shoutgraph.services.books import Proof
from shoutgraph.settings import EMBEDDED, Settings
from shoutgraph.tools import Store

T = TypeVar("T")


def prove(settings: Settings) -> Proof:
    """Proves the books of a deployment, beside its server if one runs."""
    with app.open_reader(settings) as store:
        return patiently(store, books.prove)


def prove_copy(settings: Settings, copy: Path) -> Proof:
    """Proves the books of a copy that nobody serves.

    Raises:
        StoreUnavailableError: it is no database of this release.
    """
    return prove(settings.model_copy(update={"database_url": SecretStr(f"{EMBEDDED}{copy.absolute()}")}))


def patiently(store: Store, query: Callable[[Any], T]) -> T:
    """Runs a query however long it takes, on a loop of its own."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(lambda: asyncio.run(store.read(query))).result()


def proven(proof: Proof) -> str:
    """How much a proof looked at, in words."""
    counted = ", ".join(
        f"{number:,} {name}{'' if number == 1 else 's'}"
        for number, name in (
            (proof.postings, "posting"),
            (proof.accounts, "account"),
            (proof.lots, "lot"),
            (proof.orders, "order"),
            (proof.events, "event"),
        )
    )
    return f"{counted}; chain {proof.head[:12]}"
