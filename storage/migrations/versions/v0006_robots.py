"""What robots.txt had to do with each run."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    ignored = "ignored, when the configuration says so; null: robots.txt was obeyed"
    asked = "Seconds between requests that robots.txt asks for; null: it does not say"
    op.add_column("runs", sa.Column("robots", sa.Text(), comment=ignored))
    op.add_column("runs", sa.Column("crawl_delay", sa.Float(), comment=asked))
