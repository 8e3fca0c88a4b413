"""Consumers and what they have still to get; views for programs that read by SQL."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TIMESTAMP = sa.TIMESTAMP(timezone=True).with_variant(sa.Text(), "sqlite")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# Written out here, not taken from storage.views: what a migration made must not change.
VIEWS = (
    (
        "CREATE VIEW article_v1 AS SELECT a.seq, a.id, a.outlet_id, a.url, a.title, a.subtitle, a.text, "
        "a.language, a.authors, a.editor, a.agency, a.brand, a.places, a.section, a.tags, a.published, "
        "a.published_from, a.updated, a.updated_from, a.word_count, a.copy_of, a.cluster, a.revision, "
        "a.first_seen, a.revised_at, a.retracted_at FROM articles AS a"
    ),
    (
        "CREATE VIEW revision_v1 AS SELECT r.article_id, r.revision, r.reason, r.title, r.content, "
        "r.content_hash, r.body_hash, r.run_id, r.created_at FROM revisions AS r"
    ),
    (
        "CREATE VIEW event_v1 AS SELECT e.id, e.article_id || ':' || CAST(e.revision AS TEXT) || ':' || "
        "e.event AS event_key, e.event, e.article_id, e.revision, e.outlet_id, e.created_at FROM outbox AS e"
    ),
    (
        "CREATE VIEW outlet_v1 AS SELECT o.id, o.name, o.homepage, o.grp AS group_name, o.language, "
        "o.timezone, o.country FROM outlets AS o"
    ),
    (
        "CREATE VIEW source_v1 AS SELECT s.id, s.outlet_id, s.kind, s.url, s.next_attempt, s.last_attempt, "
        "s.last_success, s.last_new, s.failures, s.last_failure, s.last_failure_message, s.paused, "
        "s.removed_at FROM sources AS s"
    ),
    (
        'CREATE VIEW run_v1 AS SELECT r.id, r.source_id, r.outlet_id, r."trigger" AS started_by, r.status, '
        "r.reason, r.message, r.scheduled_for, r.started_at, r.finished_at, r.discovered, r.stored, "
        "r.revised, r.unchanged, r.duplicate, r.filtered, r.failed, r.pending, r.http_status, r.duration FROM"
        " runs AS r"
    ),
    (
        "CREATE VIEW fate_v1 AS SELECT f.id, f.run_id, f.source_id, f.outlet_id, f.url, f.title, f.kind, "
        'f.rule, f.detail, f.article_id, f.revision, f."of" AS duplicate_of, f.discovered_at, f.decided_at, '
        "f.attempts, f.retry_at FROM fates AS f"
    ),
    (
        'CREATE VIEW consumer_v1 AS SELECT c.name, c.kind, c."cursor" AS event_id, c.delivered, c.failures, '
        "c.last_delivered, c.last_failed, c.last_error FROM consumers AS c"
    ),
)


def upgrade() -> None:
    """Add the tables, the index of an outlet's events, and the views."""
    _consumers()
    _deliveries()
    op.create_index("ix_outbox_outlet_id", "outbox", ["outlet_id", "id"])
    for view in VIEWS:
        op.execute(view)


def _consumers() -> None:
    op.create_table(
        "consumers",
        sa.Column("name", sa.Text(), nullable=False, comment="As in the configuration's list `deliver`"),
        sa.Column("kind", sa.Text(), nullable=False, comment="webhook, stream or files"),
        sa.Column("cursor", SERIAL, nullable=False, comment="outbox.id up to which everything was taken over"),
        sa.Column(
            "fence",
            SERIAL,
            nullable=False,
            server_default=sa.text("0"),
            comment="Highest token of a process that delivers; older may not write",
        ),
        sa.Column("delivered", SERIAL, nullable=False, server_default=sa.text("0"), comment="Events it has accepted"),
        sa.Column(
            "failures",
            sa.Integer(),
            nullable=False,
            server_default=sa.text("0"),
            comment="Refusals since it last accepted",
        ),
        sa.Column("not_before", TIMESTAMP, comment="Nothing is sent before this; null: at once"),
        sa.Column("last_delivered", TIMESTAMP, comment="When it last accepted an event"),
        sa.Column("last_failed", TIMESTAMP, comment="When it last refused one or could not be reached"),
        sa.Column("last_error", sa.Text(), comment="One sentence on that"),
        sa.Column("created_at", TIMESTAMP, nullable=False, comment="When it was first configured"),
        sa.PrimaryKeyConstraint("name", name="pk_consumers"),
        comment="Who is told of events, and how far each has got",
    )


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("consumer", sa.Text(), nullable=False, comment="consumers.name"),
        sa.Column("event_id", SERIAL, nullable=False, comment="outbox.id"),
        sa.Column("article_id", sa.Text(), nullable=False, comment="articles.id; its events go one after the other"),
        sa.Column("status", sa.Text(), nullable=False, comment="waiting or dead"),
        sa.Column(
            "attempts", sa.Integer(), nullable=False, server_default=sa.text("0"), comment="Times it was refused"
        ),
        sa.Column("next_attempt", TIMESTAMP, nullable=False, comment="Not sent before this"),
        sa.Column(
            "first_failed",
            TIMESTAMP,
            comment="When it was first refused; null: it waits behind another, or is a replay",
        ),
        sa.Column("last_error", sa.Text(), comment="One sentence on the last refusal"),
        sa.PrimaryKeyConstraint("consumer", "event_id", name="pk_deliveries"),
        sa.ForeignKeyConstraint(
            ["consumer"], ["consumers.name"], name="fk_deliveries_consumer_consumers", ondelete="CASCADE"
        ),
        comment="Events behind a consumer's cursor that it has not accepted: to be tried again, replayed, or dead",
        sqlite_with_rowid=False,
    )
    op.create_index("ix_deliveries_due", "deliveries", ["consumer", "status", "next_attempt"])
    op.create_index("ix_deliveries_article_id", "deliveries", ["consumer", "article_id", "event_id"])
