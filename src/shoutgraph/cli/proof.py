"""Proving the books of a deployment, and saying in words how much was proven."""

from shoutgraph import app
from shoutgraph.services import books
from shoutgraph.services.books import Proof
from shoutgraph.settings import Settings


def prove(settings: Settings) -> Proof:
    """Proves the books of a deployment, beside its server if one runs."""
    with app.open_reader(settings) as store:
        return store.read_now(books.prove)


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
