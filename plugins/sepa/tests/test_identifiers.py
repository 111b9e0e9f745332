"""Ids on the bank's paper."""

import re

import pytest
from hypothesis import given, strategies as st

from shoutgraph_sepa import identifiers


@given(st.from_regex(r"[0-9a-f]{40}|[A-Za-z0-9][A-Za-z0-9_.-]{0,31}[A-Za-z0-9]", fullmatch=True))
def test_an_id_comes_back_from_the_bank_as_it_was(ours: str) -> None:
    theirs = identifiers.to_bank(ours)
    assert theirs is not None
    assert re.fullmatch("[A-Za-z0-9:.-]{1,35}", theirs)
    assert identifiers.from_bank(theirs) == ours
    assert identifiers.from_bank(f"  {theirs}\n") == ours


@given(st.binary(min_size=20, max_size=20))
def test_the_case_of_a_long_id_is_nothing_to_spoil(raw: bytes) -> None:
    theirs = identifiers.to_bank(raw.hex())
    assert theirs is not None
    assert identifiers.from_bank(theirs.lower()) == raw.hex()


@given(st.text(max_size=40))
def test_what_is_read_as_ours_is_what_we_would_have_written(theirs: str) -> None:
    ours = identifiers.from_bank(theirs)
    assert ours is None or (identifiers.to_bank(ours) or "").upper() == theirs.strip().upper()


@pytest.mark.parametrize(
    "theirs",
    [None, "", "NOTPROVIDED", "SALARY-2026-11", "STOP", "S:", "S:_x", "SH234", "S::x", "S:x:", "SH" + "1" * 32],
)
def test_other_references_are_not_ours(theirs: str | None) -> None:
    assert identifiers.from_bank(theirs) is None


@pytest.mark.parametrize("ours", ["", "a" * 34, "payout/1", "Ä", "a:b", "_a", "a b"])
def test_what_does_not_fit_is_not_written(ours: str) -> None:
    assert identifiers.to_bank(ours) is None
