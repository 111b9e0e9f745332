"""The simulator in the hands of the conformance kit."""

import base64
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import httpx
from pydantic import SecretStr

from shoutgraph.sdk import Money, RawWebhook, SimulatorSetup, standard_key
from shoutgraph.testkit.upstreams import (
    Act,
    Forgery,
    NotSupported,
    Recipient,
    Seen,
    SimulatedUpstream,
    Stage,
)
from shoutgraph_sandbox.simulator import notices, payouts, rules, store
from shoutgraph_sandbox.simulator.app import Sandbox
from shoutgraph_sandbox.simulator.delivery import signed
from shoutgraph_sandbox.simulator.rules import Rules

API_KEY: Final = SecretStr("the-key-of-the-sandbox")
DAY: Final = timedelta(days=1)

_SECRET: Final = SecretStr("whsec_" + base64.b64encode(b"the present secret of the webhooks").decode())
_PREVIOUS: Final = SecretStr("whsec_" + base64.b64encode(b"the secret before the present one").decode())
_FOREIGN: Final = SecretStr("whsec_" + base64.b64encode(b"the secret of somebody else's shop").decode())

_VERBS: Final[Mapping[Act, str]] = {
    Act.PAY: "pay",
    Act.PAY_LATE: "pay",
    Act.PAY_OTHER_AMOUNT: "pay",
    Act.PAY_OTHER_CURRENCY: "pay",
    Act.PROCESS: "later",
    Act.DECLINE: "decline",
    Act.EXPIRE: "expire",
    Act.REFUND: "refund",
    Act.FAIL_REFUND: "fail-refund",
    Act.DISPUTE: "dispute",
    Act.WIN: "dispute",
    Act.LOSE: "dispute",
    Act.REJECT: "reject",
    Act.RETURN: "return",
}
_OUTCOMES: Final[Mapping[Act, str]] = {Act.WIN: "won", Act.LOSE: "lost"}


class SandboxUpstream(SimulatedUpstream):
    """The sandbox's simulator, of which nothing happens by itself."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        setup = SimulatorSetup(
            base_url=stage.base_url,
            state_path=stage.folder / "state.db",
            webhook_base_url=stage.base_url,
            webhook_secret=_SECRET,
            clock=stage.clock,
            api_key=API_KEY,
        )
        self._sandbox = Sandbox(setup, Rules(stage.base_url), by_itself=False)
        self.app = self._sandbox

    async def aclose(self) -> None:
        """Closes the simulator."""
        await self._sandbox.aclose()

    def config(self, base_url: str) -> Mapping[str, object]:
        """A configuration with two webhook secrets."""
        return {"base_url": base_url, "api_key": API_KEY, "webhook_secrets": [_SECRET, _PREVIOUS]}

    def wrong_configs(self, base_url: str) -> Mapping[str, Mapping[str, object]]:
        """Configurations with one mistake each."""
        good = self.config(base_url)
        return {
            "base_url": {**good, "base_url": "not a url"},
            "webhook_secrets": {**good, "webhook_secrets": [SecretStr("whsec_not-base64!")]},
            "colour": {**good, "colour": "red"},
        }

    async def objects(self) -> Sequence[Seen]:
        """Every payment and payout."""
        paid_in, paid_out = await self._control("payments"), await self._control("payouts")
        return [
            Seen(each["id"], each.get("operation_id") or each.get("item_id"), Money(each["amount"], each["currency"]))
            for each in (*paid_in["payments"], *paid_out["payouts"])
        ]

    async def act(self, verb: Act, ref: str, amount: Money | None = None) -> None:
        """Does it with the simulator's controls."""
        if verb is Act.SILENCE:
            return  # nothing happens by itself
        if verb is Act.TELL_STRANGE:
            await self._sandbox.memory.run(self._tell_strange)
            return
        if verb not in _VERBS:
            raise NotSupported(f"the sandbox knows no {verb}")
        body: dict[str, object] = {}
        if verb in {Act.DISPUTE, *_OUTCOMES}:
            body = {"outcome": _OUTCOMES.get(verb, "open")}
        elif amount is not None:
            body = {"amount": amount.minor} | ({"currency": amount.currency} if verb is Act.PAY_OTHER_CURRENCY else {})
        room = "payouts" if ref.startswith("payout_") else "payments"
        await self._control(f"{room}/{ref}/{_VERBS[verb]}", body)

    async def deliveries(self) -> Sequence[RawWebhook]:
        """Takes what is in the outbox."""
        rows = await self._sandbox.memory.run(self._taken)
        return [self._raw(row["id"], row["body"].encode(), _SECRET) for row in rows]

    def forge(self, raw: RawWebhook, how: Forgery) -> RawWebhook:
        """Does something to a webhook."""
        name = raw.headers["webhook-id"]
        match how:
            case Forgery.WRONG_KEY:
                return self._raw(name, raw.body, _FOREIGN)
            case Forgery.PREVIOUS_SECRET:
                return self._raw(name, raw.body, _PREVIOUS)
            case Forgery.OLD | Forgery.FUTURE:
                return self._raw(name, raw.body, _SECRET, by=-DAY if how is Forgery.OLD else DAY)
            case Forgery.CHANGED_BODY:
                return replace(raw, body=raw.body.replace(b'"amount": ', b'"amount": 9', 1))
            case Forgery.MISSING_SIGNATURE:
                headers = {key: value for key, value in raw.headers.items() if key != "webhook-signature"}
                return replace(raw, headers=headers)
            case Forgery.ONE_FORGED_ITEM:
                raise NotSupported("a webhook of the sandbox tells one thing, and is signed as a whole")

    async def recipient(self, kind: Recipient) -> str:
        """Recipients need no account here; one of them is closed."""
        if kind is Recipient.NOT_READY:
            raise NotSupported("the sandbox pays everybody")
        return f"recipient_{payouts.CLOSED_RECIPIENT if kind is Recipient.BAD else kind}"

    def _raw(self, notice_id: str, body: bytes, secret: SecretStr, *, by: timedelta = timedelta(0)) -> RawWebhook:
        now = self._stage.clock()
        return RawWebhook(body, signed(standard_key(secret), notice_id, body, now + by), "", now, "127.0.0.1")

    def _tell_strange(self, db: sqlite3.Connection) -> None:
        body: dict[str, object] = {"forecast": "rain"}
        notices.tell(db, {"instance": self._stage.instance}, "weather", body, now=store.micros(self._stage.clock()))

    def _taken(self, db: sqlite3.Connection) -> list[sqlite3.Row]:
        now = store.micros(self._stage.clock())
        rows = db.execute("SELECT * FROM notice WHERE state = 'pending' ORDER BY seq LIMIT ?", (rules.LISTED_MAX,))
        taken = rows.fetchall()
        for row in taken:
            notices.record(db, row["seq"], 200, now)
        return taken

    async def _control(self, path: str, body: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401 -- JSON
        headers = {"authorization": f"Bearer {API_KEY.get_secret_value()}"}
        transport = httpx.ASGITransport(self._sandbox)
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox", headers=headers) as client:
            answer = await client.request("GET" if body is None else "POST", f"/control/{path}", json=body)
        answer.raise_for_status()
        return answer.json()
