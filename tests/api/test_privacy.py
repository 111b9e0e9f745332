"""A copy of everything that is kept about a person, and erasing them: nothing is left, and the books stand."""

import asyncio
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import httpx
from tests.api import ledgers
from tests.api.cast import CERTIFIED, PURCHASE, STICKERS, Cast
from tests.api.deployment import Deployment
from tests.storage import databases

from shoutgraph.domain import ids
from shoutgraph.files.store import FileKind
from shoutgraph.services import books
from shoutgraph.services.privacy import erase
from shoutgraph.storage import journal, ledger, orders as order_rows, personal, privacy
from shoutgraph.storage.tx import Tx

MARK = "qzmarker"
"""What nothing else says: it is in every text that a person can give."""
EXPORT = "dataExport { id status sha256 sizeBytes download { url } }"
WORDS = {"reason": f"{MARK}-why", "note": f"{MARK} is why"}


def marked(cast: Cast) -> tuple[str, str]:
    """A fan and a creator who said the mark wherever something can be said, and whose affairs are settled."""
    to = cast.deployment
    users = tuple(to.register(name) for name in (f"{MARK}fan", f"{MARK}star"))
    fan, star = f"{MARK}fan", f"{MARK}star"
    profile = {"categories": ["MUSICIAN"], "languages": ["en"], "country": "DE", "openOrdersMax": 1000}
    named = {"name": f"{MARK} the star", "bio": f"{MARK} sings", "avatarUrl": f"https://{MARK}.example/a.png"}
    made = to.do(star, "creatorRegister", "creator { id }", handle=f"{MARK}.star", **named, **profile)
    creator_id = made["creator"]["id"]
    offer = cast.offer(star, title=f"{MARK} song")
    bought = PURCHASE | {"returnUrl": f"https://{MARK}.example/back"}
    topup = to.do(fan, "topUpCreate", "topUp { id }", buy={"coins": "320"}, **bought)["topUp"]["id"]
    to.control(f"payments/{topup}/pay")
    cast.until(fan, "query ($id: ID!) { node(id: $id) { ... on TopUp { status } } }", node=topup, wanted="PAID")
    give_and_take(cast, fan, star, creator_id)
    order(cast, fan, star, offer)
    pay_out(cast, star, creator_id)
    return users[0], users[1]


def order(cast: Cast, fan: str, star: str, offer: str) -> None:
    """One order is declined; another one is filmed, disputed, released and rated."""
    to = cast.deployment
    brief = {
        "occasion": "BIRTHDAY",
        "recipientName": MARK,
        "instructions": f"{MARK} sings",
        "language": "en",
        "pronunciation": f"like {MARK}",
        "mustSay": [f"{MARK}!"],
        "mustNotSay": [f"not {MARK}"],
    }
    wish = {"offerId": offer, "expectedPrice": "250", "brief": brief}
    shape = "order { id revision }"
    declined = to.do(fan, "orderPlace", shape, **wish)["order"]["id"]
    to.do("moderator", "orderScreenPass", shape, orderId=declined)
    to.do(star, "orderDecline", shape, orderId=declined, **WORDS)
    order = to.do(fan, "orderPlace", shape, **wish)["order"]["id"]
    to.do("moderator", "orderScreenPass", shape, orderId=order)
    to.do(star, "orderAccept", shape, orderId=order)
    video = cast.video(order)
    for kind in FileKind:
        to.app.tools.files.path_of(kind, ids.VideoId(video)).write_bytes(MARK.encode())
    to.do(star, "orderDeliver", shape, orderId=order, videoId=video, note=f"{MARK} is not said")
    to.do("moderator", "orderReviewPass", shape, orderId=order)
    to.do(fan, "orderDisputeOpen", shape, orderId=order, **WORDS)
    for who in (star, fan):
        to.do(who, "orderDisputeAnswer", shape, orderId=order, text=f"{MARK} says {who}")
    to.do("moderator", "orderDisputeRelease", shape, orderId=order, reason="FAIR", note="It is as agreed.")
    rating = to.do(fan, "orderRate", "rating { id }", orderId=order, stars=4, opinion=f"{MARK} was good")["rating"]
    to.do(star, "ratingReply", "rating { id }", ratingId=rating["id"], text=f"Thanks, {MARK}")


def give_and_take(cast: Cast, fan: str, star: str, creator_id: str) -> None:
    """A gift, and thanks."""
    to = cast.deployment
    rose = next(each for each in to.ask(fan, STICKERS)["giftCatalogue"]["stickers"] if each["price"] == "1")
    given = {"creatorId": creator_id, "stickerId": rose["id"], "quantity": 70, "expectedPrice": "70"}
    gift = to.do(fan, "giftSend", "gift { id }", **given, message=f"{MARK}!", liveSession=f"{MARK}-live")["gift"]["id"]
    to.do(star, "giftThank", "gifts { id }", giftIds=[gift], message=f"Thank you {MARK}")


