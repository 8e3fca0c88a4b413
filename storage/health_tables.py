"""The tables of health and alerts: changes of state, incidents, what was told of them, and what is kept quiet."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, text

from storage.columns import Note, Serial, Timestamp
from storage.tables import metadata

flips = Table(
    "flips",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True, comment="Order in which they were noticed"),
    Column("source_id", Text, ForeignKey("sources.id"), nullable=False, comment="sources.id"),
    Column("outlet_id", Text, nullable=False, comment="outlets.id"),
    Column("number", Integer, nullable=False, comment="From 1 for each source: two that judge cannot both write it"),
    Column("was", Text, nullable=False, comment="State before"),
    Column("became", Text, nullable=False, comment="State from then on"),
    Column("sentence", Text, nullable=False, comment="Why, for a person"),
    Column("evidence", Note, comment="JSON object: the numbers that it was judged by"),
    Column("began_at", Timestamp, nullable=False, comment="When the state began"),
    Column("noticed_at", Timestamp, nullable=False, comment="When that was noticed"),
    UniqueConstraint("source_id", "number"),
    Index("ix_flips_outlet_id", "outlet_id", "id"),
    Index("ix_flips_noticed_at", "noticed_at"),
    comment="Changes of the state of sources, each dated when it began",
    sqlite_autoincrement=True,
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True, comment="Order in which they were noticed"),
    Column("rule", Text, nullable=False, comment="Rule of the configuration's `alerts` that found it"),
    Column("key", Text, nullable=False, comment="What it is about, within its rule: an outlet, a source, a consumer"),
    Column("outlet_id", Text, comment="outlets.id, when it is about one outlet"),
    Column("severity", Text, nullable=False, comment="info, warning or critical"),
    Column("title", Text, nullable=False, comment="A few words"),
    Column("sentence", Text, nullable=False, comment="What is wrong, for a person"),
    Column("sources", Note, comment="JSON list: the first of the sources that it is about"),
    Column("source_count", Integer, nullable=False, comment="How many sources it is about; 0 for none"),
    Column("path", Text, nullable=False, comment="Page of the monitor that shows it, such as /runs/ID"),
    Column("began_at", Timestamp, nullable=False, comment="When it began"),
    Column("noticed_at", Timestamp, nullable=False, comment="When it was noticed"),
    Column("seen_at", Timestamp, nullable=False, comment="When it was last found to go on"),
    Column("ended_at", Timestamp, comment="When it was over; null while it goes on"),
    Index(
        "ix_incidents_open",
        "rule",
        "key",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index("ix_incidents_noticed_at", "noticed_at"),
    comment="What was wrong, from when to when; related trouble is one row",
    sqlite_autoincrement=True,
)

alert_messages = Table(
    "alert_messages",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True, comment="Order of writing"),
    Column("incident_id", Serial, ForeignKey("incidents.id", ondelete="CASCADE"), comment="Null for tests"),
    Column("channel", Text, nullable=False, comment="Channel of the configuration's `alerts`"),
    Column("kind", Text, nullable=False, comment="opened, escalated, repeated, recovered or test"),
    Column("number", Integer, nullable=False, comment="From 0 among those of one kind: none is written twice"),
    Column("severity", Text, nullable=False, comment="info, warning or critical"),
    Column("title", Text, nullable=False, comment="Subject"),
    Column("body", Text, nullable=False, comment="Plain text"),
    Column("created_at", Timestamp, nullable=False, comment="When it was decided to send it"),
    Column("not_before", Timestamp, comment="Not tried before this; null: at once"),
    Column("attempts", Integer, nullable=False, server_default=text("0"), comment="Tries so far"),
    Column("last_error", Text, comment="Why the last try failed; null when it did not"),
    Column("sent_at", Timestamp, comment="When the channel took it"),
    Column("dropped_at", Timestamp, comment="When it was given up, or was no longer worth telling"),
    UniqueConstraint("incident_id", "channel", "kind", "number"),
    Index(
        "ix_alert_messages_waiting",
        "channel",
        "id",
        sqlite_where=text("sent_at IS NULL AND dropped_at IS NULL"),
        postgresql_where=text("sent_at IS NULL AND dropped_at IS NULL"),
    ),
    comment="What was told of incidents, to whom, and whether it arrived; written with the change that it tells of",
    sqlite_autoincrement=True,
)

silences = Table(
    "silences",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("rule", Text, comment="Only incidents of this rule; null: of any"),
    Column("outlet_id", Text, comment="Only incidents of this outlet; null: of any"),
    Column("source_id", Text, comment="Only incidents that are about this source alone; null: any"),
    Column("until", Timestamp, nullable=False, comment="When it ends by itself"),
    Column("who", Text, nullable=False, comment="Who asked for it"),
    Column("reason", Text, nullable=False, server_default=text("''"), comment="Why, for others"),
    Column("created_at", Timestamp, nullable=False, comment="Since when it holds"),
    Column("ended_at", Timestamp, comment="When a person ended it early"),
    Index("ix_silences_until", "until"),
    comment="What nobody is to be told of for a while",
    sqlite_autoincrement=True,
)
