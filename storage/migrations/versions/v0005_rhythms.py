"""What is learned of each source's arrivals."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TIMESTAMP = sa.TIMESTAMP(timezone=True).with_variant(sa.Text(), "sqlite")
DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "rhythms",
        sa.Column("source_id", sa.Text(), nullable=False, comment="sources.id"),
        sa.Column("state", sa.LargeBinary(), nullable=False, comment="When it brings news, packed: see storage.rhythm"),
        sa.Column(
            "demand", DOCUMENT, nullable=False, comment="JSON list: requests a day it would get at a row of prices"
        ),
        sa.Column("terms", DOCUMENT, nullable=False, comment="JSON list: what led to its next attempt, in words"),
        sa.Column("decided_at", TIMESTAMP, nullable=False, comment="When the next attempt was decided"),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_rhythms_source_id_sources"),
        sa.PrimaryKeyConstraint("source_id", name="pk_rhythms"),
        comment="What is learned of each source's arrivals, and why it is polled when it is",
    )
