from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from storage.articles import ArticleFilter
from storage.storage import Storage
from storage.views import VIEWS

DOCS = Path(__file__).parents[2] / "docs"


async def test_every_field_of_events_and_records_is_documented(storage: Storage, desk: Any) -> None:
    await desk.publish("beras")
    text = (DOCS / "consumers.md").read_text()
    (event,) = (await storage.events.after(0, 1)).events
    ((_, record),) = (await storage.events.articles(ArticleFilter())).records
    assert [name for name in (*event.envelope(), *record) if f"`{name}`" not in text] == []


def test_every_view_is_documented_with_its_columns(fresh_sqlite: Any) -> None:
    text = (DOCS / "sql.md").read_text()
    with sqlite3.connect(fresh_sqlite().removeprefix("sqlite:///")) as connection:
        for view in VIEWS:
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({view})")]
            row = next(line for line in text.splitlines() if line.startswith(f"| `{view}`"))
            assert row.endswith("| " + ", ".join(f"`{column}`" for column in columns) + " |")
    connection.close()


def test_every_example_of_sql_runs(fresh_sqlite: Any) -> None:
    blocks = (DOCS / "sql.md").read_text().split("```sql\n")[1:]
    connection = sqlite3.connect(fresh_sqlite().removeprefix("sqlite:///"))
    statements = [s for block in blocks for s in block.split("```")[0].split(";") if s.strip()]
    for statement in statements:
        connection.execute(statement).fetchall()
    connection.close()
    assert len(statements) > 4
