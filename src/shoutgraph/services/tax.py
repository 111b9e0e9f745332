"""Tax profiles: a creator certifies who is paid; finance and they themselves read it."""

from dataclasses import dataclass
from typing import Final

from shoutgraph.domain import ids, journal, tax as rules
from shoutgraph.domain.requests import Request
from shoutgraph.domain.tax import TaxProfile, Wish
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.storage import creators, journal as journal_rows, payout_holds, tax as rows
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once

SET: Final = "tax.profile_set"


@dataclass(frozen=True, slots=True)
class Shown:
    """A tax profile, and whether this viewer may read it whole."""

    profile: TaxProfile
    whole: bool


async def set_profile(tools: Tools, viewer: Viewer, asked: Request, wish: Wish) -> Done[TaxProfile]:
    """Stores the next version of the viewer's tax profile; payouts that wait for it go on by themselves.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not a creator.
        ValidationError: a field breaks a rule (an `ExceptionGroup` where several do), or nobody is born then.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    creator_id, user_id = viewer.require_creator(), viewer.require_user()

    def work(tx: Tx) -> TaxProfile:
        creators.hold(tx, creator_id)
        version = rows.last_version(tx, creator_id) + 1
        profile = rules.certify(wish, creator_id=creator_id, version=version, now=tx.now)
        rows.insert(tx, profile)
        payout_holds.look_at_rules_of(tx, creator_id)
        body: journal.Body = {"user": user_id, "creator": creator_id, "version": version}
        journal_rows.append(tx, journal.NewEvent(tools.new_id(ids.EVENT), user_id, SET, body))
        return profile

    return await once(tools, asked, work, lambda tx, name: rows.get_version(tx, creator_id, int(name.split(":")[1])))


async def get(tools: Tools, viewer: Viewer, creator_id: str | None = None) -> Shown | None:
    """A creator's tax profile, or None: whole for themselves and those who read finances, masked for moderators.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: it is another's and the viewer may not read it, or the viewer is not a creator.
        ValidationError: the text is no creator's id.
    """
    if creator_id is None or creator_id == viewer.creator_id:
        owner, whole = viewer.require_creator(), True
    else:
        viewer.require(Scope.FINANCE_READ, Scope.MODERATION)
        owner = ids.CreatorId(ids.parse(ids.CREATOR, creator_id, path=("creatorId",)))
        whole = viewer.has(Scope.FINANCE_READ)
    found = await tools.store.read(lambda tx: rows.find(tx, owner))
    return None if found is None else Shown(found, whole)
