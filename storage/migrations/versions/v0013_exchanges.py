"""With which validators each run asked, which it was given, and over which redirects it went."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    note = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
    comment = "JSON object: validators sent and given, redirects; null: none of these"
    op.add_column("runs", sa.Column("exchange", note, comment=comment))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("runs", "exchange")
