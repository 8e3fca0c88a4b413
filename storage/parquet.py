"""Records as Parquet; needs the extra ``warta[parquet]``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

#: Column to type: text, number, share, time, texts (a list) or json (a document as text).
COLUMNS = {
    "event_id": "number", "key": "text", "event": "text", "created_at": "time",
    "materiality": "share", "detail": "json",
    "id": "text", "revision": "number", "outlet_id": "text", "url": "text", "title": "text", "subtitle": "text",
    "text": "text", "language": "text", "authors": "texts", "editor": "text", "agency": "text", "brand": "text",
    "places": "texts", "section": "text", "tags": "texts", "published": "time", "published_from": "text",
    "updated": "time", "updated_from": "text", "word_count": "number", "copy_of": "text", "cluster": "text",
    "first_seen": "time", "revised_at": "time", "retracted_at": "time", "content_hash": "text", "body_hash": "text",
    "body": "json", "images": "json", "related": "json", "provenance": "json",
}  # fmt: skip

#: Columns that only events have, the first of them in CSV, too.
EVENT_COLUMNS = ("event_id", "key", "event", "created_at")
EVENT_DETAIL = ("materiality", "detail")


class ParquetMissing(Exception):
    """The library that writes Parquet is not installed."""

    def __init__(self) -> None:
        super().__init__("Parquet needs pyarrow: pip install 'warta[parquet]'")


def write_parquet(path: Path, records: Sequence[Mapping[str, Any]]) -> None:
    """Write event records, or article records when the first has no ``event_id``, to a file of one row group.

    Raises ParquetMissing.
    """
    with ParquetFile(path, events=bool(records) and "event_id" in records[0]) as file:
        file.write(records)


class ParquetFile:
    """A file that is written in row groups."""

    def __init__(self, path: Path, *, events: bool) -> None:
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError as error:
            raise ParquetMissing from error
        kinds = {
            "text": pyarrow.string(),
            "json": pyarrow.string(),
            "number": pyarrow.int64(),
            "share": pyarrow.float64(),
            "time": pyarrow.timestamp("us", tz="UTC"),
            "texts": pyarrow.list_(pyarrow.string()),
        }
        names = [name for name in COLUMNS if events or name not in (*EVENT_COLUMNS, *EVENT_DETAIL)]
        self._schema = pyarrow.schema([(name, kinds[COLUMNS[name]]) for name in names])
        self._arrow = pyarrow
        self._writer = pyarrow.parquet.ParquetWriter(path, self._schema, compression="zstd")

    def write(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Add a row group."""
        rows = list(records)
        columns = [[_value(name, row.get(name)) for row in rows] for name in self._schema.names]
        arrays = [
            self._arrow.array(column, type=field.type) for column, field in zip(columns, self._schema, strict=True)
        ]
        self._writer.write_table(self._arrow.table(arrays, schema=self._schema))

    def close(self) -> None:
        """Write the end of the file."""
        self._writer.close()

    def __enter__(self) -> ParquetFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _value(name: str, value: Any) -> Any:
    if value is None:
        return None
    match COLUMNS[name]:
        case "time":
            return datetime.fromisoformat(value)
        case "json":
            return json.dumps(value, ensure_ascii=False)
        case _:
            return value
