"""Payment files: what stands in them, that they come out the same again, and what cannot stand in them."""

import asyncio
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shoutgraph.sdk import NotExecuted, Pending
from shoutgraph_sepa import initiation, recipients
from shoutgraph_sepa.config import SepaConfig
from shoutgraph_sepa.simulator.bank import OWN_IBAN

pytestmark = pytest.mark.anyio

MADE_AT = datetime(2026, 11, 20, tzinfo=UTC)
NAMESPACE = "{urn:iso:std:iso:20022:tech:xsd:pain.001.001.09}"


def words(body: bytes, name: str) -> list[str | None]:
    return [each.text for each in ET.fromstring(body).iter(NAMESPACE + name)]  # noqa: S314 -- ours


async def test_a_file_says_who_is_paid_what_when_and_by_whom(world: Any) -> None:
    first, second = world.item(5), world.item(123_456, "FR1420041010050500013M02606||Zoé Łęcka")
    body = await world.file(world.batch(first, second))
    assert words(body, "Nm")[0] == "Muller + Sohne GmbH"
    assert words(body, "Nm")[2:] == ["Juergen Weiss", "Zoe Lecka"]
    assert words(body, "IBAN") == [OWN_IBAN, "DE89370400440532013000", "FR1420041010050500013M02606"]
    assert words(body, "InstdAmt") == ["0.05", "1234.56"]
    assert words(body, "CtrlSum") == ["1234.61"] * 2
    assert words(body, "NbOfTxs") == ["2"] * 2
    assert words(body, "Dt") == ["2026-11-21"]
    assert words(body, "CreDtTm") == ["2026-11-20T09:30:15Z"]
    assert words(body, "BtchBookg") == ["false"]
    assert words(body, "Ustrd") == ["Earnings"] * 2


async def test_the_bank_repeats_our_ids(world: Any) -> None:
    item = world.item(3_000, item_id="5e" * 20)
    body = await world.file(world.batch(item, key="0123456789abcdef" * 2))
    assert words(body, "MsgId") == words(body, "PmtInfId") == ["S:0123456789abcdef0123456789abcdef"]
    assert words(body, "EndToEndId") == ["SHLZPF4XS6LZPF4XS6LZPF4XS6LZPF4XS6"]
    world.bank.take(body)
    (notice,) = world.news()
    assert (notice.target.operation_id, notice.target.idempotency_key) == ("5e" * 20, "0123456789abcdef" * 2)


async def test_the_same_batch_is_the_same_file_at_any_time(world: Any) -> None:
    batch = world.batch(world.item(3_000), world.item(4_000))
    first = await world.file(batch)
    later = replace(batch, call=replace(batch.call, attempt=3, timeout=timedelta(seconds=7)))
    assert await world.file(later) == first
    assert await world.file(replace(batch, made_at=batch.made_at + timedelta(days=1))) != first


async def test_files_that_are_made_at_once_do_not_mix(world: Any) -> None:
    batches = [world.batch(world.item(1_000 + number), key=f"batch_{number}") for number in range(5)]
    wanted = [await world.file(each) for each in batches]
    assert await asyncio.gather(*(world.file(each) for each in batches * 4)) == wanted * 4


async def test_what_others_do_to_names_of_namespaces_changes_no_file(world: Any) -> None:
    batch = world.batch(world.item(1_000))
    wanted = await world.file(batch)
    ET.register_namespace("", "urn:other")
    ET.register_namespace("pain", NAMESPACE[1:-1])
    assert await world.file(batch) == wanted


@pytest.mark.parametrize(("change", "why"), [({"amount_minor": -5}, "CtrlSum"), ({"reference": "x" * 36}, "35")])
def test_a_file_that_would_be_wrong_is_not_made(change: dict[str, Any], why: str) -> None:
    recipient = recipients.parsed("DE89370400440532013000||Jürgen Weiß")
    assert isinstance(recipient, recipients.Recipient)
    transfer = replace(initiation.Transfer("S:payout:1", recipient, 1_000, "Earnings"), **change)
    with pytest.raises(initiation.InvalidFileError, match=why):
        initiation.made(SepaConfig(name="A", iban=OWN_IBAN), initiation.Order("S:batch:1", MADE_AT, [transfer]))


