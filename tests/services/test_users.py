"""Who is behind a token."""

import asyncio

import pytest
from tests.services.world import World

from shoutgraph.domain import errors, ids
from shoutgraph.domain.users import ANONYMOUS, ROLES, SYSTEM, Principal, Scope, Viewer
from shoutgraph.services import users
from shoutgraph.services.users import Identities
from shoutgraph.storage import users as rows

PERSON = Principal("sub-1", "https://id.example.org", display_name="Ada", country="GB")


def test_a_token_of_our_own_names_a_user(world: World) -> None:
    ada = world.person("ada")
    assert ada.user_id is not None
    viewer = world.run(Identities(world.tools).identify(Principal(ada.user_id, scopes=ROLES["moderator"])))
    assert (viewer.user_id, viewer.creator_id, viewer.scopes) == (ada.user_id, None, ROLES["moderator"])


@pytest.mark.parametrize("subject", ["user_01m817w1sve7s8q03q2a7qhqpy", "nobody", ""])
def test_a_token_that_names_nobody_is_refused(world: World, subject: str) -> None:
    with pytest.raises(errors.UnauthenticatedError):
        world.run(Identities(world.tools).identify(Principal(subject)))


def test_a_tool_has_its_scopes_and_no_affairs(world: World) -> None:
    viewer = world.run(Identities(world.tools).identify(Principal("apikey:1", scopes=frozenset({Scope.EVENTS_READ}))))
    assert (viewer.user_id, viewer.principal) == (None, "apikey:1")
    assert viewer.has(Scope.EVENTS_READ)


def test_a_provider_s_person_is_registered_once_however_many_calls_come_at_once(world: World) -> None:
    identities = Identities(world.tools)

    async def all_at_once() -> list[Viewer]:
        return await asyncio.gather(*(identities.identify(PERSON) for _ in range(20)))

    viewers = world.run(all_at_once())
    assert len({viewer.user_id for viewer in viewers}) == 1
    assert viewers[0].user_id is not None
    user = world.read(lambda tx: rows.get(tx, viewers[0].user_id or ""))
    assert (user.display_name, user.country, user.subject) == ("Ada", "GB", "https://id.example.org|sub-1")
    assert world.run(Identities(world.tools).identify(PERSON)).user_id == user.id


def test_a_user_is_a_creator_from_the_next_call_on(world: World) -> None:
    identities, nova = Identities(world.tools), world.person("nova")
    assert nova.user_id is not None
    principal = Principal(nova.user_id)
    assert world.run(identities.identify(principal)).creator_id is None
    _, creator, _ = world.creator("nova")
    for _ in range(2):
        assert world.run(identities.identify(principal)).creator_id == creator.id


def test_only_so_many_identities_are_remembered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users, "REMEMBERED_MAX", 2)
    identities = Identities(world.tools)
    for name in ("nova", "rigel", "vega"):
        viewer, creator, _ = world.creator(name)
        for _ in range(2):
            seen = world.run(identities.identify(Principal(viewer.user_id or "")))
            assert seen.creator_id == creator.id
    assert len(identities._known) == 2


def test_people_change_what_they_are_called(world: World) -> None:
    ada = world.person("ada")
    user = world.run(users.update(world.tools, ada, {"display_name": "Ada L."}, expected_revision=1))
    assert (user.revision, user.display_name, user.country) == (2, "Ada L.", "DE")
    with pytest.raises(errors.StaleRevisionError) as caught:
        world.run(users.update(world.tools, ada, {"country": "FR"}, expected_revision=1))
    assert caught.value.current_revision == 2
    assert world.run(users.update(world.tools, ada, {"country": "FR"}, expected_revision=None)).country == "FR"


@pytest.mark.parametrize(
    ("viewer", "refusal"), [(ANONYMOUS, errors.UnauthenticatedError), (SYSTEM, errors.ForbiddenError)]
)
def test_only_people_change_themselves(world: World, viewer: Viewer, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        world.run(users.update(world.tools, viewer, {"country": "FR"}, expected_revision=None))


def test_only_an_administrator_registers_people(world: World) -> None:
    with pytest.raises(errors.ForbiddenError):
        world.run(users.register(world.tools, world.person("ada"), display_name="Eve", country="DE"))


def test_people_see_themselves_and_administrators_see_everyone(world: World) -> None:
    ada, eve = world.person("ada"), world.person("eve")
    asked = [ada.user_id or "", eve.user_id or "", ids.encode(ids.USER, bytes(16))]

    def seen(viewer: Viewer) -> list[bool]:
        return [user is not None for user in world.run(users.list_visible(world.tools, viewer, asked))]

    assert seen(ada) == [True, False, False]
    assert seen(SYSTEM) == [True, True, False]
    assert seen(ANONYMOUS) == [False, False, False]
