"""Pages of one outlet's articles are read by an index."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index("ix_articles_outlet_seq", "articles", ["outlet_id", "seq"])


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_articles_outlet_seq", table_name="articles")
