"""Users on a real database."""

from dataclasses import replace

import pytest
from tests.storage.databases import START

from shoutgraph.domain import errors, ids
from shoutgraph.domain.users import User
from shoutgraph.storage import users
from shoutgraph.storage.engine import Store
from shoutgraph.storage.tx import Tx

ADA = User(ids.UserId("user_ada"), 1, "Ada", "GB", locked=False, created_at=START, subject="https://id.example|1")


def test_a_user_is_found_by_id_and_by_subject(store: Store) -> None:
    store.write_now(lambda tx: users.insert(tx, ADA))
    assert store.read_now(lambda tx: users.get(tx, ADA.id)) == ADA
    assert store.read_now(lambda tx: users.find_by_subject(tx, "https://id.example|1")) == ADA
    assert store.read_now(lambda tx: users.find_by_subject(tx, "https://id.example|2")) is None
    assert store.read_now(lambda tx: users.list_of(tx, ["user_none", ADA.id])) == [None, ADA]
    with pytest.raises(errors.NotFoundError):
        store.read_now(lambda tx: users.get(tx, "user_none"))


def test_a_stale_revision_is_refused(store: Store) -> None:
    def work(tx: Tx) -> None:
        users.insert(tx, ADA)
        users.save(tx, replace(ADA, revision=2, locked=True))
        with pytest.raises(errors.StaleRevisionError) as caught:
            users.save(tx, replace(ADA, revision=2))
        assert caught.value.current_revision == 2
        assert users.get(tx, ADA.id).locked

    store.write_now(work)


def test_two_users_never_share_a_subject_but_many_have_none(store: Store) -> None:
    store.write_now(lambda tx: users.insert(tx, ADA))
    for at in range(2):
        nobody = replace(ADA, id=ids.UserId(f"user_{at}"), subject=None)
        store.write_now(lambda tx, nobody=nobody: users.insert(tx, nobody))
    with pytest.raises(errors.InvariantError):
        store.write_now(lambda tx: users.insert(tx, replace(ADA, id=ids.UserId("user_twin"))))
