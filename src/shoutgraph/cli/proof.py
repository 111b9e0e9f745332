"""Proving the books of a deployment, and saying in words how much was proven."""

import asyncio
from pathlib import Path

from pydantic import SecretStr

from shoutgraph import app
from shoutgraph.services import books
from shoutgraph.services.books import Proof
from shoutgraph.settings import EMBEDDED, Settings


def prove(settings: Settings) -> Proof:
    """Proves the books of a deployment, beside its server if one runs."""
    with app.open_reader(settings) as store:
        return store.read_now(books.prove)


def prove_copy(settings: Settings, copy: Path) -> Proof:
    """Proves the books of a copy that nobody serves, however long it takes.

    Raises:
        StoreUnavailableError: it is no database of this release.
    """
    there = settings.model_copy(update={"database_url": SecretStr(f"{EMBEDDED}{copy.absolute()}")})
    with app.open_reader(there) as store:
        return asyncio.run(store.read(books.prove))


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
