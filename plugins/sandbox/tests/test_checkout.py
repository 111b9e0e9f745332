"""The hosted page, as a fan's browser sees it: without scripts, and with nothing from elsewhere."""

from html.parser import HTMLParser
from typing import Any

import pytest

from shoutgraph.sdk import Declined, NeedsAction, Pending, Settled

pytestmark = pytest.mark.anyio


class Seen(HTMLParser):
    """What is on a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


async def opened(world: Any, minor: int = 10_999, **changes: Any) -> str:
    outcome = await world.topups.create(world.request(minor, **changes))
    assert isinstance(outcome, NeedsAction)
    url: str = outcome.action.url
    return url


async def became(world: Any) -> Any:
    return await world.topups.fetch(world.target(), world.call())


async def test_the_page_shows_the_amount_and_offers_every_way(world: Any) -> None:
    page = await world.fan.get(await opened(world))
    seen = Seen(page.text)
    assert "109.99 EUR" in " ".join(seen.text.split())
    assert "700 coins" in seen.text
    assert [each["value"] for each in seen.all("button")] == ["pay", "verify", "later", "decline"]
    assert [each["href"] for each in seen.all("a")] == ["https://shop.test/cancel"]


@pytest.mark.parametrize(("minor", "currency", "shown"), [(5000, "JPY", "5,000 JPY"), (12_345, "KWD", "12.345 KWD")])
async def test_the_amount_has_as_many_digits_as_its_currency(world: Any, minor: int, currency: str, shown: str) -> None:
    outcome = await world.topups.create(world.request(minor, currency))
    assert shown in " ".join(Seen((await world.fan.get(outcome.action.url)).text).text.split())


async def test_the_page_runs_no_script_and_asks_nobody_else(world: Any) -> None:
    url = await opened(world)
    for page in (await world.fan.get(url), await world.fan.get(f"{url}/verify")):
        seen, policy = Seen(page.text), page.headers["content-security-policy"]
        assert {name for name, _ in seen.tags}.isdisjoint({"script", "link", "img", "iframe", "object"})
        assert "url(" not in page.text
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "frame-ancestors 'none'" in policy
        assert "form-action 'self' https://shop.test;" in policy
        assert (page.headers["cache-control"], page.headers["referrer-policy"]) == ("no-store", "no-referrer")


async def test_the_page_can_be_used_without_seeing_it(world: Any) -> None:
    url = await opened(world)
    for text in ((await world.fan.get(url)).text, (await world.fan.get(f"{url}/verify")).text):
        seen = Seen(text)
        assert seen.all("html") == [{"lang": "en"}]
        assert len(seen.all("main")) == len(seen.all("h1")) == len(seen.all("title")) == 1
        labelled = {each["for"] for each in seen.all("label")}
        assert {each["id"] for each in seen.all("input")} == labelled
        described = [name for each in seen.all("input") for name in (each["aria-describedby"] or "").split()]
        assert set(described) <= {attrs.get("id") for _, attrs in seen.tags}


async def test_what_the_caller_sends_is_text_and_never_html(world: Any) -> None:
    evil = '"><script>alert(1)</script>'
    url = await opened(world, descriptor=evil, return_url='https://shop.test/"><script>', cancel_url="https://x.test/'")
    for page in (await world.fan.get(url), await world.fan.get(f"{url}/verify")):
        assert "<script" not in page.text
    await world.fan.post(url, data={"choice": "pay"})
    assert "<script" not in (await world.fan.get(url)).text


async def test_paying_leads_back_to_the_shop_and_paying_twice_pays_once(world: Any) -> None:
    url = await opened(world)
    first = await world.fan.post(url, data={"choice": "pay"})
    second = await world.fan.post(url, data={"choice": "pay"})
    assert (first.status_code, first.headers["location"]) == (303, "https://shop.test/back?order=1")
    assert "Payment complete" in second.text
    assert (await became(world)).totals.settled.minor == 10_999


async def test_declining_leads_back_and_the_page_says_so_afterwards(world: Any) -> None:
    url = await opened(world)
    assert (await world.fan.post(url, data={"choice": "decline"})).status_code == 303
    assert isinstance(await became(world), Declined)
    page = await world.fan.get(url)
    assert "Payment declined" in page.text
    assert Seen(page.text).all("button") == []


async def test_paying_later_is_pending_and_settles_after_a_while(world: Any) -> None:
    await world.fan.post(await opened(world), data={"choice": "later"})
    assert isinstance(await became(world), Pending)
    await world.control("advance", {"seconds": 600})
    assert isinstance(await became(world), Settled)


async def test_the_3d_secure_step_wants_the_code(world: Any) -> None:
    url = await opened(world)
    step = await world.fan.post(url, data={"choice": "verify"})
    assert step.headers["location"] == f"{url}/verify"
    wrong = await world.fan.post(f"{url}/verify", data={"code": "0000"})
    assert "not right" in wrong.text
    assert Seen(wrong.text).all("input")[0]["aria-invalid"] == "true"
    assert isinstance(await became(world), NeedsAction)
    right = await world.fan.post(f"{url}/verify", data={"code": " 1234 "})
    assert right.headers["location"] == "https://shop.test/back?order=1"
    assert isinstance(await became(world), Settled)


async def test_five_wrong_codes_decline_the_payment(world: Any) -> None:
    url = await opened(world)
    answers = [await world.fan.post(f"{url}/verify", data={"code": "0000"}) for _ in range(5)]
    assert [each.status_code for each in answers] == [200, 200, 200, 200, 303]
    assert (await became(world)).code == "authentication_failed"
    assert "Payment declined" in (await world.fan.post(f"{url}/verify", data={"code": "1234"})).text


async def test_a_payment_that_wants_the_step_cannot_be_paid_around_it(world: Any) -> None:
    url = await opened(world, 1002)
    assert (await world.fan.post(url, data={"choice": "pay"})).headers["location"] == f"{url}/verify"
    assert isinstance(await became(world), NeedsAction)


@pytest.mark.parametrize("data", [{}, {"choice": "steal"}, {"other": "x"}, {f"f{at}": "x" for at in range(50)}])
async def test_a_form_that_makes_no_sense_changes_nothing(world: Any, data: dict[str, str]) -> None:
    page = await world.fan.post(await opened(world), data=data)
    assert page.status_code == 200
    assert isinstance(await became(world), NeedsAction)


async def test_a_page_that_does_not_exist_is_not_found_and_our_own_id_does_not_open_it(world: Any) -> None:
    url = await opened(world)
    base = url.rpartition("/")[0]
    for ref in ("pay_unknown", f"topup_{world.serial}"):
        assert (await world.fan.get(f"{base}/{ref}")).status_code == 404
        assert (await world.fan.post(f"{base}/{ref}", data={"choice": "pay"})).status_code == 404
    assert isinstance(await became(world), NeedsAction)


async def test_an_expired_page_takes_no_money(world: Any) -> None:
    url = await opened(world)
    await world.control(f"payments/topup_{world.serial}/expire", {})
    assert "has expired" in (await world.fan.post(url, data={"choice": "pay"})).text
    assert (await became(world)).code == "expired"


async def test_a_body_that_is_too_large_is_refused(world: Any) -> None:
    page = await world.fan.post(await opened(world), content=b"x" * 300_000)
    assert page.status_code == 413


async def test_the_controls_cannot_be_posted_by_a_form_of_another_site(world: Any) -> None:
    await opened(world)
    url = f"{world.served.url}/sandbox/control/payments/topup_{world.serial}/pay"
    headers = {"authorization": "Bearer sandbox-key-of-the-tests"}
    assert (await world.fan.post(url, data={"x": "1"}, headers=headers)).status_code == 415
    assert isinstance(await became(world), NeedsAction)
