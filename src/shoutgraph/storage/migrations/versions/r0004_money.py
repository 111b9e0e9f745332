"""Money: top-ups and their disputes, locks of wallets, earnings, payouts, and the inbox of webhooks."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from shoutgraph.storage import migrations

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BLOB = sa.LargeBinary()
TRUTHS = "IN (0, 1)"


def upgrade() -> None:
    topups()
    reversals()
    wallets()
    earnings()
    recipients()
    payouts()
    notices()
    for statement in migrations.read_sql(f"r0004_money.{op.get_bind().dialect.name}.sql"):
        op.execute(statement)


def topups() -> None:
    op.create_table(
        "topup",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        *texts("user_id", "instance", "currency", "country", "platform", "payload", "submission", "status"),
        *texts("fee_currency"),
        *maybe(TEXT, "package_id", "ref", "action", "declined_code", "review"),
        *integers("revision", "attempts", "looks", "coins", "bonus_coins", "price_minor", "book_units"),
        *integers("settled_minor", "refunded_minor", "disputed_minor", "won_minor", "lost_minor", "fee_minor"),
        *integers("credited", "booked_refunded_minor", "booked_disputed_minor", "booked_fee_minor"),
        *integers("reversed_minor", "reversed_coins", "reversed_book_units", "retryable", "expired"),
        *integers("created_at", "updated_at", "first_sent_at", "answer_due_at"),
        *maybe(INTEGER, "expires_at", "phase_at", "poll_after", "look_at", "leased_until"),
        sa.CheckConstraint("revision > 0 AND attempts > 0 AND looks >= 0", name="topup_counts"),
        sa.CheckConstraint("coins > 0 AND bonus_coins >= 0 AND price_minor > 0", name="topup_terms"),
        sa.CheckConstraint("credited = 0 OR settled_minor = price_minor", name="topup_credit"),
        sa.CheckConstraint("reversed_minor BETWEEN 0 AND price_minor", name="topup_reversed_minor"),
        sa.CheckConstraint("reversed_coins BETWEEN 0 AND coins", name="topup_reversed_coins"),
        sa.CheckConstraint("platform IN ('WEB', 'IOS', 'ANDROID')"),
        sa.CheckConstraint("submission IN ('SUBMITTING', 'KNOWN', 'UNKNOWN', 'NOT_EXECUTED')"),
        sa.CheckConstraint(
            "status IN ('CREATED', 'PROCESSING', 'ACTION_REQUIRED', 'PENDING', 'FAILED', 'PAID', 'NEEDS_REVIEW', "
            "'PARTLY_REFUNDED', 'REFUNDED', 'DISPUTED')"
        ),
        *(sa.CheckConstraint(f"{name} {TRUTHS}") for name in ("credited", "retryable", "expired")),
        sqlite_strict=True,
    )
    op.create_index("topup_user", "topup", ["user_id", "id"])
    op.create_index("topup_status", "topup", ["status", "id"])
    op.create_index("topup_look", "topup", ["look_at"], **where("look_at IS NOT NULL"))
    op.create_index("topup_ref", "topup", ["instance", "ref"], unique=True, **where("ref IS NOT NULL"))


def reversals() -> None:
    op.create_table(
        "topup_dispute",
        sa.Column("ref", TEXT, primary_key=True, nullable=False),
        sa.Column("topup_id", TEXT, sa.ForeignKey("topup.id"), nullable=False),
        *texts("taken"),
        *integers("minor", "coins", "book_units", "until_minor", "order_coins", "owed_coins", "opened_at"),
        *integers("lost_minor"),
        *maybe(INTEGER, "decided_at"),
        sa.CheckConstraint("lost_minor BETWEEN 0 AND minor", name="topup_dispute_lost"),
        sa.CheckConstraint("minor >= 0 AND coins >= 0 AND order_coins >= 0 AND owed_coins >= 0", name="topup_dispute"),
        sqlite_strict=True,
    )
    op.create_index("topup_dispute_topup", "topup_dispute", ["topup_id", "until_minor"])


def wallets() -> None:
    op.create_table(
        "wallet_lock",
        sa.Column("user_id", TEXT, primary_key=True, nullable=False),
        *texts("reason", "topup_id"),
        *integers("locked_at"),
        sa.CheckConstraint("reason IN ('DISPUTE', 'REFUND_OF_SPENT_COINS')"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def earnings() -> None:
    op.create_table(
        "earning",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        *texts("creator_id", "kind", "subject_id", "state"),
        *integers("coins", "fee_coins", "earned_at", "matures_at"),
        *integers("in_payout_coins", "paid_coins", "reversed_coins"),
        *maybe(INTEGER, "matured_at"),
        sa.CheckConstraint("coins > 0 AND fee_coins >= 0", name="earning_coins"),
        sa.CheckConstraint("in_payout_coins >= 0 AND paid_coins >= 0 AND reversed_coins >= 0", name="earning_parts"),
        sa.CheckConstraint("in_payout_coins + paid_coins + reversed_coins <= coins", name="earning_sum"),
        sa.CheckConstraint(
            "state <> 'PENDING' OR (in_payout_coins = 0 AND paid_coins = 0)", name="earning_pending_stays"
        ),
        sa.CheckConstraint("kind IN ('ORDER', 'COMPENSATION', 'GIFT')"),
        sa.CheckConstraint("state IN ('PENDING', 'AVAILABLE', 'PAID', 'REVERSED')"),
        sa.UniqueConstraint("kind", "subject_id", name="earning_once"),
        sqlite_strict=True,
    )
    op.create_index("earning_creator", "earning", ["creator_id", "id"])
    op.create_index("earning_maturing", "earning", ["matures_at"], **where("state = 'PENDING'"))
    op.create_index("earning_free", "earning", ["creator_id", "matured_at", "id"], **where("state = 'AVAILABLE'"))


def recipients() -> None:
    op.create_table(
        "payout_recipient",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        *texts("creator_id", "instance", "label", "ref", "state"),
        *integers("created_at"),
        sa.CheckConstraint("state IN ('READY', 'NEEDS_ACTION')"),
        sqlite_strict=True,
    )
    op.create_index("payout_recipient_creator", "payout_recipient", ["creator_id", "id"])


def payouts() -> None:
    op.create_table(
        "payout_batch",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        *texts("instance", "key"),
        *integers("first_sent_at", "answer_due_at", "attempts"),
        *maybe(TEXT, "ref"),
        sa.CheckConstraint("attempts > 0", name="payout_batch_attempts"),
        sqlite_strict=True,
    )
    op.create_table(
        "payout",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("recipient_id", TEXT, sa.ForeignKey("payout_recipient.id"), nullable=False),
        sa.Column("batch_id", TEXT, sa.ForeignKey("payout_batch.id")),
        *texts("creator_id", "instance", "currency", "key", "state"),
        *integers("revision", "coins", "amount_minor", "created_at", "updated_at", "attempts", "looks"),
        *maybe(TEXT, "ref", "hold_code", "note", "failure_code", "decided_by", "review"),
        *maybe(INTEGER, "not_before", "submitted_at", "paid_at", "closed_at", "look_at", "leased_until"),
        sa.CheckConstraint("revision > 0 AND attempts >= 0 AND looks >= 0", name="payout_counts"),
        sa.CheckConstraint("coins > 0 AND amount_minor > 0", name="payout_amounts"),
        sa.CheckConstraint(
            "state IN ('REQUESTED', 'HELD', 'DENIED', 'APPROVED', 'SUBMITTING', 'SUBMITTED', 'UNKNOWN', 'PAID', "
            "'RETURNED', 'REJECTED', 'NOT_EXECUTED', 'CANCELLED')"
        ),
        sa.CheckConstraint("hold_code IN ('IDENTITY', 'TAX_PROFILE', 'RECIPIENT', 'RISK', 'LEGAL')"),
        sa.CheckConstraint(
            "review IN ('AMOUNT_MISMATCH', 'PAID_AFTER_FAILURE', 'FAILED_AFTER_PAID', 'UNKNOWN_FOR_LONG')"
        ),
        sa.UniqueConstraint("key", name="payout_key"),
        sqlite_strict=True,
    )
    op.create_index("payout_creator", "payout", ["creator_id", "id"])
    op.create_index("payout_state", "payout", ["state", "id"])
    op.create_index("payout_look", "payout", ["look_at"], **where("look_at IS NOT NULL"))
    op.create_index("payout_of_batch", "payout", ["batch_id"], **where("batch_id IS NOT NULL"))
    op.create_table(
        "payout_part",
        sa.Column("payout_id", TEXT, sa.ForeignKey("payout.id"), primary_key=True, nullable=False),
        sa.Column("earning_id", TEXT, sa.ForeignKey("earning.id"), primary_key=True, nullable=False),
        *integers("coins"),
        sa.CheckConstraint("coins > 0", name="payout_part_coins"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("payout_part_earning", "payout_part", ["earning_id"])


def notices() -> None:
    op.create_table(
        "notice",
        sa.Column("id", INTEGER, primary_key=True, nullable=False),
        *texts("instance", "headers", "query", "remote", "state"),
        sa.Column("sha256", BLOB, nullable=False),
        sa.Column("body", BLOB, nullable=False),
        *integers("received_at", "tries"),
        *maybe(TEXT, "detail"),
        sa.CheckConstraint("length(sha256) = 32", name="notice_sha256"),
        sa.CheckConstraint("state IN ('RECEIVED', 'APPLIED', 'REPEATED', 'UNMATCHED', 'REFUSED', 'UNREADABLE')"),
        sqlite_strict=True,
    )
    op.create_index("notice_waiting", "notice", ["received_at"], **where("state = 'RECEIVED'"))
    op.create_index("notice_received", "notice", ["received_at"])
    op.create_table(
        "notice_seen",
        sa.Column("instance", TEXT, primary_key=True, nullable=False),
        sa.Column("notice_id", TEXT, primary_key=True, nullable=False),
        *integers("at"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("notice_seen_at", "notice_seen", ["at"])


def texts(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, TEXT, nullable=False) for name in names]


def integers(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, INTEGER, nullable=False) for name in names]


def maybe(kind: sa.types.TypeEngine[Any], *names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind) for name in names]


def where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}
