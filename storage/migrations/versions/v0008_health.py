"""States of sources, incidents, alerts and silences."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TIMESTAMP = sa.TIMESTAMP(timezone=True).with_variant(sa.Text(), "sqlite")
NOTE = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WAITING = sa.text("sent_at IS NULL AND dropped_at IS NULL")
OPEN = sa.text("ended_at IS NULL")


def upgrade() -> None:
    """Add the columns and the tables."""
    _sources()
    _flips()
    _incidents()
    _messages()
    _silences()


def _id(comment: str | None = None) -> sa.Column[int]:
    return sa.Column("id", SERIAL, autoincrement=True, nullable=False, comment=comment)


def _text(name: str, comment: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable, comment=comment)


def _time(name: str, comment: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, TIMESTAMP, nullable=nullable, comment=comment)


def _number(name: str, comment: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False, comment=comment)


def _sources() -> None:
    for column in (
        _time("last_item", "When it last listed an item that it had not listed before", nullable=True),
        sa.Column(
            "health", sa.Text(), nullable=False, server_default=sa.text("'new'"), comment="Its state as last judged"
        ),
        _time("health_since", "When that state began; null before it was first judged", nullable=True),
        _text("health_said", "One sentence on that state", nullable=True),
        sa.Column(
            "health_flips", sa.Integer(), nullable=False, server_default=sa.text("0"),
            comment="Changes of state there were: the number of the last row in flips",
        ),
    ):  # fmt: skip
        op.add_column("sources", column)
    op.create_index("ix_sources_health", "sources", ["removed_at", "paused", "health"])


def _flips() -> None:
    op.create_table(
        "flips",
        _id("Order in which they were noticed"),
        _text("source_id", "sources.id"),
        _text("outlet_id", "outlets.id"),
        _number("number", "From 1 for each source: two that judge cannot both write it"),
        _text("was", "State before"),
        _text("became", "State from then on"),
        _text("sentence", "Why, for a person"),
        sa.Column("evidence", NOTE, comment="JSON object: the numbers that it was judged by"),
        _time("began_at", "When the state began"),
        _time("noticed_at", "When that was noticed"),
        sa.PrimaryKeyConstraint("id", name="pk_flips"),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_flips_source_id_sources"),
        sa.UniqueConstraint("source_id", "number", name="uq_flips_source_id_number"),
        comment="Changes of the state of sources, each dated when it began",
        sqlite_autoincrement=True,
    )
    op.create_index("ix_flips_outlet_id", "flips", ["outlet_id", "id"])
    op.create_index("ix_flips_noticed_at", "flips", ["noticed_at"])


def _incidents() -> None:
    op.create_table(
        "incidents",
        _id("Order in which they were noticed"),
        _text("rule", "Rule of the configuration's `alerts` that found it"),
        _text("key", "What it is about, within its rule: an outlet, a source, a consumer"),
        _text("outlet_id", "outlets.id, when it is about one outlet", nullable=True),
        _text("severity", "info, warning or critical"),
        _text("title", "A few words"),
        _text("sentence", "What is wrong, for a person"),
        sa.Column("sources", NOTE, comment="JSON list: the first of the sources that it is about"),
        _number("source_count", "How many sources it is about; 0 for none"),
        _text("path", "Page of the monitor that shows it, such as /runs/ID"),
        _time("began_at", "When it began"),
        _time("noticed_at", "When it was noticed"),
        _time("seen_at", "When it was last found to go on"),
        _time("ended_at", "When it was over; null while it goes on", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_incidents"),
        comment="What was wrong, from when to when; related trouble is one row",
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_incidents_open", "incidents", ["rule", "key"], unique=True, sqlite_where=OPEN, postgresql_where=OPEN
    )
    op.create_index("ix_incidents_noticed_at", "incidents", ["noticed_at"])


def _messages() -> None:
    op.create_table(
        "alert_messages",
        _id("Order of writing"),
        sa.Column("incident_id", SERIAL, comment="Null for tests"),
        _text("channel", "Channel of the configuration's `alerts`"),
        _text("kind", "opened, escalated, repeated, recovered or test"),
        _number("number", "From 0 among those of one kind: none is written twice"),
        _text("severity", "info, warning or critical"),
        _text("title", "Subject"),
        _text("body", "Plain text"),
        _time("created_at", "When it was decided to send it"),
        _time("not_before", "Not tried before this; null: at once", nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default=sa.text("0"), comment="Tries so far"),
        _text("last_error", "Why the last try failed; null when it did not", nullable=True),
        _time("sent_at", "When the channel took it", nullable=True),
        _time("dropped_at", "When it was given up, or was no longer worth telling", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_alert_messages"),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name="fk_alert_messages_incident_id_incidents", ondelete="CASCADE"
        ),
        sa.UniqueConstraint(
            "incident_id", "channel", "kind", "number", name="uq_alert_messages_incident_id_channel_kind_number"
        ),
        comment="What was told of incidents, to whom, and whether it arrived; written with the change that it tells of",
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_alert_messages_waiting", "alert_messages", ["channel", "id"], sqlite_where=WAITING, postgresql_where=WAITING
    )


def _silences() -> None:
    op.create_table(
        "silences",
        _id(),
        _text("rule", "Only incidents of this rule; null: of any", nullable=True),
        _text("outlet_id", "Only incidents of this outlet; null: of any", nullable=True),
        _text("source_id", "Only incidents that are about this source alone; null: any", nullable=True),
        _time("until", "When it ends by itself"),
        _text("who", "Who asked for it"),
        sa.Column("reason", sa.Text(), nullable=False, server_default=sa.text("''"), comment="Why, for others"),
        _time("created_at", "Since when it holds"),
        _time("ended_at", "When a person ended it early", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_silences"),
        comment="What nobody is to be told of for a while",
        sqlite_autoincrement=True,
    )
    op.create_index("ix_silences_until", "silences", ["until"])