async def test_what_cannot_be_paid_is_not_executed_and_the_others_go(world: Any) -> None:
    wrong = {
        "iban_invalid": world.item(1_000, "DE88370400440532013000||A B"),
        "iban_not_sepa": world.item(1_000, "BR1800360305000010009795493C1||A B"),
        "bic_missing": world.item(1_000, "GB29NWBK60161331926819||A B"),
        "bic_invalid": world.item(1_000, "DE89370400440532013000|NOBANK|A B"),
        "name_invalid": world.item(1_000, "DE89370400440532013000||☃"),
        "id_unsupported": world.item(1_000, item_id="payout/1"),
    }
    good = world.item(2_000)
    outcome = await world.payouts.submit(world.batch(good, *wrong.values()))
    assert {why: outcome.items[item.item_id] for why, item in wrong.items()} == {w: NotExecuted(w) for w in wrong}
    assert isinstance(outcome.items[good.item_id], Pending)
    assert words(outcome.artifacts[0].body, "CtrlSum") == ["20.00"] * 2


async def test_a_batch_of_which_nothing_can_be_paid_makes_no_file(world: Any) -> None:
    item = world.item(1_000, "nobody")
    outcome = await world.payouts.submit(world.batch(item))
    assert (outcome.items, outcome.artifacts) == ({item.item_id: NotExecuted("iban_invalid")}, ())


async def test_a_batch_without_a_date_or_with_a_long_key_makes_no_file(world: Any) -> None:
    item = world.item(1_000)
    undated = await world.payouts.submit(world.batch(item, made_at=None))
    assert undated.items == {item.item_id: NotExecuted("undated")}
    long = await world.payouts.submit(world.batch(item, key="k" * 34))
    assert long.items == {item.item_id: NotExecuted("id_unsupported")}
    assert not undated.artifacts + long.artifacts


@pytest.mark.parametrize("world", [{"bic": "mocknl2a", "lead_days": 5}], indirect=True)
async def test_the_bank_and_the_lead_are_configured(world: Any) -> None:
    body = await world.file(world.batch(world.item(1_000, "GB29NWBK60161331926819|NWBKGB2L|A B")))
    assert words(body, "BICFI") == ["MOCKNL2A", "NWBKGB2L"]
    assert words(body, "Dt") == ["2026-11-25"]


async def test_a_full_batch_is_one_file_whose_sums_are_right(world: Any) -> None:
    items = [world.item(99_999_999_999, item_id=f"{number:040x}") for number in range(1_000)]
    body = await world.file(world.batch(*items))
    assert words(body, "CtrlSum") == ["999999999990.00"] * 2
    references = words(body, "EndToEndId")
    assert len(set(references)) == 1_000
    assert all(re.fullmatch("[A-Za-z0-9:.-]{1,35}", each or "") for each in references)
    world.bank.take(body)


@pytest.mark.parametrize(
    ("iban", "name", "written"),
    [
        ("DE89370400440532013000", "Müller & Groß", "Mueller + Gross"),
        ("FI2112345600000785", "Mäkinen", "Makinen"),
        ("DK5000400440116243", "Søren Ås", "Soeren Aas"),
        ("GR1601101250000000012300695", "Γιώργος Παππάς", "Giorgos Pappas"),
        ("BG80BNBG96611020345678", "Иван Петров", "Ivan Petrov"),
        ("FR1420041010050500013M02606", "  L'Été // <b>&  Co ", "L'Ete / b + Co"),
    ],
)
async def test_names_are_written_as_their_country_writes_them_without_accents(
    world: Any, iban: str, name: str, written: str
) -> None:
    body = await world.file(world.batch(world.item(1_000, f"{iban}||{name}")))
    assert words(body, "Nm")[-1] == written
