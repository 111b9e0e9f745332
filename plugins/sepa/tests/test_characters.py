"""Names in the letters of SEPA, whatever they were in."""

import re
from datetime import UTC, datetime

from hypothesis import given, settings, strategies as st

from shoutgraph_sepa import characters, initiation, recipients
from shoutgraph_sepa.config import SepaConfig
from shoutgraph_sepa.initiation import Order, Transfer
from shoutgraph_sepa.recipients import Recipient
from shoutgraph_sepa.simulator.bank import OWN_IBAN

CONFIG = SepaConfig(name="Shout GmbH", iban=OWN_IBAN)
MADE_AT = datetime(2026, 11, 20, tzinfo=UTC)


@given(st.text(), st.sampled_from(["DE", "DK", "FR", ""]), st.integers(1, 70))
def test_only_what_every_bank_takes_is_written(text: str, country: str, chars_max: int) -> None:
    written = characters.latin(text, country, chars_max)
    assert re.fullmatch(r"[A-Za-z0-9/?:().,'+ -]{0,70}", written)
    assert len(written) <= chars_max
    assert not re.search(r"^[/ ]|//|  |[/ ]$", written)


@settings(max_examples=50, deadline=None)  # the first one reads the schema
@given(st.text(max_size=80), st.text(max_size=200))
def test_a_recipient_who_is_ready_can_be_written_into_a_file(name: str, descriptor: str) -> None:
    found = recipients.checked("DE89370400440532013000", "", name)
    if isinstance(found, Recipient):
        assert recipients.parsed(found.ref) == found
        transfer = Transfer("S:payout:1", found, 1, descriptor)
        assert initiation.made(CONFIG, Order("S:batch:1", MADE_AT, [transfer]))
