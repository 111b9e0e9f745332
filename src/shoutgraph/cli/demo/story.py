"""The story: a fan buys coins and orders, a creator films, a moderator reviews, finance pays; a tool watches it all."""

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx

from shoutgraph import app, settings
from shoutgraph.cli import proof as proving
from shoutgraph.cli.demo.feed import Feed
from shoutgraph.cli.demo.people import Person, StoryError
from shoutgraph.cli.demo.telling import Teller, coins, money
from shoutgraph.cli.demo.upload import upload
from shoutgraph.domain.ledger import CAP, COIN, PROMO
from shoutgraph.domain.money import BOOK_UNITS_PER_MINOR, Money, to_text as money_text
from shoutgraph.files import sample
from shoutgraph.services.books import Line

T = TypeVar("T")

TOKEN_TTL: Final = timedelta(hours=12)
PATIENCE_S: Final = 20.0
LOOK_S: Final = 0.05
HOLD_S: Final = 7 * 24 * 3600
SANDBOX_CODE: Final = "1234"
VIDEO_S: Final = 6
MUST_SAY: Final = "must-1"
"""The one thing that the brief wants to hear."""

PAYOUT: Final = "query ($id: ID!) { node(id: $id) { ... on Payout { status holds { code remedy message } } } }"
CERTIFIED: Final = {
    "kind": "PERSON", "legalName": "Nova Example", "address": "1 Example Street", "country": "DE",
    "taxNumber": "36574261809", "birthDate": "1990-01-01", "certified": True,
}  # fmt: skip
MONEY: Final = "{ minorUnits currency exponent }"
ORDER: Final = f"""order {{ id revision status price express deadlines {{ transition dueAt }}
  split {{ fee earning earningMoney {MONEY} }} }}"""


