from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest

from storage.export import CSV_COLUMNS, csv_line, csv_row, csv_value, record
from storage.model import StoredArticle

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


@pytest.mark.parametrize("text", ["=1+1", "+62", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_taken_for_a_formula(text: str) -> None:
    assert csv_value(text) == "'" + text
    assert csv_value([text, "b"]) == f"'{text}; b"


def test_a_row_is_read_back_whatever_its_text(write_article: Any) -> None:
    article = write_article("beras", 'Kata "dia",\nlalu; diam.', title="=HYPERLINK(1)")
    stored = StoredArticle(id="a" * 16, revision=2, article=article, first_seen=NOW, revised_at=NOW)
    line = csv_line(CSV_COLUMNS) + csv_line(csv_row(record(stored)))
    (row,) = csv.DictReader(io.StringIO(line, newline=""))
    assert row["title"] == "'=HYPERLINK(1)"
    assert row["text"] == article.text
    assert row["tags"] == "beras; pangan"
    assert row["first_seen"] == "2026-11-23T08:00:00Z"
    assert row["published"] == ""


def test_a_record_holds_all_that_an_article_has(write_article: Any) -> None:
    article = write_article("beras")
    fields = record(StoredArticle(id="a" * 16, revision=1, article=article, first_seen=NOW, revised_at=NOW))
    missing = set(type(article).__slots__) - set(fields)
    assert missing == set()
    assert fields["text"] == article.text
