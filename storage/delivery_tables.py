"""The tables of delivery: who is told of events, and what each has still to get."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, Table, Text, text

from storage.columns import Serial, Timestamp
from storage.tables import metadata, outbox

#: Pages and replays of one outlet.
Index("ix_outbox_outlet_id", outbox.c.outlet_id, outbox.c.id)

consumers = Table(
    "consumers",
    metadata,
    Column("name", Text, primary_key=True, comment="As in the configuration's list `deliver`"),
    Column("kind", Text, nullable=False, comment="webhook, stream or files"),
    Column("cursor", Serial, nullable=False, comment="outbox.id up to which everything was taken over"),
    Column(
        "fence",
        Serial,
        nullable=False,
        server_default=text("0"),
        comment="Highest token of a process that delivers; older may not write",
    ),
    Column("delivered", Serial, nullable=False, server_default=text("0"), comment="Events it has accepted"),
    Column("failures", Integer, nullable=False, server_default=text("0"), comment="Refusals since it last accepted"),
    Column("not_before", Timestamp, comment="Nothing is sent before this; null: at once"),
    Column("last_delivered", Timestamp, comment="When it last accepted an event"),
    Column("last_failed", Timestamp, comment="When it last refused one or could not be reached"),
    Column("last_error", Text, comment="One sentence on that"),
    Column("created_at", Timestamp, nullable=False, comment="When it was first configured"),
    comment="Who is told of events, and how far each has got",
)

deliveries = Table(
    "deliveries",
    metadata,
    Column(
        "consumer",
        Text,
        ForeignKey("consumers.name", ondelete="CASCADE"),
        nullable=False,
        comment="consumers.name",
    ),
    Column("event_id", Serial, nullable=False, comment="outbox.id"),
    Column("article_id", Text, nullable=False, comment="articles.id; its events go one after the other"),
    Column("status", Text, nullable=False, comment="waiting or dead"),
    Column("attempts", Integer, nullable=False, server_default=text("0"), comment="Times it was refused"),
    Column("next_attempt", Timestamp, nullable=False, comment="Not sent before this"),
    Column(
        "first_failed", Timestamp, comment="When it was first refused; null: it waits behind another, or is a replay"
    ),
    Column("last_error", Text, comment="One sentence on the last refusal"),
    PrimaryKeyConstraint("consumer", "event_id"),
    Index("ix_deliveries_due", "consumer", "status", "next_attempt"),
    Index("ix_deliveries_article_id", "consumer", "article_id", "event_id"),
    comment="Events behind a consumer's cursor that it has not accepted: to be tried again, replayed, or dead",
    sqlite_with_rowid=False,
)