class Story:
    """Plays the steps in order; every one goes through the public API."""

    def __init__(self, url: str, http: httpx.Client, folder: Path, teller: Teller) -> None:
        self.url = url
        self.http = http
        self.folder = folder
        self.tell = teller
        self._settings = settings.load({"data_dir": folder})
        self._issuer = app.local_issuer(self._settings)
        self.admin = self._staff("Operator", "admin")
        self.moderator = self._staff("Mo", "moderator")
        self.finance = self._staff("Fina", "finance")
        self.fan = self.register("Ada", "fan")
        self.creator = self.register("Nova", "creator")
        self.handle = "nova.sings"

    def play(self, video: Path | None, chapters: Sequence[tuple[str, Callable[["Story"], None]]] = ()) -> None:
        """Everything, from an empty wallet to the proof; more chapters come before the proof.

        Raises:
            StoryError: a step did not go as it should.
        """
        tool = self.admin.run("apiKeyCreate", "token", label="order watch", scopes=["EVENTS_READ", "ORDERS_READ"])
        self._watch_token = tool["token"]
        with Feed(self.url, self._watch_token) as feed:
            self.feed = feed
            self._open_shop()
            self._browse()
            self._buy_coins()
            order = self._place()
            order = self._make(order, video)
            self._watch_and_confirm(order)
            self._pay_out()
            for title, play in chapters:
                self.tell.chapter(title)
                play(self)
        if chapters:
            self.tell.chapter("the proof")
        self._prove()

    def links(self) -> Iterator[str]:
        """What a person can open and paste once the story is over."""
        yield f"[bold]GraphiQL[/]      [link]{self.url}/graphql[/link]"
        video = self._video()  # asked again: time has moved since, and links end
        yield f"[bold]the video[/]     [link]{video['watch']['url']}[/link]"
        yield f"[bold]its poster[/]    [link]{video['poster']['url']}[/link]"
        for person in (self.fan, self.creator, self.moderator, self.finance, self.admin):
            yield f'[bold]{person.name:<13}[/] {{"authorization": "Bearer {person.token}"}}'
        socket = self.url.replace("http", "ws", 1)
        yield f"[bold]watch it[/]      shoutgraph watch --url {socket}/graphql --token {self._watch_token}"

    def wait_for_ever(self) -> None:
        """Lets the server run until the person has seen enough."""
        while True:
            time.sleep(1)

    def _staff(self, name: str, role: str) -> Person:
        token = self._issuer.issue(f"{role}-desk", role=role, ttl=TOKEN_TTL)
        return Person(name, role, self.http, token)

    def register(self, name: str, role: str, country: str = "DE") -> Person:
        """Registers somebody new, with a token of their own."""
        user = self.admin.run("userRegister", "user { id }", displayName=name, country=country)["user"]
        return Person(name, role, self.http, self._issuer.issue(user["id"], ttl=TOKEN_TTL))

    def _open_shop(self) -> None:
        self.creator.run(
            "creatorRegister",
            "creator { id }",
            handle=self.handle,
            name="Nova Quill",
            bio="Songs for people I have never met.",
            country="DE",
            categories=["MUSICIAN"],
            languages=["en", "de"],
        )
        offer = self.creator.run(
            "offerCreate",
            "offer { id }",
            occasion="BIRTHDAY",
            title="A birthday song with your name in it",
            price="5000",
            durationMaxSeconds=60,
            deliveryDays=5,
            expressSurcharge="1000",
        )["offer"]
        self.offer_id = offer["id"]
        self.tell.step(
            "Nova", "creator", "opens a profile and sells a birthday song", "5,000 coins, 1,000 more for express"
        )

    def _browse(self) -> None:
        data = self.fan.ask(
            """query Browse($text: String!) { creators(first: 3, filter: {text: $text}) {
              totalCount { value } nodes { handle name priceFrom } } }""",
            text="birthday",
        )
        found = data["creators"]
        names = ", ".join(f"@{node['handle']} from {coins(node['priceFrom'])}" for node in found["nodes"])
        self.tell.step(
            "Ada", "fan", f"searches the catalogue for 'birthday': {found['totalCount']['value']} creators", names
        )
        quote = self.fan.ask(
            f"""query Quote($offer: ID!) {{ quote(offerId: $offer, express: true, country: "DE", currency: "EUR") {{
              total money {MONEY} missingCoins }} }}""",
            offer=self.offer_id,
        )["quote"]
        self.total = quote["total"]
        self.tell.step(
            "Ada",
            "fan",
            "asks what the song costs, express",
            f"{coins(quote['total'])} = {money(quote['money'])} in real money",
        )

    def _buy_coins(self) -> None:
        packages = self.fan.ask(f"""{{ coinPackages(country: "DE", currency: "EUR") {{ id coins price {MONEY} }} }}""")[
            "coinPackages"
        ]
        package = next(each for each in packages if each["coins"] == "7000")
        self.tell.step("Ada", "fan", f"picks {coins(7000)} for {money(package['price'])} of {len(packages)} packages")
        key = str(uuid.uuid1())
        wanted = {
            "idempotencyKey": key,
            "buy": {"packageId": package["id"]},
            "currency": "EUR",
            "providerCode": "sandbox",
            "returnUrl": f"{self.url}/graphql",
        }
        shape = "replayed topUp { id status nextAction { ... on RedirectAction { url } } }"
        topup = self.fan.run("topUpCreate", shape, **wanted)["topUp"]
        again = self.fan.run("topUpCreate", shape, **wanted)
        if not again["replayed"] or again["topUp"]["id"] != topup["id"]:
            raise StoryError("a repeated topUpCreate made another top-up")
        page = topup["nextAction"]["url"]
        self.tell.step(
            "Ada", "fan", "is sent to the provider's page; the request is repeated and nothing is charged twice", page
        )
        self.pay(page)
        paid = self.until(
            lambda: self.fan.ask("query T($id: ID!) { node(id: $id) { ... on TopUp { status } } }", id=topup["id"])[
                "node"
            ],
            lambda node: node["status"] == "PAID",
        )
        wallet = self._wallet()
        self.tell.step(
            "sandbox",
            "platform",
            "confirms the payment by a signed webhook",
            f"top-up {paid['status']}; wallet {coins(wallet['available'])}",
        )

    def pay(self, page: str) -> None:
        """Opens the hosted page as a browser would, pays with a 3-D Secure step, and follows where it leads."""
        shown = self.http.get(page)
        if "<form" not in shown.text:
            raise StoryError(f"the provider's page has no form: {shown.status_code}")
        step = self.http.post(page, data={"choice": "verify"})
        done = self.http.post(step.headers["location"], data={"code": SANDBOX_CODE})
        if not done.is_redirect:
            raise StoryError(f"the provider's page answered {done.status_code}")

    def _place(self) -> dict[str, Any]:
        brief = {
            "occasion": "BIRTHDAY",
            "recipientName": "Grace",
            "pronunciation": "like the word",
            "instructions": "Grace turns 40 and finds bugs for a living. Sing her something brave.",
            "mustSay": ["Happy birthday, Grace"],
            "language": "en",
        }
        order = self.fan.do(
            "orderPlace", ORDER, offerId=self.offer_id, expectedPrice=self.total, express=True, brief=brief
        )["order"]
        wallet = self._wallet()
        self._tell_order(
            "Ada",
            "fan",
            "orders the song",
            order,
            f"wallet {coins(wallet['available'])}, escrow {coins(wallet['held'])}",
        )
        order = self._move(self.moderator, "orderScreenPass", order)
        self._tell_order("Mo", "moderator", "reads the brief and lets it through", order)
        return order

    def _make(self, order: dict[str, Any], video: Path | None) -> dict[str, Any]:
        order = self._move(self.creator, "orderAccept", order)
        self._tell_order(
            "Nova", "creator", "accepts", order, f"due {order['deadlines'][0]['dueAt'][:16].replace('T', ' ')}"
        )
        file = video or self._film()
        size = file.stat().st_size
        target = self.creator.do(
            "orderUploadCreate",
            "target { videoId url }",
            orderId=order["id"],
            sizeBytes=str(size),
            mediaType="video/webm" if file.suffix == ".webm" else "video/mp4",
        )["target"]
        resumed = upload(self.http, target["url"], file)
        checked = self.until(
            lambda: self.creator.ask(
                """query V($id: ID!) { node(id: $id) { ... on Video {
                  status durationMilliseconds width height rejection { code message } } } }""",
                id=target["videoId"],
            )["node"],
            lambda node: node["status"] in {"READY", "REJECTED"},
        )
        if checked["status"] == "REJECTED":
            raise StoryError(f"the video was refused: {checked['rejection']['message']}")
        self.tell.step(
            "Nova",
            "creator",
            f"films and uploads {size:,} bytes, broken off and resumed at byte {resumed:,}",
            f"{checked['width']}x{checked['height']}, {checked['durationMilliseconds'] / 1000:.1f} s; "
            f"inspected: {checked['status']}",
        )
        order = self._move(self.creator, "orderDeliver", order, videoId=target["videoId"], tickedKeys=[MUST_SAY])
        self._tell_order("Nova", "creator", "ticks off what must be said, and hands it in", order)
        order = self._move(self.moderator, "orderReviewPass", order)
        self._tell_order("Mo", "moderator", "watches it and passes it", order)
        return order

    def _film(self) -> Path:
        file = self.folder / "song.mp4"
        sample.make_sample_video(file, seconds=VIDEO_S, text="Happy birthday, Grace!")
        return file

    def _watch_and_confirm(self, order: dict[str, Any]) -> None:
        self._order_id = order["id"]
        video = self._video()
        first = self.http.get(video["watch"]["url"], headers={"range": "bytes=0-1023"})
        whole = self.http.get(video["watch"]["url"])
        if first.status_code != httpx.codes.PARTIAL_CONTENT or len(whole.content) != int(video["sizeBytes"]):
            raise StoryError("the signed link does not serve the video")
        self.tell.step(
            "Ada",
            "fan",
            f"watches it by a signed link: range {first.headers['content-range']}, then all of it",
            f"the link ends at {video['watch']['expiresAt'][11:16]}",
        )
        order = self._move(self.fan, "orderConfirm", order)
        split = order["split"]
        self._tell_order(
            "Ada",
            "fan",
            "confirms",
            order,
            f"creator {coins(split['earning'])} = {money(split['earningMoney'])}, platform {coins(split['fee'])}",
        )

    def _video(self) -> dict[str, Any]:
        shape = "sizeBytes watch { url expiresAt } poster { url }"
        data = self.fan.ask(f"query Video($id: ID!) {{ order(id: $id) {{ video {{ {shape} }} }} }}", id=self._order_id)
        video: dict[str, Any] = data["order"]["video"]
        return video

    def _pay_out(self) -> None:
        self.tell.step("Nova", "creator", "has earned, and waits for the hold to end", self.earnings())
        self.admin.run("testClockAdvance", "now", seconds=HOLD_S + 60)
        self.until(self.earnings_now, lambda earnings: int(earnings["available"]) > 0)
        self.tell.step("Operator", "platform", "moves the test clock seven days ahead", self.earnings())
        amount = self.earnings_now()["available"]
        recipient = self.creator.do(
            "payoutRecipientCreate",
            "recipient { id status }",
            providerCode="sandbox-payouts",
            label="Nova's account",
            ref="DE00SANDBOX0000000001",
        )["recipient"]
        payout = self.creator.do(
            "payoutRequest", f"payout {{ id status amount {MONEY} }}", coins=amount, recipientId=recipient["id"]
        )["payout"]
        self.tell.step(
            "Nova", "creator", f"asks for a payout of {coins(amount)}", f"{money(payout['amount'])}, {payout['status']}"
        )
        self.finance.do("payoutApprove", "payout { status }", payoutId=payout["id"])
        held = self.until(lambda: self._payout(payout["id"]), lambda node: node["status"] == "HELD")["holds"][0]
        self.tell.step("Fina", "finance", f"approves; it waits: {held['code']}", f"{held['remedy']}: {held['message']}")
        profile = self.creator.do("taxProfileSet", "taxProfile { version country }", **CERTIFIED)["taxProfile"]
        paid = self.until(lambda: self._payout(payout["id"]), lambda node: node["status"] == "PAID")
        done = f"payout {paid['status']}; {self.earnings()}"
        self.tell.step("Nova", "creator", f"certifies a tax profile of {profile['country']}; the provider pays", done)

    def _payout(self, payout_id: str) -> dict[str, Any]:
        node: dict[str, Any] = self.creator.ask(PAYOUT, id=payout_id)["node"]
        return node

    def _prove(self) -> None:
        proof = proving.prove(self._settings)
        if proof.violations:
            raise StoryError(f"the books do not balance: {proof.violations}")
        rows = ((line.account, *_sides(line)) for line in proof.trial_balance)
        self.tell.table("The books, account by account", ("account", "debit", "credit"), rows)
        self.tell.step("ledger", "platform", "[bold green]the books balance[/]", proving.proven(proof))

    def _move(self, person: Person, mutation: str, order: dict[str, Any], **more: object) -> dict[str, Any]:
        given = {"orderId": order["id"], "expectedRevision": order["revision"], **more}
        moved: dict[str, Any] = person.do(mutation, ORDER, **given)["order"]
        return moved

    def _tell_order(self, who: str, role: str, what: str, order: dict[str, Any], *facts: str) -> None:
        """Tells a move of the order, and that the internal tool saw it live.

        Raises:
            StoryError: the subscription says something else.
        """
        event = self.feed.next()
        if event["status"] != order["status"]:
            raise StoryError(f"the subscription says {event['status']}, the API {order['status']}")
        self.tell.step(who, role, f"{what} [dim]->[/] [bold]{order['status']}[/]", *facts)
        self.tell.event(f"{event['previousStatus'] or 'new'} -> {event['status']}, {event['transition']}")

    def _wallet(self) -> dict[str, Any]:
        wallet: dict[str, Any] = self.fan.ask("{ wallet { available promo held } }")["wallet"]
        return wallet

    def earnings_now(self) -> dict[str, str]:
        """What the creator has earned, in coins."""
        shape = "pending { coins } available { coins } paid { coins }"
        data = self.creator.ask(f"{{ earnings {{ {shape} }} }}")
        return {name: amount["coins"] for name, amount in data["earnings"].items()}

    def earnings(self) -> str:
        """The same for people."""
        return ", ".join(f"{name} {coins(amount)}" for name, amount in self.earnings_now().items())

    def until(self, look: Callable[[], T], good: Callable[[T], bool]) -> T:
        """Looks again and again until it is good.

        Raises:
            StoryError: it is not good in time.
        """
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            seen = look()
            if good(seen):
                return seen
            time.sleep(LOOK_S)
        raise StoryError("waited in vain")


def _sides(line: Line) -> tuple[str, str]:
    """A balance on its side of the books, coins or money."""
    amount = abs(line.balance)
    if line.asset in {COIN, PROMO, CAP}:
        text = f"{amount:,} {line.asset.lower()}"
    else:
        text = money_text(Money(amount // BOOK_UNITS_PER_MINOR, line.asset))
    return (text, "") if line.balance < 0 else ("", text)
