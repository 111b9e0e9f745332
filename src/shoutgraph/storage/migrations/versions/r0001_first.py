"""The first schema: ledger, orders, journal, requests and deadlines."""

import sqlalchemy as sa
from alembic import op

from shoutgraph.storage import migrations

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BLOB = sa.LargeBinary()
ZERO = sa.text("0")
AMOUNT_MAX = 1_000_000_000_000_000


def upgrade() -> None:
    assets()
    laws()
    orders()
    accounts()
    transfers()
    lots()
    journal()
    requests()
    deadlines()
    for statement in migrations.read_sql(f"r0001_first.{op.get_bind().dialect.name}.sql"):
        op.execute(statement)
    op.execute(
        "INSERT INTO asset (code, class, scale) VALUES ('COIN', 'coin', 0), ('PROMO', 'promo', 0), ('CAP', 'memo', 0)"
    )


def assets() -> None:
    op.create_table(
        "asset",
        sa.Column("code", TEXT, primary_key=True, nullable=False),
        sa.Column("class", TEXT, nullable=False),
        sa.Column("scale", INTEGER, nullable=False),
        sa.CheckConstraint("class IN ('coin', 'promo', 'memo', 'fiat')", name="asset_class"),
        sa.CheckConstraint("(class = 'fiat' OR scale = 0) AND scale BETWEEN 0 AND 9", name="asset_scale"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def accounts() -> None:
    op.create_table(
        "account",
        sa.Column("id", INTEGER, primary_key=True, nullable=False),
        sa.Column("code", TEXT, nullable=False, unique=True),
        sa.Column("asset", TEXT, sa.ForeignKey("asset.code"), nullable=False),
        sa.Column("floor", INTEGER, nullable=False),
        sa.Column("order_id", TEXT, sa.ForeignKey("orders.id", deferrable=True, initially="DEFERRED")),
        sa.Column("wallet", INTEGER, nullable=False),
        sa.Column(
            "wallet_id", INTEGER, sa.Computed("CASE WHEN wallet = 1 THEN id END", persisted=True), *law("wallet_ok.id")
        ),
        sa.Column("debits", INTEGER, server_default=ZERO, nullable=False),
        sa.Column("credits", INTEGER, server_default=ZERO, nullable=False),
        sa.Column("version", INTEGER, server_default=ZERO, nullable=False),
        sa.Column("last_posting", INTEGER, server_default=ZERO, nullable=False),
        sa.Column("closed", INTEGER, server_default=ZERO, nullable=False),
        sa.CheckConstraint("floor IN (-1, 0, 1)", name="account_floor"),
        sa.CheckConstraint("debits >= 0", name="account_debits"),
        sa.CheckConstraint("credits >= 0", name="account_credits"),
        sa.CheckConstraint("closed IN (0, 1)", name="account_closed"),
        sa.CheckConstraint("wallet IN (0, 1)", name="account_wallet"),
        sa.CheckConstraint("floor <> 1 OR credits >= debits", name="no_overdraft"),
        sa.CheckConstraint("floor <> -1 OR debits >= credits", name="no_overcredit"),
        sa.CheckConstraint("closed = 0 OR debits = credits", name="closed_is_zero"),
        sa.CheckConstraint(
            "(order_id IS NULL AND wallet = 0) OR (floor = 1 AND asset IN ('COIN', 'PROMO'))",
            name="tied_accounts_hold_coins",
        ),
        sa.UniqueConstraint("id", "asset", name="account_asset"),
        sqlite_strict=True,
    )
    partial_index("account_order", "account", ["order_id"], "order_id IS NOT NULL")
    partial_index("account_wallet_id", "account", ["wallet_id"], "wallet_id IS NOT NULL")


def transfers() -> None:
    op.create_table(
        "transfer",
        sa.Column("id", INTEGER, primary_key=True, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("ref", TEXT, nullable=False),
        sa.Column("digest", BLOB, nullable=False),
        sa.Column("at", INTEGER, nullable=False),
        sa.CheckConstraint("length(digest) = 32", name="transfer_digest"),
        sa.UniqueConstraint("kind", "ref", name="transfer_once"),
        sqlite_strict=True,
    )
    op.create_table(
        "posting",
        sa.Column("id", INTEGER, primary_key=True, nullable=False),
        sa.Column("transfer_id", INTEGER, sa.ForeignKey("transfer.id"), nullable=False),
        sa.Column("asset", TEXT, nullable=False),
        sa.Column("debit_id", INTEGER, nullable=False),
        sa.Column("credit_id", INTEGER, nullable=False),
        sa.Column("amount", INTEGER, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.CheckConstraint(f"amount BETWEEN 1 AND {AMOUNT_MAX}", name="posting_amount"),
        sa.CheckConstraint("debit_id <> credit_id", name="posting_has_two_sides"),
        sa.ForeignKeyConstraint(["debit_id", "asset"], ["account.id", "account.asset"], name="posting_debit"),
        sa.ForeignKeyConstraint(["credit_id", "asset"], ["account.id", "account.asset"], name="posting_credit"),
        sqlite_strict=True,
    )
    op.create_index("posting_transfer", "posting", ["transfer_id"])
    op.create_table(
        "entry",
        sa.Column("account_id", INTEGER, primary_key=True, nullable=False),
        sa.Column("version", INTEGER, primary_key=True, nullable=False),
        sa.Column("posting_id", INTEGER, nullable=False),
        sa.Column("debits", INTEGER, nullable=False),
        sa.Column("credits", INTEGER, nullable=False),
        sa.CheckConstraint("version > 0", name="entry_version"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def lots() -> None:
    op.create_table(
        "lot",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("account_id", INTEGER, sa.ForeignKey("account.id"), nullable=False),
        sa.Column("user_id", TEXT, nullable=False),
        sa.Column("topup_id", TEXT),
        sa.Column("granted", INTEGER, nullable=False),
        sa.Column("remaining", INTEGER, server_default=ZERO, nullable=False),
        sa.Column("last_move", INTEGER, server_default=ZERO, nullable=False),
        sa.Column("price_minor", INTEGER, nullable=False),
        sa.Column("currency", TEXT),
        sa.Column("country", TEXT),
        sa.Column("granted_at", INTEGER, nullable=False),
        sa.Column("expires_at", INTEGER),
        sa.CheckConstraint(f"granted BETWEEN 1 AND {AMOUNT_MAX}", name="lot_granted"),
        sa.CheckConstraint("remaining BETWEEN 0 AND granted", name="lot_remaining"),
        sa.CheckConstraint("price_minor >= 0", name="lot_price"),
        sqlite_strict=True,
    )
    partial_index("lot_open", "lot", ["account_id"], "remaining > 0")
    partial_index("lot_expiring", "lot", ["expires_at"], "remaining > 0 AND expires_at IS NOT NULL")
    partial_index("lot_topup", "lot", ["topup_id"], "topup_id IS NOT NULL")
    op.create_index("lot_user", "lot", ["user_id"])
    op.create_table(
        "lot_move",
        sa.Column("id", INTEGER, primary_key=True, nullable=False),
        sa.Column("lot_id", TEXT, sa.ForeignKey("lot.id"), nullable=False),
        sa.Column("transfer_id", INTEGER, sa.ForeignKey("transfer.id"), nullable=False),
        sa.Column("order_id", TEXT, sa.ForeignKey("orders.id", deferrable=True, initially="DEFERRED")),
        sa.Column("coins", INTEGER, nullable=False),
        sa.CheckConstraint("coins <> 0", name="lot_move_coins"),
        sqlite_strict=True,
    )
    op.create_index("lot_move_lot", "lot_move", ["lot_id"])
    partial_index("lot_move_order", "lot_move", ["order_id", "lot_id"], "order_id IS NOT NULL")
    op.create_index("lot_move_transfer", "lot_move", ["transfer_id"])


def law(target: str) -> tuple[sa.ForeignKey, ...]:
    """SQLite's way to check a law at COMMIT is a deferred foreign key; PostgreSQL has constraint triggers."""
    return (sa.ForeignKey(target, deferrable=True, initially="DEFERRED"),) if embedded() else ()


def embedded() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def laws() -> None:
    if not embedded():
        return
    op.create_table(
        "order_ok",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table("wallet_ok", sa.Column("id", INTEGER, primary_key=True, nullable=False), sqlite_strict=True)


def orders() -> None:
    op.create_table(
        "orders",
        sa.Column("id", TEXT, *law("order_ok.id"), primary_key=True, nullable=False),
        sa.Column("revision", INTEGER, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("fan_id", TEXT, nullable=False),
        sa.Column("creator_id", TEXT, nullable=False),
        sa.Column("offer_id", TEXT, nullable=False),
        sa.Column("policy_version", INTEGER, nullable=False),
        sa.Column("fee_bps", INTEGER, nullable=False),
        sa.Column("base_coins", INTEGER, nullable=False),
        sa.Column("express_coins", INTEGER, nullable=False),
        sa.Column("duration_max_s", INTEGER, nullable=False),
        sa.Column("delivery_s", INTEGER, nullable=False),
        sa.Column("price_coins", INTEGER, nullable=False),
        sa.Column("promo_coins", INTEGER, nullable=False),
        sa.Column("created_at", INTEGER, nullable=False),
        sa.Column("updated_at", INTEGER, nullable=False),
        sa.Column("state_at", INTEGER, nullable=False),
        sa.Column("submitted_at", INTEGER),
        sa.Column("accepted_at", INTEGER),
        sa.Column("uploaded_at", INTEGER),
        sa.Column("delivered_at", INTEGER),
        sa.Column("closed_at", INTEGER),
        sa.Column("close_reason", TEXT),
        sa.Column("reason", TEXT),
        sa.Column("note", TEXT),
        sa.Column("video_id", TEXT),
        sa.Column("passed_video_id", TEXT),
        sa.Column("redo", INTEGER, nullable=False),
        sa.Column("redo_ground", TEXT),
        sa.Column("extension_s", INTEGER),
        sa.Column("extension_offered_at", INTEGER),
        sa.Column("extended", INTEGER, nullable=False),
        sa.Column("delivery_due_at", INTEGER),
        sa.Column("delivery_left_s", INTEGER),
        sa.Column("waiting_for", TEXT),
        sa.Column("refunded_coins", INTEGER, nullable=False),
        sa.Column("frozen_at", INTEGER),
        sa.CheckConstraint(
            "state IN ('DRAFT', 'SCREENING', 'AWAITING_ACCEPTANCE', 'IN_PRODUCTION', 'IN_REVIEW', 'CHANGES_REQUIRED', "
            "'DELIVERED', 'REDO_REQUESTED', 'DISPUTED', 'COMPLETED', 'DECLINED', 'EXPIRED', 'CANCELLED', 'REJECTED', "
            "'REFUNDED', 'SPLIT')"
        ),
        sa.CheckConstraint("redo IN (0, 1)"),
        sa.CheckConstraint("extended IN (0, 1)"),
        sa.CheckConstraint(f"price_coins BETWEEN 1 AND {AMOUNT_MAX}", name="order_price"),
        sa.CheckConstraint("promo_coins BETWEEN 0 AND price_coins", name="order_promo"),
        sa.CheckConstraint("refunded_coins >= 0 AND revision > 0", name="order_counts"),
        sqlite_strict=True,
    )
    op.create_index("orders_fan", "orders", ["fan_id", "id"])
    op.create_index("orders_creator", "orders", ["creator_id", "id"])
    op.create_index("orders_state", "orders", ["state", "state_at", "id"])
    op.create_index("orders_updated", "orders", ["updated_at", "id"])
    live = (
        "state IN ('SCREENING', 'AWAITING_ACCEPTANCE', 'IN_PRODUCTION', 'IN_REVIEW', 'CHANGES_REQUIRED', 'DELIVERED', "
        "'REDO_REQUESTED', 'DISPUTED')"
    )
    partial_index("orders_open", "orders", ["creator_id"], live)
    op.create_table(
        "brief",
        sa.Column("order_id", TEXT, sa.ForeignKey("orders.id"), primary_key=True, nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "dispute_statement",
        sa.Column("order_id", TEXT, sa.ForeignKey("orders.id"), primary_key=True, nullable=False),
        sa.Column("revision", INTEGER, primary_key=True, nullable=False),
        sa.Column("side", TEXT, nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("at", INTEGER, nullable=False),
        sa.CheckConstraint("side IN ('FAN', 'CREATOR')"),
        sa.CheckConstraint("length(text) BETWEEN 1 AND 1000", name="dispute_statement_text"),
        sqlite_strict=True,
    )
    op.create_table(
        "policy",
        sa.Column("version", INTEGER, primary_key=True, nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sa.Column("at", INTEGER, nullable=False),
        sa.CheckConstraint("version > 0", name="policy_version"),
        sqlite_strict=True,
    )


def journal() -> None:
    op.create_table(
        "event",
        sa.Column("seq", INTEGER, primary_key=True, nullable=False),
        sa.Column("id", TEXT, nullable=False, unique=True),
        sa.Column("topic", TEXT, nullable=False),
        sa.Column("topic_seq", INTEGER, nullable=False),
        sa.Column("type", TEXT, nullable=False),
        sa.Column("transfer_id", INTEGER, sa.ForeignKey("transfer.id")),
        sa.Column("body", TEXT, nullable=False),
        sa.Column("at", INTEGER, nullable=False),
        sa.Column("prev", BLOB, nullable=False),
        sa.Column("hash", BLOB, nullable=False),
        sa.CheckConstraint("length(prev) = 32", name="event_prev"),
        sa.CheckConstraint("length(hash) = 32", name="event_hash"),
        sa.UniqueConstraint("topic", "topic_seq", name="event_topic"),
        sqlite_strict=True,
    )


def requests() -> None:
    op.create_table(
        "request",
        sa.Column("principal", TEXT, primary_key=True, nullable=False),
        sa.Column("mutation", TEXT, primary_key=True, nullable=False),
        sa.Column("key", TEXT, primary_key=True, nullable=False),
        sa.Column("digest", BLOB, nullable=False),
        sa.Column("result", TEXT),
        sa.Column("refusal", TEXT),
        sa.Column("at", INTEGER, nullable=False),
        sa.CheckConstraint("(result IS NULL) <> (refusal IS NULL)", name="request_answer"),
        sa.CheckConstraint("length(digest) = 32", name="request_digest"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("request_at", "request", ["at"])


def deadlines() -> None:
    op.create_table(
        "deadline",
        sa.Column("subject_id", TEXT, primary_key=True, nullable=False),
        sa.Column("kind", TEXT, primary_key=True, nullable=False),
        sa.Column("due_at", INTEGER, nullable=False),
        sa.Column("revision", INTEGER, nullable=False),
        sa.Column("paused_remaining", INTEGER),
        sa.Column("paused_at", INTEGER),
        sa.CheckConstraint("(paused_remaining IS NULL) = (paused_at IS NULL)", name="deadline_pause"),
        sa.CheckConstraint("paused_remaining IS NULL OR paused_remaining >= 0", name="deadline_remaining"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    partial_index("deadline_running", "deadline", ["due_at"], "paused_remaining IS NULL")


def partial_index(name: str, table: str, names: list[str], condition: str) -> None:
    op.create_index(name, table, names, sqlite_where=sa.text(condition), postgresql_where=sa.text(condition))
