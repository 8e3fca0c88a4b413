"""The tables of revisits: which stored pages are looked at again and when, and how often outlets edit."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, Table, Text, text

from storage.columns import Timestamp
from storage.tables import metadata

visits = Table(
    "visits",
    metadata,
    Column("article_id", Text, ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True, comment="articles.id"),
    Column("outlet_id", Text, nullable=False, comment="outlets.id"),
    Column("url", Text, nullable=False, comment="Address that is asked"),
    Column("due_at", Timestamp, comment="When it is looked at again; moved ahead when claimed; null: not any more"),
    Column("step", Integer, nullable=False, server_default=text("0"), comment="Visits of the plan that are behind"),
    Column("visited_at", Timestamp, comment="When the page was last asked for"),
    Column("etag", Text, comment="ETag of the page as last read, byte for byte"),
    Column("last_modified", Text, comment="Last-Modified of the page as last read, byte for byte"),
    Column(
        "idle", Integer, nullable=False, server_default=text("0"), comment="Signs of a change in a row that meant none"
    ),
    Column("absent_since", Timestamp, comment="Since when the page is missing; null while it is there"),
    Column(
        "absences", Integer, nullable=False, server_default=text("0"), comment="Looks in a row that found it missing"
    ),
    Column("absence", Text, comment="How it was missing: gone, not_found, redirect, notice or replaced"),
    Index("ix_visits_due_at", "due_at"),
    Index("ix_visits_outlet_due", "outlet_id", "due_at"),
    Index("ix_visits_outlet_visited", "outlet_id", "visited_at"),
    comment="Pages of stored articles that are looked at again: the one truth about what is due",
)

edit_rates = Table(
    "edit_rates",
    metadata,
    Column("outlet_id", Text, nullable=False, comment="outlets.id"),
    Column("step", Integer, nullable=False, comment="Visit of the plan, from 0"),
    Column("visits", Integer, nullable=False, comment="Visits made, older ones fading"),
    Column("edits", Integer, nullable=False, comment="Those that found a change"),
    PrimaryKeyConstraint("outlet_id", "step"),
    comment="How often a look at an outlet's pages finds them changed",
)
