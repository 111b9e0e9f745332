"""Everybody who can ask, and an order in every state: made through the API, except that nobody films."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final

from tests.api import hooks, ledgers
from tests.api.deployment import Deployment
from tests.api.harness import PATIENCE_S

from shoutgraph.domain import accounts, attachments as attachment_rules, ids, media
from shoutgraph.domain.attachments import Attachment, Purpose
from shoutgraph.domain.bank_files import BankFile, Content, Direction, FileState
from shoutgraph.domain.batches import Batch
from shoutgraph.domain.orders.order import Side
from shoutgraph.domain.policies import Policy
from shoutgraph.domain.users import SYSTEM
from shoutgraph.services import packages, seeds
from shoutgraph.services.gifts import catalogue
from shoutgraph.storage import attachments, bank_files, batches, ledger, media as videos, orders, payouts, policies
from shoutgraph.storage.tx import Tx

VIEWERS: Final = (
    "anonymous",
    "fan",
    "other_fan",
    "creator",
    "other_creator",
    "moderator",
    "finance",
    "service",
    "admin",
)
"""Who can ask: nobody, the two sides of the orders here, two strangers, and those with scopes."""

PRICE: Final = 250
EXPRESS: Final = 50
COINS: Final = 17_500
PAYOUT: Final = 10
RULES: Final = Policy(
    cards_open_max=1_000,
    closure_wait_s=0,
    version=2,
    samples_max=100,
    open_orders_max=1_000,
    campaigns_max=1_000,
    reports_day_max=10_000,
    earnings_hold_s=0,
    payout_min_coins=10,
    orders_hour_max=10_000,
    gifts_minute_max=10_000,
    topups_day_max=1_000,
)
"""Nobody is ever full or too fast, and what is earned can be paid out at once."""

BRIEF: Final = MappingProxyType(
    {
        "occasion": "BIRTHDAY",
        "recipientName": "Grace",
        "instructions": "Sing her something brave.",
        "language": "en",
        "pronunciation": "like the word",
        "mustSay": ["Happy birthday"],
        "mustNotSay": ["forty"],
    }
)
WORDS: Final = MappingProxyType({"reason": "SAFETY", "note": "This is why."})
PACKAGES: Final = '{ coinPackages(country: "DE", currency: "EUR") { id coins } }'
PURCHASE: Final = MappingProxyType(
    {"currency": "EUR", "providerCode": "sandbox", "returnUrl": "https://fan.example/back"}
)
CERTIFIED: Final = MappingProxyType(
    {
        "kind": "PERSON",
        "legalName": "Nova Example",
        "address": "1 Example Street, Exampletown",
        "country": "DE",
        "taxNumber": "36 574 261 809",
        "birthDate": "1990-01-01",
        "certified": True,
    }
)
STICKERS: Final = "{ giftCatalogue { stickers { id key price } } }"
CAMPAIGN: Final = "query ($id: ID!) { node(id: $id) { ... on Campaign { state } } }"
SHAPE: Final = "order { id revision status }"


@dataclass(frozen=True)
class Step:
    """A mutation that moves an order: from where, by whom, with what, and to where."""

    source: str
    who: str
    target: str
    extras: Mapping[str, object] = field(default_factory=dict)


STEPS: Final = MappingProxyType(
    {
        "orderSubmit": Step("DRAFT", "fan", "SCREENING", {"expectedPrice": str(PRICE)}),
        "orderAbandon": Step("DRAFT", "fan", "CANCELLED"),
        "orderVoiceNoteSet": Step("SCREENING", "fan", "SCREENING"),
        "orderScreenPass": Step("SCREENING", "moderator", "AWAITING_ACCEPTANCE"),
        "orderScreenReject": Step("SCREENING", "moderator", "REJECTED", WORDS),
        "orderCancel": Step("AWAITING_ACCEPTANCE", "fan", "CANCELLED"),
        "orderAccept": Step("AWAITING_ACCEPTANCE", "creator", "IN_PRODUCTION"),
        "orderDecline": Step("AWAITING_ACCEPTANCE", "creator", "DECLINED", WORDS),
        "orderExtensionOffer": Step("IN_PRODUCTION", "creator", "IN_PRODUCTION OFFERED", {"seconds": 3600}),
        "orderExtensionAgree": Step("IN_PRODUCTION OFFERED", "fan", "IN_PRODUCTION EXTENDED"),
        "orderWithdraw": Step("IN_PRODUCTION", "creator", "CANCELLED", WORDS),
        "orderDeliver": Step("IN_PRODUCTION", "creator", "IN_REVIEW"),
        "orderReviewPass": Step("IN_REVIEW", "moderator", "DELIVERED"),
        "orderReviewRequireChanges": Step("IN_REVIEW", "moderator", "CHANGES_REQUIRED", WORDS),
        "orderReviewReject": Step("IN_REVIEW", "moderator", "REJECTED", WORDS),
        "orderReviewGiveUp": Step("IN_REVIEW", "fan", "CANCELLED"),
        "orderVisibilitySet": Step("COMPLETED", "fan", "COMPLETED", {"visibility": "PUBLIC"}),
        "orderConfirm": Step("DELIVERED", "fan", "COMPLETED"),
        "orderRedoRequest": Step("DELIVERED", "fan", "REDO_REQUESTED", {"ground": "WRONG_NAME", "note": "Not Grace."}),
        "orderRedoConcede": Step("REDO_REQUESTED", "creator", "REFUNDED"),
        "orderRedoContest": Step("REDO_REQUESTED", "creator", "DISPUTED CONTESTED", WORDS),
        "orderRedoReject": Step("IN_REVIEW AGAIN", "moderator", "DISPUTED AGAIN", WORDS),
        "orderDisputeOpen": Step("DELIVERED", "fan", "DISPUTED", WORDS),
        "orderDisputeAnswer": Step("DISPUTED", "creator", "DISPUTED ANSWERED", {"text": "It is her name."}),
        "orderDisputeRefund": Step("DISPUTED", "moderator", "REFUNDED", WORDS),
        "orderDisputeRelease": Step("DISPUTED", "moderator", "COMPLETED", WORDS),
        "orderDisputeSplit": Step("DISPUTED", "moderator", "SPLIT", {"backCoins": "10", **WORDS}),
        "orderDisputeRedo": Step("DISPUTED", "moderator", "REDO_REQUESTED", {"ground": "WRONG_NAME"}),
        "orderPlatformCancel": Step("IN_PRODUCTION", "admin", "CANCELLED", WORDS),
        "orderFreeze": Step("IN_PRODUCTION", "admin", "IN_PRODUCTION FROZEN"),
        "orderUnfreeze": Step("IN_PRODUCTION FROZEN", "admin", "IN_PRODUCTION"),
    }
)
"""One working use of every mutation that moves an order. The first word of a place is the order's status."""

