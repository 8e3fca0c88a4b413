"""The tables that hold what pages gave, field by field."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, Table, Text

from storage.columns import Document, Serial, Timestamp
from storage.model import FIELDS
from storage.tables import metadata


def _count(name: str, comment: str) -> Column[int]:
    return Column(name, Integer, nullable=False, comment=comment)


coverage = Table(
    "coverage",
    metadata,
    Column("outlet_id", Text, nullable=False, comment="outlets.id"),
    Column("rules", Text, nullable=False, comment="Version of the outlet's rules: current, or until and its last day"),
    Column("day", Text, nullable=False, comment="Day in UTC, 2026-11-23"),
    Column("size", Integer, nullable=False, comment="Class of body lengths: 0 is empty, each four a doubling"),
    _count("pages", "Pages read"),
    _count("characters", "Characters of their bodies"),
    *(_count(f"found_{name}", f"Pages that gave: {name}") for name in FIELDS),
    *(_count(f"ruled_{name}", f"Pages where the outlet's own rules gave: {name}") for name in FIELDS),
    PrimaryKeyConstraint("outlet_id", "rules", "day", "size"),
    comment="What an outlet's pages gave each day, by rule version and class of body length",
)

readings = Table(
    "readings",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True, comment="Order of reading"),
    Column("outlet_id", Text, nullable=False, comment="outlets.id"),
    Column("rules", Text, nullable=False, comment="Version of the outlet's rules"),
    Column("found", Document, nullable=False, comment="JSON list: fields that the page gave"),
    Column("ruled", Document, nullable=False, comment="JSON list: those that the outlet's own rules gave"),
    Column("characters", Integer, nullable=False, comment="Characters of the body that the rules chose"),
    Column("read_at", Timestamp, nullable=False, comment="When it was decided"),
    Index("ix_readings_outlet_rules", "outlet_id", "rules", "id"),
    comment="The last pages of each outlet, against which its coverage is held",
    sqlite_autoincrement=True,
)
