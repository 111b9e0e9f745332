"""Money that waits for people, made behind the API: refunds, strays, what was proposed of them, files for banks."""

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.api.deployment import Deployment

from shoutgraph.domain import bank_files, batches, ids, privacy as privacy_rules, spending
from shoutgraph.domain.batches import Batch
from shoutgraph.domain.money import Money
from shoutgraph.domain.payout_holds import StaffHold
from shoutgraph.domain.policies import FIRST
from shoutgraph.domain.requests import Request
from shoutgraph.domain.resolutions import Verdict
from shoutgraph.domain.strays import Stray, StrayKind
from shoutgraph.domain.topups import refund as rules
from shoutgraph.domain.users import ROLES, Viewer
from shoutgraph.services.money import resolve
from shoutgraph.services.orders import timers
from shoutgraph.services.privacy import export
from shoutgraph.services.topups import apply, refund, set_aside
from shoutgraph.storage import (
    bank_files as file_rows,
    batches as batch_rows,
    payout_holds,
    privacy,
    refunds,
    reserves,
    spending as spending_rows,
    strays,
)
from shoutgraph.storage.tx import Tx

if TYPE_CHECKING:
    from tests.api.cast import Cast

SOMEBODY = Viewer(scopes=ROLES["finance"], principal="somebody")


def held_refund(to: Deployment, topup_id: str) -> str:
    """A refund of a cent that the risk review held; somebody else asked for it."""

    def work(tx: Tx) -> str:
        desk = apply.open_desk(to.app.tools, tx, timers.reverse_orders)
        asked = refund._set_aside(desk, SOMEBODY, refund.Wish(topup_id, "A kind word", minor=1))
        held = set_aside.keep(desk, asked, rules.held(asked, now=tx.now))
        refunds.schedule(tx, held.id, look_at=None, looks=0)
        return held.id

    return to.write(work)


def stray(to: Deployment) -> str:
    """Something that a provider has and the books do not know."""
    name = to.app.tools.new_id(ids.TOPUP)
    made = to.app.tools.clock()
    found = Stray("sandbox", name, StrayKind.TOPUP, name, None, "SETTLED", Money(100, "EUR"), made)
    to.write(lambda tx: strays.keep(tx, found))
    return f"sandbox/{name}"


def buying_too_fast(to: Deployment, user_id: str) -> str:
    """The user, whose purchases wait for a look."""

    def work(tx: Tx) -> None:
        guard = spending_rows.get(tx, ids.UserId(user_id))
        if guard.review_at is None:
            spending_rows.save(tx, spending.waits(guard, spending.REVIEWED, tx.now))

    to.write(work)
    return user_id


def payout_hold(to: Deployment, creator_id: str) -> str:
    """A hold of staff on a creator's payouts."""
    hold_id, creator = to.app.tools.new_id(ids.PAYOUT_HOLD), ids.CreatorId(creator_id)
    hold = StaffHold(hold_id, creator, None, "A closer look.", None, to.app.tools.clock(), "system")
    to.write(lambda tx: payout_holds.insert(tx, hold))
    return hold_id


def another_share(to: Deployment, creator_id: str) -> int:
    """A share to keep in reserve that is not the creator's now: hardly any, or none."""
    return 1 - to.read(lambda tx: reserves.rates_of(tx, [creator_id]).get(creator_id, 1))


def proposed(to: Deployment) -> str:
    """What somebody proposed of a stray."""
    wish = resolve.Wish(stray(to), Verdict.CLOSED, "line 7 of the statement")
    name = to.app.tools.new_id(ids.EVENT)
    asked = Request.of(principal=SOMEBODY.principal, mutation="moneyResolvePropose", key=name, given={})
    return to.run(resolve.propose(to.app.tools, SOMEBODY, asked, wish)).value.id


def exported(to: Deployment) -> tuple[str, str]:
    """A batch of a file for a bank, and the file."""
    new_id, now = to.app.tools.new_id, to.app.tools.clock()
    name = new_id(ids.BATCH)
    content = bank_files.Content("payouts.xml", "application/xml", name.encode())
    batch = Batch(name, "sandbox-payouts", batches.key_of([name]), now, now, exported_at=now)
    file = bank_files.BankFile(
        id=new_id(ids.BANK_FILE),
        instance=batch.instance,
        direction=bank_files.Direction.OUT,
        sha256=content.sha256,
        media_type=content.media_type,
        name=content.name,
        size_bytes=len(content.body),
        batch_id=batch.id,
        made_at=now,
        made_by="system",
        state=bank_files.FileState.MADE,
    )

    def work(tx: Tx) -> None:
        batch_rows.insert(tx, batch)
        file_rows.insert(tx, file, content.body)

    to.write(work)
    return batch.id, file.id


def gather(to: Deployment, topup_id: str) -> dict[str, str]:
    """One of each, by the prefix of its id."""
    return {"refund": held_refund(to, topup_id), "resolution": proposed(to)}


def report(cast: "Cast", status: str) -> str:
    """A new report of the fan's about the creator that stands so."""
    to = cast.deployment
    said = {"ground": "SPAM", "explanation": "It is an advertisement.", "goodFaith": True}
    filed = to.do("fan", "reportFile", "report { id }", subjectId=cast.ids["creator_profile"], **said)["report"]["id"]
    if status == "APPEALED":
        reasons = {"basis": "TERMS", "rule": "section 4", "facts": "It is as it is."}
        if "first" not in to.clients:
            to.staff("first", "moderator")
        to.do("first", "reportDecide", "report { id }", reportId=filed, action="NONE", **reasons)
        to.do("fan", "reportAppeal", "report { id }", reportId=filed, text="It is an advertisement!")
    return str(filed)


def no_export(to: Deployment) -> dict[str, str]:
    """Nothing to say of an export, once nobody's is being made."""
    to.run(export.run_due(to.app.tools))
    return {}


def kept_export(to: Deployment, user_id: str) -> str:
    """A copy of what is kept about somebody, which they can fetch for a day."""
    now, export_id = to.app.tools.clock(), to.app.tools.new_id(ids.EXPORT)
    end = now + timedelta(days=1)
    made = privacy_rules.Export(
        export_id, ids.UserId(user_id), privacy_rules.ExportState.READY, now, 1, end, now, end, 1, "0" * 64
    )
    to.write(lambda tx: privacy.insert_export(tx, made))
    return export_id


def waiting_erasure(to: Deployment, user_id: str) -> str:
    """Somebody's wish to be erased, which waits."""

    def work(tx: Tx) -> str:
        found = privacy.newest_erasure(tx, user_id)
        if found is None or found.ended_at is not None:
            new = ids.UserId(user_id)
            found = privacy_rules.request(to.app.tools.new_id(ids.ERASURE), new, policy=FIRST, now=tx.now)
            privacy.insert_erasure(tx, found)
        return found.id

    return to.write(work)