WAYS: Final = MappingProxyType(
    {
        "AWAITING_ACCEPTANCE": "orderScreenPass",
        "IN_PRODUCTION": "orderAccept",
        "IN_PRODUCTION OFFERED": "orderExtensionOffer",
        "IN_PRODUCTION FROZEN": "orderFreeze",
        "IN_REVIEW": "orderDeliver",
        "CHANGES_REQUIRED": "orderReviewRequireChanges",
        "DELIVERED": "orderReviewPass",
        "REDO_REQUESTED": "orderRedoRequest",
        "DISPUTED": "orderDisputeOpen",
        "DISPUTED ANSWERED": "orderDisputeAnswer",
        "DISPUTED CONTESTED": "orderRedoContest",
        "COMPLETED": "orderConfirm",
        "DECLINED": "orderDecline",
        "CANCELLED": "orderCancel",
        "REJECTED": "orderScreenReject",
        "REFUNDED": "orderDisputeRefund",
        "SPLIT": "orderDisputeSplit",
    }
)
"""How an order gets to each place from the one before."""


@dataclass
class Cast:
    """The people of a deployment, and what they own."""

    deployment: Deployment
    ids: dict[str, str] = field(default_factory=dict)
    shelves: dict[str, dict[str, Any]] = field(default_factory=dict)

    def introduce(self) -> None:
        """Lets everybody in; the creators sell something, and both fans have coins."""
        to = self.deployment
        to.let_in("anonymous", None)
        to.write(lambda tx: policies.insert(tx, RULES))
        for name in ("fan", "other_fan", "creator", "other_creator"):
            self.ids[name] = to.register(name)
        for name in ("moderator", "finance"):
            to.staff(name, name)
        scopes = ["EVENTS_READ", "ORDERS_READ"]
        made = to.do("admin", "apiKeyCreate", "apiKey { id } token", label="watch", scopes=scopes)
        to.let_in("service", made["token"])
        self.ids["api_key"] = made["apiKey"]["id"]
        for name in ("creator", "other_creator"):
            self.ids[f"{name}_profile"] = self.profile(name, name)
            self.ids[f"{name}_offer"] = self.offer(name)
        self.ids["creator_spare_offer"] = self.offer("creator", title="An old song")
        to.do("creator", "offerDeactivate", "offer { id }", offerId=self.ids["creator_spare_offer"])
        self.ids["spare_api_key"] = to.do("admin", "apiKeyCreate", "apiKey { id }", label="spare", scopes=scopes)[
            "apiKey"
        ]["id"]
        to.run(packages.load(to.app.tools, SYSTEM, seeds.read_prices()))
        for name in ("fan", "other_fan"):
            self.ids[f"{name}_topup"] = self.buy(name)
        self.ids["fan_large_topup"] = self.buy("fan", coins=70_000)
        for place in ("IN_PRODUCTION", "DRAFT", "DELIVERED", "DISPUTED ANSWERED", "COMPLETED", "COMPLETED"):
            self.ids[place] = self.order(place)["id"]
        self.deployment.settle()
        for name in ("creator", "other_creator"):
            self.ids[f"{name}_recipient"] = self.recipient(name)
        self.ids |= {"payout": self.payout()["id"], **self.batch(), **ledgers.gather(to, self.ids["other_fan_topup"])}
        self.ids |= (
            self.ratings() | self.lines() | self.campaigns() | {"adjusted": self.adjusted()} | self.told() | self.kept()
        )
        self.open_catalogue()
        self.ids["unpaid_topup"] = to.do("fan", "topUpCreate", "topUp { id }", buy={"coins": "70"}, **PURCHASE)[
            "topUp"
        ]["id"]
        gone = self.offer("creator", title="A song of the past")
        self.ids["order_of_offer_off"] = to.do("fan", "orderPlace", SHAPE, **self.wish(offerId=gone))["order"]["id"]
        to.do("creator", "offerDeactivate", "offer { id }", offerId=gone)
        of_video = to.ask("creator", "query ($id: ID!) { order(id: $id) { video { id } } }", id=self.ids["DELIVERED"])
        self.ids["video"] = of_video["order"]["video"]["id"]

    def profile(self, who: str, handle: str) -> str:
        """Makes somebody a creator; gives the creator's id."""
        given = {"categories": ["MUSICIAN"], "languages": ["en"], "country": "DE"}
        made = self.deployment.do(
            who, "creatorRegister", "creator { id }", handle=handle, name=handle.title(), openOrdersMax=1000, **given
        )
        self.deployment.do(who, "taxProfileSet", "taxProfile { version }", **CERTIFIED)
        return str(made["creator"]["id"])

    def offer(self, who: str, **terms: object) -> str:
        """A creator's new offer; gives its id."""
        given = {
            "occasion": "BIRTHDAY",
            "title": "A song",
            "price": str(PRICE),
            "durationMaxSeconds": 60,
            "deliveryDays": 7,
            "expressSurcharge": str(EXPRESS),
        } | terms
        made = self.deployment.do(who, "offerCreate", "offer { id }", **given)
        return str(made["offer"]["id"])

    def buy(self, who: str, *, coins: int | None = None) -> str:
        """Buys coins and pays at the provider: so many, or a package that comes with a bonus. Gives the top-up's id."""
        to = self.deployment
        sold = to.ask(who, PACKAGES)["coinPackages"]
        package = next(each["id"] for each in sold if each["coins"] == str(COINS))
        buy = {"packageId": package} if coins is None else {"coins": str(coins)}
        made = to.do(who, "topUpCreate", "topUp { id }", buy=buy, **PURCHASE)
        topup_id = str(made["topUp"]["id"])
        to.control(f"payments/{topup_id}/pay")
        self.until(who, "query ($id: ID!) { node(id: $id) { ... on TopUp { status } } }", node=topup_id, wanted="PAID")
        return topup_id

    def recipient(self, who: str) -> str:
        """Where a creator's money goes; gives the recipient's id."""
        given = {"providerCode": "sandbox-payouts", "label": "My account", "ref": "DE00SANDBOX0001"}
        made = self.deployment.do(who, "payoutRecipientCreate", "recipient { id }", **given)
        return str(made["recipient"]["id"])

    def batch(self) -> dict[str, str]:
        """A batch whose file nobody has given to the bank yet, and the file; a rail of its own wrote it."""
        new_id, body = self.deployment.app.tools.new_id, b"a file"
        batch_id, file_id = new_id(ids.BATCH), new_id(ids.BANK_FILE)

        def work(tx: Tx) -> None:
            batch = Batch(batch_id, "sandbox-payouts", batch_id, tx.now, tx.now, exported_at=tx.now)
            batches.insert(tx, batch)
            content = Content("file.txt", "text/plain", body + batch_id.encode())
            file = BankFile(
                id=file_id,
                instance=batch.instance,
                direction=Direction.OUT,
                sha256=content.sha256,
                media_type=content.media_type,
                name=content.name,
                size_bytes=len(content.body),
                batch_id=batch_id,
                made_at=tx.now,
                made_by="system",
                state=FileState.MADE,
            )
            bank_files.insert(tx, file, content.body)

        self.deployment.write(work)
        return {"batch": batch_id, "bankfile": file_id}

    def open_catalogue(self) -> None:
        """What is sold to everybody: packages and stickers, of which the fan gave one."""
        self.deployment.run(catalogue.load(self.deployment.app.tools, SYSTEM, seeds.read_gifts()))
        self.ids["sticker"] = self.deployment.ask("fan", STICKERS)["giftCatalogue"]["stickers"][0]["id"]
        self.ids["gift"] = self.gift()
        self.ids["giftcard"] = str(
            self.deployment.do("fan", "giftCardBuy", "giftCard { id }", coins="70")["giftCard"]["id"]
        )
        made = {"label": "A treat", "kind": "GRANT", "amount": "5", "reason": "We tried.", "codeCount": 1}
        self.ids["promotion"] = str(
            self.deployment.do("finance", "promoCreate", "promotion { id }", **made)["promotion"]["id"]
        )
        self.ids["endpoint"] = hooks.endpoint(self.deployment)
        self.ids["delivery"] = hooks.delivery(self.deployment, self.ids["endpoint"])
        self.ids["wallet"] = self.deployment.ask("fan", "{ wallet { id } }")["wallet"]["id"]
        self.ids["package"] = self.deployment.ask("fan", PACKAGES)["coinPackages"][0]["id"]

    def rules(self) -> tuple[int, str]:
        """The version of the policy that is in force, and another time for uploads than it has."""
        policy = self.deployment.ask("fan", "{ policy { version } policyValues { name value } }")
        (now,) = (int(each["value"]) for each in policy["policyValues"] if each["name"] == "upload_s")
        return policy["policy"]["version"], str(now - 1)

    def present(self) -> dict[str, object]:
        """The input of giftSend, without a key: the cheapest sticker, for the creator."""
        return {"creatorId": self.ids["creator_profile"], "stickerId": self.ids["sticker"], "expectedPrice": "1"}

    def gift(self, who: str = "fan") -> str:
        """A new gift; gives its id."""
        return str(self.deployment.do(who, "giftSend", "gift { id }", **self.present())["gift"]["id"])

    def payout(self) -> dict[str, Any]:
        """A new payout of the creator's, who earns more first where nothing is left, or what came paid a debt."""
        own = accounts.available(ids.CreatorId(self.ids["creator_profile"])).code
        while self.deployment.read(lambda tx: ledger.balance_coins(tx, own)) < PAYOUT:
            self.order("COMPLETED")
            self.deployment.settle()
        given = {"coins": str(PAYOUT), "recipientId": self.ids["creator_recipient"]}
        return dict(self.deployment.do("creator", "payoutRequest", "payout { id revision }", **given)["payout"])

    def rated(self) -> dict[str, Any]:
        """An order of the fan's that they rated, and the rating."""
        shape = "order { id } rating { id revision }"
        return dict(self.deployment.do("fan", "orderRate", shape, orderId=self.order("DELIVERED")["id"], stars=4))

    def hidden(self) -> dict[str, Any]:
        """The same, hidden by a moderator."""
        rated = self.rated()
        self.deployment.do("moderator", "ratingHide", "rating { id }", ratingId=rated["rating"]["id"], **WORDS)
        return rated

    def ratings(self) -> dict[str, str]:
        """A rating, a hidden one with its order, and one that was hidden and restored."""
        shown, hidden, restored = self.rated(), self.hidden(), self.hidden()["rating"]["id"]
        self.deployment.do("moderator", "ratingRestore", "rating { id }", ratingId=restored, **WORDS)
        return {
            "rating": shown["rating"]["id"],
            "rating_hidden": hidden["rating"]["id"],
            "rating_restored": restored,
            "order_rated_hidden": hidden["order"]["id"],
        }

    def lines(self) -> dict[str, str]:
        """Somebody on a break, for whom people wait, and a line of the creator's that the fan has left."""
        to, owner = self.deployment, self.deployment.register("resting")
        made = {
            "resting": owner,
            "resting_profile": self.profile("resting", "resting"),
            "resting_offer": self.offer("resting"),
        }
        to.do("resting", "creatorPause", "creator { id }")
        to.do("creator", "creatorPause", "creator { id }")
        shape = "entry { id }"
        entry = to.do("fan", "waitlistJoin", shape, offerId=self.ids["creator_offer"])["entry"]
        to.do("fan", "waitlistLeave", shape, waitlistEntryId=entry["id"])
        to.do("creator", "creatorOpen", "creator { id }")
        return made | {"waitlist": str(entry["id"])}

    def plan(self, **changes: object) -> dict[str, object]:
        """The input of campaignCreate, without a key: a tenth off the creator's offer for a year."""
        offers, end = [self.ids["creator_offer"]], self.deployment.app.tools.clock() + timedelta(days=365)
        plan = {"name": "Spring", "endsAt": end.isoformat(), "offerIds": offers, "discountBasisPoints": 1_000}
        return plan | changes

    def campaigns(self) -> dict[str, str]:
        """A campaign of the creator's, and one whose fee nobody has decided about."""
        make, shape = self.deployment.do, "campaign { id }"
        made = [make("creator", "campaignCreate", shape, **self.plan(**fee)) for fee in ({}, {"feeBasisPoints": 500})]
        return dict(zip(("campaign", "campaign_proposed"), (str(each["campaign"]["id"]) for each in made), strict=True))

    def campaign(self, state: str = "ACTIVE") -> str:
        """A campaign of the creator's in this state, the same one until it is moved on; gives its id."""
        to, place = self.deployment, f"CAMPAIGN {state}"
        kept = self.shelves.get(place)
        found = kept and to.ask("admin", CAMPAIGN, id=kept["id"])["node"]
        if kept is None or found["state"] != state:
            fee = {"feeBasisPoints": 500} if state == "PROPOSED" else {}
            made = to.do("creator", "campaignCreate", "campaign { id }", **self.plan(**fee))
            kept = self.shelves[place] = made["campaign"]
        return str(kept["id"])

    def wait(self, who: str = "fan") -> str:
        """Somebody in line for who is on a break; gives their entry."""
        joined = self.deployment.do(who, "waitlistJoin", "entry { id }", offerId=self.ids["resting_offer"])
        return str(joined["entry"]["id"])

    def adjusted(self) -> str:
        """A completed order of which the platform gave something back, as two people agreed; gives its id."""
        to, order_id = self.deployment, self.order("COMPLETED")["id"]
        to.settle()
        given = {"orderId": order_id, "coins": "10", "reason": "COURTESY", "note": "She waited for long."}
        made = to.do("finance", "orderGoodwillPropose", "adjustment { id }", **given)["adjustment"]
        to.do("admin", "orderGoodwillApprove", "adjustment { id }", adjustmentId=made["id"])
        return str(order_id)

    def kept(self) -> dict[str, str]:
        """The fan's copy of their data, wish to be erased and report; a line of staff's, and a new fan."""
        to, fan = self.deployment, self.ids["fan"]
        line = to.ask("admin", "{ auditTrail(first: 1) { nodes { id } } }")["auditTrail"]["nodes"][0]
        made = {"export": ledgers.kept_export(to, fan), "erasure": ledgers.waiting_erasure(to, fan)}
        made["report"] = ledgers.report(self, "APPEALED")
        return made | {"audit": str(line["id"]), "hasty": to.register("hasty")}

    def wish(self, **changes: object) -> dict[str, object]:
        """The input of orderPlace and orderDraft, without a key."""
        return {"offerId": self.ids["creator_offer"], "expectedPrice": str(PRICE), "brief": dict(BRIEF)} | changes

    def order(self, place: str) -> dict[str, Any]:
        """A new order of the fan's from the creator, in this place of STEPS."""
        if place == "DRAFT":
            return dict(self.deployment.do("fan", "orderDraft", SHAPE, **self.wish())["order"])
        if place == "SCREENING":
            return dict(self.deployment.do("fan", "orderPlace", SHAPE, **self.wish())["order"])
        if place == "IN_REVIEW AGAIN":
            return self.move("orderDeliver", self.order("REDO_REQUESTED"))
        return self.move(WAYS[place], self.order(STEPS[WAYS[place]].source))

    def shelf(self, place: str) -> dict[str, Any]:
        """An order in this place, or a payout, the same one until it is moved away."""
        kept = self.shelves.get(place)
        if kept is None or kept["revision"] != self.revision(kept["id"]):
            kept = self.shelves[place] = self.payout() if place == "PAYOUT" else self.order(place)
        return kept

    def revision(self, thing_id: str) -> int:
        """The revision of an order or a payout as it is stored now."""
        rows = payouts if ids.prefix_of(thing_id) == ids.PAYOUT else orders
        return self.deployment.read(lambda tx: rows.get(tx, thing_id).revision)

    def move(self, mutation: str, order: Mapping[str, Any]) -> dict[str, Any]:
        """The order after this mutation, by whoever takes it in STEPS."""
        given = self.given(mutation, order)
        return dict(self.deployment.do(STEPS[mutation].who, mutation, SHAPE, **given)["order"])

    def given(self, mutation: str, order: Mapping[str, Any]) -> dict[str, object]:
        """The input that moves this order, without a key."""
        given = {"orderId": order["id"], **STEPS[mutation].extras}
        if mutation == "orderDeliver":
            given |= {"videoId": self.video(str(order["id"])), "tickedKeys": ["must-1", "not-1"]}
        return given

    def video(self, order_id: str) -> str:
        """A video of this order that passed its checks."""
        to = self.deployment

        def work(tx: Tx) -> str:
            wish = media.OpenUpload(ids.OrderId(order_id), 1000, "video/mp4", media.VideoLimits(60, 10_000))
            opened = media.open_upload(
                ids.VideoId(to.app.tools.new_id(ids.VIDEO)), orders.get(tx, order_id).creator_id, wish, now=tx.now
            )
            videos.insert(tx, opened)
            received = media.receive(opened)
            videos.save(tx, received, was=opened.state)
            facts = media.VideoFacts(media.Container.MP4, "h264", "aac", 640, 360, 5_000, 1000)
            videos.save(tx, media.judge(received, facts, sha256="0" * 64, now=tx.now), was=received.state)
            return opened.id

        return to.write(work)

    def attachment(self, order_id: str, by: str, purpose: Purpose = Purpose.EVIDENCE) -> str:
        """Evidence of this person's, or a voice note, that passed its checks and is part of nothing yet."""
        to = self.deployment

        def work(tx: Tx) -> str:
            order = orders.get(tx, order_id)
            upload = Attachment(
                id=ids.VideoId(to.app.tools.new_id(ids.ATTACHMENT)),
                order_id=order.id,
                creator_id=order.creator_id,
                state=media.VideoState.UPLOADING,
                media_type="audio/ogg",
                size_bytes=1000,
                limits=media.VideoLimits(30, 10_000),
                opened_at=tx.now,
                expires_at=tx.now,
                purpose=purpose,
                uploader_id=ids.UserId(self.ids.get(by, str(order.fan_id))),
                side=Side.CREATOR if by.startswith("creator") else Side.FAN,
            )
            attachments.insert(tx, upload, most=1_000)
            received = replace(upload, state=media.VideoState.CHECKING)
            attachments.UPLOADS.save(tx, received, was=upload.state)
            facts = media.VideoFacts(media.Container.OGG, None, "opus", None, None, 5_000, 1000)
            judged = attachment_rules.judge(received, facts, sha256="0" * 64, now=tx.now)
            attachments.UPLOADS.save(tx, judged, was=received.state)
            return upload.id

        return to.write(work)

    def public(self) -> dict[str, Any]:
        """A completed order whose fan agrees that its video is shown."""
        return self.move("orderVisibilitySet", self.order("COMPLETED"))

    def sample(self) -> str:
        """A video on the creator's profile; gives the sample's id."""
        given = {"orderId": self.public()["id"]}
        return str(self.deployment.do("creator", "samplePublish", "sample { id }", **given)["sample"]["id"])

    def told(self) -> dict[str, str]:
        """An order with all that can be said: how to say the name, a note with the video, evidence of what lacks."""
        to, order = self.deployment, self.order("DRAFT")
        note = self.attachment(order["id"], "fan", Purpose.VOICE_NOTE)
        to.do("fan", "orderVoiceNoteSet", SHAPE, orderId=order["id"], attachmentId=note)
        for mutation in ("orderSubmit", "orderScreenPass", "orderAccept"):
            self.move(mutation, order)
        given = {"orderId": order["id"], "videoId": self.video(order["id"]), "note": "I sing it."}
        to.do("creator", "orderDeliver", SHAPE, **given)
        self.move("orderReviewPass", order)
        evidence = self.attachment(order["id"], "fan")
        asked = {"ground": "MUST_SAY_MISSING", "itemKey": "must-1", "note": "No.", "attachmentIds": [evidence]}
        to.do("fan", "orderRedoRequest", SHAPE, orderId=order["id"], **asked)
        of_sample = self.public()["id"]
        sample = self.deployment.do("creator", "samplePublish", "sample { id }", orderId=of_sample)["sample"]["id"]
        told = {"order_told": order["id"], "attachment": evidence, "attachment_voice": note}
        return told | {"sample": sample, "order_of_sample": of_sample}

    def until(self, who: str, document: str, /, *, node: str, wanted: str) -> Any:
        """Asks for a node until its status is the wanted one; lets the jobs run meanwhile."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            found = self.deployment.ask(who, document, id=node)["node"]
            if found["status"] == wanted:
                return found
            assert time.monotonic() < deadline, f"{found} is not {wanted}"
            self.deployment.settle()
            time.sleep(0.02)
