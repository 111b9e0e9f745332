"""Creator profiles: becoming a creator, changing the profile, opening, pausing, featuring, and reading them."""

from collections.abc import Callable, Sequence
from datetime import datetime

from shoutgraph.domain import ages, creators, errors, ids
from shoutgraph.domain.ages import Deed
from shoutgraph.domain.creators import Creator, Profile, ProfileChanges
from shoutgraph.domain.features import Feature
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.storage import ages as age_rows, creators as rows, features, policies, reports, users
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools


async def register(tools: Tools, viewer: Viewer, profile: Profile) -> Creator:
    """Makes the viewer a creator, open for orders as soon as they have an offer. The same again answers the same.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person, or their account closes.
        ValidationError: a field breaks a rule, the handle is taken, or the viewer has a profile already (an
            `ExceptionGroup` where several fields break rules).
        FeatureUnavailableError: shoutouts are off for the viewer.
        AgeRestrictedError: they are too young to earn money, or did not say how old they are.
    """
    user_id = viewer.require_user()

    def work(tx: Tx) -> Creator:
        creator = creators.register(
            profile,
            creator_id=ids.CreatorId(tools.new_id(ids.CREATOR)),
            user_id=user_id,
            policy=policies.current(tx),
            now=tx.now,
        )
        user = users.get(tx, user_id)  # so that the second of two requests sees the creator of the first
        existing = rows.find_by_user(tx, user_id)
        if existing is not None:
            if existing.profile == creator.profile:
                return existing
            raise errors.ValidationError("You are a creator already; change your profile.", code="ALREADY_A_CREATOR")
        user.check_stays()
        features.require(tx, Feature.SHOUTOUTS, user_id)
        _check_age(tx, user_id)
        _check_handle(tx, creator)
        rows.insert(tx, creator)
        return creator

    return await tools.store.write(work)


def _check_age(tx: Tx, user_id: ids.UserId) -> None:
    birth = age_rows.find(tx, user_id)
    ages.check(
        None if birth is None else birth.born_on,
        country=users.get(tx, user_id).country,
        deed=Deed.EARN,
        today=tx.now.date(),
        policy=policies.current(tx),
    )


async def update(tools: Tools, viewer: Viewer, changes: ProfileChanges, *, expected_revision: int | None) -> Creator:
    """Changes the viewer's own profile.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer has no creator profile, or their account closes.
        StaleRevisionError: the profile changed since the viewer read it.
        ValidationError: a field breaks a rule, or the handle is taken (an `ExceptionGroup` where several break rules).
    """
    creator_id = viewer.require_creator()

    def change(tx: Tx, creator: Creator) -> Creator:
        changed = creators.update(creator, changes, policy=policies.current(tx))
        if changed.handle != creator.handle:
            _check_handle(tx, changed)
        return changed

    opens = viewer.require_user() if changes.get("takes_gifts") else None
    return await _change(tools, creator_id, expected_revision, change, opens=opens)


async def reopen(tools: Tools, viewer: Viewer, *, expected_revision: int | None) -> Creator:
    """Takes orders again.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer has no creator profile, a moderator took it away, or their account closes.
        StaleRevisionError: the profile changed since the viewer read it.
        FeatureUnavailableError: shoutouts are off for the viewer.
    """
    creator_id = viewer.require_creator()

    def change(tx: Tx, creator: Creator) -> Creator:
        features.require(tx, Feature.SHOUTOUTS, creator.user_id)
        _check_not_removed(tx, creator)
        return creators.reopen(creator)

    return await _change(tools, creator_id, expected_revision, change, opens=viewer.require_user())


async def pause(tools: Tools, viewer: Viewer, *, until: datetime | None, expected_revision: int | None) -> Creator:
    """Takes no orders until a time, or until reopened.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer has no creator profile; or a time is given, at which they would take orders again,
            and a moderator took it away, or their account closes.
        StaleRevisionError: the profile changed since the viewer read it.
        ValidationError: the time is past or too far away.
    """
    creator_id = viewer.require_creator()

    def change(tx: Tx, creator: Creator) -> Creator:
        if until is not None:
            _check_not_removed(tx, creator)
        return creators.pause(creator, until=until, now=tx.now)

    opens = None if until is None else viewer.require_user()
    return await _change(tools, creator_id, expected_revision, change, opens=opens)


async def feature(
    tools: Tools, viewer: Viewer, creator_id: str, *, featured: bool, expected_revision: int | None
) -> Creator:
    """Puts a creator among the featured ones, or takes them out.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage the catalogue.
        NotFoundError: there is no such creator.
        StaleRevisionError: the profile changed since the viewer read it.
    """
    viewer.require(Scope.CATALOGUE_MANAGE)

    def change(_: Tx, creator: Creator) -> Creator:
        return creators.feature(creator, featured=featured)

    return await _change(tools, creator_id, expected_revision, change)


async def get(tools: Tools, creator_id: str) -> Creator:
    """A creator by id.

    Raises:
        NotFoundError: there is no such creator.
    """
    (found,) = await list_by_id(tools, [creator_id])
    if found is None:
        raise errors.NotFoundError("There is no such creator.", path=("by", "id"))
    return found


async def get_by_handle(tools: Tools, handle: str) -> Creator:
    """A creator by handle, with or without an @ in front.

    Raises:
        NotFoundError: there is no such creator.
    """
    found = await tools.store.read(lambda tx: rows.find_by_handle(tx, handle))
    if found is None:
        raise errors.NotFoundError("There is no such creator.", path=("by", "handle"))
    return found


async def list_by_id(tools: Tools, creator_ids: Sequence[str]) -> list[Creator | None]:
    """Creators by id in the order asked, None where there is none."""
    return await tools.store.read(lambda tx: rows.list_of(tx, creator_ids))


async def _change(
    tools: Tools,
    creator_id: str,
    expected_revision: int | None,
    change: Callable[[Tx, Creator], Creator],
    *,
    opens: ids.UserId | None = None,
) -> Creator:
    def work(tx: Tx) -> Creator:
        if opens is not None:
            users.get(tx, opens).check_stays()  # held before the creator
        creator = rows.get(tx, creator_id)
        if expected_revision not in {None, creator.revision}:
            raise errors.StaleRevisionError(current_revision=creator.revision)
        changed = change(tx, creator)
        if changed is not creator:
            rows.save(tx, changed)
        return changed

    return await tools.store.write(work)


def _check_not_removed(tx: Tx, creator: Creator) -> None:
    if reports.is_removed(tx, creator):
        msg = "A moderator took this profile away: it takes orders again if an appeal (reportAppeal) succeeds."
        raise errors.ForbiddenError(msg, code="PROFILE_REMOVED")


def _check_handle(tx: Tx, creator: Creator) -> None:
    taken = rows.find_by_handle(tx, creator.handle)
    if taken is not None and taken.id != creator.id:
        raise errors.ValidationError("This handle is taken.", code="HANDLE_TAKEN", path=("input", "handle"))
