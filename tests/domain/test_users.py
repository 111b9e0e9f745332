"""Who asks, what they may do, and what is kept of them."""

from datetime import UTC, datetime

import pytest

from shoutgraph.domain import errors, ids, users
from shoutgraph.domain.users import ANONYMOUS, ROLES, SYSTEM, Principal, Scope, User, Viewer

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
USER_ID = ids.UserId("user_1")
ISSUER = "https://id.example.org"


def provisioned(**claims: str) -> User:
    return users.provision(Principal("sub-1", ISSUER, **claims), user_id=USER_ID, now=NOW)  # type: ignore[arg-type]


def test_a_registered_user_has_a_tidy_name() -> None:
    user = users.register(user_id=USER_ID, display_name="  Ada ", country="GB", now=NOW)
    assert (user.display_name, user.country, user.revision, user.subject) == ("Ada", "GB", 1, None)


def test_both_bad_fields_of_a_user_are_refused_at_once() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        users.register(user_id=USER_ID, display_name="", country="uk", now=NOW)
    assert [refusal.path for refusal in caught.value.exceptions] == [("input", "displayName"), ("input", "country")]  # type: ignore[attr-defined]


def test_what_a_provider_says_of_a_person_is_only_a_hint() -> None:
    user = provisioned(display_name=" Ada\nLovelace ", country="England")
    assert (user.display_name, user.country) == (users.NAMELESS, "ZZ")
    assert provisioned(display_name="Ada", country="GB").display_name == "Ada"
    assert provisioned(display_name="x" * 100).display_name == "x" * 60
    assert provisioned().subject == f"{ISSUER}|sub-1"


def test_a_subject_that_is_too_long_is_not_provisioned() -> None:
    with pytest.raises(errors.UnauthenticatedError):
        users.provision(Principal("x" * 500, ISSUER), user_id=USER_ID, now=NOW)


def test_an_unknown_country_may_stay_unknown() -> None:
    changed = users.update(provisioned(), {"display_name": "Ada"})
    assert (changed.display_name, changed.country, changed.revision) == ("Ada", "ZZ", 2)
    with pytest.raises(errors.ValidationError):
        users.update(changed, {"country": "XX"})
    moved = users.update(changed, {"country": "GB"})
    with pytest.raises(errors.ValidationError):
        users.update(moved, {"country": "ZZ"})


def test_the_same_subject_of_two_issuers_is_two_people() -> None:
    assert Principal("1", "https://a.example").full_subject != Principal("1", "https://b.example").full_subject
    assert Principal("user_1").full_subject is None


@pytest.mark.parametrize(
    ("viewer", "refusal"),
    [
        (ANONYMOUS, errors.UnauthenticatedError),
        (Viewer(USER_ID, principal=USER_ID), errors.ForbiddenError),
        (Viewer(scopes=ROLES["moderator"], principal="staff"), errors.ForbiddenError),
    ],
)
def test_a_scope_that_is_not_held_is_required_in_vain(viewer: Viewer, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        viewer.require(Scope.CATALOGUE_MANAGE)


def test_an_administrator_holds_every_scope() -> None:
    SYSTEM.require(Scope.CATALOGUE_MANAGE)
    assert all(SYSTEM.has(scope) for scope in Scope)


@pytest.mark.parametrize(
    ("viewer", "refusal"), [(ANONYMOUS, errors.UnauthenticatedError), (SYSTEM, errors.ForbiddenError)]
)
def test_only_a_person_has_affairs_of_their_own(viewer: Viewer, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        viewer.require_user()
    with pytest.raises(refusal):
        viewer.require_creator()


def test_a_person_without_a_profile_is_no_creator() -> None:
    with pytest.raises(errors.ForbiddenError) as caught:
        Viewer(USER_ID, principal=USER_ID).require_creator()
    assert caught.value.code == "NOT_A_CREATOR"
    assert Viewer(USER_ID, ids.CreatorId("creator_1")).require_creator() == "creator_1"
