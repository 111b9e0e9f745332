"""What wrong code may not do to the tables that came later: limits, prices, what is given back, and oversight."""

# ruff: noqa: S608 - attacks are SQL text

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlmodel import SQLModel
from tests.storage import databases, rated
from tests.storage.databases import Clock, Place
from tests.storage.test_creators import creator, insert
from tests.storage.test_guards import UNPAID, UNTOUCHED, filled, words_of
from tests.storage.test_rating_laws import run

from shoutgraph.domain import accounts
from shoutgraph.domain.dormancy import Dormancy, DormancyId, Lapse, StopCause, breakage, lapsed, returned, stopped
from shoutgraph.domain.earnings import EarningState
from shoutgraph.domain.lapse_rules import LapseOutcome, Rule
from shoutgraph.domain.ledger import Lot, Posting, Transfer
from shoutgraph.domain.media import VideoState
from shoutgraph.domain.policies import FIRST
from shoutgraph.domain.postings import Books
from shoutgraph.storage import (
    adjustments,
    attachments,
    audit,
    authenticity,
    card_issues,
    card_purchases,
    cards,
    columns,
    corrections,
    cuts,
    debts,
    dormancy,
    earnings,
    exchanges,
    lapses,
    ledger,
    media,
    payout_holds,
    payouts,
    policies,
    postgresql,
    price_lists,
    privacy,
    promotions,
    recipients,
    reports,
    reputation,
    revaluations,
    samples,
    spending,
    sqlite,
    suspense,
    tax,
    topups,
    waivers,
)
from shoutgraph.storage.tx import Tx

ROOMS = (
    adjustments, attachments, audit, authenticity, card_issues, card_purchases, cards, corrections, cuts, debts,
    dormancy, earnings, exchanges, lapses, media, payout_holds, payouts, price_lists, privacy, promotions, recipients,
    reports, reputation, revaluations, samples, spending, suspense, tax, topups, waivers,
)  # fmt: skip
"""Whose tables are filled by name."""
REVISIONS = (
    "r0017_briefs",
    "r0019_goodwill",
    "r0020_limits",
    "r0021_prices",
    "r0022_reputation",
    "r0023_oversight",
    "r0027_adjustments",
    "r0028_rates",
    "r0029_reports",
    "r0032_suspense",
    "r0033_exchanges",
    "r0034_cards",
    "r0035_corrections",
    "r0039_breakage",
)
ELSEWHERE = {
    "what was given never changes",
    "a giver is thanked once",
    "what was asked for never changes",
    "totals only grow",
    "a provider names a payment once",
    "a credit is never forgotten",
    "a sample goes before its fan's consent",
    "a video stays its order's, with the limits it was opened for",
    "a checked video keeps its digest",
}
"""Attacked where gifts, refunds, top-ups, samples and videos are."""

