"""Column types that mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, TIMESTAMP, BigInteger, Dialect, Integer, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator, TypeEngine


class Timestamp(TypeDecorator[datetime]):
    """An aware UTC datetime.

    PostgreSQL keeps ``timestamptz``. SQLite keeps text of fixed width, ``2026-01-31T23:59:59.000000Z``:
    it sorts as time does, and SQLite's own date functions read it.
    """

    impl = TIMESTAMP
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Text on SQLite, timestamp with time zone elsewhere."""
        kind: TypeEngine[Any] = Text() if dialect.name == "sqlite" else TIMESTAMP(timezone=True)
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """To UTC; a naive datetime is a bug of the caller and raises ValueError."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}: storage takes aware datetimes only")
        value = value.astimezone(UTC)
        if dialect.name != "sqlite":
            return value
        return value.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Aware, in UTC."""
        if value is None:
            return None
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        assert isinstance(moment, datetime)
        return moment.astimezone(UTC)


#: A JSON document: text on SQLite, ``jsonb`` on PostgreSQL.
Document = JSON().with_variant(JSONB(), "postgresql")

#: The same, where a missing document is SQL's null and not JSON's.
Note = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

#: A growing number; SQLite only counts by itself in a column of type INTEGER.
Serial = BigInteger().with_variant(Integer(), "sqlite")
