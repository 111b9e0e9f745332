"""API keys: shown once, proved by their secret, revoked at once, and guarded by the database."""

import pytest
import sqlalchemy as sa
from tests.services.world import World

from shoutgraph.domain import api_keys, errors
from shoutgraph.domain.users import Principal, Scope
from shoutgraph.services import api_keys as keys
from shoutgraph.storage.statements import Statement

SECRET = "s" * api_keys.SECRET_CHARS


def make(world: World, label: str = "Warehouse", *scopes: Scope) -> tuple[api_keys.ApiKey, str]:
    granted = scopes or (Scope.EVENTS_READ,)
    return world.run(
        keys.create(world.tools, world.staff("admin"), label=label, scopes=granted, new_secret=lambda: SECRET)
    )


def test_a_key_proves_its_tool_with_its_scopes(world: World) -> None:
    key, text = make(world, "Warehouse", Scope.EVENTS_READ, Scope.ORDERS_READ)
    parts = api_keys.read(text)
    assert parts == (key.id, SECRET)
    principal = world.run(keys.prove(world.tools, *parts))
    assert principal == Principal(subject=key.id, scopes=frozenset({Scope.EVENTS_READ, Scope.ORDERS_READ}))


def test_the_secret_is_not_kept(world: World) -> None:
    key, _text = make(world)
    [kept] = world.run(keys.list_all(world.tools, world.staff("admin")))
    assert kept == key
    assert SECRET not in repr(kept)


@pytest.mark.parametrize("secret", ["t" * 43, SECRET[:-1] + "t"])
def test_a_wrong_secret_is_refused(world: World, secret: str) -> None:
    key, _text = make(world)
    with pytest.raises(errors.UnauthenticatedError):
        world.run(keys.prove(world.tools, key.id, secret))


def test_a_revoked_key_is_refused_and_is_revoked_once(world: World) -> None:
    key, _text = make(world)
    world.run(keys.revoke(world.tools, world.staff("admin"), key.id))
    with pytest.raises(errors.UnauthenticatedError):
        world.run(keys.prove(world.tools, key.id, SECRET))
    with pytest.raises(errors.NotFoundError):
        world.run(keys.revoke(world.tools, world.staff("admin"), key.id))


def test_an_unknown_key_is_refused(world: World) -> None:
    with pytest.raises(errors.UnauthenticatedError):
        world.run(keys.prove(world.tools, "apikey_" + "0" * 26, SECRET))


@pytest.mark.parametrize(("label", "scopes"), [("", [Scope.ADMIN]), ("x" * 101, [Scope.ADMIN]), ("a", [])])
def test_a_key_has_a_label_and_a_scope(world: World, label: str, scopes: list[Scope]) -> None:
    with pytest.raises(errors.ValidationError):
        world.run(keys.create(world.tools, world.staff("admin"), label=label, scopes=scopes, new_secret=lambda: SECRET))


def test_only_administrators_make_see_and_revoke_keys(world: World) -> None:
    moderator = world.staff("moderator")
    for attempt in (
        keys.create(world.tools, moderator, label="a", scopes=[Scope.ADMIN], new_secret=lambda: SECRET),
        keys.list_all(world.tools, moderator),
        keys.revoke(world.tools, moderator, "apikey_" + "0" * 26),
    ):
        with pytest.raises(errors.ForbiddenError):
            world.run(attempt)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sg_",
        f"sg_{'0' * 26}_short",
        f"sg_{'8' * 26}_{SECRET}",
        f"SG_{'0' * 26}_{SECRET}",
        f"sg_{'0' * 26}_{SECRET}\n",
    ],
)
def test_another_text_is_no_key(text: str) -> None:
    assert api_keys.read(text) is None


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE api_key SET digest = zeroblob(32)",
        "UPDATE api_key SET scopes = 'admin'",
        "DELETE FROM api_key",
        "UPDATE api_key SET revoked_at = NULL WHERE revoked_at IS NOT NULL",
    ],
)
def test_the_database_keeps_keys_as_they_were_made(world: World, attack: str) -> None:
    key, _text = make(world)
    world.run(keys.revoke(world.tools, world.staff("admin"), key.id))
    with pytest.raises(errors.InvariantError):
        world.write(lambda tx: tx.run(Statement(lambda: sa.text(attack))))