ONE, TWO = creator(1), creator(2)
ADA, BOB, GONE, LEFT = str(ONE.user_id), str(TWO.user_id), f"user_{3:026d}", f"user_{4:026d}"
ORDER, SECOND_ORDER, START = f"order_{1:026d}", f"order_{2:026d}", databases.START
OF_ORDER: dict[str, object] = {"order_id": ORDER, "fan_id": "user_fan", "creator_id": ONE.id, "kind": "GOODWILL"}
GIVEN_AWAY: dict[str, object] = {"origin": "ISSUED", "coins": 5, "hint": "ABC"}
NO_PARTS = dict.fromkeys((f"{part}_coins" for part in ("paid", "promo", "creator", "fee")), 0)
DECIDED: dict[str, object] = {"proposed_by": "ada", "decided_by": "bob", "decided_at": START}
SHA = "a" * 64
LONG_AGO = START - timedelta(days=400)
BOOKS = Books("EUR", 100)
LOT = Lot("lot_x", accounts.paid(ONE.user_id).code, ONE.user_id, None, 10, 10, 100, "EUR", "DE", LONG_AGO)
DOWN: dict[str, object] = {"rejection_code": "TAKEN_DOWN"}
TAKEN: dict[str, object] = {"state": "TAKEN_DOWN", "reason": "x", "note": "x", "decided_by": "x"}
ABROAD: dict[str, object] = {"currency": "USD", "coins": 9_900}
EXCHANGED: dict[str, object] = {
    "currency": "USD",
    "book_currency": "EUR",
    "rate_version": 1,
    "gross_minor": 9_900,
    "spread_bps": 100,
    "spread_minor": 99,
    "amount_minor": 9_801,
}
MOVED: dict[str, object] = {"instance": "sandbox", "currency": "EUR", "opened": "recon.suspense", "revision": 1}
TRANSFERS = (
    ("goodwill", "adj_done"),
    ("goodwill", "adj_free"),
    ("debt.written_off", "off_done"),
    ("debt.written_off", "off_free"),
    ("gift", "gift_1"),
    *(("card.bought", name) for name in ("card_open", "card_done", "card_free")),
    ("card.redeemed", "card_done"),
    ("card.issued", "issue_done"),
    ("promo.granted", "use_1"),
    *(("recon.suspense", name) for name in ("line_open", "line_said", "line_done", "line_free", "line_called")),
    ("recon.cleared", "line_done"),
)
ROWS: tuple[tuple[str, dict[str, object]], ...] = (
    *(("transfer", {"id": at, "kind": kind, "ref": ref}) for at, (kind, ref) in enumerate(TRANSFERS, start=101)),
    ("users", {"id": LEFT, "country": "ZZ", "closed_at": START}),
    ("users", {"id": GONE, "country": "ZZ", "locked": True, "erased_at": START}),
    ("adjustment", {"id": "adj_open", "state": "PROPOSED", **OF_ORDER, **NO_PARTS}),
    ("adjustment", {"id": "adj_done", "state": "DONE", **OF_ORDER, **NO_PARTS, "paid_coins": 1, **DECIDED}),
    ("write_off", {"id": "off_open", "state": "PROPOSED", "user_id": ADA}),
    ("write_off", {"id": "off_done", "state": "DONE", "user_id": ADA, **DECIDED}),
    *(
        ("suspense_line", {"id": name, "state": "OPEN", "line_id": name, **MOVED})
        for name in ("line_open", "line_said", "line_done", "line_called")
    ),
    ("ledger_adjustment", {"id": "fix_1", "state": "PROPOSED", "leg_count": 1, "par_units": 100, "proposed_by": "ada"}),
    ("ledger_adjustment_leg", {"adjustment_id": "fix_1", "place": 0, "debit": "mint", "credit": "user:x:debt"}),
    ("ledger_adjustment", {"id": "fix_2", "state": "PROPOSED", "leg_count": 2, "par_units": 100, "proposed_by": "ada"}),
    ("ledger_adjustment_leg", {"adjustment_id": "fix_2", "place": 0, "debit": "exp:psp:EUR", "credit": "fx:EUR"}),
    ("ledger_adjustment", {"id": "fix_3", "state": "PROPOSED", "leg_count": 1, "par_units": 100, "proposed_by": "ada"}),
    ("ledger_adjustment_leg", {"adjustment_id": "fix_3", "place": 0, "debit": "exp:psp:EUR", "credit": "fx:EUR"}),
    ("ledger_adjustment", {"id": "fix_no", "state": "PROPOSED", "leg_count": 1, "par_units": 100}),
    ("topup", {"id": "topup_1", "user_id": ADA, **UNPAID}),
    ("topup", {"id": "topup_2", "user_id": BOB, **UNPAID}),
    ("topup", {"id": "topup_3", "user_id": ADA, "as_card": True, **UNPAID}),
    ("topup", {"id": "topup_4", "user_id": ADA, "as_card": True, **UNPAID}),
    ("card_purchase", {"topup_id": "topup_3", "buyer_id": ADA, "state": "WAITING", "message": "Hello"}),
    ("topup_waiver", {"topup_id": "topup_1", "user_id": ADA}),
    ("spending_guard", {"user_id": ADA, "excluded_until": START, "paused_until": START}),
    ("payout_recipient", {"id": "recipient_1", "creator_id": ONE.id}),
    ("payout_recipient", {"id": "recipient_2", "creator_id": ONE.id, "ref": "", "removed_at": START}),
    ("payout_recipient", {"id": "recipient_3", "creator_id": ONE.id, "ref": "x"}),
    ("payout", {"id": "payout_1", "creator_id": ONE.id, "recipient_id": "recipient_1"}),
    ("payout_hold", {"id": "hold_open", "creator_id": ONE.id, "payout_id": "payout_1"}),
    (
        "payout_hold",
        {"id": "hold_done", "creator_id": ONE.id, "released_at": START, "released_by": "x", "release_reason": "x"},
    ),
    ("earning", {"id": "earning_1", "coins": 10, **UNTOUCHED}),
    ("earning", {"id": "earning_2", "coins": 10, "subject_id": "y", "state": EarningState.AVAILABLE, **UNTOUCHED}),
    (
        "earning",
        {"id": "earning_3", "coins": 10, "kind": "GIFT", "subject_id": "gift_1", "creator_id": ONE.id, **UNTOUCHED},
    ),
    ("sticker", {"id": "sticker_1", "coins": 11}),
    (
        "gift",
        {
            "id": "gift_1",
            "creator_id": ONE.id,
            "user_id": BOB,
            "sticker_id": "sticker_1",
            "earning_id": "earning_3",
            "coins": 11,
        },
    ),
    ("tax_profile", {"creator_id": ONE.id, "version": 1, "country": "DE"}),
    (
        "fx_rate",
        {
            "currency": "USD",
            "book_currency": "EUR",
            "version": 1,
            "numerator": 100,
            "denominator": 1,
            "effective_from": None,
        },
    ),
    (
        "fx_revaluation",
        {"day": "2026-01-01", "currency": "USD", "book_currency": "EUR", "rate_version": 1, "worth_units": 1},
    ),
    *(
        (
            "payout",
            {"id": f"payout_{at}", "key": f"{at}", "recipient_id": "recipient_1", "amount_minor": minor, **ABROAD},
        )
        for at, minor in ((2, 9_801), (3, 9_802), (4, 9_801))
    ),
    ("payout_exchange", {"payout_id": "payout_2", **EXCHANGED}),
    ("price_list", {"version": 1, "state": "APPLIED", "decided_at": START, "ended_at": START}),
    ("price_list", {"version": 2, "state": "SCHEDULED"}),
    ("promotion", {"id": "promo_1", "uses": 0, "uses_max": 1, "code_uses_max": 1, "user_uses_max": 9}),
    ("promotion", {"id": "promo_2", "uses": 0, "ended_at": START}),
    ("promo_code", {"id": "code_1", "promotion_id": "promo_1", "digest": b"1" * 32, "uses": 0}),
    ("promo_code", {"id": "code_2", "promotion_id": "promo_2", "digest": b"2" * 32, "uses": 0}),
    ("promo_use", {"id": "use_1", "promotion_id": "promo_1", "code_id": "code_1", "user_id": ADA, "state": "USED"}),
    ("gift_card", {"id": "card_open", "buyer_id": ADA, "digest": b"1" * 32, "state": "OPEN", "message": "Hello"}),
    ("gift_card", {"id": "card_done", "buyer_id": ADA, "digest": b"2" * 32, "state": "OPEN"}),
    ("card_issue", {"id": "issue_done", "state": "PROPOSED", "coins": 5, "cards_count": 1, "proposed_by": "ada"}),
    ("card_issue", {"id": "issue_open", "state": "PROPOSED", "coins": 5, "cards_count": 2, "proposed_by": "ada"}),
    ("gift_card", {"id": "card_given", "issue_id": "issue_done", "digest": b"3" * 32, "state": "OPEN", **GIVEN_AWAY}),
    ("fold", {"name": "x", "seq": 0}),
    ("reputation_day", {"creator_id": ONE.id, "day": 100}),
    ("reputation", {"creator_id": ONE.id, "since": 41, "until": 100}),
    *(
        ("video", {"id": name, "creator_id": ONE.id, "state": VideoState.CHECKING, "sha256": SHA, "duration_ms": 5})
        for name in ("video_1", "video_2")
    ),
    (
        "delivered_video",
        {"video_id": "video_1", "creator_id": ONE.id, "sha256": SHA, "duration_ms": 5, "mark": "FAILED"},
    ),
    ("cut", {"video_id": "video_1", "order_id": ORDER}),
    ("dispute_statement", {"order_id": ORDER, "revision": 1, "side": "FAN", "text": "So."}),
    *(
        (
            "attachment",
            {
                "id": name,
                "order_id": ORDER,
                "uploader_id": ADA,
                "side": "CREATOR",
                "state": state,
                "sha256": SHA,
                **more,
            },
        )
        for name, state, more in (
            ("file_new", "UPLOADING", {}),
            ("file_ready", "READY", {"container": "ogg"}),
            ("file_used", "READY", {"container": "ogg", "used_revision": 2}),
            ("file_down", "REJECTED", DOWN),
        )
    ),
    ("sample", {"id": "sample_1", "order_id": ORDER, "creator_id": ONE.id, "video_id": "video_1", **TAKEN}),
    (
        "sample",
        {"id": "sample_2", "order_id": SECOND_ORDER, "creator_id": ONE.id, "video_id": "video_2", "state": "WITHDRAWN"},
    ),
    ("audit", {"id": "audit_1"}),
    ("audit_words", {"audit_id": "audit_1", "words": "Because."}),
    ("erasure", {"id": "erasure_open", "user_id": ADA, "state": "WAITING"}),
    ("erasure", {"id": "erasure_done", "user_id": GONE, "state": "DONE", "ended_at": START}),
    ("closure", {"id": "closure_1", "user_id": LEFT, "state": "CLOSING", "begun_at": START, "revision": 1}),
    ("closure_step", {"closure_id": "closure_1", "step": "ORDERS", "state": "WAITING", "since": START}),
    ("data_export", {"id": "export_1", "user_id": ADA, "state": "EXPIRED"}),
    ("report", {"id": "report_1", "reporter_id": ADA, "affected_id": BOB, "state": "OPEN"}),
    ("report_words", {"report_id": "report_1", "explanation": "Rude."}),
    ("report_decision", {"id": "decision_1", "report_id": "report_1", "appeal": False, "decided_by": "ada"}),
)
REDEEMED = f"UPDATE gift_card SET state = 'REDEEMED', redeemed_by = '{BOB}', ended_at = 1 WHERE id ="

