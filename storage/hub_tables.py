"""The tables of WebSub: what hubs were asked for, and what they pushed."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, text

from storage.columns import Note, Serial, Timestamp
from storage.tables import metadata

hub_subscriptions = Table(
    "hub_subscriptions",
    metadata,
    Column("id", Text, primary_key=True, comment="Last part of the callback's address: unguessable"),
    Column("source_id", Text, ForeignKey("sources.id", ondelete="CASCADE"), nullable=False, comment="sources.id"),
    Column(
        "hub",
        Text,
        nullable=False,
        comment="Address that takes subscriptions: the one that is tried or verified",
    ),
    Column("topic", Text, nullable=False, comment="What is subscribed to: the source's own rel=self"),
    Column("secret", Text, nullable=False, comment="Key of the signatures of what is pushed"),
    Column("state", Text, nullable=False, comment="offered, asked, active, denied or leaving"),
    Column("callback", Text, comment="Public address it was asked with, without the id; null: never asked"),
    Column("act_at", Timestamp, comment="When something is next to be done about it; null: nothing"),
    Column("attempts", Integer, nullable=False, server_default=text("0"), comment="Requests since the last good end"),
    Column("lease_until", Timestamp, comment="When the hub forgets it"),
    Column("verified_at", Timestamp, comment="When the hub last asked whether we mean it"),
    Column("pushed_at", Timestamp, comment="When something good was last pushed"),
    Column("missed_at", Timestamp, comment="When a poll last found news that the hub had not pushed"),
    Column("digest", Text, comment="sha256 of what was pushed last, which hubs repeat"),
    Column("pushes", Integer, nullable=False, server_default=text("0"), comment="Pushes that were taken"),
    Column("ignored", Integer, nullable=False, server_default=text("0"), comment="Pushes without a right signature"),
    Column("message", Text, comment="One sentence on the last refusal; null after a good end"),
    Column("created_at", Timestamp, nullable=False, comment="When the source first named a hub"),
    Column("hubs", Note, comment="JSON list: all hubs that the source names, in its order; null: the one"),
    Index("ix_hub_subscriptions_source_id", "source_id"),
    Index("ix_hub_subscriptions_act_at", "act_at"),
    comment="WebSub subscriptions, at most one a source besides those that are being ended",
)

pushes = Table(
    "pushes",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True, comment="Order of arrival"),
    Column("source_id", Text, ForeignKey("sources.id", ondelete="CASCADE"), nullable=False, comment="sources.id"),
    Column("topic", Text, nullable=False, comment="What was subscribed to"),
    Column("content_type", Text, comment="Content-Type as received"),
    Column("body", LargeBinary, nullable=False, comment="As received"),
    Column("received_at", Timestamp, nullable=False, comment="When it came"),
    Index("ix_pushes_source_id", "source_id", "id"),
    comment="What hubs pushed and no run has read yet",
    sqlite_autoincrement=True,
)
