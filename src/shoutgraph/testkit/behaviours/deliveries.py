"""W06 to W08: webhooks come twice, late, in any order and in any shape, and reading them has no effect."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final, TypeAlias

from hypothesis import HealthCheck, given, settings, strategies

from shoutgraph.sdk import (
    BadSignature,
    Delivery,
    MalformedNotice,
    Notice,
    NoticeKind,
    Paid,
    Pending,
    RawWebhook,
    Rejected,
    Returned,
    Settled,
    Totals,
    Webhooks,
    joined,
)
from shoutgraph.sdk.webhooks import BODY_BYTES_MAX
from shoutgraph.testkit import kinds, registry, watching
from shoutgraph.testkit.behaviours import lives
from shoutgraph.testkit.behaviours.lives import Life
from shoutgraph.testkit.behaviours.webhooks import accepted
from shoutgraph.testkit.registry import Behaviour
from shoutgraph.testkit.trials import Outcome, Trial, ref_of
from shoutgraph.testkit.upstreams import Act
from shoutgraph.testkit.verdicts import Broken, declared, require

EXAMPLES_MAX: Final = 30
"""How many orders are tried."""

REPEATS_MAX: Final = 6
NO_WEBHOOKS: Final = "caps.webhooks is NONE"

STRANGE_BODIES: Final = {
    "an empty body": b"",
    "null": b"null",
    "a list": b"[]",
    "a number": b"1e999",
    "bytes that are no text": b"\xff\xfe\x00",
    "deeply nested JSON": b"[" * 200_000,
    "deeply nested objects": b'{"a":' * 100_000,
    "the largest body": b'{"id":"' + b"x" * (BODY_BYTES_MAX - 9) + b'"}',
}

Looked: TypeAlias = Mapping[str, Outcome]
"""What a look shows that was made because of a hint, by the notice's id."""

Known: TypeAlias = tuple[int, ...] | str
"""What the host knows after some webhooks, in a form that can be compared."""


async def any_order(trial: Trial) -> None:
    """W06."""
    declared(trial.plugin.caps.webhooks is not Webhooks.NONE, NO_WEBHOOKS)
    life, other = await lives.full(trial), await lives.short(trial)
    raws = [*life.raws, *other.raws]
    require(life.raws, "the simulator tells nobody what happened")
    if trial.plugin.caps.webhooks is Webhooks.SIGNED:
        _require_own_ids(trial, raws)
    looked: Looked = {}
    if trial.plugin.caps.webhooks is Webhooks.SIGNED:
        looked = await _looked(trial, life, raws)
    wanted = _known(trial, life, raws, looked)
    if trial.plugin.caps.webhooks is Webhooks.SIGNED:
        seen = await trial.look(life.deal, life.ref)
        told = f"after all webhooks {_words(wanted)} is known, and a look shows {_words(_of_outcome(seen))}"
        require(_is_same(wanted, seen), told)
    _permuted(trial, life, raws, wanted, looked)


async def _looked(trial: Trial, life: Life, raws: Sequence[RawWebhook]) -> Looked:
    """What the host finds where a signed webhook only hints, as those that name a refund or a dispute may have to.

    The host looks for what the hint names: our own operation, or by a ref of it. The answer says which payment it is.
    """
    found: dict[str, Outcome] = {}
    for raw in raws:
        for notice in accepted(trial, raw, "a genuine webhook").notices:
            if notice.kind is NoticeKind.IGNORED or notice.observation is not None:
                continue
            own = life.is_about(notice)
            seen = await (trial.look(life.deal, life.ref) if own else trial.look_where(notice.target))
            if own or ref_of(seen) == life.ref:
                found[notice.notice_id] = seen
    return found


def _permuted(trial: Trial, life: Life, raws: Sequence[RawWebhook], wanted: Known, looked: Looked) -> None:
    places = range(len(raws))

    @settings(
        max_examples=EXAMPLES_MAX,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategies.permutations(places), strategies.lists(strategies.sampled_from(places), max_size=REPEATS_MAX))
    def same_in_any_order(order: Sequence[int], repeats: Sequence[int]) -> None:
        known = _known(trial, life, [raws[at] for at in (*order, *repeats)], looked)
        require(known == wanted, f"in the order {[*order, *repeats]} {_words(known)} is known, else {_words(wanted)}")

    same_in_any_order()


def _require_own_ids(trial: Trial, raws: Sequence[RawWebhook]) -> None:
    ids: dict[str, bytes] = {}
    for raw in raws:
        notices = accepted(trial, raw, "a genuine webhook").notices
        again = accepted(trial, raw, "a webhook that comes twice").notices
        names = [notice.notice_id for notice in notices]
        require(names == [notice.notice_id for notice in again], "a repeated webhook has another notice_id")
        for name in names:
            same = ids.setdefault(name, raw.body) == raw.body
            require(same, f"two different webhooks have the notice_id {name}: the host would read one of them only")