LINE_OF = "UPDATE suspense_line SET revision = 2,"
PROPOSED = "state = 'PROPOSED', account = 'exp:psp:EUR', reason = 'x', proposed_at = 1, proposed_by = 'ada'"
LINES = (
    f"{LINE_OF} {PROPOSED} WHERE id = 'line_said'",
    f"{LINE_OF} state = 'CLEARED', closed = 'recon.cleared', ended_at = 1 WHERE id = 'line_done'",
    "UPDATE suspense_line SET alerted_at = 1 WHERE id = 'line_called'",
)
ISSUED = "UPDATE card_issue SET state = 'ISSUED', decided_at = 1, booked = 'card.issued',"
REJECTED = (
    "UPDATE ledger_adjustment SET state = 'REJECTED', decided_by = 'bob', decided_at = 1, booked = NULL"
    " WHERE id = 'fix_no'"
)


def fill(tx: Tx) -> None:
    insert(tx, ONE)
    insert(tx, TWO)
    rated.complete(tx, 1, ONE.id)
    rated.complete(tx, 2, ONE.id)
    for name, at in (("gone", LONG_AGO), ("back", LONG_AGO), ("left", LONG_AGO), ("late", START)):
        bought = replace(LOT, id=f"lot_{name}", granted_at=at)
        money = Posting(accounts.provider_cash("sandbox", "EUR"), accounts.coin_liability("EUR"), 1_000, "sale")
        moves = (Posting(accounts.MINT, accounts.paid(ONE.user_id), 10, "topup"), money)
        ledger.post(tx, Transfer("topup.succeeded", f"topup_{name}", moves, lot_grants=(bought,)))


def let_lapse(tx: Tx) -> None:
    """Of four lots one lapsed and one came back; of the others, and of a return, only the books know."""
    policies.insert(tx, replace(FIRST, version=2))
    rule = Rule("DE", LapseOutcome.INCOME, 6, 30)
    for name, owner, days in (("over", ONE.user_id, -2), ("open", ONE.user_id, 0), ("done", TWO.user_id, 1)):
        due = START + timedelta(days=days)
        given = Dormancy(
            DormancyId(f"dormancy_{name}"), owner, rule, 2, LONG_AGO, due - timedelta(days=30), due, coins=30
        )
        dormancy.insert(tx, given)
        if name == "over":
            dormancy.end(tx, lapsed(given, now=START - timedelta(days=1)))
    dormancy.end(tx, stopped(given, StopCause.KEPT, now=START))
    for name in ("left", "late", "gone", "back"):
        lapse = Lapse(f"lot_{name}", DormancyId("dormancy_open"), ONE.user_id, rule.outcome, 10, START)
        ledger.post(tx, breakage(BOOKS, lapse))
        if name in {"gone", "back"}:
            lapses.insert(tx, lapse)
            ledger.post(tx, returned(BOOKS, lapse, replace(LOT, id="lot_other" if name == "gone" else "lot_fresh")))
    lapses.give_back(tx, replace(lapse, returned_at=START, fresh_lot_id="lot_fresh"))
    dormancy.keep_day(tx, "2026-03-01", noticed=2, stopped=1)


def keep(where: Any) -> None:
    store = databases.opened(where, Clock(), readers=1)
    store.write_now(fill)
    store.write_now(let_lapse)
    store.close()
    file = isinstance(where, Path)
    raw: Any = sqlite.connect_owner(where).raw if file else psycopg.connect(where)
    options = {"module": sqlite.MODULE} if file else {}
    engine = sa.create_engine(
        "sqlite://" if file else "postgresql+psycopg://", creator=lambda: raw, poolclass=sa.StaticPool, **options
    )
    with engine.begin() as connection:
        if not file:
            connection.execute(sa.text(f"SET LOCAL ROLE {postgresql.OWNER}"))
        for name, given in ROWS:
            table = SQLModel.metadata.tables[name]
            connection.execute(sa.insert(table).inline().values(filled(table, meant(table, given))))
        connection.execute(sa.text(f"{REDEEMED} 'card_done'"))
        for change in (REJECTED, *LINES):
            connection.execute(sa.text(change))
        connection.execute(sa.text(f"{ISSUED} decided_by = 'bob' WHERE id = 'issue_done'"))
    raw.close()