def pay_out(cast: Cast, star: str, creator_id: str) -> None:
    """What was earned is paid."""
    to = cast.deployment
    to.do(star, "taxProfileSet", "taxProfile { version }", **CERTIFIED)  # the law wants it kept
    to.settle()
    paid_to = {"providerCode": "sandbox-payouts", "label": f"{MARK} bank", "ref": f"DE00{MARK.upper()}"}
    recipient = to.do(star, "payoutRecipientCreate", "recipient { id }", **paid_to)["recipient"]["id"]
    earned = to.ask(star, "{ earnings { available { coins } } }")["earnings"]["available"]["coins"]
    asked = {"coins": earned, "recipientId": recipient}
    wish = {"creatorId": creator_id, "reason": "It may be somebody else, at 5 Elm Street."}
    hold = to.do("finance", "payoutHoldPlace", "hold { holdId }", **wish)["hold"]["holdId"]
    to.do("finance", "payoutHoldRelease", "hold { releasedAt }", holdId=hold, reason="It is them.")
    payout = to.do(star, "payoutRequest", "payout { id }", **asked)["payout"]["id"]
    to.do("finance", "payoutHold", "payout { id }", payoutId=payout, code="RISK", note="A closer look.")
    to.do("finance", "payoutApprove", "payout { id }", payoutId=payout)
    cast.until(star, "query ($id: ID!) { node(id: $id) { ... on Payout { status } } }", node=payout, wanted="PAID")
    to.settle()


def found(to: Deployment) -> list[str]:
    """Where the mark is: in any row of any table, or in any file that is kept."""
    to.settle_journal()
    where = to.place.database()
    places = [
        str(path)
        for path in _folder(to).rglob("*")
        if path.is_file() and MARK in path.read_bytes().decode("latin").lower()
    ]
    with databases.outside(where) as raw:
        if isinstance(where, str):
            tables = [
                row[0] for row in raw.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            ]
            for table in tables:
                said = raw.execute(f"SELECT lower(t::text) FROM {table} t").fetchall()  # noqa: S608
                places += [table for row in said if MARK in row[0]]
            return places
        copy = Path(to.place.folder) / "copy.db"
        copy.unlink(missing_ok=True)
        raw.execute("VACUUM INTO ?", (str(copy),))
        tables = [row[0] for row in raw.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()]
        for table in tables:
            rows = raw.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608
            places += [table for row in rows if MARK in repr(row).lower()]
    places += ["the file"] if MARK in copy.read_bytes().decode("latin").lower() else []
    return places


def wordy(value: object) -> bool:
    """Whether there are words in it. Nothing of the journal is ever blanked: it has ids, codes, numbers and times."""
    if isinstance(value, dict | list | tuple):
        return any(wordy(each) for each in (value.values() if isinstance(value, dict) else value))
    return isinstance(value, str) and any(each.isspace() for each in value)


def _folder(to: Deployment) -> Path:
    return to.app.tools.files.path_of(FileKind.VIDEO, ids.VideoId(to.app.tools.new_id(ids.VIDEO))).parent.parent


def proven(to: Deployment) -> tuple[list[Any], int, tuple[Any, ...]]:
    """What the proof of the books says, the coins that were minted, and the journal's lines up to now."""
    to.settle_journal()
    proof = to.read(books.prove)
    return list(proof.violations), to.read(lambda tx: ledger.balance_coins(tx, "mint")), (proof.postings, proof.lots)


def due_now(to: Deployment, user_id: str) -> None:
    """Lets the time pass in which a wish can be taken back."""

    def work(tx: Tx) -> None:
        erasure = privacy.newest_erasure(tx, user_id)
        assert erasure is not None
        privacy.save_erasure(
            tx, type(erasure)(**{name: getattr(erasure, name) for name in erasure.__slots__} | {"due_at": tx.now})
        )

    to.write(work)


def copied(to: Deployment, who: str, user_id: str, *, of_fan: bool) -> None:
    """Somebody gets a copy of what is kept about them, once and for themselves only."""
    asked = to.with_key("dataExportRequest", {})
    first = to.do(who, "dataExportRequest", EXPORT, **asked)["dataExport"]
    assert (first["status"], first["download"]) == ("REQUESTED", None)
    assert to.refuse(who, "dataExportRequest")["code"] == "EXPORT_UNDERWAY"
    assert to.do(who, "dataExportRequest", "replayed", **asked)["replayed"]
    to.settle()
    ready = to.ask(who, f"{{ viewer {{ {EXPORT} }} }}")["viewer"]["dataExport"]
    body = httpx.get(ready["download"]["url"]).raise_for_status().content
    assert len(body) == int(ready["sizeBytes"])
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        names = set(archive.namelist())
        told = {name: archive.read(name).decode() for name in names if name.endswith(".jsonl")}
        about = json.loads(archive.read("this-copy.json"))
    assert (about["user"], about["filesLeftOut"]) == (user_id, [])
    mine = {"users.jsonl", "data_export.jsonl"}
    mine |= {"brief.jsonl", "gift.jsonl", "rating_words-opinion.jsonl", "lot.jsonl"} if of_fan else {
        "creator.jsonl", "offer.jsonl", "rating_words-reply.jsonl", "payout_recipient.jsonl", "earning.jsonl",
        "tax_profile.jsonl",
    }  # fmt: skip
    assert mine <= set(told)
    assert any(name.startswith("files/") for name in names)
    assert all(json.loads(line) for text in told.values() for line in text.splitlines())
    assert MARK in told["users.jsonl"].lower()
    stranger = httpx.get(ready["download"]["url"].replace("token=", "token=1"))
    assert stranger.status_code == 403


