"""When pages are looked at again, how often outlets edit, and what an event says of a change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TIMESTAMP = sa.TIMESTAMP(timezone=True).with_variant(sa.Text(), "sqlite")
NOTE = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

COMMENTS = (
    ("outbox", "event", "new, copy, backfilled, revised, reextracted, corrected, moved or retracted"),
    ("revisions", "reason", "first, revised, corrected, moved or reextracted"),
    ("runs", "trigger", "schedule, manual, resume, gap, push or revisit"),
)

# Written out here, not taken from storage.views: what a migration made must not change.
EVENT_VIEW = (
    "CREATE VIEW event_v1 AS SELECT e.id, e.article_id || ':' || CAST(e.revision AS TEXT) || ':' || e.event AS "
    "event_key, e.event, e.article_id, e.revision, e.outlet_id, e.created_at, e.materiality, e.detail FROM outbox AS e"
)


def upgrade() -> None:
    """Add the tables and columns."""
    _visits()
    op.create_table(
        "edit_rates",
        sa.Column("outlet_id", sa.Text(), nullable=False, comment="outlets.id"),
        sa.Column("step", sa.Integer(), nullable=False, comment="Visit of the plan, from 0"),
        sa.Column("visits", sa.Integer(), nullable=False, comment="Visits made, older ones fading"),
        sa.Column("edits", sa.Integer(), nullable=False, comment="Those that found a change"),
        sa.PrimaryKeyConstraint("outlet_id", "step", name="pk_edit_rates"),
        comment="How often a look at an outlet's pages finds them changed",
    )
    op.execute("DROP VIEW event_v1")
    share = "How much of the content changed, 0 to 1; null where nothing was compared"
    op.add_column("outbox", sa.Column("materiality", sa.Float(), comment=share))
    op.add_column("outbox", sa.Column("detail", NOTE, comment="JSON object: more of what happened; null without"))
    op.execute(EVENT_VIEW)
    if op.get_bind().dialect.name == "postgresql":
        for table, column, comment in COMMENTS:
            op.alter_column(table, column, comment=comment)


def _visits() -> None:
    due = "When it is looked at again; moved ahead when claimed; null: not any more"
    op.create_table(
        "visits",
        sa.Column("article_id", sa.Text(), nullable=False, comment="articles.id"),
        sa.Column("outlet_id", sa.Text(), nullable=False, comment="outlets.id"),
        sa.Column("url", sa.Text(), nullable=False, comment="Address that is asked"),
        sa.Column("due_at", TIMESTAMP, comment=due),
        _count("step", "Visits of the plan that are behind"),
        sa.Column("visited_at", TIMESTAMP, comment="When the page was last asked for"),
        sa.Column("etag", sa.Text(), comment="ETag of the page as last read, byte for byte"),
        sa.Column("last_modified", sa.Text(), comment="Last-Modified of the page as last read, byte for byte"),
        _count("idle", "Signs of a change in a row that meant none"),
        sa.Column("absent_since", TIMESTAMP, comment="Since when the page is missing; null while it is there"),
        _count("absences", "Looks in a row that found it missing"),
        sa.Column("absence", sa.Text(), comment="How it was missing: gone, not_found, redirect, notice or replaced"),
        sa.PrimaryKeyConstraint("article_id", name="pk_visits"),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name="fk_visits_article_id_articles", ondelete="CASCADE"
        ),
        comment="Pages of stored articles that are looked at again: the one truth about what is due",
    )
    op.create_index("ix_visits_due_at", "visits", ["due_at"])
    op.create_index("ix_visits_outlet_due", "visits", ["outlet_id", "due_at"])
    op.create_index("ix_visits_outlet_visited", "visits", ["outlet_id", "visited_at"])


def _count(name: str, comment: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False, server_default=sa.text("0"), comment=comment)
