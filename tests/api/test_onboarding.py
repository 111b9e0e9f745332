"""Recipients whom a provider has to know: links, lost answers, restrictions, and what is kept of what they tell."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.api.filerail import INSTANCE, Rail
from tests.api.finance import Finance, open_finance
from tests.api.harness import PATIENCE_S
from tests.storage.databases import Place

from shoutgraph.services.payouts import onboard
from shoutgraph.storage import recipients

SHAPE = "recipient { id status code refEnding nextAction { url expiresAt } }"
MINE = "{ payoutRecipients { id status code refEnding nextAction { url } } }"
ASKED = """query($country: String!) { payoutRecipientRequirements(providerCode: "bank", country: $country,
  currency: "EUR") { name label pattern secret required } }"""
QUOTE = """query($id: ID!) { payoutQuote(coins: "1000", recipientId: $id) {
  amount { minorUnits } fee { minorUnits } arrives { minorUnits } expiresAt } }"""
ANSWERS = [{"name": "account", "value": "12345678"}]
SECRET = "12345678"


@pytest.fixture
def finance(place: Place) -> Iterator[Finance]:
    with open_finance(place, Rail(asks=True)) as finance:
        yield finance


@pytest.fixture(scope="module")
def shared(module_place: Place) -> Iterator[Finance]:
    """One for all that changes nothing."""
    with open_finance(module_place, Rail(asks=True)) as finance:
        yield finance


def add(finance: Finance, **changes: Any) -> Any:
    given = {
        "providerCode": INSTANCE,
        "label": "My bank",
        "country": "DE",
        "currency": "EUR",
        "returnUrl": "https://fan.example/back",
        "answers": ANSWERS,
    } | changes
    return finance.do(finance.creator(), "payoutRecipientCreate", SHAPE, **given)


def mine(finance: Finance) -> Any:
    (found,) = finance.creator().data(MINE)["payoutRecipients"]
    return found


def kept(finance: Finance, recipient_id: str) -> Any:
    return finance.world.read(lambda tx: recipients.find_onboarding(tx, recipient_id))


def test_a_creator_is_asked_sent_to_a_page_and_ready_then(finance: Finance) -> None:
    asked = finance.creator().data(ASKED, country="DE")["payoutRecipientRequirements"]
    assert [(each["name"], each["secret"], each["required"]) for each in asked] == [
        ("account", True, True),
        ("holder", False, False),
    ]
    assert finance.creator().data(ASKED, country="FR")["payoutRecipientRequirements"] is None
    made = add(finance)
    assert (made["errors"], made["recipient"]["status"]) == ([], "NEEDS_ACTION")
    assert made["recipient"]["nextAction"]["url"].startswith("https://bank.example/acct-1/")
    assert finance.rail.values == [{"account": SECRET}]
    finance.earn(1_000)
    refused = finance.do(
        finance.creator(), "payoutRequest", "payout { id }", coins="1000", recipientId=made["recipient"]["id"]
    )
    assert refused["errors"][0]["code"] == "RECIPIENT_NOT_READY"
    finance.rail.ready = True
    finance.tick(seconds=31)
    assert (mine(finance)["status"], mine(finance)["nextAction"]) == ("READY", None)
    payout = finance.approved(1_000, to=made["recipient"]["id"])
    finance.tick()
    assert finance.payout(payout)["status"] == "SUBMITTING"


def test_what_was_told_is_forgotten_once_it_was_taken(finance: Finance) -> None:
    made = add(finance)
    onboarding = kept(finance, made["recipient"]["id"])
    assert (onboarding.ref, onboarding.answers) == ("acct-1", None)
    assert SECRET not in repr(onboarding)
    lines = finance.told(made["recipient"]["id"])
    assert [body["status"] for _, body in lines] == ["NEEDS_ACTION"]
    assert SECRET not in repr(lines)


def test_a_lost_answer_is_asked_for_again_under_the_same_key(finance: Finance) -> None:
    finance.rail.silent = 1
    made = add(finance)
    assert (made["errors"], made["recipient"]["status"]) == ([], "CHECKING")
    assert kept(finance, made["recipient"]["id"]).answers == {"account": SECRET}
    finance.rail.ready = True
    finance.tick(seconds=10)
    assert mine(finance)["status"] == "READY"
    assert len(finance.rail.known) == 1
    assert kept(finance, made["recipient"]["id"]).answers is None


def test_a_look_that_would_outlast_its_lease_is_left_to_others(
    finance: Finance, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(finance)
    finance.rail.ready = True
    monkeypatch.setattr(onboard, "LEASE", onboard.LOOK / 2)
    finance.tick(seconds=31)
    assert mine(finance)["status"] == "NEEDS_ACTION"
    monkeypatch.undo()
    finance.tick(seconds=36)
    assert mine(finance)["status"] == "READY"


def test_answers_that_nobody_takes_are_forgotten_in_the_end(finance: Finance) -> None:
    finance.rail.silent = 1_000
    made = add(finance)
    finance.tick(days=1, seconds=1)
    shown = mine(finance)
    assert (shown["status"], shown["code"]) == ("DECLINED", "answers_forgotten")
    assert kept(finance, made["recipient"]["id"]).answers is None


def test_a_page_that_has_closed_is_opened_anew(finance: Finance) -> None:
    first = add(finance)["recipient"]
    finance.world.clock.move(hours=2)
    again = finance.do(finance.creator(), "payoutRecipientRefresh", SHAPE, recipientId=first["id"])
    assert (again["errors"], again["recipient"]["status"]) == ([], "NEEDS_ACTION")
    assert again["recipient"]["nextAction"]["url"] != first["nextAction"]["url"]
    assert len(finance.rail.known) == 1


def test_a_hint_of_the_provider_makes_us_look(finance: Finance) -> None:
    add(finance)
    finance.rail.ready = True
    answer = httpx.post(f"{finance.served.url}/hooks/{INSTANCE}", content=b"acct-1", timeout=PATIENCE_S)
    assert answer.status_code == 200
    finance.tick(seconds=1)
    assert mine(finance)["status"] == "READY"


def test_nothing_is_sent_to_whom_the_provider_restricts(finance: Finance) -> None:
    finance.rail.ready = True
    recipient = add(finance)["recipient"]
    assert recipient["status"] == "READY"
    payout = finance.approved(1_000, to=recipient["id"])
    finance.rail.restricted = True
    finance.do(finance.creator(), "payoutRecipientRefresh", SHAPE, recipientId=recipient["id"])
    assert (mine(finance)["status"], mine(finance)["code"]) == ("RESTRICTED", "under_review")
    finance.tick()
    shown = finance.payout(payout)
    assert (shown["status"], shown["holdCode"]) == ("HELD", "RECIPIENT")
    assert not any(call.startswith("submit") for call in finance.rail.calls)
    finance.earn(1_000)
    refused = finance.do(finance.creator(), "payoutRequest", "payout { id }", coins="1000", recipientId=recipient["id"])
    assert refused["errors"][0]["code"] == "RECIPIENT_RESTRICTED"
    finance.rail.restricted = False
    finance.tick(days=1, seconds=1)
    assert mine(finance)["status"] == "READY"


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"answers": []}, "REQUIREMENT_MISSING", ["input", "answers", "account"]),
        ({"answers": [{"name": "account", "value": "abc"}]}, "REQUIREMENT_INVALID", ["input", "answers", "account"]),
        ({"answers": [*ANSWERS, {"name": "x", "value": "1"}]}, "REQUIREMENT_UNKNOWN", ["input", "answers", "x"]),
        ({"answers": [*ANSWERS, *ANSWERS]}, "REQUIREMENT_INVALID", ["input", "answers"]),
        ({"answers": None, "ref": "12345678"}, "REQUIREMENT_MISSING", ["input", "answers"]),
        ({"returnUrl": "javascript:alert(1)"}, "INVALID_URL", ["input", "returnUrl"]),
        ({"returnUrl": None}, "EMPTY", ["input", "returnUrl"]),
        ({"country": "FR"}, "PROVIDER_UNAVAILABLE", ["input", "country"]),
        ({"country": "Germany"}, "INVALID_COUNTRY", ["input", "country"]),
        ({"currency": "USD"}, "PROVIDER_UNAVAILABLE", ["input", "country"]),
        ({"providerCode": "nobody"}, "PROVIDER_UNAVAILABLE", ["input", "providerCode"]),
        ({"label": " "}, "EMPTY", ["input", "label"]),
    ],
)
def test_what_does_not_fit_is_refused_and_asks_nobody(
    shared: Finance, changes: dict[str, Any], code: str, path: list[str]
) -> None:
    refused = add(shared, **changes)
    assert (refused["recipient"], refused["errors"][0]["code"]) == (None, code)
    assert refused["errors"][0]["path"] == path
    assert SECRET not in refused["errors"][0]["message"]
    assert shared.rail.calls == []


def test_a_quote_says_what_arrives(finance: Finance) -> None:
    finance.rail.ready = True
    recipient = add(finance)["recipient"]
    quote = finance.creator().data(QUOTE, id=recipient["id"])["payoutQuote"]
    assert (quote["amount"], quote["fee"], quote["arrives"]) == (
        {"minorUnits": "1000"},
        {"minorUnits": "25"},
        {"minorUnits": "975"},
    )
    assert finance.creator("vega").code(QUOTE, id=recipient["id"]) == "NOT_FOUND"
