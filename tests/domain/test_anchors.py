"""An anchor says one thing in one way, and a database agrees with it or does not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st

from shoutgraph.domain import anchors
from shoutgraph.domain.anchors import Anchor, Epoch, Finding, Standing
from shoutgraph.domain.journal import Head

AT = datetime(2026, 3, 1, 12, 0, 0, 7_000, tzinfo=UTC)
CHAIN, LAST, OTHER = bytes([1]) * 32, bytes([2]) * 32, bytes([3]) * 32
ANCHOR = Anchor(CHAIN, 0, 0, 10, LAST, AT)
NUMBERS = st.integers(0, anchors.NUMBER_MAX)
HASHES = st.binary(min_size=32, max_size=32)


def standing(seq: int = 20, *epochs: Epoch, chain: bytes | None = CHAIN) -> Standing:
    return Standing(chain, Head(seq, OTHER, AT), epochs)


def epoch(number: int, after: int, lost: int | None = None) -> Epoch:
    return Epoch(number, Head(after, OTHER, AT), AT, lost)


@given(CHAIN=HASHES, last=HASHES, epoch_=NUMBERS, after=NUMBERS, seq=NUMBERS, at=st.datetimes(timezones=st.just(UTC)))
def test_an_anchor_is_read_as_it_was_written(CHAIN, last, epoch_, after, seq, at):  # noqa: N803
    whole = at.replace(microsecond=at.microsecond // 1_000 * 1_000)
    anchor = Anchor(CHAIN, epoch_, after, seq, last, whole)
    assert anchors.from_bytes(anchors.to_bytes(anchor)) == anchor


def test_an_anchor_is_canonical_json():
    assert anchors.to_bytes(ANCHOR) == (
        b'{"after":0,"at":"2026-03-01T12:00:00.007Z","chain":"' + b"01" * 32 + b'","epoch":0,"hash":"' + b"02" * 32
        + b'","seq":10,"v":1}'
    )  # fmt: skip


WHOLE = anchors.to_bytes(ANCHOR)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b"null",
        b"x" * 2_000,
        WHOLE + b" ",
        WHOLE.replace(b'"v":1', b'"v":2'),
        WHOLE.replace(b'"seq":10', b'"seq":-1'),
        WHOLE.replace(b'"seq":10', b'"seq":true'),
        WHOLE.replace(b'"seq":10', b'"seq":10.0'),
        WHOLE.replace(b'"seq":10', b'"seq":9223372036854775808'),
        WHOLE.replace(b"02" * 32, b"02" * 31),
        WHOLE.replace(b"02" * 32, b"0X" * 32),
        WHOLE.replace(b"007Z", b"007"),
        WHOLE.replace(b"007Z", b"0071Z"),
        WHOLE.replace(b'"chain"', b'"chains"'),
    ],
)
def test_what_is_no_anchor_is_refused(data: bytes):
    with pytest.raises(ValueError, match="anchor"):
        anchors.from_bytes(data)


def test_the_anchor_of_a_database_is_its_newest_line():
    found = anchors.of(standing(20, epoch(1, 7)), at=AT + timedelta(microseconds=999))
    assert found == Anchor(CHAIN, 1, 7, 20, OTHER, AT)
    assert anchors.of(standing(0, chain=None), at=AT) is None


def test_an_anchor_has_the_time_of_the_whole_world():
    there = AT.astimezone(timezone(timedelta(hours=5)))
    assert anchors.to_bytes(replace(ANCHOR, at=there)) == WHOLE


@pytest.mark.parametrize(
    ("anchor", "stands", "there", "finding"),
    [
        (ANCHOR, standing(20), LAST, Finding.FINE),
        (ANCHOR, standing(10), LAST, Finding.FINE),
        (ANCHOR, standing(9), None, Finding.AHEAD),
        (ANCHOR, standing(0, chain=None), None, Finding.AHEAD),
        (ANCHOR, standing(20), OTHER, Finding.DIFFERENT),
        (ANCHOR, standing(20, chain=OTHER), LAST, Finding.DIFFERENT),
        (ANCHOR, standing(5, chain=OTHER), None, Finding.DIFFERENT),
        # the database was restored after line 10, or before it
        (ANCHOR, standing(20, epoch(1, 10)), LAST, Finding.FINE),
        (ANCHOR, standing(20, epoch(1, 10)), OTHER, Finding.DIFFERENT),
        (ANCHOR, standing(20, epoch(1, 9)), OTHER, Finding.LOST),
        (ANCHOR, standing(20, epoch(1, 9)), None, Finding.LOST),
        (ANCHOR, standing(20, epoch(1, 8), epoch(2, 15)), OTHER, Finding.LOST),
        (replace(ANCHOR, epoch=1, after_seq=8), standing(20, epoch(1, 8), epoch(2, 15)), LAST, Finding.FINE),
        (replace(ANCHOR, epoch=1, after_seq=8), standing(20, epoch(1, 8), epoch(2, 9)), LAST, Finding.LOST),
        # the anchor is of an epoch that the database never had, and that was lost before the one that runs
        (replace(ANCHOR, epoch=1, after_seq=8), standing(20, epoch(2, 15)), OTHER, Finding.LOST),
        # the anchor is of an epoch of which the database knows nothing, or something else
        (replace(ANCHOR, epoch=1, after_seq=8), standing(20), LAST, Finding.AHEAD),
        (replace(ANCHOR, epoch=1, after_seq=8), standing(20, epoch(1, 7)), LAST, Finding.DIFFERENT),
        (replace(ANCHOR, epoch=1, after_seq=8), standing(20, epoch(1, 8)), LAST, Finding.FINE),
        (replace(ANCHOR, epoch=1, after_seq=0), standing(20, epoch(1, 0), chain=OTHER), LAST, Finding.DIFFERENT),
        (replace(ANCHOR, chain=OTHER), standing(20, epoch(1, 0)), LAST, Finding.LOST),
    ],
)
def test_a_database_agrees_with_an_anchor_or_does_not(
    anchor: Anchor, stands: Standing, there: bytes | None, finding: Finding
):
    assert anchors.compare(anchor, stands, there) is finding


def test_the_newest_anchor_is_of_the_latest_epoch():
    later, higher = replace(ANCHOR, epoch=1, seq=3), replace(ANCHOR, seq=99)
    assert anchors.newest([ANCHOR, later, higher]) == later
    assert anchors.newest([]) is None
