"""What the daemon says of itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TIMESTAMP = sa.TIMESTAMP(timezone=True).with_variant(sa.Text(), "sqlite")
DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "facts",
        sa.Column("name", sa.Text(), nullable=False, comment="epoch, outage, configuration, embedded"),
        sa.Column("value", DOCUMENT, nullable=False, comment="JSON object"),
        sa.Column("changed_at", TIMESTAMP, nullable=False, comment="When it was last written"),
        sa.PrimaryKeyConstraint("name", name="pk_facts"),
        comment="What the daemon says of itself, one row a fact",
    )
