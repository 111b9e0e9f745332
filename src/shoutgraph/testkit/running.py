"""Runs behaviours, each with a new simulator and an event loop of its own."""

import asyncio
import logging
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from shoutgraph.sdk import Intake, TopUpPlugin
from shoutgraph.testkit.behaviours import (
    actions,
    deliveries,
    exactness,
    files,
    loading,
    manners,
    money,
    payouts,
    receipts,
    refunds,
    webhooks,
)
from shoutgraph.testkit.kinds import PayoutTrial, RedeemTrial, TopUpTrial
from shoutgraph.testkit.registry import Behaviour, Kind
from shoutgraph.testkit.trials import Subject, Trial, opened
from shoutgraph.testkit.upstreams import NotSupported
from shoutgraph.testkit.verdicts import Broken, Skipped, Status, Verdict

TIMEOUT_S: Final = 110.0
"""The longest that one behaviour may take, on the slowest machine. Units: seconds."""

BEHAVIOURS: Final[tuple[Behaviour, ...]] = (
    *loading.BEHAVIOURS,
    *manners.BEHAVIOURS,
    *money.BEHAVIOURS,
    *exactness.BEHAVIOURS,
    *actions.BEHAVIOURS,
    *webhooks.BEHAVIOURS,
    *deliveries.BEHAVIOURS,
    *refunds.BEHAVIOURS,
    *payouts.BEHAVIOURS,
    *files.BEHAVIOURS,
    *receipts.BEHAVIOURS,
)
"""All of them. S01, the crash matrix, is about the host, and is not among them."""

_TRIALS: Final[Mapping[Kind, type[Trial]]] = {
    Kind.TOPUP: TopUpTrial,
    Kind.REDEEM: RedeemTrial,
    Kind.PAYOUT: PayoutTrial,
}


def behaviours_of(kind: Kind) -> tuple[Behaviour, ...]:
    """The behaviours that count for a kind of plugin, in the order of their ids."""
    return tuple(sorted((each for each in BEHAVIOURS if kind in each.kinds), key=lambda each: each.id))


def kind_of(subject: Subject) -> Kind:
    """The kind of a plugin."""
    plugin = subject.plugin
    if not isinstance(plugin, TopUpPlugin):
        return Kind.PAYOUT
    return Kind.TOPUP if plugin.caps.intake is Intake.CREATE else Kind.REDEEM


def run(subject: Subject, behaviour: Behaviour, folder: Path) -> Verdict:
    """Runs one behaviour. `folder` is new and empty."""
    with _quiet(), asyncio.Runner() as runner:
        return runner.run(_verdict(subject, behaviour, folder))


def run_all(subject: Subject, folder: Path, behaviours: Iterable[Behaviour] | None = None) -> dict[str, Verdict]:
    """Runs every behaviour of a plugin's kind, or these."""
    verdicts = {}
    for behaviour in behaviours_of(kind_of(subject)) if behaviours is None else behaviours:
        inner = folder / behaviour.id
        inner.mkdir()
        verdicts[behaviour.id] = run(subject, behaviour, inner)
    return verdicts


async def _verdict(subject: Subject, behaviour: Behaviour, folder: Path) -> Verdict:
    notes: list[str] = []
    try:
        async with asyncio.timeout(TIMEOUT_S), opened(_TRIALS[kind_of(subject)](subject, folder)) as trial:
            try:
                await behaviour.check(trial)
            finally:
                notes += dict.fromkeys(trial.notes)
            trial.require_sound_simulator()
    except (Skipped, NotSupported) as reason:
        return Verdict(behaviour.id, Status.SKIPPED, str(reason), notes)
    except Broken as broken:
        cause = f" ({type(broken.__cause__).__name__}: {broken.__cause__})" if broken.__cause__ else ""
        return Verdict(behaviour.id, Status.FAILED, f"{broken}{cause}", notes)
    except Exception as error:  # noqa: BLE001 -- the plugin's and its simulator's boundary; the verdict says where
        return Verdict(behaviour.id, Status.FAILED, _told(error), notes)
    return Verdict(behaviour.id, Status.PASSED, "", notes)


def _told(error: Exception) -> str:
    where = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} (in {where.name}, {Path(where.filename).name}:{where.lineno})"


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps the host's warnings of outcomes that were made unknown on purpose off the screen."""
    logger = logging.getLogger("shoutgraph.plugins")
    silent = logging.NullHandler()
    logger.addHandler(silent)
    try:
        yield
    finally:
        logger.removeHandler(silent)