def test_a_person_gets_a_copy_of_everything_and_then_is_erased_with_the_books_intact(cast: Cast) -> None:
    to = cast.deployment
    fan, star = marked(cast)
    people = ((f"{MARK}fan", fan), (f"{MARK}star", star))
    for who, user_id in people:
        copied(to, who, user_id, of_fan=user_id == fan)
    before, books_before = set(found(to)), proven(to)
    assert {
        "users",
        "creator",
        "offer",
        "brief",
        "orders",
        "gift",
        "rating_words",
        "dispute_statement",
        "topup",
    } <= before
    assert books_before[0] == []
    head = to.read(lambda tx: journal.list_of_topic(tx, fan, after=0, limit=10))
    for who, user_id in people:
        assert to.refuse(who, "erasureRequest", confirm=False)["code"] == "NOT_CONFIRMED"
        wish = to.do(who, "erasureRequest", "erasure { id status }", confirm=True)["erasure"]
        assert to.refuse(who, "erasureRequest", confirm=True)["code"] == "ERASURE_STATE"
        to.do(who, "erasureCancel", "erasure { status }", erasureId=wish["id"])
        to.do(who, "erasureRequest", "erasure { status }", confirm=True)
        to.run(erase.run_due(to.app.tools))
        assert to.ask(who, "{ viewer { erasure { status } } }")["viewer"]["erasure"] == {"status": "WAITING"}
        due_now(to, user_id)
        to.run(_cut(to))
        to.settle()
        assert to.read(lambda tx, of=user_id: privacy.newest_erasure(tx, of)).state == "DONE"  # type: ignore[misc, union-attr]
    assert found(to) == []
    lines = to.read(lambda tx: list(journal.each(tx)))
    assert {line.type for line in lines if wordy(line.body)} <= {"policy.published"}, "rules are no secret"
    books_after = proven(to)
    assert books_after == books_before, "the books stand as they stood"
    assert to.read(lambda tx: journal.list_of_topic(tx, fan, after=0, limit=10)) == head
    to.do("admin", "testClockAdvance", "__typename", seconds=20)
    assert to.answer(f"{MARK}fan", "{ viewer { isAuthenticated } }").code == "UNAUTHENTICATED"


async def _cut(to: Deployment) -> None:
    """Begins what is due, and is stopped in the middle of it."""
    work = asyncio.ensure_future(erase.run_due(to.app.tools))
    await asyncio.sleep(0.02)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


def test_what_is_not_settled_stands_in_the_way_and_is_named(cast: Cast) -> None:
    to = cast.deployment
    wish = ledgers.waiting_erasure(to, cast.ids["fan"])  # one that is taken back, whatever came before
    to.do("fan", "erasureCancel", "erasure { status }", erasureId=wish)
    answer = to.submit("fan", "erasureRequest", "__typename", confirm=True)
    assert {"OPEN_ORDERS", "COINS"} <= {refusal["code"] for refusal in answer.value["errors"]}


def test_coins_of_an_open_gift_card_are_not_settled(cast: Cast) -> None:
    to = cast.deployment
    to.register("ged")
    cast.buy("ged", coins=700)
    to.do("ged", "giftCardBuy", "code", coins="700")
    assert to.refuse("ged", "erasureRequest", confirm=True)["code"] == "COINS"


def test_a_copy_has_no_video_that_its_person_may_not_watch(cast: Cast) -> None:
    to = cast.deployment
    orders = {state: cast.order(state)["id"] for state in ("IN_REVIEW", "DELIVERED")}
    videos = {state: to.read(lambda tx, of=of: order_rows.get(tx, of)).video_id for state, of in orders.items()}  # type: ignore[misc]

    def copied_for(who: str) -> set[str | None]:
        user_id = to.ask(who, "{ viewer { user { id } } }")["viewer"]["user"]["id"]
        return set(to.read(lambda tx: personal.list_of_files(tx, user_id=user_id, after="", shown=True)))

    assert set(videos.values()) & copied_for("fan") == {videos["DELIVERED"]}
    assert set(videos.values()) <= copied_for("creator")