def _known(trial: Trial, life: Life, raws: Sequence[RawWebhook], looked: Looked) -> Known:
    """What the host would know of one piece of business."""
    seen: list[Outcome] = []
    hinted = False
    for raw in raws:
        for notice in accepted(trial, raw, "a genuine webhook").notices:
            if notice.notice_id in looked:
                seen.append(looked[notice.notice_id])
            elif life.is_about(notice):
                hinted = True
                seen += [notice.observation] if notice.observation is not None else []
    totals = _joined([each.totals for each in seen if isinstance(each, Settled)])
    if totals is not None:
        return _of_totals(totals)
    last = None
    for each in seen:
        if isinstance(each, Paid | Returned | Rejected | Pending):
            last = kinds.later(last, each)
    return type(last).__name__ if last is not None else f"hinted: {hinted}"


def _joined(all_totals: Sequence[Totals]) -> Totals | None:
    known: Totals | None = None
    for totals in all_totals:
        known = totals if known is None else joined(known, totals)
    return known


def _of_totals(totals: Totals) -> tuple[int, ...]:
    decided = (totals.disputes_won, totals.disputes_lost, totals.refunds_failed)
    parts = (totals.settled, totals.refunded, totals.disputed, *decided)
    return tuple(0 if each is None else each.minor for each in parts)


def _of_outcome(seen: Outcome) -> Known:
    return _of_totals(seen.totals) if isinstance(seen, Settled) else type(seen).__name__


def _is_same(known: Known, seen: Outcome) -> bool:
    return known == _of_outcome(seen)


def _words(known: Known) -> str:
    if isinstance(known, str):
        return known
    names = ("settled", "refunded", "disputed", "won", "lost", "refunds failed")
    return ", ".join(f"{name} {minor}" for name, minor in zip(names, known, strict=True))


async def any_shape(trial: Trial) -> None:
    """W07."""
    declared(trial.plugin.caps.webhooks is not Webhooks.NONE, NO_WEBHOOKS)
    life = await lives.short(trial)
    for what, body in STRANGE_BODIES.items():
        _require_calm(trial, replace(life.raws[-1], body=body), what)
    _require_calm(trial, replace(life.raws[-1], body=b"", headers={}, query=""), "nothing at all")
    await trial.act(Act.TELL_STRANGE, life.ref)
    for raw in await trial.deliveries():
        delivery = accepted(trial, raw, "a webhook of a kind that the plugin has no use for")
        wrong = [each for each in delivery.notices if not _says_nothing(each)]
        require(not wrong, f"a webhook of a kind that the plugin has no use for became {wrong}")


def _says_nothing(notice: Notice) -> bool:
    return notice.kind is NoticeKind.IGNORED and notice.observation is None


def _require_calm(trial: Trial, raw: RawWebhook, what: str) -> None:
    try:
        delivery = trial.receive(raw)
    except (BadSignature, MalformedNotice):
        return
    except Exception as error:
        raise Broken(f"{what} raises {type(error).__name__}, and is BadSignature or MalformedNotice") from error
    told = f"{what} was believed"
    require(delivery.proof.trust is Webhooks.HINT, told)
    require(all(notice.observation is None for notice in delivery.notices), told)


async def no_effect(trial: Trial) -> None:
    """W08."""
    declared(trial.plugin.caps.webhooks is not Webhooks.NONE, NO_WEBHOOKS)
    life = await lives.short(trial)
    for raw in life.raws:
        first = accepted(trial, raw, "a genuine webhook")  # whatever is loaded late is loaded here
        trial.clock.advance(timedelta(seconds=1))
        with watching.effects_of_this_thread() as effects:
            second = accepted(trial, raw, "a webhook that comes twice")
        require(not effects.seen, f"reading a webhook had effects: {effects.seen}")
        require(_plain(first) == _plain(second), f"the same webhook was read as {first}, and then as {second}")


def _plain(delivery: Delivery) -> tuple[object, ...]:
    return delivery.proof, delivery.notices, delivery.ack, delivery.ack_type


BEHAVIOURS: Final = (
    Behaviour("W06", "Repeats and any order give the same totals", registry.ALL, any_order),
    Behaviour("W07", "Strange webhooks are refused or ignored, and never an error", registry.ALL, any_shape),
    Behaviour("W08", "Reading a webhook has no effect, and always the same result", registry.ALL, no_effect),
)
