"""Signed links: one thing, one path, one viewer, until a time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings, strategies as st

from shoutgraph.domain import errors, ids
from shoutgraph.domain.users import Viewer
from shoutgraph.files import links
from shoutgraph.files.links import Access, Links

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
KEY = b"k" * 32
LINKS = Links(KEY, public_url="https://shout.example", read_s=600)
VIDEO = ids.VideoId("video_01m817w1sve7s8q03q2a7qhqpy")
OTHER = ids.VideoId("video_01m817w1sve7s8q03q2a7qhqpz")
FAN = Viewer(user_id=ids.UserId("user_01m817w1sve7s8q03q2a7qhqpy"), principal="user")
TOOL = Viewer(principal="apikey:crew")


def token_of(url: str) -> str:
    return url.partition("?token=")[2]


def code_of(access: Access, path: str, token: str | None, now: datetime = NOW, by: Links = LINKS) -> str:
    with pytest.raises(errors.ForbiddenError) as refusal:
        by.require(access, path, token, now=now)
    return refusal.value.code


@pytest.mark.parametrize("viewer", [FAN, TOOL])
def test_a_link_opens_its_path_until_it_expires(viewer: Viewer) -> None:
    link = LINKS.video(VIDEO, viewer, now=NOW)
    path = links.video_path(VIDEO)
    assert link.url.startswith(f"https://shout.example{path}?token=")
    assert link.expires_at == NOW + timedelta(seconds=600)
    assert LINKS.require(Access.READ, path, token_of(link.url), now=NOW) == link.expires_at
    assert LINKS.require(Access.READ, path, token_of(link.url), now=NOW + timedelta(seconds=599)) == link.expires_at
    assert code_of(Access.READ, path, token_of(link.url), link.expires_at) == "LINK_EXPIRED"


def test_a_link_opens_nothing_else() -> None:
    token = token_of(LINKS.video(VIDEO, FAN, now=NOW).url)
    assert code_of(Access.READ, links.video_path(OTHER), token) == "LINK_INVALID"
    assert code_of(Access.READ, links.poster_path(VIDEO), token) == "LINK_INVALID"
    assert code_of(Access.UPLOAD, links.video_path(VIDEO), token) == "LINK_INVALID"
    assert code_of(Access.UPLOAD, links.upload_path(VIDEO), token) == "LINK_INVALID"


def test_a_link_to_upload_does_not_open_the_video() -> None:
    token = token_of(LINKS.upload(VIDEO, FAN, expires_at=NOW + timedelta(hours=1)).url)
    assert LINKS.require(Access.UPLOAD, links.upload_path(VIDEO), token, now=NOW)
    assert code_of(Access.READ, links.upload_path(VIDEO), token) == "LINK_INVALID"
    assert code_of(Access.READ, links.video_path(VIDEO), token) == "LINK_INVALID"


def test_neither_the_expiry_nor_the_viewer_can_be_changed() -> None:
    path = links.video_path(VIDEO)
    expires, viewer, mac = token_of(LINKS.video(VIDEO, FAN, now=NOW).url).split(".")
    theirs = token_of(LINKS.video(VIDEO, TOOL, now=NOW).url).split(".")[1]
    assert code_of(Access.READ, path, f"{int(expires) + 1}.{viewer}.{mac}") == "LINK_INVALID"
    assert code_of(Access.READ, path, f"{expires}.{theirs}.{mac}") == "LINK_INVALID"
    assert code_of(Access.READ, path, f"{expires}..{mac}") == "LINK_INVALID"


@given(st.one_of(st.text(max_size=80), st.from_regex(r"[0-9]{1,12}\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]{0,50}")))
@example("")
@example("..")
@example("9" * 600)
@example("1.2.3.4")
@example("٣.AA.AA")
@settings(max_examples=200, deadline=None)
def test_no_other_text_is_a_token(text: str) -> None:
    assert code_of(Access.READ, links.video_path(VIDEO), text) == "LINK_INVALID"


def test_no_token_is_no_token() -> None:
    assert code_of(Access.READ, links.video_path(VIDEO), None) == "LINK_INVALID"


def test_an_old_key_still_opens_links_while_it_is_being_replaced() -> None:
    token = token_of(LINKS.video(VIDEO, FAN, now=NOW).url)
    replaced = replace(LINKS, key=b"n" * 32, old_keys=(KEY,))
    assert replaced.require(Access.READ, links.video_path(VIDEO), token, now=NOW)
    assert token_of(replaced.video(VIDEO, FAN, now=NOW).url) != token
    assert code_of(Access.READ, links.video_path(VIDEO), token, by=replace(LINKS, key=b"n" * 32)) == "LINK_INVALID"


def test_a_short_key_is_refused_at_start() -> None:
    with pytest.raises(ValueError, match="at least 32 bytes"):
        Links(b"short")


def test_a_key_never_shows_in_a_log() -> None:
    assert "kkkk" not in repr(replace(LINKS, old_keys=(KEY,)))
