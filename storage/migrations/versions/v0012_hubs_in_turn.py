"""All hubs that a source names are remembered; what several pages of one article are kept as is told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_COMMENTS = (
    ("raw_pages", "encoding", "zstd", "zstd; zstd+pages: several pages, named by a line of JSON in front"),
    (
        "hub_subscriptions", "hub", "Address that takes subscriptions",
        "Address that takes subscriptions: the one that is tried or verified",
    ),
    ("hub_subscriptions", "created_at", "When the source first named this hub", "When the source first named a hub"),
)  # fmt: skip


def upgrade() -> None:
    """Add the column and correct comments."""
    note = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
    comment = "JSON list: all hubs that the source names, in its order; null: the one"
    op.add_column("hub_subscriptions", sa.Column("hubs", note, comment=comment))
    _comment([(table, column, new) for table, column, _, new in _COMMENTS])


def downgrade() -> None:
    """Drop it."""
    _comment([(table, column, old) for table, column, old, _ in _COMMENTS])
    op.drop_column("hub_subscriptions", "hubs")


def _comment(rows: list[tuple[str, str, str]]) -> None:
    """SQLite keeps no comments."""
    if op.get_bind().dialect.name == "postgresql":
        for table, column, comment in rows:
            op.alter_column(table, column, comment=comment)