def meant(table: sa.Table, given: dict[str, object]) -> dict[str, object]:
    """The same, with the members of enumerations for their names."""
    return {name: table.c[name].type.words(value) if is_word(table.c[name]) else value for name, value in given.items()}


def is_word(column: sa.Column[Any]) -> bool:
    return isinstance(column.type, columns.Words)


@pytest.fixture(scope="module")
def kept(module_place: Place) -> Any:
    return module_place.filled("later_guards", keep)


def twin(table: str, where: str, **changes: object) -> str:
    """Another row like one that is there."""
    columns = [column.name for column in SQLModel.metadata.tables[table].c if column.computed is None]
    picked = (str(changes.get(name, name)) for name in columns)
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(picked)} FROM {table} WHERE {where}"


NEW = "'another'"
OPEN, DONE = "state = 'PROPOSED'", "state = 'DONE'"
ADJUSTMENT = "an adjustment is made once, and one is proposed at a time"
WRITE_OFF = "a write-off is made once, and one is proposed at a time"
GIVEN, OFF = "what is given back is in the books", "what is written off is in the books"
REMOVED = "a recipient is removed once, when nothing is on its way there"
RESERVE = "a reserve is of what an earning has left, set aside once as it matures"
LIMITS, CARD, ENDS = (
    "a code is used within its limits",
    "the coins of a gift card are set aside first",
    "a gift card ends once, in the books",
)
EXCHANGE = "a payout is exchanged once, for no more than it is worth"
AGREED_FIRST = "an issued gift card is agreed by two people first"
PAID_FIRST, ASKED = "a gift card is paid first", "a card is asked for with its top-up"
PAID_FOR = {
    "id": "'card_free'",
    "digest": "substr(digest, 1, 5)",
    "origin": "'PURCHASE'",
    "topup_id": "'topup_3'",
}
PROFILE = "a version of a tax profile is blanked as a whole, or stays"
PAUSE, SUM, FOLD = (
    "a pause is made longer, never shorter",
    "a reputation is the sum of its days",
    "a fold counts lines that there are, each once",
)
DELIVERED, TRAIL, ACT = (
    "a delivered video stays what it is",
    "the audit trail is append-only",
    "words of an act are blanked, not changed",
)
SAID, REASONS = "what was said in a report is blanked, not changed", "statements of reasons are append-only"
USED, BLANKED = "what was used never changes", "words are blanked, not changed"
NEXT = "state = 'DECIDED', decided_at = 1, revision = revision + 1"
STEP = "a line takes one step at a time"
LINE = "a line goes to suspense once, and is open"
PLACE = "state = 'PLACED', revision = 3, closed = 'recon.placed', ended_at = 1"
AGREEMENT = "a correction is what two people agreed on"
FIX = "UPDATE ledger_adjustment SET state = 'DONE', booked = 'ledger.adjusted', decided_at = 1,"
AGREED = {"state": "'DONE'", "booked": "'ledger.adjusted'", "decided_by": "'bob'", "decided_at": 1}
LEG, SECOND = "adjustment_id = 'fix_1'", "adjustment_id = 'fix_2'"
FILE, LIFE = "an attachment is by a side of its order", "an attachment lives as a video does"
LIMITED = "an attachment stays its order's, with the limits it was opened for"
USED_ONCE = "an attachment is used once, when it is ready"
TOLD, ONCE = "what a notice says never changes", "a lot lapses once, as its owner was told"
LAPSED_STAYS, BACK_ONCE = "what lapsed never changes", "what lapsed comes back once, to its owner"
IN_ALL = "what lapsed in all only grows, lot by lot"
GONE_LOT = "lot_id = 'lot_gone'"
LAPSES = "UPDATE dormancy SET state = 'LAPSED'"
BACK = "returned = 'breakage.returned', returned_at = 1"
SHOWN = "a sample is the video of a completed order whose fan agrees"
ATTACKS: tuple[tuple[str, str], ...] = (
    # what was ticked, said, added and shown
    ("ticks stay with their video", "UPDATE cut SET video_id = 'video_2'"),
    ("ticks are not deleted", "DELETE FROM cut"),
    ("a statement stays as it was said", "UPDATE dispute_statement SET text = 'Otherwise.'"),
    (FILE, twin("attachment", "id = 'file_new'", id=NEW, uploader_id=f"'{BOB}'")),
    (FILE, twin("attachment", "id = 'file_new'", id=NEW, side="'FAN'")),
    (LIMITED, "UPDATE attachment SET duration_max_s = 9 WHERE id = 'file_new'"),
    (LIMITED, f"UPDATE attachment SET uploader_id = '{BOB}' WHERE id = 'file_new'"),
    (LIFE, "UPDATE attachment SET state = 'READY' WHERE id = 'file_new'"),
    (LIFE, "UPDATE attachment SET state = 'READY', rejection_code = NULL WHERE id = 'file_down'"),
    ("a checked attachment keeps its digest", f"UPDATE attachment SET sha256 = '{'b' * 64}' WHERE id = 'file_ready'"),
    (USED_ONCE, "UPDATE attachment SET used_revision = 3 WHERE id = 'file_used'"),
    (USED_ONCE, "UPDATE attachment SET used_revision = 3 WHERE id = 'file_new'"),
    ("an attachment is taken away, not deleted", "DELETE FROM attachment"),
    (SHOWN, "UPDATE sample SET state = 'SHOWN' WHERE id = 'sample_2'"),
    ("a sample stays its order's", f"UPDATE sample SET creator_id = '{TWO.id}'"),
    (
        "what was taken down stays down",
        "UPDATE sample SET state = 'WITHDRAWN', reason = NULL, note = NULL, decided_by = NULL",
    ),
    ("a sample is taken away, not deleted", "DELETE FROM sample"),
    (
        "a video goes from UPLOADING to CHECKING to READY, and to REJECTED from each",
        "UPDATE video SET state = 'UPLOADING'",
    ),
    ("a message is hidden upon a report, and shown by its appeal", "UPDATE gift SET hidden = 1 WHERE id = 'gift_1'"),
    # what is given back and written off
    (ADJUSTMENT, twin("adjustment", OPEN, id=NEW)),
    (ADJUSTMENT, twin("adjustment", DONE)),
    (
        "an adjustment is of an order between these two that ended with a video",
        twin("adjustment", DONE, id="'adj_free'", fan_id=NEW),
    ),
    (GIVEN, twin("adjustment", DONE, id=NEW)),
    (GIVEN, twin("adjustment", DONE, id=NEW, kind="'REFUND'", creator_coins=1, decided_by="NULL")),
    (GIVEN, f"UPDATE adjustment SET state = 'DONE', paid_coins = 1, decided_by = 'bob', decided_at = 1 WHERE {OPEN}"),
    ("adjustment_two_people", twin("adjustment", DONE, id="'adj_free'", decided_by="proposed_by")),
    ("adjustment_parts", "UPDATE adjustment SET paid_coins = 2 WHERE state = 'PROPOSED'"),
    ("what was proposed never changes", f"UPDATE adjustment SET coins = 2 WHERE {OPEN}"),
    ("what was proposed never changes", f"UPDATE adjustment SET creator_id = '{TWO.id}' WHERE {OPEN}"),
    (
        "an adjustment is decided once",
        f"UPDATE adjustment SET state = 'DENIED', paid_coins = 0, decided_by = 'x' WHERE {DONE}",
    ),
    (BLANKED, "UPDATE adjustment SET note = 'x'"),
    ("adjustments are never deleted", f"DELETE FROM adjustment WHERE {OPEN}"),
    (WRITE_OFF, twin("write_off", OPEN, id=NEW)),
    (WRITE_OFF, twin("write_off", DONE)),
    (OFF, twin("write_off", DONE, id=NEW)),
    (OFF, f"UPDATE write_off SET state = 'DONE', decided_by = 'bob', decided_at = 1 WHERE {OPEN}"),
    ("write_off_two_people", twin("write_off", DONE, id="'off_free'", decided_by="proposed_by")),
    ("what was proposed never changes", f"UPDATE write_off SET coins = 2 WHERE {OPEN}"),
    ("a write-off is decided once", f"UPDATE write_off SET state = 'DENIED' WHERE {DONE}"),
    (BLANKED, "UPDATE write_off SET evidence = 'x'"),
    ("write-offs are never deleted", "DELETE FROM write_off"),
    ("a buyer consents once, for their own purchase", twin("topup_waiver", "1 = 1", topup_id="'topup_2'")),
    ("consents never change", "UPDATE topup_waiver SET text_version = 'y'"),
    ("consents never change", "DELETE FROM topup_waiver"),
    # suspense
    (LINE, twin("suspense_line", "id = 'line_open'", id="'line_free'")),
    (LINE, twin("suspense_line", "id = 'line_said'", id="'line_free'", line_id="'z'")),
    ("what a provider moved never changes", "UPDATE suspense_line SET amount_minor = 7 WHERE id = 'line_open'"),
    ("a line leaves suspense once", "UPDATE suspense_line SET state = 'OPEN', revision = 3 WHERE id = 'line_done'"),
    (STEP, "UPDATE suspense_line SET state = 'PROPOSED' WHERE id = 'line_open'"),
    (
        "a line takes one step at a time",
        f"UPDATE suspense_line SET {PLACE}, account = 'a', decided_by = 'bob' WHERE id = 'line_said'",
    ),
    ("suspense_line_two_people", f"UPDATE suspense_line SET {PLACE}, decided_by = 'ada' WHERE id = 'line_said'"),
    ("people are called once", "UPDATE suspense_line SET alerted_at = NULL WHERE id = 'line_called'"),
    ("lines of providers are never deleted", "DELETE FROM suspense_line"),
    # corrections of the books
    ("ledger_adjustment_two_people", f"{FIX} decided_by = 'ada' WHERE id = 'fix_3'"),
    ("a correction keeps debts at par", f"{FIX} decided_by = 'bob' WHERE id = 'fix_1'"),
    ("a correction keeps debts at par", f"{FIX} decided_by = 'bob' WHERE id = 'fix_2'"),
    ("a correction is proposed once, and first", twin("ledger_adjustment", "id = 'fix_1'", id=NEW, **AGREED)),
    ("what was proposed never changes", "UPDATE ledger_adjustment SET reason = 'y' WHERE id = 'fix_1'"),
    (AGREEMENT, twin("transfer", "id = 1", id="99", kind="'ledger.adjusted'", ref="'adj_nobody'")),
    ("a correction is decided once", "UPDATE ledger_adjustment SET decided_by = 'eve' WHERE id = 'fix_no'"),
    ("corrections are never deleted", "DELETE FROM ledger_adjustment"),
    ("legs belong to what was proposed", twin("ledger_adjustment_leg", LEG, place=1)),
    ("legs belong to what was proposed", twin("ledger_adjustment_leg", LEG, adjustment_id="'fix_no'")),
    *(
        ("ledger_adjustment_leg_adjustable", twin("ledger_adjustment_leg", SECOND, place=1, credit=f"'{code}'"))
        for code in ("user:x:paid", "order:x:coin", "creator:x:avail", "fee:1", "cap:x", "liab:coins:EUR", "pmint")
    ),
    ("legs never change", "UPDATE ledger_adjustment_leg SET amount = 2"),
    ("legs never change", "DELETE FROM ledger_adjustment_leg"),
    # coins that lapse
    ("a notice is given once", twin("dormancy", "id = 'dormancy_done'")),
    ("dormancy.user_id", twin("dormancy", "id = 'dormancy_open'", id=NEW)),
    (TOLD, "UPDATE dormancy SET lapses_at = lapses_at + 1 WHERE id = 'dormancy_open'"),
    (TOLD, "UPDATE dormancy SET outcome = 'UNCLAIMED' WHERE id = 'dormancy_open'"),
    ("dormancy_ended", f"{LAPSES}, ended_at = noticed_at WHERE id = 'dormancy_open'"),
    ("dormancy_ended", "UPDATE dormancy SET cause = 'KEPT' WHERE id = 'dormancy_open'"),
    ("a notice ends once", f"{LAPSES}, cause = NULL, ended_at = lapses_at WHERE id = 'dormancy_done'"),
    ("notices are never deleted", "DELETE FROM dormancy"),
    (ONCE, twin("lapse", GONE_LOT)),
    *(
        (ONCE, twin("lapse", GONE_LOT, **{"lot_id": "'lot_left'", **wrong}))
        for wrong in (
            {"dormancy_id": "'dormancy_done'"},
            {"dormancy_id": "'dormancy_over'"},
            {"outcome": "'UNCLAIMED'"},
            {"user_id": f"'{BOB}'"},
            {"at": "at - 1"},
            {"lot_id": "'lot_late'"},
        )
    ),
    ("what lapses is what the lot gave", twin("lapse", GONE_LOT, lot_id="'lot_left'", coins=9)),
    (LAPSED_STAYS, "UPDATE lapse SET coins = 9"),
    (BACK_ONCE, "UPDATE lapse SET fresh_lot_id = 'lot_left' WHERE lot_id = 'lot_back'"),
    (BACK_ONCE, f"UPDATE lapse SET {BACK}, fresh_lot_id = 'lot_left' WHERE {GONE_LOT}"),
    ("what lapsed is never deleted", "DELETE FROM lapse"),
    (IN_ALL, "UPDATE lapse_total SET coins = coins + 1"),
    (IN_ALL, "UPDATE lapse_total SET lots = lots + 2, coins = coins + 1"),
    (IN_ALL, "UPDATE lapse_total SET lots = lots - 1"),
    (IN_ALL, "UPDATE lapse_total SET returned_coins = returned_coins - 1"),
    (IN_ALL, "UPDATE lapse_total SET lots = lots + 1, coins = coins + 1, returned_coins = returned_coins + 1"),
    (IN_ALL, "UPDATE lapse_total SET outcome = 'UNCLAIMED', returned_coins = returned_coins + 1"),
    (IN_ALL, "DELETE FROM lapse_total"),
    ("lapse_total_counts", "UPDATE lapse_total SET returned_coins = 99"),
    ("what lapses is of a lot", twin("transfer", "id = 1", id="99", kind="'breakage'", ref="'lot_none'")),
    ("what lapses is of a lot", twin("transfer", "id = 1", id="99", kind="'breakage.returned'", ref="'lot_none'")),
    ("a day of looking is kept once", "UPDATE dormancy_day SET noticed = 9"),
    ("a day of looking is kept once", "DELETE FROM dormancy_day"),
    # limits, holds, taxes and reserves
    (PAUSE, "UPDATE spending_guard SET excluded_until = excluded_until - 1, revision = 2"),
    (PAUSE, "UPDATE spending_guard SET paused_until = NULL, revision = 2"),
    ("a guard goes on by revisions, and stays whose it is", "UPDATE spending_guard SET day_coins = 9"),
    (
        "a guard goes on by revisions, and stays whose it is",
        f"UPDATE spending_guard SET user_id = '{BOB}', revision = 2",
    ),
    ("a guard is never deleted", "DELETE FROM spending_guard"),
    ("a hold stays what it is", "UPDATE payout_hold SET until = 1 WHERE released_at IS NULL"),
    ("a hold stays what it is", "UPDATE payout_hold SET payout_id = NULL WHERE released_at IS NULL"),
    ("a hold is released once", "UPDATE payout_hold SET released_by = 'y' WHERE released_at IS NOT NULL"),
    ("payout_hold_released", "UPDATE payout_hold SET released_at = 1 WHERE released_at IS NULL"),
    (
        "a hold is on a payout of its creator, once",
        twin("payout_hold", "id = 'hold_open'", id=NEW, creator_id=f"'{TWO.id}'"),
    ),
    ("holds are never deleted", "DELETE FROM payout_hold"),
    ("versions of a tax profile follow one another", twin("tax_profile", "1 = 1", version=3)),
    (PROFILE, "UPDATE tax_profile SET tax_id = 'y'"),
    (PROFILE, "UPDATE tax_profile SET erased_at = 1"),
    ("versions of a tax profile are never deleted", "DELETE FROM tax_profile"),
    ("a new earning has no reserve", twin("earning", "id = 'earning_1'", id=NEW, subject_id=NEW, reserved_coins=1)),
    (RESERVE, "UPDATE earning SET reserved_coins = 1, reserved_until = 1 WHERE state = 'PENDING'"),
    (RESERVE, "UPDATE earning SET reserved_coins = 1, reserved_until = 1 WHERE state = 'AVAILABLE'"),
    (RESERVE, "UPDATE earning SET reserved_coins = -1 WHERE state = 'AVAILABLE'"),
    (
        RESERVE,
        "UPDATE earning SET state = 'AVAILABLE', reserved_coins = 9, reserved_until = 1, paid_coins = 2",
    ),
    ("creator_reserve_share", f"INSERT INTO creator_reserve VALUES ('{ONE.id}', 10001, 'x', 'x', 1)"),
    ("where money goes is blanked, not changed", "UPDATE payout_recipient SET ref = 'mine'"),
    ("where money goes is blanked, not changed", "UPDATE payout_recipient SET label = 'mine'"),
    ("where money goes is blanked, not changed", f"UPDATE payout_recipient SET creator_id = '{TWO.id}'"),
    (REMOVED, "UPDATE payout_recipient SET removed_at = 1, ref = '' WHERE id = 'recipient_1'"),
    (REMOVED, "UPDATE payout_recipient SET removed_at = NULL WHERE id = 'recipient_2'"),
    (REMOVED, "UPDATE payout_recipient SET removed_at = 1 WHERE id = 'recipient_3'"),
    (
        "nothing is paid to a recipient that was removed",
        twin("payout", "id = 'payout_1'", id=NEW, key=NEW, recipient_id="'recipient_2'"),
    ),
    # prices, codes and cards
    ("what was agreed never changes", "UPDATE topup SET discount_minor = 7"),
    ("what was agreed never changes", "UPDATE topup SET rate_version = 7"),
    ("a rate follows the newest one, and takes effect now or later", twin("fx_rate", "1 = 1", version=3)),
    (
        "a rate follows the newest one, and takes effect now or later",
        twin("fx_rate", "1 = 1", version=2, effective_from="created_at - 1"),
    ),
    ("a currency is valued once a day", twin("fx_revaluation", "1 = 1")),
    ("fx_revaluation_own", twin("fx_revaluation", "1 = 1", currency="'EUR'", rate_version="NULL", worth_units=9)),
    ("what was valued never changes", "UPDATE fx_revaluation SET worth_units = 2"),
    ("what was valued never changes", "DELETE FROM fx_revaluation"),
    (EXCHANGE, twin("payout_exchange", "1 = 1", payout_id="'payout_3'")),
    (EXCHANGE, twin("payout_exchange", "1 = 1", payout_id="'payout_3'", amount_minor=9_802)),
    (EXCHANGE, twin("payout_exchange", "1 = 1", rate_version=2)),
    (EXCHANGE, twin("payout_exchange", "1 = 1", payout_id="'payout_1'")),
    ("payout_exchange_spread", twin("payout_exchange", "1 = 1", payout_id="'payout_4'", spread_minor=98)),
    ("what was exchanged never changes", "UPDATE payout_exchange SET spread_bps = 0"),
    ("what was exchanged never changes", "DELETE FROM payout_exchange"),
    ("where money goes keeps its currency", "UPDATE payout_recipient SET currency = 'USD'"),
    ("a price list follows the newest one", twin("price_list", "version = 2", version=1)),
    ("a price list never changes: publish a new version", "UPDATE price_list SET body = '{}' WHERE version = 2"),
    ("a price list never changes: publish a new version", "UPDATE price_list SET effective_from = effective_from + 1"),
    ("a price list takes effect or is withdrawn once", "UPDATE price_list SET decided_at = 1 WHERE version = 1"),
    ("a price list ends once", "UPDATE price_list SET ended_at = NULL WHERE version = 1"),
    ("price lists are never deleted", "DELETE FROM price_list"),
    ("a promotion is made once", twin("promotion", "id = 'promo_1'")),
    ("what a promotion gives never changes", "UPDATE promotion SET amount = 2"),
    ("what a promotion gives never changes", "UPDATE promotion SET uses_max = 2"),
    ("a promotion ends once", "UPDATE promotion SET ended_at = NULL WHERE id = 'promo_2'"),
    ("promotions are never deleted", "DELETE FROM promotion WHERE id = 'promo_2'"),
    ("a code never changes", "UPDATE promo_code SET promotion_id = 'promo_2'"),
    ("codes are never deleted", "DELETE FROM promo_code WHERE id = 'code_2'"),
    (LIMITS, twin("promo_use", "1 = 1", id=NEW, slot=2, topup_id="'topup_1'")),
    (LIMITS, twin("promo_use", "1 = 1", id=NEW, slot=2, topup_id="'topup_1'", code_id="'code_2'")),
    (LIMITS, twin("promo_use", "1 = 1", id=NEW, slot=10, topup_id="'topup_1'")),
    (
        "granted coins are in the books",
        twin("promo_use", "1 = 1", id=NEW, promotion_id="'promo_2'", code_id="'code_2'", user_id=f"'{BOB}'"),
    ),
    (USED, "UPDATE promo_use SET coins = 9"),
    (USED, "UPDATE promo_use SET slot = 2"),
    (USED, f"UPDATE promo_use SET user_id = '{BOB}'"),
    ("uses are never deleted", "DELETE FROM promo_use"),
    (CARD, twin("gift_card", "id = 'card_open'", id=NEW, digest="digest")),
    (CARD, twin("gift_card", "id = 'card_done'")),
    ("a gift card never changes", "UPDATE gift_card SET coins = 9"),
    ("a gift card never changes", "UPDATE gift_card SET origin = 'PURCHASE', topup_id = 'topup_3'"),
    ("only an open gift card gets a new code", "UPDATE gift_card SET hint = 'ABC' WHERE id = 'card_done'"),
    ("a message is only blanked", "UPDATE gift_card SET message = 'Other words'"),
    ("a message is only blanked", "UPDATE gift_card SET recipient_name = 'Somebody else'"),
    (PAID_FIRST, twin("gift_card", "id = 'card_open'", **PAID_FOR)),
    (PAID_FIRST, twin("gift_card", "id = 'card_open'", **PAID_FOR | {"topup_id": "'topup_1'"})),
    ("what was agreed never changes", "UPDATE topup SET as_card = 0 WHERE id = 'topup_3'"),
    ("only an open gift card gets a new code", "UPDATE gift_card SET hint = 'AB' WHERE id = 'card_given'"),
    (AGREED_FIRST, twin("gift_card", "id = 'card_given'", id=NEW, digest="substr(digest, 1, 4)")),
    (AGREED_FIRST, twin("gift_card", "id = 'card_given'", id=NEW, issue_id="'issue_open'", coins=6)),
    ("an issue of cards is proposed once, and first", twin("card_issue", "id = 'issue_open'")),
    ("an issue of cards is proposed once, and first", twin("card_issue", "id = 'issue_done'", id=NEW)),
    ("what was proposed to be issued never changes", "UPDATE card_issue SET cards_count = 1 WHERE id = 'issue_open'"),
    ("an issue of cards is decided once", "UPDATE card_issue SET decided_by = 'eve' WHERE id = 'issue_done'"),
    ("an issue has all of its cards", f"{ISSUED} decided_by = 'bob' WHERE id = 'issue_open'"),
    ("issues of cards are never deleted", "DELETE FROM card_issue"),
    (ASKED, twin("card_purchase", "1 = 1")),
    (ASKED, twin("card_purchase", "1 = 1", topup_id="'topup_1'")),
    (ASKED, twin("card_purchase", "1 = 1", topup_id="'topup_4'", state="'KEPT'", kept="'DEBT'", decided_at=1)),
    ("what was asked for with a top-up never changes", f"UPDATE card_purchase SET buyer_id = '{BOB}'"),
    ("what was asked for with a top-up is never deleted", "DELETE FROM card_purchase"),
    ("a message is only blanked", "UPDATE card_purchase SET message = 'Other words'"),
    ("a card is bought once", "UPDATE card_purchase SET state = 'ISSUED', card_id = 'card_open', decided_at = 1"),
    (ENDS, f"{REDEEMED} 'card_open'"),
    (ENDS, "UPDATE gift_card SET state = 'OPEN', redeemed_by = NULL, ended_at = NULL WHERE id = 'card_done'"),
    (ENDS, f"UPDATE gift_card SET redeemed_by = '{ADA}' WHERE id = 'card_done'"),
    ("gift cards are never deleted", "DELETE FROM gift_card"),
    # reputation and what was delivered
    (FOLD, "UPDATE fold SET seq = 99"),
    (FOLD, "UPDATE fold SET name = 'y'"),
    (FOLD, "INSERT INTO fold VALUES ('y', 99)"),
    (FOLD, "DELETE FROM fold"),
    ("a day stays the day of its creator", "UPDATE reputation_day SET day = 101"),
    (SUM, "UPDATE reputation SET accepted = accepted + 1"),
    (SUM, "UPDATE reputation SET since = 101, until = 160"),
    (SUM, twin("reputation", "1 = 1", creator_id=f"'{TWO.id}'")),
    (SUM, "DELETE FROM reputation"),
    ("what a creator is known for is their reputation", "UPDATE creator SET response_sort_s = 7"),
    ("what a creator is known for is their reputation", "UPDATE creator SET badges = '|TOP_RATED|'"),
    ("a video is delivered once", twin("delivered_video", "1 = 1", manifest_id=NEW)),
    ("a video is delivered once", twin("delivered_video", "1 = 1", video_id="'video_2'")),
    (
        "a delivered video is what was measured",
        twin("delivered_video", "1 = 1", video_id="'video_2'", manifest_id=NEW, duration_ms=6),
    ),
    (DELIVERED, f"UPDATE delivered_video SET sha256 = '{'b' * 64}'"),
    (DELIVERED, "UPDATE delivered_video SET mark = 'WAITING'"),
    (DELIVERED, "DELETE FROM delivered_video"),
    # oversight
    (TRAIL, "UPDATE audit SET actor = 'somebody'"),
    (TRAIL, "DELETE FROM audit"),
    (TRAIL, twin("audit", "1 = 1")),
    (ACT, "UPDATE audit_words SET words = 'Otherwise.'"),
    (ACT, "DELETE FROM audit_words"),
    ("who was erased stays so, and says nothing", f"UPDATE users SET erased_at = NULL WHERE id = '{GONE}'"),
    ("who was erased stays so, and says nothing", f"UPDATE users SET erased_at = 1, locked = 0 WHERE id = '{BOB}'"),
    ("an erasure is asked for once", twin("erasure", "ended_at IS NULL")),
    ("an erasure stays whose it is", f"UPDATE erasure SET user_id = '{BOB}' WHERE ended_at IS NULL"),
    ("an erasure ends once", "UPDATE erasure SET state = 'WAITING', ended_at = NULL WHERE state = 'DONE'"),
    (
        "an erasure is done when the person is erased",
        "UPDATE erasure SET state = 'DONE', ended_at = 1 WHERE ended_at IS NULL",
    ),
    ("erasures are never deleted", "DELETE FROM erasure"),
    ("a closure is asked for once", twin("closure", "1 = 1")),
    (
        "a closure stays what was asked for",
        "UPDATE closure SET forfeit_promo = 1 - forfeit_promo, revision = revision + 1",
    ),
    ("a closure only goes on", "UPDATE closure SET due_at = 1"),
    ("a closure only goes on", "UPDATE closure SET begun_at = NULL, revision = revision + 1"),
    (
        "an account is closed when every step is settled",
        "UPDATE closure SET state = 'CLOSED', ended_at = 1, revision = revision + 1",
    ),
    ("closures are never deleted", "DELETE FROM closure_step"),
    ("a step of a closure is written once", twin("closure_step", "1 = 1")),
    ("a step of a closure stays what it is", "UPDATE closure_step SET step = 'DEBT'"),
    ("a step of a closure only goes on", "UPDATE closure_step SET since = since - 1"),
    ("a closed account stays closed", f"UPDATE users SET closed_at = NULL WHERE id = '{LEFT}'"),
    ("an export stays whose it is", f"UPDATE data_export SET user_id = '{BOB}'"),
    ("an export ends once", "UPDATE data_export SET state = 'READY'"),
    ("exports are never deleted", "DELETE FROM data_export"),
    ("a report stays what it is about", f"UPDATE report SET subject_id = 'y', {NEXT}"),
    ("a report goes on step by step", "UPDATE report SET state = 'FINAL', decided_at = 1, revision = revision + 1"),
    ("a report goes on step by step", "UPDATE report SET state = 'DECIDED', decided_at = 1"),
    ("reports are never deleted", "DELETE FROM report"),
    (SAID, "UPDATE report_words SET explanation = 'Kind.'"),
    (SAID, "DELETE FROM report_words"),
    ("an appeal is decided by somebody else", twin("report_decision", "1 = 1", id=NEW, appeal=1)),
    (REASONS, "UPDATE report_decision SET facts = 'y'"),
    (REASONS, "DELETE FROM report_decision"),
)


