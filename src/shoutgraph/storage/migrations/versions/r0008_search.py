"""The search index: the words of a creator's profile are folded once, by the application, for every database."""

import unicodedata

import sqlalchemy as sa
from alembic import op

from shoutgraph.storage import migrations

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

PAGE = 1_000
WORD_CHARS_MAX = 64
CREATOR = sa.table("creator", *(sa.column(name) for name in ("number", "handle", "name", "bio", "facets")))


def upgrade() -> None:
    for statement in migrations.read_sql(f"r0008_search.{op.get_bind().dialect.name}.sql"):
        op.execute(statement)
    after = 0
    while rows := page(after):
        for number, handle, name, bio, facets in rows:
            found = " ".join((facets, *words(f"{handle} {name} {bio}")))
            op.execute(sa.update(CREATOR).where(CREATOR.c.number == number).values(facets=found))
            after = number


def page(after: int) -> list[tuple[int, str, str, str, str]]:
    rows = sa.select(*CREATOR.c).where(CREATOR.c.number > after).order_by(CREATOR.c.number).limit(PAGE)
    return [tuple(row) for row in op.get_bind().execute(rows)]


def words(text: str) -> list[str]:
    spaced = "".join(c if c.isalnum() or unicodedata.category(c).startswith("M") else " " for c in plain(text))
    return list(dict.fromkeys("w0" + word[:WORD_CHARS_MAX] for word in spaced.split()))


def plain(text: str) -> str:
    apart = unicodedata.normalize("NFD", unicodedata.normalize("NFD", text).casefold())
    return unicodedata.normalize("NFC", "".join(c for c in apart if not "\u0300" <= c <= "\u036f"))
