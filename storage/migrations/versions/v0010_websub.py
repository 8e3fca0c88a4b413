"""WebSub: subscriptions at hubs, and what they push."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TIMESTAMP = sa.TIMESTAMP(timezone=True).with_variant(sa.Text(), "sqlite")
NOTE = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _time(name: str, comment: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, TIMESTAMP, nullable=nullable, comment=comment)


def _text(name: str, comment: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable, comment=comment)


def _count(name: str, comment: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False, server_default=sa.text("0"), comment=comment)


def upgrade() -> None:
    """Add the column and the tables."""
    waiting = "When the oldest push of a hub came that no run has read; null without any"
    op.add_column("sources", _time("pushed_at", waiting))
    said = "JSON object: what it asks of pollers: interval and fresh (seconds), skip_hours"
    op.add_column("sources", sa.Column("said", NOTE, comment=said))
    present = sa.text("pushed_at IS NOT NULL")
    op.create_index("ix_sources_pushed", "sources", ["pushed_at"], sqlite_where=present, postgresql_where=present)
    if op.get_bind().dialect.name == "postgresql":
        asked = "No poll before this: the publisher asks so (Retry-After, freshness, ttl, Crawl-delay)"
        op.execute(f"COMMENT ON COLUMN sources.not_before IS '{asked}'")
        op.execute("COMMENT ON COLUMN runs.trigger IS 'schedule, manual, resume, gap or push'")
    _subscriptions()
    _pushes()


def _subscriptions() -> None:
    op.create_table(
        "hub_subscriptions",
        _text("id", "Last part of the callback's address: unguessable"),
        _text("source_id", "sources.id"),
        _text("hub", "Address that takes subscriptions"),
        _text("topic", "What is subscribed to: the source's own rel=self"),
        _text("secret", "Key of the signatures of what is pushed"),
        _text("state", "offered, asked, active, denied or leaving"),
        _text("callback", "Public address it was asked with, without the id; null: never asked", nullable=True),
        _time("act_at", "When something is next to be done about it; null: nothing"),
        _count("attempts", "Requests since the last good end"),
        _time("lease_until", "When the hub forgets it"),
        _time("verified_at", "When the hub last asked whether we mean it"),
        _time("pushed_at", "When something good was last pushed"),
        _time("missed_at", "When a poll last found news that the hub had not pushed"),
        _text("digest", "sha256 of what was pushed last, which hubs repeat", nullable=True),
        _count("pushes", "Pushes that were taken"),
        _count("ignored", "Pushes without a right signature"),
        _text("message", "One sentence on the last refusal; null after a good end", nullable=True),
        _time("created_at", "When the source first named this hub", nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name="fk_hub_subscriptions_source_id_sources", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_hub_subscriptions"),
        comment="WebSub subscriptions, at most one a source besides those that are being ended",
    )
    op.create_index("ix_hub_subscriptions_source_id", "hub_subscriptions", ["source_id"])
    op.create_index("ix_hub_subscriptions_act_at", "hub_subscriptions", ["act_at"])


def _pushes() -> None:
    op.create_table(
        "pushes",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False, comment="Order of arrival"),
        _text("source_id", "sources.id"),
        _text("topic", "What was subscribed to"),
        _text("content_type", "Content-Type as received", nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="As received"),
        _time("received_at", "When it came", nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_pushes_source_id_sources", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_pushes"),
        comment="What hubs pushed and no run has read yet",
        sqlite_autoincrement=True,
    )
    op.create_index("ix_pushes_source_id", "pushes", ["source_id", "id"])