@pytest.mark.parametrize(("words", "attack"), ATTACKS, ids=[attack[:100] for _, attack in ATTACKS])
def test_a_later_guard_refuses(kept: Any, words: str, attack: str) -> None:
    said = run(kept, attack)
    assert said is not None, "the attack succeeded"
    key = "|duplicate key" if attack.startswith("INSERT") else ""
    assert re.search(f"{re.escape(words)}{key}", said), said


def test_what_is_right_is_let_in(kept: Any) -> None:
    for change in (
        "UPDATE adjustment SET note = NULL",
        "UPDATE spending_guard SET excluded_until = excluded_until + 1, revision = 2",
        "UPDATE payout_recipient SET ref = '', label = 'Erased'",
        "UPDATE payout_recipient SET ref = '', removed_at = 2 WHERE id = 'recipient_3'",
        "UPDATE earning SET state = 'AVAILABLE', reserved_coins = 5, reserved_until = 1 WHERE state = 'PENDING'",
        "UPDATE promo_use SET state = 'RETURNED'",
        f"UPDATE report SET {NEXT}",
        twin("report_decision", "1 = 1", id=NEW, appeal=1, decided_by="'bob'"),
    ):
        assert run(kept, change) is None


def test_every_later_guard_is_attacked() -> None:
    attacked = {words for words, _ in ATTACKS} | ELSEWHERE
    assert {words for revision in REVISIONS for words in words_of(revision, "sqlite")} <= attacked
    for revision in REVISIONS:
        assert words_of(revision, "postgresql") <= attacked
