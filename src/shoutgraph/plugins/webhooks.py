"""Reads a webhook through its plugin, and checks the proof once more: nothing is believed without one."""

import hashlib
import hmac
import logging
from typing import Final

from shoutgraph.plugins import fence, payouts, scrubbing, topups
from shoutgraph.sdk import (
    BadSignature,
    Delivery,
    MalformedNotice,
    Notice,
    NoticeKind,
    Proof,
    RawWebhook,
    Receives,
    Webhooks,
)
from shoutgraph.sdk.webhooks import BODY_BYTES_MAX, NOTICES_MAX

_log: Final = logging.getLogger("shoutgraph.plugins")


class PluginFaultError(Exception):
    """A plugin broke while it read a webhook: answer 5xx, so that the provider sends it again."""


class Inbox:
    """Receives the webhooks of one configured instance."""

    def __init__(self, names: fence.Names, trust: Webhooks, provider: Receives, scrubber: scrubbing.Scrubber) -> None:
        self._names = names
        self._trust = trust
        self._provider = provider
        self._scrubber = scrubber

    def receive(self, raw: RawWebhook) -> Delivery:
        """Proves and reads a webhook.

        Raises:
            BadSignature: it is not proven.
            MalformedNotice: it is too large, or proven and cannot be read.
            PluginFaultError: the plugin broke, or broke the contract.
        """
        if self._trust is Webhooks.NONE:
            raise BadSignature("this provider sends no webhooks")
        if len(raw.body) > BODY_BYTES_MAX:
            raise MalformedNotice("the body is too large")
        try:
            delivery = self._provider.receive(raw)
        except (BadSignature, MalformedNotice):
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001 -- the plugin boundary; the log names the plugin
            trace, plugin = self._scrubber.trace(error), self._names.plugin
            _log.warning("plugin %s, instance %s: cannot read a webhook\n%s", plugin, self._names.instance, trace)
            raise PluginFaultError(f"{plugin} broke while reading a webhook") from None
        self._require_contract(delivery)
        _require_proof(delivery.proof, raw, self._trust)
        return delivery

    def _require_contract(self, delivery: object) -> None:
        if not isinstance(delivery, Delivery) or not isinstance(delivery.proof, Proof):
            raise PluginFaultError(f"{self._names.plugin} read a webhook and gave no delivery")
        if len(delivery.notices) > NOTICES_MAX:
            raise MalformedNotice("too many notices in one delivery")
        for notice in delivery.notices:
            if not _is_sound(notice, delivery.proof.trust):
                raise PluginFaultError(f"{self._names.plugin} gave a notice against the contract")


def _is_sound(notice: object, trust: Webhooks) -> bool:
    if not isinstance(notice, Notice) or not notice.notice_id:
        return False
    if notice.observation is None:
        return True
    # A hint says where to look, never what is there.
    return trust is Webhooks.SIGNED and _is_observation(notice.kind, notice.observation)


def _is_observation(kind: NoticeKind, seen: object) -> bool:
    match kind:
        case NoticeKind.TOPUP:
            return topups.as_outcome(seen) is not None
        case NoticeKind.PAYOUT:
            return payouts.as_item_outcome(seen) is not None
        case NoticeKind.RECIPIENT:
            return payouts.as_recipient_outcome(seen) is not None
        case NoticeKind.IGNORED:
            return False


def _require_proof(proof: Proof, raw: RawWebhook, wanted: Webhooks) -> None:
    if proof.trust is not wanted:
        raise BadSignature("the proof is not of the kind that the plugin declares")
    if not hmac.compare_digest(proof.body_sha256, hashlib.sha256(raw.body).digest()):
        raise BadSignature("the proof belongs to another body")
