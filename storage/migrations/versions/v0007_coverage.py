"""What an outlet's pages give, field by field."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TIMESTAMP = sa.TIMESTAMP(timezone=True).with_variant(sa.Text(), "sqlite")
DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FIELDS = ("title", "authors", "published", "section", "tags", "image", "body")


def _count(name: str, comment: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False, comment=comment)


def upgrade() -> None:
    """Add the tables."""
    rules = "Version of the outlet's rules: current, or until and its last day"
    size = "Class of body lengths: 0 is empty, each four a doubling"
    op.create_table(
        "coverage",
        sa.Column("outlet_id", sa.Text(), nullable=False, comment="outlets.id"),
        sa.Column("rules", sa.Text(), nullable=False, comment=rules),
        sa.Column("day", sa.Text(), nullable=False, comment="Day in UTC, 2026-11-23"),
        sa.Column("size", sa.Integer(), nullable=False, comment=size),
        _count("pages", "Pages read"),
        _count("characters", "Characters of their bodies"),
        *(_count(f"found_{name}", f"Pages that gave: {name}") for name in FIELDS),
        *(_count(f"ruled_{name}", f"Pages where the outlet's own rules gave: {name}") for name in FIELDS),
        sa.PrimaryKeyConstraint("outlet_id", "rules", "day", "size", name="pk_coverage"),
        comment="What an outlet's pages gave each day, by rule version and class of body length",
    )
    op.create_table(
        "readings",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False, comment="Order of reading"),
        sa.Column("outlet_id", sa.Text(), nullable=False, comment="outlets.id"),
        sa.Column("rules", sa.Text(), nullable=False, comment="Version of the outlet's rules"),
        sa.Column("found", DOCUMENT, nullable=False, comment="JSON list: fields that the page gave"),
        sa.Column("ruled", DOCUMENT, nullable=False, comment="JSON list: those that the outlet's own rules gave"),
        sa.Column("characters", sa.Integer(), nullable=False, comment="Characters of the body that the rules chose"),
        sa.Column("read_at", TIMESTAMP, nullable=False, comment="When it was decided"),
        sa.PrimaryKeyConstraint("id", name="pk_readings"),
        comment="The last pages of each outlet, against which its coverage is held",
        sqlite_autoincrement=True,
    )
    op.create_index("ix_readings_outlet_rules", "readings", ["outlet_id", "rules", "id"])
