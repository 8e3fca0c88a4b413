"""Articles as the flat records that leave warta: JSON for the API and every delivery, rows for CSV.

The fields are a contract, described in docs/consumers.md and versioned by :data:`SCHEMA`.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from storage.content import document
from storage.model import Article, StoredArticle

#: Version of records and envelopes; fields are added under the same number, never changed or taken away.
SCHEMA = 1

#: Columns of a CSV, in order.
CSV_COLUMNS = (
    "id", "revision", "outlet_id", "url", "title", "subtitle", "authors", "editor", "agency", "places", "published",
    "published_from", "updated", "section", "tags", "language", "word_count", "first_seen", "copy_of", "text",
)  # fmt: skip

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def iso(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC with a ``Z``."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def record_of(row: Any) -> dict[str, Any]:
    """The record of a row with ``id revision first_seen revised_at copy_of cluster retracted_at content``."""
    return _record(
        row.content,
        {
            "id": row.id,
            "revision": row.revision,
            "first_seen": iso(row.first_seen),
            "revised_at": iso(row.revised_at),
            "copy_of": row.copy_of,
            "cluster": row.cluster,
            "retracted_at": iso(row.retracted_at),
        },
    )


def record(stored: StoredArticle) -> dict[str, Any]:
    """The record of a stored article."""
    return _record(
        document(stored.article),
        {
            "id": stored.id,
            "revision": stored.revision,
            "first_seen": iso(stored.first_seen),
            "revised_at": iso(stored.revised_at),
            "copy_of": stored.copy_of,
            "cluster": stored.cluster,
            "retracted_at": iso(stored.retracted_at),
        },
    )


def content_of(article: Article) -> dict[str, Any]:
    """The fields of a record that come from the page: all but ids, times of storing and links to others."""
    return _record(document(article), {})


def _record(content: Mapping[str, Any], head: dict[str, Any]) -> dict[str, Any]:
    fields = head | dict(content)
    if "text" not in fields:
        fields["text"] = "\n\n".join(block["text"] for block in content["body"])
    fields["provenance"] = dict(content["provenance"])
    for name in ("published", "updated"):
        if fields[name] is not None:
            fields[name] = fields[name].replace("+00:00", "Z")
    return fields


def json_line(fields: Mapping[str, Any]) -> str:
    """One JSON object and a newline."""
    return json.dumps(fields, ensure_ascii=False) + "\n"


def csv_line(values: Sequence[str]) -> str:
    """One line of RFC 4180 CSV."""
    buffer = io.StringIO()
    csv.writer(buffer).writerow(values)
    return buffer.getvalue()


def csv_row(fields: Mapping[str, Any], columns: Sequence[str] = CSV_COLUMNS) -> list[str]:
    """The values of `columns`; lists are joined by ``; ``."""
    return [csv_value(fields.get(name)) for name in columns]


def csv_value(value: object) -> str:
    """Text that no spreadsheet takes for a formula (OWASP: leading = + - @ tab and carriage return)."""
    if isinstance(value, list | tuple):
        value = "; ".join(map(str, value))
    text = "" if value is None else str(value)
    return "'" + text if text.startswith(_FORMULA) else text
