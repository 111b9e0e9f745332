"""A day of finance with SEPA, by whole documents: known, asked for, approved, filed, handed over, paid, returned."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from tests.api.filerail import INSTANCE, Rail
from tests.api.finance import Finance, open_finance
from tests.api.harness import PATIENCE_S
from tests.storage.databases import Place

import shoutgraph_sepa
from shoutgraph_sepa.simulator.bank import MEDIA_TYPE, OWN_IBAN, Bank

IBAN = "DE89370400440532013000"
CONFIG = {"plugin": "sepa", "name": "Shout & Co. GmbH", "iban": OWN_IBAN}


@pytest.fixture
def finance(place: Place) -> Iterator[Finance]:
    with open_finance(place, Rail(), shoutgraph_sepa, CONFIG) as finance:
        yield finance


def known(finance: Finance, iban: str = IBAN) -> tuple[str, str]:
    """A recipient whom the provider knows: its id, and where it stands."""
    given = {
        "providerCode": INSTANCE,
        "label": "My bank",
        "country": "DE",
        "currency": "EUR",
        "returnUrl": "https://fan.example/back",
        "answers": [{"name": "name", "value": "Jürgen Weiß"}, {"name": "iban", "value": iban}],
    }
    made = finance.do(finance.creator(), "payoutRecipientCreate", "recipient { id status }", **given)
    assert made["errors"] == [], made
    return made["recipient"]["id"], made["recipient"]["status"]


def carry(finance: Finance, bank: Bank) -> None:
    """Fetches the newest batch's file, gives it to the bank, and says so."""
    batch = finance.batch()
    (file,) = batch["files"]
    parts = urlsplit(file["download"]["url"])
    fetched = httpx.get(f"{finance.served.url}{parts.path}?{parts.query}", timeout=PATIENCE_S)
    assert fetched.headers["content-type"].startswith(MEDIA_TYPE)
    bank.take(fetched.content)
    assert finance.hand_over(batch["id"])["errors"] == []


def read_post(finance: Finance, bank: Bank) -> int:
    """Takes in what the bank wrote; gives how many entries told something new."""
    applied = 0
    for paper in bank.papers():
        answer = finance.post(paper.body, media_type=paper.media_type)
        assert answer.status_code == 200, answer.text
        applied += answer.json()["applied"]
    return applied


def test_a_creator_is_paid_by_sepa_and_the_money_comes_back(finance: Finance) -> None:
    bank = Bank(finance.world.clock)
    recipient, status = known(finance)
    assert status == "READY"
    payout = finance.approved(2_500, to=recipient)
    finance.tick()
    assert (finance.batch()["status"], finance.payout(payout)["status"]) == ("EXPORTED", "SUBMITTING")
    carry(finance, bank)
    assert finance.batch()["status"] == "HANDED_OVER"
    assert read_post(finance, bank) > 0  # pain.002
    assert (finance.batch()["status"], finance.payout(payout)["status"]) == ("SUBMITTED", "SUBMITTED")
    (reference,) = bank.payments
    finance.tick(days=1)
    bank.mix_strangers_in()
    bank.pay(reference)
    assert read_post(finance, bank) > 0  # camt.054
    assert finance.payout(payout)["status"] == "PAID"
    assert finance.balance() == {"pending": "0", "available": "0", "inPayout": "0", "paid": "2500"}
    finance.tick(days=30)
    bank.give_back(reference)
    assert read_post(finance, bank) > 0  # pacs.004, and the entry of the account
    assert (finance.payout(payout)["status"], finance.payout(payout)["failureCode"]) == ("RETURNED", "MS03")
    assert finance.balance() == {"pending": "0", "available": "2500", "inPayout": "0", "paid": "0"}


def test_an_iban_that_is_none_is_declined_and_never_paid(finance: Finance) -> None:
    recipient, status = known(finance, "DE89370400440532013001")
    assert status == "DECLINED"
    finance.earn(1_000)
    refused = finance.do(finance.creator(), "payoutRequest", "payout { id }", coins="1000", recipientId=recipient)
    assert refused["errors"][0]["code"] == "RECIPIENT_RESTRICTED"
