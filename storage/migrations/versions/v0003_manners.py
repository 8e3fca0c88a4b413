"""What manners remember: audits of validators, gaps, addresses that are gone, children of sitemaps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TIMESTAMP = sa.TIMESTAMP(timezone=True).with_variant(sa.Text(), "sqlite")
NOTE = sa.JSON().with_variant(JSONB(), "postgresql")


def _time(name: str, comment: str) -> sa.Column[object]:
    return sa.Column(name, TIMESTAMP, nullable=True, comment=comment)


def _count(name: str, comment: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False, server_default=sa.text("0"), comment=comment)


def upgrade() -> None:
    """Add the columns and the table."""
    missing = "Since when there is no source at its address (404, 410, a page); null while there is"
    adopted = "Polled in place of url: a redirect that held, or a proposal that was taken"
    for column in (
        sa.Column("adopted_url", sa.Text(), comment=adopted),
        _time("distrusted_at", "Since when its validators are not sent: a 304 of it was contradicted"),
        _count("unaudited", "304s taken on trust since its validators were last audited"),
        _count("audits", "Audits in a row in which its validators told the truth"),
        sa.Column("window", NOTE, comment="JSON list: digests of what it listed last, to tell a gap by"),
        _time("gap_since", "Items since then may have been missed; the run asked for looks that far back"),
        _count("gone_days", "Days in a row with a 410"),
        _time("gone_counted_at", "When the last of these days was counted"),
        _time("gone_at", "Since when it is taken for gone; null while it is not"),
        _time("missing_since", missing),
        _time("searched_at", "When a replacement was last searched for"),
        sa.Column("proposal", NOTE, comment="JSON object: a feed that may replace it; applied by a person only"),
    ):
        op.add_column("sources", column)
    evidence = "JSON object: what was served in place of the source: title, type, first words"
    op.add_column("runs", sa.Column("evidence", NOTE, comment=evidence))
    _children()
    if op.get_bind().dialect.name == "postgresql":
        op.execute("COMMENT ON COLUMN runs.trigger IS 'schedule, manual, resume or gap'")
        op.execute("COMMENT ON COLUMN fates.reason IS 'Why it is looked at: new, changed, moved, gap, revisit …'")


def _children() -> None:
    op.create_table(
        "sitemap_children",
        sa.Column("source_id", sa.Text(), nullable=False, comment="sources.id"),
        sa.Column("url", sa.Text(), nullable=False, comment="Address of the child"),
        sa.Column("parent", sa.Text(), nullable=False, comment="Address of the index that lists it"),
        sa.Column("lastmod", sa.Text(), comment="As the index writes it"),
        sa.Column("etag", sa.Text(), comment="ETag of its last good answer, byte for byte"),
        sa.Column("last_modified", sa.Text(), comment="Last-Modified of its last good answer, byte for byte"),
        sa.Column("body_hash", sa.Text(), comment="sha256 of its last body"),
        _time("fetched_at", "When it was last fetched; null for those that were only listed"),
        _time("changed_at", "When it last brought news"),
        _count("quiet", "Fetches in a row that brought no news"),
        _time("probe_at", "When it is looked at again although its lastmod stays the same; null: never"),
        _time("retired_at", "Since when it is only probed; null while it is followed"),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name="fk_sitemap_children_source_id_sources", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("source_id", "url", name="pk_sitemap_children"),
        comment="What is remembered of the children of sitemap indexes; those that an index drops are deleted",
    )
