"""Money that comes back after a refund: what of it a provider told, what is booked, and what refunds had taken."""

import sqlalchemy as sa
from alembic import op

from shoutgraph.storage import migrations

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
STATES = "'REQUESTED', 'HELD', 'SUBMITTING', 'PENDING', 'UNKNOWN', 'SUCCEEDED', 'FAILED', 'DENIED', 'REVERSED'"
STATE = f"state IN ({STATES})"
CLOSED = "state = 'REQUESTED' OR (closed_at IS NOT NULL) = (state IN ('SUCCEEDED', 'FAILED', 'DENIED', 'REVERSED'))"
KEPT = (
    *("id", "revision", "topup_id", "user_id", "instance", "minor", "coins", "book_units", "currency", "taken"),
    *("reason", "requested_by", "created_at", "updated_at", "answer_due_at", "state", "decided_by", "attempts"),
    *("first_sent_at", "failure_code", "needs_review", "closed_at", "look_at", "looks", "leased_until"),
)
TEXTS = {"user_id", "instance", "currency", "taken", "reason", "requested_by", "state", "decided_by", "failure_code"}
OPTIONAL = {"decided_by", "first_sent_at", "failure_code", "closed_at", "look_at", "leased_until"}
GUARDS = (
    "refund_new",
    "refund_set_aside",
    "refund_identity",
    "refund_forward",
    "refund_not_too_much",
    "refund_booked",
    "refund_given_back",
    "refund_delete",
)


def upgrade() -> None:
    for name in ("refunds_failed_minor", "booked_refunds_failed_minor"):
        op.add_column("topup", sa.Column(name, INTEGER, nullable=False, server_default=sa.text("0")))
    taken_back()
    if op.get_bind().dialect.name == "sqlite":
        refunds()
    else:
        for name, condition in (("refund_state_check", STATE), ("refund_closed", CLOSED)):
            op.execute(f"ALTER TABLE refund DROP CONSTRAINT {name}, ADD CONSTRAINT {name} CHECK ({condition})")
    for statement in migrations.read_sql(f"r0013_refunds_back.{op.get_bind().dialect.name}.sql"):
        op.execute(statement)


def taken_back() -> None:
    numbers = ("number", "minor", "coins", "book_units", "order_coins", "owed_coins", "bonus_coins")
    op.create_table(
        "taken_back",
        sa.Column("ref", TEXT, primary_key=True, nullable=False),
        sa.Column("topup_id", TEXT, sa.ForeignKey("topup.id"), nullable=False),
        sa.Column("taken", TEXT, nullable=False),
        *(sa.Column(name, INTEGER, nullable=False) for name in numbers),
        *(sa.Column(f"back_{name}", INTEGER, nullable=False) for name in ("minor", "coins", "book_units")),
        sa.Column("at", INTEGER, nullable=False),
        sa.CheckConstraint("minor > 0 AND coins >= 0 AND book_units >= 0", name="taken_back_part"),
        sa.CheckConstraint("order_coins >= 0 AND owed_coins >= 0 AND bonus_coins >= 0", name="taken_back_counts"),
        sa.CheckConstraint("back_minor BETWEEN 0 AND minor", name="taken_back_minor"),
        sa.CheckConstraint("back_coins BETWEEN 0 AND coins", name="taken_back_coins"),
        sa.CheckConstraint("back_book_units BETWEEN 0 AND book_units", name="taken_back_book_units"),
        sqlite_strict=True,
    )
    op.create_index("taken_back_topup", "taken_back", ["topup_id", "number"])


def refunds() -> None:
    """An embedded database cannot change a condition of a table: it is written anew, guards and all."""
    for name in GUARDS:
        op.execute(f"DROP TRIGGER {name}")
    for name in ("refund_topup", "refund_state", "refund_look"):
        op.drop_index(name)
    op.rename_table("refund", "refund_before")
    columns = [sa.Column(name, TEXT if name in TEXTS else INTEGER, nullable=name in OPTIONAL) for name in KEPT[3:]]
    op.create_table(
        "refund",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("revision", INTEGER, nullable=False),
        sa.Column("topup_id", TEXT, sa.ForeignKey("topup.id"), nullable=False),
        *columns,
        sa.CheckConstraint("revision > 0 AND attempts >= 0 AND looks >= 0", name="refund_counts"),
        sa.CheckConstraint("minor > 0 AND coins >= 0 AND book_units >= 0", name="refund_part"),
        sa.CheckConstraint("length(reason) BETWEEN 1 AND 500", name="refund_reason"),
        sa.CheckConstraint("decided_by IS NULL OR decided_by <> requested_by", name="refund_two_people"),
        sa.CheckConstraint(
            "(attempts > 0) OR state IN ('REQUESTED', 'HELD', 'DENIED')", name="refund_sent_before_it_ends"
        ),
        sa.CheckConstraint("attempts = 0 OR state <> 'DENIED'", name="refund_denied_unsent"),
        sa.CheckConstraint(CLOSED, name="refund_closed"),
        sa.CheckConstraint(STATE),
        sa.CheckConstraint("needs_review IN (0, 1)"),
        sqlite_strict=True,
    )
    kept = ", ".join(KEPT)
    op.execute(f"INSERT INTO refund ({kept}) SELECT {kept} FROM refund_before")  # noqa: S608 - names of ours
    op.drop_table("refund_before")
    op.create_index("refund_topup", "refund", ["topup_id", "id"])
    op.create_index("refund_state", "refund", ["state", "id"])
    op.create_index("refund_look", "refund", ["look_at"], sqlite_where=sa.text("look_at IS NOT NULL"))
