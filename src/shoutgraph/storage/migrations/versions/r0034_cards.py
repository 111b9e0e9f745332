"""Gift cards that are bought with money, and those that two people give away."""

import sqlalchemy as sa
from alembic import op

from shoutgraph.storage import migrations

revision = "0034"
down_revision = "0028"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
GUARDS = ("gift_card_new", "gift_card_identity", "gift_card_message_goes", "gift_card_ends", "gift_card_delete")
KEPT = (
    *("id", "buyer_id", "coins", "digest", "hint", "state", "taken", "created_at", "expires_at", "ended_at"),
    *("message", "redeemed_by"),
)
ORIGIN = "(origin = 'PURCHASE') = (topup_id IS NOT NULL)"
ISSUED = "(origin = 'ISSUED') = (issue_id IS NOT NULL)"
OF_SOMEBODY = "(origin = 'ISSUED') = (buyer_id IS NULL)"
ORIGINS = "origin IN ('COINS', 'PURCHASE', 'ISSUED')"
STATES = "state IN ('OPEN', 'REDEEMED', 'CANCELLED', 'REVOKED', 'EXPIRED', 'VOIDED')"
NAME = "length(recipient_name) BETWEEN 1 AND 60"


def upgrade() -> None:
    for_card = sa.CheckConstraint("as_card IN (0, 1)")
    op.add_column("topup", sa.Column("as_card", INTEGER, for_card, server_default=sa.text("0"), nullable=False))
    issues()
    if op.get_bind().dialect.name == "sqlite":
        rewrite_cards()
    else:
        extend_cards()
    of_issue = sa.text("issue_id IS NOT NULL")
    columns = ["issue_id", "id"]
    op.create_index("gift_card_issue", "gift_card", columns, sqlite_where=of_issue, postgresql_where=of_issue)
    purchases()
    for statement in migrations.read_sql(f"r0034_cards.{op.get_bind().dialect.name}.sql"):
        op.execute(statement)


def rewrite_cards() -> None:
    """An embedded database cannot change a condition of a table: it is written anew, guards and all."""
    for name in GUARDS:
        op.execute(f"DROP TRIGGER {name}")
    for name in ("gift_card_buyer", "gift_card_due"):
        op.drop_index(name)
    op.rename_table("gift_card", "gift_card_before")
    op.create_table(
        "gift_card",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("buyer_id", TEXT, sa.ForeignKey("users.id")),
        sa.Column("coins", INTEGER, nullable=False),
        sa.Column("digest", sa.LargeBinary(), unique=True, nullable=False),
        *(sa.Column(name, TEXT, nullable=False) for name in ("hint", "state", "taken")),
        sa.Column("created_at", INTEGER, nullable=False),
        *(sa.Column(name, INTEGER) for name in ("expires_at", "ended_at")),
        *(sa.Column(name, TEXT) for name in ("message", "redeemed_by")),
        sa.Column("origin", TEXT, nullable=False),
        sa.Column("topup_id", TEXT, sa.ForeignKey("topup.id"), unique=True),
        sa.Column("recipient_name", TEXT),
        sa.Column("issue_id", TEXT, sa.ForeignKey("card_issue.id")),
        sa.CheckConstraint("coins > 0", name="gift_card_coins"),
        sa.CheckConstraint("length(message) BETWEEN 1 AND 200", name="gift_card_message"),
        sa.CheckConstraint(NAME, name="gift_card_name"),
        sa.CheckConstraint(ORIGIN, name="gift_card_origin"),
        sa.CheckConstraint(ISSUED, name="gift_card_issued"),
        sa.CheckConstraint(OF_SOMEBODY, name="gift_card_of_somebody"),
        sa.CheckConstraint("(state = 'OPEN') = (ended_at IS NULL)", name="gift_card_ended"),
        sa.CheckConstraint("(state = 'REDEEMED') = (redeemed_by IS NOT NULL)", name="gift_card_redeemed"),
        sa.CheckConstraint(STATES),
        sa.CheckConstraint(ORIGINS),
        sqlite_strict=True,
    )
    kept = ", ".join(KEPT)
    op.execute(f"INSERT INTO gift_card ({kept}, origin) SELECT {kept}, 'COINS' FROM gift_card_before")  # noqa: S608
    op.drop_table("gift_card_before")
    op.create_index("gift_card_buyer", "gift_card", ["buyer_id", "id"])
    due = sa.text("state = 'OPEN' AND expires_at IS NOT NULL")
    op.create_index("gift_card_due", "gift_card", ["expires_at"], sqlite_where=due)


