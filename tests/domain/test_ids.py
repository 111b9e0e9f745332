"""Ids: a prefix and a UUID, which sort by time and are never mistaken for one another."""

import uuid

import pytest
from hypothesis import given, settings, strategies as st

from shoutgraph.domain import errors, ids

PREFIXES = [
    ids.USER,
    ids.CREATOR,
    ids.OFFER,
    ids.ORDER,
    ids.PACKAGE,
    ids.TOPUP,
    ids.PAYOUT,
    ids.RECIPIENT,
    ids.VIDEO,
    ids.EVENT,
    ids.LOT,
    ids.WALLET,
    ids.API_KEY,
    ids.CALL,
    ids.EARNING,
    ids.DISPUTE,
]
PREFIX = st.sampled_from(PREFIXES)
UUIDS = st.one_of(st.binary(min_size=16, max_size=16), st.just(bytes(16)), st.just(b"\xff" * 16))
PATH = ("input", "orderId")
GOOD = "order_01h455vb4pex5vsknk084sn02q"


def decoded(value: str) -> bytes:
    """What an id says, read by another way than it was written."""
    suffix = value.rsplit("_", 1)[1]
    digits = str.maketrans(ids.ALPHABET, "0123456789abcdefghijklmnopqrstuv")
    return int(suffix.translate(digits), 32).to_bytes(16)


def test_an_id_has_the_form_of_the_published_example():
    uuid_bytes = uuid.UUID("01890a5d-ac96-774b-bcce-b302099a8057").bytes
    assert ids.encode("order", uuid_bytes) == GOOD


def test_every_kind_of_thing_has_a_prefix_of_its_own():
    assert len(set(PREFIXES)) == len(PREFIXES)


@settings(deadline=None)
@given(prefix=PREFIX, uuid_bytes=UUIDS)
def test_an_id_says_its_prefix_and_its_bytes(prefix: str, uuid_bytes: bytes):
    value = ids.encode(prefix, uuid_bytes)
    assert ids.prefix_of(value) == prefix
    assert ids.parse(prefix, value, path=PATH) == value
    assert decoded(value) == uuid_bytes


@settings(deadline=None)
@given(one=UUIDS, other=UUIDS)
def test_ids_sort_as_their_bytes_do(one: bytes, other: bytes):
    assert (ids.encode("order", one) < ids.encode("order", other)) == (one < other)


@settings(deadline=None)
@given(prefix=PREFIX, wanted=PREFIX, uuid_bytes=UUIDS)
def test_an_id_of_another_type_is_refused(prefix: str, wanted: str, uuid_bytes: bytes):
    value = ids.encode(prefix, uuid_bytes)
    if prefix == wanted:
        return
    with pytest.raises(errors.ValidationError) as caught:
        ids.parse(wanted, value, path=PATH)
    assert (caught.value.code, caught.value.path) == ("INVALID_ID", PATH)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "order",
        "order_",
        "_" + GOOD.split("_")[1],
        GOOD.split("_")[1],
        GOOD + "\n",
        " " + GOOD,
        GOOD + "0",
        GOOD[:-1],
        GOOD.upper(),
        GOOD.replace("order_", "order-"),
        GOOD.replace("order_", "o_"),
        GOOD.replace("order_", "orderorderord_"),
        GOOD.replace("order_", "order_order_"),
        "order_81h455vb4pex5vsknk084sn02q",
        "order_01h455vb4pex5vsknk084sn02i",
        "order_01h455vb4pex5vsknk084sn02l",
        "order_01h455vb4pex5vsknk084sn02o",
        "order_01h455vb4pex5vsknk084sn02u",
        "order_\N{ARABIC-INDIC DIGIT ZERO}1h455vb4pex5vsknk084sn02q",
        "ordér_01h455vb4pex5vsknk084sn02q",
    ],
)
def test_what_has_not_the_form_of_an_id_is_refused(text: str):
    assert ids.prefix_of(text) is None or ids.prefix_of(text) != "order"
    with pytest.raises(errors.ValidationError, match="starts with 'order_'"):
        ids.parse("order", text, path=PATH)


@settings(deadline=None)
@given(text=st.text())
def test_no_text_breaks_the_reader_of_ids(text: str):
    prefix = ids.prefix_of(text)
    assert prefix is None or text.startswith(prefix + "_")


@pytest.mark.parametrize("size", [0, 15, 17])
def test_an_id_is_made_of_sixteen_bytes(size: int):
    with pytest.raises(AssertionError, match="16 bytes"):
        ids.encode("order", bytes(size))
