"""A correction of the books has its row: the transfer is refused without it."""

from alembic import op

from shoutgraph.storage import migrations

revision = "0035"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in migrations.read_sql(f"r0035_corrections.{op.get_bind().dialect.name}.sql"):
        op.execute(statement)