def extend_cards() -> None:
    op.add_column("gift_card", sa.Column("origin", TEXT, server_default="COINS", nullable=False))
    op.alter_column("gift_card", "origin", server_default=None)
    op.add_column("gift_card", sa.Column("topup_id", TEXT))
    op.add_column("gift_card", sa.Column("recipient_name", TEXT))
    op.add_column("gift_card", sa.Column("issue_id", TEXT))
    op.execute(
        "ALTER TABLE gift_card ADD UNIQUE (topup_id), ADD FOREIGN KEY (topup_id) REFERENCES topup (id),"
        " ALTER COLUMN buyer_id DROP NOT NULL, ADD FOREIGN KEY (issue_id) REFERENCES card_issue (id),"
        f" ADD CONSTRAINT gift_card_issued CHECK ({ISSUED}), ADD CONSTRAINT gift_card_of_somebody CHECK ({OF_SOMEBODY}),"
        f" DROP CONSTRAINT gift_card_state_check, ADD CONSTRAINT gift_card_state_check CHECK ({STATES}),"
        f" ADD CHECK ({ORIGINS}), ADD CONSTRAINT gift_card_name CHECK ({NAME}),"
        f" ADD CONSTRAINT gift_card_origin CHECK ({ORIGIN})"
    )


def issues() -> None:
    op.create_table(
        "card_issue",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        *(sa.Column(name, INTEGER, nullable=False) for name in ("coins", "cards_count", "expires_at")),
        *(sa.Column(name, TEXT, nullable=False) for name in ("reason", "case_reference", "proposed_by")),
        sa.Column("proposed_at", INTEGER, nullable=False),
        sa.Column("decided_by", TEXT),
        sa.Column("decided_at", INTEGER),
        sa.Column("booked", TEXT),
        sa.CheckConstraint("state IN ('PROPOSED', 'ISSUED', 'REJECTED')"),
        sa.CheckConstraint("coins > 0 AND cards_count BETWEEN 1 AND 1000", name="card_issue_counts"),
        sa.CheckConstraint("length(reason) BETWEEN 1 AND 1000", name="card_issue_reason"),
        sa.CheckConstraint("length(case_reference) BETWEEN 1 AND 100", name="card_issue_case"),
        sa.CheckConstraint("length(proposed_by) > 0 AND length(decided_by) > 0", name="card_issue_named"),
        sa.CheckConstraint("state <> 'ISSUED' OR decided_by <> proposed_by", name="card_issue_two_people"),
        sa.CheckConstraint(
            "(state = 'PROPOSED') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL)",
            name="card_issue_decided",
        ),
        sa.CheckConstraint(
            "(state = 'ISSUED') = (booked IS NOT NULL) AND booked = 'card.issued'", name="card_issue_booked"
        ),
        sa.ForeignKeyConstraint(
            ["booked", "id"],
            ["transfer.kind", "transfer.ref"],
            name="card_issue_in_books",
            deferrable=True,
            initially="DEFERRED",
        ),
        sqlite_strict=True,
    )
    op.create_index("card_issue_state", "card_issue", ["state", "id"])


def purchases() -> None:
    op.create_table(
        "card_purchase",
        sa.Column("topup_id", TEXT, sa.ForeignKey("topup.id"), primary_key=True, nullable=False),
        sa.Column("buyer_id", TEXT, nullable=False),
        sa.Column("created_at", INTEGER, nullable=False),
        sa.Column("message", TEXT),
        sa.Column("recipient_name", TEXT),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("card_id", TEXT, sa.ForeignKey("gift_card.id"), unique=True),
        sa.Column("kept", TEXT),
        sa.Column("decided_at", INTEGER),
        sa.CheckConstraint("length(message) BETWEEN 1 AND 200", name="card_purchase_message"),
        sa.CheckConstraint(NAME, name="card_purchase_name"),
        sa.CheckConstraint("(state = 'ISSUED') = (card_id IS NOT NULL)", name="card_purchase_issued"),
        sa.CheckConstraint("(state = 'KEPT') = (kept IS NOT NULL)", name="card_purchase_kept"),
        sa.CheckConstraint("(state = 'WAITING') = (decided_at IS NULL)", name="card_purchase_decided"),
        sa.CheckConstraint("state IN ('WAITING', 'ISSUED', 'KEPT')"),
        sa.CheckConstraint("kept IN ('ACCOUNT_LOCKED', 'WALLET_LOCKED', 'DEBT')"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("card_purchase_buyer", "card_purchase", ["buyer_id", "state"])
