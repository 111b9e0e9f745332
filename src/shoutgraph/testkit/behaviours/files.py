"""P06, P07: payouts by file."""

from datetime import timedelta
from typing import Final

from shoutgraph.sdk import Artifact, BatchOutcome, MalformedNotice, Notice, NoticeKind, Paid
from shoutgraph.testkit import registry
from shoutgraph.testkit.behaviours.payouts import batch_of
from shoutgraph.testkit.kinds import PayoutTrial
from shoutgraph.testkit.registry import Behaviour
from shoutgraph.testkit.trials import Deal
from shoutgraph.testkit.upstreams import Act, Recipient
from shoutgraph.testkit.verdicts import Broken, declared, require, where_supported

A_WHILE: Final = timedelta(days=2, hours=7)
"""How much later a file is made again: at another time of another day."""

NO_FILES: Final = "caps.artifacts is not declared"
NO_STATEMENTS: Final = "caps.ingest is not declared"


async def same_file(trial: PayoutTrial) -> None:
    """P06."""
    declared(trial.by_file, NO_FILES)
    count = min(2, trial.guarded(trial.providers).caps.max_batch)
    deals = await batch_of(trial, *[Recipient.GOOD, Recipient.OTHER][:count])
    files = await _files(trial, deals)
    require(files, "a plugin that declares artifacts made none")
    trial.clock.advance(A_WHILE)
    again = trial.guarded(trial.loaded())
    rebuilt = await again.submit(trial.batch(*deals))
    require(tuple(files) == rebuilt.artifacts, "the same batch, made again by another process, is another file")
    for artifact in files:
        require(
            artifact.name and artifact.media_type and artifact.body, f"a file is nameless or empty: {artifact.name}"
        )
        try:
            await trial.far(trial.upstream.upload(artifact))
        except ValueError as refused:
            raise Broken(f"the bank refuses the file {artifact.name}: {refused}") from refused
    seen = sorted((each.amount for each in await trial.objects()), key=lambda money: money.minor)
    wanted = sorted((each.amount for each in deals), key=lambda money: money.minor)
    require(seen == wanted, f"the bank reads {seen} in the files of {wanted}")


async def _files(trial: PayoutTrial, deals: list[Deal]) -> list[Artifact]:
    outcome: BatchOutcome = await trial.guarded(trial.providers).submit(trial.batch(*deals))
    return list(outcome.artifacts)


async def statements(trial: PayoutTrial) -> None:
    """P07."""
    guarded = trial.guarded(trial.providers)
    declared(guarded.caps.ingest, NO_STATEMENTS)
    deal, _ = await trial.begun()
    with where_supported(trial.notes):
        await trial.act(Act.STATE_FOREIGN, "")
    await trial.act(Act.PAY, deal.operation_id)
    documents = await trial.far(trial.upstream.documents())
    require(documents, "the bank states nothing")
    told: list[Notice] = []
    for document in documents:
        require(document.media_type in guarded.caps.ingest, f"{document.media_type} is not among caps.ingest")
        first, again = list(guarded.ingest(document)), list(guarded.ingest(document))
        require(first == again, "the same file was read in two ways")
        told += first
    named = [each for each in told if each.kind is NoticeKind.PAYOUT]
    foreign = [each for each in named if each.target.operation_id not in {deal.operation_id, deal.key}]
    require(not foreign, f"entries that are not ours were taken for payouts: {foreign}")
    paid = [each.observation for each in named if isinstance(each.observation, Paid)]
    require(paid, f"our entry was not found by our id: {told}")
    require(all(each.amount == deal.amount for each in paid), f"{deal.amount} was booked, and read as {paid}")
    ids = [each.notice_id for each in told]
    require(len(set(ids)) == len(ids), "two entries have the same notice_id: the host would read one of them only")
    _garbage(trial)


def _garbage(trial: PayoutTrial) -> None:
    guarded = trial.guarded(trial.providers)
    for media_type in guarded.caps.ingest:
        for body in (b"", b"<html/>", b"\xff\xfe", b"[" * 100_000):
            try:
                notices = guarded.ingest(Artifact("strange", media_type, body))
            except MalformedNotice:
                continue
            except Exception as error:
                raise Broken(
                    f"a file that is no statement raises {type(error).__name__}, not MalformedNotice"
                ) from error
            require(
                not [each for each in notices if each.kind is NoticeKind.PAYOUT], "payouts were read in a strange file"
            )


BEHAVIOURS: Final = (
    Behaviour("P06", "The same batch is the same file, and the bank takes it", registry.PAYOUT, same_file),
    Behaviour("P07", "Statements can be read twice, and only our entries count", registry.PAYOUT, statements),
)
