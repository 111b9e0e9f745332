"""W01 to W05: what may be believed of a webhook."""

from dataclasses import replace
from typing import Final

from shoutgraph.plugins.statuses import State
from shoutgraph.sdk import BadSignature, Delivery, MalformedNotice, Notice, RawWebhook, Webhooks
from shoutgraph.testkit import registry
from shoutgraph.testkit.behaviours import lives
from shoutgraph.testkit.registry import Behaviour
from shoutgraph.testkit.trials import INSTANCE, Trial
from shoutgraph.testkit.upstreams import Forgery
from shoutgraph.testkit.verdicts import Broken, Skipped, declared, require

NOT_SIGNED: Final = "caps.webhooks is not SIGNED"


def accepted(trial: Trial, raw: RawWebhook, what: str) -> Delivery:
    """The webhook is read.

    Raises:
        Broken: it is refused.
    """
    try:
        return trial.receive(raw)
    except Exception as error:
        raise Broken(f"{what} is refused: {type(error).__name__}: {error}") from error


def require_bad_signature(trial: Trial, raw: RawWebhook, what: str) -> None:
    """The webhook is refused, because it is not proven."""
    try:
        delivery = trial.receive(raw)
    except BadSignature:
        return
    except Exception as error:
        raise Broken(f"{what} raises {type(error).__name__}, and is BadSignature") from error
    raise Broken(f"{what} is believed: {delivery.notices}")


async def only_genuine(trial: Trial) -> None:
    """W01."""
    declared(trial.plugin.caps.webhooks is Webhooks.SIGNED, NOT_SIGNED)
    life = await lives.short(trial)
    for raw in life.raws:
        delivery = accepted(trial, raw, "a genuine webhook")
        require(delivery.proof.trust is Webhooks.SIGNED, "a genuine webhook has no proof of a signature")
    told = [notice for raw in life.raws for notice in trial.receive(raw).notices]
    require(any(life.is_about(notice) for notice in told), f"no webhook names what it is about: {told}")
    raw = life.raws[-1]
    for how in (Forgery.WRONG_KEY, Forgery.CHANGED_BODY, Forgery.MISSING_SIGNATURE):
        forged = trial.forged(raw, how)
        if forged is not None:
            require_bad_signature(trial, forged, f"a webhook with {how}")
    _require_refused(trial, replace(raw, headers={}, body=_flipped(raw.body)), "a changed webhook without any header")
    _require_refused(trial, replace(raw, body=_flipped(raw.body)), "a webhook with a changed byte")
    _without_secrets(trial, raw)


def _require_refused(trial: Trial, raw: RawWebhook, what: str) -> None:
    try:
        delivery = trial.receive(raw)
    except (BadSignature, MalformedNotice):
        return
    except Exception as error:
        raise Broken(f"{what} raises {type(error).__name__}, and is BadSignature") from error
    raise Broken(f"{what} is believed: {delivery.notices}")


def _flipped(body: bytes) -> bytes:
    at = len(body) // 2
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]


def _without_secrets(trial: Trial, raw: RawWebhook) -> None:
    """An empty list of secrets is refused at the start, or proves nothing."""
    for name, value in trial.config().items():
        if not (isinstance(value, list | tuple) and value):
            continue
        providers = trial.loaded({**trial.config(), name: []})
        if providers.instances[0].state is State.MISCONFIGURED:
            continue
        try:
            providers.receive(INSTANCE, raw)
        except BadSignature:
            continue
        raise Broken(f"a webhook is believed while {name} is empty")


async def only_recent(trial: Trial) -> None:
    """W02."""
    declared(trial.plugin.caps.webhooks is Webhooks.SIGNED, NOT_SIGNED)
    life = await lives.short(trial)
    forged = {how: trial.forged(life.raws[-1], how) for how in (Forgery.OLD, Forgery.FUTURE)}
    if not any(forged.values()):
        raise Skipped("; ".join(trial.notes))
    for how, raw in forged.items():
        if raw is not None:
            require_bad_signature(trial, raw, f"a webhook with a time that is {how}")


async def rotated_secrets(trial: Trial) -> None:
    """W03."""
    declared(trial.plugin.caps.webhooks is Webhooks.SIGNED, NOT_SIGNED)
    life = await lives.short(trial)
    raw = life.raws[-1]
    previous = trial.upstream.forge(raw, Forgery.PREVIOUS_SECRET)
    accepted(trial, raw, "a webhook signed by one of two secrets")
    accepted(trial, previous, "a webhook signed by the other one of two secrets")


async def every_item(trial: Trial) -> None:
    """W04."""
    declared(trial.plugin.caps.webhooks is Webhooks.SIGNED, NOT_SIGNED)
    life = await lives.short(trial)
    require_bad_signature(trial, trial.upstream.forge(life.raws[-1], Forgery.ONE_FORGED_ITEM), "one forged item of two")


async def hints_only(trial: Trial) -> None:
    """W05."""
    declared(trial.plugin.caps.webhooks is Webhooks.HINT, "caps.webhooks is not HINT")
    life = await lives.short(trial)
    told: list[Notice] = []
    for raw in life.raws:
        delivery = accepted(trial, raw, "a webhook")
        require(delivery.proof.trust is Webhooks.HINT, "a webhook without a signature has a proof of one")
        told += delivery.notices
    require(all(notice.observation is None for notice in told), "a hint carries an observation")
    require(any(life.is_about(notice) for notice in told), f"no hint names what it is about: {told}")


BEHAVIOURS: Final = (
    Behaviour("W01", "Only a genuine webhook is believed", registry.ALL, only_genuine),
    Behaviour("W02", "An old webhook and one from the future are refused", registry.ALL, only_recent),
    Behaviour("W03", "Both secrets count while one is replaced", registry.ALL, rotated_secrets),
    Behaviour("W04", "One forged item refuses the whole delivery", registry.ALL, every_item),
    Behaviour("W05", "What is not signed is a hint, and shows nothing", registry.ALL, hints_only),
)
