"""The bank's files: old and new versions, what is not ours, what is no proof, and files that mean harm."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from shoutgraph.sdk import Artifact, MalformedNotice, Money, NoticeKind, Paid, Pending, Rejected, Returned, Unknown

pytestmark = pytest.mark.anyio

OURS = "S:payout:1"
AT = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
DAY = datetime(2026, 11, 23, tzinfo=UTC)
EUROS = Money(3_000, "EUR")
HEAD = "<GrpHdr><MsgId>BANK-1</MsgId><CreDtTm>2026-11-23T15:05:00+01:00</CreDtTm></GrpHdr>"
AMOUNT = '<OrgnlTxRef><Amt><InstdAmt Ccy="EUR">30.00</InstdAmt></Amt></OrgnlTxRef>'


def document(message: str, inner: str) -> bytes:
    space = f"urn:iso:std:iso:20022:tech:xsd:{message}"
    return f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="{space}">{inner}</Document>'.encode()


def because(code: str) -> str:
    return f"<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf>" if code else ""


def item(status: str, code: str = "", amount: str = AMOUNT, reference: str = OURS) -> str:
    said = f"<TxSts>{status}</TxSts>" if status else ""
    return f"<TxInfAndSts><OrgnlEndToEndId>{reference}</OrgnlEndToEndId>{said}{because(code)}{amount}</TxInfAndSts>"


def report(*items: str, group: str = "", code: str = "", part: str = "", message: str = "S:batch:1") -> bytes:
    said = f"<GrpSts>{group}</GrpSts>" if group else ""
    head = f"<OrgnlGrpInfAndSts><OrgnlMsgId>{message}</OrgnlMsgId>{said}{because(code)}</OrgnlGrpInfAndSts>"
    inner = f"<OrgnlPmtInfAndSts>{part}{''.join(items)}</OrgnlPmtInfAndSts>" if items or part else ""
    return document("pain.002.001.10", f"<CstmrPmtStsRpt>{HEAD}{head}{inner}</CstmrPmtStsRpt>")


def entry(
    side: str = "DBIT", part: str = "", family: str = "ICDT/ESCT", status: str = "<Cd>BOOK</Cd>", more: str = ""
) -> str:
    name, _, sub = family.partition("/")
    code = f"<Fmly><Cd>{name}</Cd><SubFmlyCd>{sub}</SubFmlyCd></Fmly>"
    kind = f"<BkTxCd><Domn><Cd>PMNT</Cd>{code}</Domn></BkTxCd>" if family else ""
    refs = f"<Refs><MsgId>S:batch:1</MsgId><EndToEndId>{OURS}</EndToEndId></Refs>"
    return (
        f'<Ntry><Amt Ccy="EUR">30.00</Amt><CdtDbtInd>{side}</CdtDbtInd>{more}<Sts>{status}</Sts>'
        f"<BookgDt><Dt>2026-11-23</Dt></BookgDt>{kind}"
        f"<NtryDtls><TxDtls>{refs}{part}</TxDtls></NtryDtls></Ntry>"
    )


def booked(*entries: str, message: str = "camt.054.001.08") -> bytes:
    root, inner = ("BkToCstmrStmt", "Stmt") if "053" in message else ("BkToCstmrDbtCdtNtfctn", "Ntfctn")
    return document(message, f"<{root}>{HEAD}<{inner}><Id>1</Id>{''.join(entries)}</{inner}></{root}>")


BACK = "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>"
PAID = Paid(OURS, EUROS, DAY)


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (report(item("ACSC"), group="ACSC"), Paid(OURS, EUROS, AT)),
        (report(item("ACSC", amount="")), None),  # paid, and nobody says how much: the entry will
        (report(item("ACCP"), group="PART"), None),
        (report(item(""), group="ACTC"), None),
        (report(item("RJCT", "AC04"), group="PART"), Rejected(OURS, "AC04")),
        (report(item("RJCT")), Rejected(OURS, "RJCT")),
        (report(item(""), part="<PmtInfSts>RJCT</PmtInfSts>", code="AM04"), Rejected(OURS, "AM04")),
        (report(item("RJCT", "AM05")), Unknown("duplicate", OURS)),
        (report(item("RJCT"), group="RJCT", code="DUPL"), Unknown("duplicate", OURS)),
        (booked(entry()), PAID),
        (booked(entry(family="")), PAID),
        (booked(entry(status="BOOK"), message="camt.054.001.02"), PAID),
        (booked(entry(), message="camt.053.001.02"), PAID),
        (booked(entry("CRDT", BACK, "ICDT/RRTN")), Returned(OURS, EUROS, "AC04", DAY)),
        (booked(entry("CRDT", BACK, "")), Returned(OURS, EUROS, "AC04", DAY)),
        (booked(entry("CRDT", "", "ICDT/RRTN")), Returned(OURS, EUROS, "NARR", DAY)),
        (booked(entry("CRDT", more="<RvslInd>true</RvslInd>")), Returned(OURS, EUROS, "reversed", DAY)),
    ],
)
async def test_what_is_said_of_a_payment(world: Any, body: bytes, outcome: Any) -> None:
    (notice,) = world.read(body)
    assert (notice.kind, notice.target.operation_id, notice.target.ref) == (NoticeKind.PAYOUT, "payout_1", OURS)
    assert notice.target.idempotency_key == "batch_1"
    assert notice.occurred_at in {AT, DAY}
    if outcome is None:
        assert isinstance(notice.observation, Pending)
    else:
        assert notice.observation == outcome


@pytest.mark.parametrize(
    "body",
    [
        report(item("ACCP", reference="SALARY-2026-11"), message="HR-1"),
        report(item("RJCT", "AC04", reference="NOTPROVIDED"), group="RJCT", message="HR-1"),
        report(group="RJCT", code="FF01", message="HR-1"),
        report(item("ABCD")),
        booked(entry(status="<Cd>PDNG</Cd>")),
        booked(entry(status="<Prtry>VORGEMERKT</Prtry>")),
        booked(entry(status="")),
        booked(entry("CRDT")),  # somebody sends money, and repeats our reference
        booked(entry(family="RDDT/ESDD")),  # somebody collects money with it
        booked(entry(family="").replace("</EndToEndId>", "</EndToEndId><MndtId>M-1</MndtId>")),
        booked(entry("DBIT", BACK)),
        booked(entry("DBIT", more="<RvslInd>true</RvslInd>")),
        booked(entry("ODD")),
        booked("<Ntry><Sts><Cd>BOOK</Cd></Sts></Ntry>"),
        booked(),
    ],
)
async def test_what_says_nothing_of_ours(world: Any, body: bytes) -> None:
    assert world.read(body) == []


async def test_a_file_that_is_refused_as_a_whole_is_said_of_its_batch(world: Any) -> None:
    for body in (report(group="RJCT", code="FF01"), report(part=f"<PmtInfSts>RJCT</PmtInfSts>{because('FF01')}")):
        (notice,) = world.read(body)
        assert (notice.target.operation_id, notice.observation) == ("batch_1", Rejected(None, "FF01"))


async def test_a_report_of_one_refusal_says_nothing_of_the_others(world: Any) -> None:
    told = world.read(report(item("RJCT", "AC04"), group="RJCT"))
    assert [each.target.operation_id for each in told] == ["payout_1"]


async def test_a_file_that_comes_twice_is_not_refused(world: Any) -> None:
    for code in ("AM05", "DUPL", "DU01"):
        (notice,) = world.read(report(group="RJCT", code=code))
        assert (notice.target.operation_id, notice.observation) == ("batch_1", Unknown("duplicate"))


async def test_a_duplicate_is_one_whatever_else_is_said_of_it(world: Any) -> None:
    both = (because("NARR") + because("DU01")).encode()
    for body, of in ((report(group="RJCT", code="FF01"), None), (report(item("RJCT", "FF01")), OURS)):
        (notice,) = world.read(body.replace(because("FF01").encode(), both))
        assert notice.observation == Unknown("duplicate", of)


@pytest.mark.parametrize(
    "why", ["", because("NARR"), because("MS03"), "<StsRsnInf><AddtlInf>twice</AddtlInf></StsRsnInf>"]
)
async def test_a_file_that_is_refused_for_no_known_reason_may_be_a_duplicate(world: Any, why: str) -> None:
    (notice,) = world.read(report(group="RJCT", code="FF01").replace(because("FF01").encode(), why.encode()))
    assert (notice.target.operation_id, notice.observation) == ("batch_1", Unknown("refused_without_code"))


async def test_what_is_said_of_one_group_of_several_is_not_said_of_all(world: Any) -> None:
    group = "<OrgnlPmtInfAndSts><PmtInfSts>{}</PmtInfSts></OrgnlPmtInfAndSts>"
    one = report(part=f"<PmtInfSts>RJCT</PmtInfSts>{because('FF01')}")
    assert world.read(one.replace(b"</CstmrPmtStsRpt>", group.format("ACCP").encode() + b"</CstmrPmtStsRpt>")) == []


async def test_one_entry_of_many_payments_has_the_amount_of_each(world: Any) -> None:
    refs = "<Refs><EndToEndId>{}</EndToEndId></Refs>"
    amount = '<AmtDtls><TxAmt><Amt Ccy="EUR">{}</Amt></TxAmt></AmtDtls>'
    details = [refs.format("S:a") + amount.format("10.5"), refs.format("S:b") + amount.format("19.50")]
    parts = "".join(f"<TxDtls>{each}</TxDtls>" for each in (*details, refs.format("S:c")))
    head = '<Amt Ccy="EUR">30.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts>'
    body = booked(f"<Ntry>{head}<NtryDtls>{parts}</NtryDtls></Ntry>", message="camt.054.001.02")
    told = world.read(body)
    assert [(each.target.operation_id, each.target.idempotency_key) for each in told] == [
        (each, each) for each in "abc"
    ]
    assert [each.observation.amount.minor for each in told[:2]] == [1_050, 1_950]
    assert told[2].observation == Unknown("no_amount", "S:c")  # the sum of all is not what this one was
    assert len({each.notice_id for each in told}) == 3


@pytest.mark.parametrize("message", ["pacs.004.001.02", "pacs.004.001.09"])
async def test_a_return_is_of_the_amount_that_came_back(world: Any, message: str) -> None:
    inner = (
        f"<PmtRtr>{HEAD}<OrgnlGrpInf><OrgnlMsgId>S:batch:1</OrgnlMsgId></OrgnlGrpInf>"
        f'<TxInf><OrgnlEndToEndId>{OURS}</OrgnlEndToEndId><OrgnlIntrBkSttlmAmt Ccy="EUR">30.00</OrgnlIntrBkSttlmAmt>'
        '<RtrdIntrBkSttlmAmt Ccy="EUR">29.00</RtrdIntrBkSttlmAmt>'
        "<RtrRsnInf><Rsn><Prtry>GONE</Prtry></Rsn></RtrRsnInf></TxInf>"
        "<TxInf><OrgnlEndToEndId>HR</OrgnlEndToEndId></TxInf></PmtRtr>"
    )
    (notice,) = world.read(document(message, inner))
    assert notice.observation == Returned(OURS, Money(2_900, "EUR"), "GONE", AT)
    assert notice.target.idempotency_key == "batch_1"


async def test_the_same_file_has_the_same_names_and_another_has_others(world: Any) -> None:
    one, other = report(item("ACCP")), report(item("RJCT", "AC04"))
    assert world.read(one) == world.read(one)
    assert world.read(one)[0].notice_id != world.read(other)[0].notice_id


def with_dtd(entities: str) -> str:
    head, _, rest = report(item("ACSC", "&b;")).decode().partition("<Document")
    return f"{head}<!DOCTYPE Document [{entities}]><Document{rest}"


BOMB = with_dtd('<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">')
OUTSIDE = with_dtd('<!ENTITY b SYSTEM "file:///etc/hostname">')


@pytest.mark.parametrize("body", [BOMB.encode(), OUTSIDE.encode(), with_dtd("").replace("&b;", "").encode()])
async def test_a_file_with_a_dtd_is_refused_for_it(world: Any, body: bytes) -> None:
    with pytest.raises(MalformedNotice, match="DTD"):
        world.read(body)


@pytest.mark.parametrize(
    "made",
    [
        lambda: BOMB.encode("utf-16"),
        lambda: document("pain.002.001.10", f"<CstmrPmtStsRpt>{HEAD}{'<a>' * 70}{'</a>' * 70}</CstmrPmtStsRpt>"),
        lambda: document("pain.002.001.10", f"<CstmrPmtStsRpt>{HEAD}{'<a/>' * 400_001}</CstmrPmtStsRpt>"),
        lambda: report(item("ACCP")) + b" " * 17_000_000,
        lambda: document("pain.002.001.10", ""),
        lambda: document("pain.002.001.10", "<CstmrPmtStsRpt/>"),
        lambda: document("pain.001.001.09", f"<CstmrCdtTrfInitn>{HEAD}</CstmrCdtTrfInitn>"),
        lambda: document("camt.054.001.08", "<a>")[:-20],
        lambda: b'<?xml version="1.0" encoding="utf-7"?><Document/>',
        lambda: b'<Document xmlns="urn:other">x</Document>',
        lambda: booked(entry().replace("30.00", "30.005")),
        lambda: booked(entry().replace("30.00", "1e9")),
        lambda: booked(entry().replace("30.00", "-30.00")),
        lambda: booked(entry().replace("30.00", "9" * 18)),
        lambda: booked(entry().replace('Ccy="EUR"', 'Ccy="euro"')),
        lambda: b"",
    ],
)
async def test_what_is_no_file_of_a_bank_is_refused_whole(world: Any, made: Callable[[], bytes]) -> None:
    with pytest.raises(MalformedNotice):
        world.payouts.ingest(Artifact("strange.xml", "application/xml", made()))
