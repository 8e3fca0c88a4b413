"""Full-text search over title and text: FTS5 on SQLite, a generated tsvector on PostgreSQL.

No stemming on either (there is none for Indonesian): words are found as they are written,
whatever their case. SQLite also ignores diacritics.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    event,
    false,
    func,
    literal,
    literal_column,
    select,
    text,
)

from storage.tables import articles

_FTS_DDL = (
    """
    CREATE VIRTUAL TABLE articles_search USING fts5(
        title, text, content='articles', content_rowid='seq', tokenize='unicode61 remove_diacritics 2'
    )
    """,
    """
    CREATE TRIGGER articles_search_insert AFTER INSERT ON articles BEGIN
        INSERT INTO articles_search(rowid, title, text) VALUES (new.seq, new.title, new.text);
    END
    """,
    """
    CREATE TRIGGER articles_search_delete AFTER DELETE ON articles BEGIN
        INSERT INTO articles_search(articles_search, rowid, title, text)
        VALUES ('delete', old.seq, old.title, old.text);
    END
    """,
    """
    CREATE TRIGGER articles_search_update AFTER UPDATE OF title, text ON articles BEGIN
        INSERT INTO articles_search(articles_search, rowid, title, text)
        VALUES ('delete', old.seq, old.title, old.text);
        INSERT INTO articles_search(rowid, title, text) VALUES (new.seq, new.title, new.text);
    END
    """,
)
# The characters in translate() are those PostgreSQL's parser would read as parts of hosts, paths,
# e-mails, tags or signs, so that "KONTAN.CO.ID" would be one word; as blanks they part words as FTS5
# does. Beyond 100,000 characters nothing is indexed: a tsvector ends at 1 MiB.
_VECTOR_DDL = (
    """
    ALTER TABLE articles ADD COLUMN search tsvector GENERATED ALWAYS AS (to_tsvector('simple',
        translate(title || ' ' || left(text, 100000), './:@_-+~<>&#=’''', '               '))) STORED
    """,
    "CREATE INDEX ix_articles_search ON articles USING gin (search)",
)


@event.listens_for(articles, "after_create")
def _create_index(_table: Table, connection: Connection, **_: object) -> None:
    for statement in _FTS_DDL if connection.dialect.name == "sqlite" else _VECTOR_DDL:
        connection.exec_driver_sql(statement)


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What a person typed: all of `wanted`, none of `unwanted`; each a word or a phrase."""

    wanted: tuple[str, ...]
    unwanted: tuple[str, ...] = ()


def parse_query(typed: str) -> SearchQuery:
    """Read ``kata "frasa utuh" -bukan``; anything else typed is taken as words, never as syntax."""
    wanted: list[str] = []
    unwanted: list[str] = []
    for minus, phrase, word in re.findall(r'(-?)(?:"([^"]*)"|([^\s"]+))', typed[:1000]):
        # What parts words in the index parts them here; parts of one word must stand side by side.
        words = re.findall(r"\w+", (phrase or word).replace("_", " "))
        if words:
            (unwanted if minus else wanted).append(" ".join(words))
    return SearchQuery(tuple(wanted[:32]), tuple(unwanted[:32]))


def matches(
    query: SearchQuery,
    *,
    is_sqlite: bool,
    newest: int | None = None,
    before: int | None = None,
    least: int | None = None,
    oldest: int | None = None,
) -> ColumnElement[bool]:
    """The condition on ``articles``; nothing matches a query without a wanted word.

    With `newest` SQLite finds no more than that many, the last stored of those before the ``seq`` `before`:
    a word of half of all articles is answered without reading them all. With `oldest` they are the first stored. With
    `least` and `before` it looks at no article stored before the one, or from the other on.
    """
    if not query.wanted:
        return false()
    if not is_sqlite:
        return _postgres_match(query)
    rows = _sqlite_rows(query)
    rowid: ColumnElement[int] = literal_column("rowid")
    if least is not None:
        rows = rows.where(rowid >= least)
    if before is not None:
        rows = rows.where(rowid < before)
    if newest is not None:
        rows = rows.order_by(rowid.desc()).limit(newest)
    elif oldest is not None:
        rows = rows.order_by(rowid).limit(oldest)
    return articles.c.seq.in_(rows)


def match_count(condition: ColumnElement[bool]) -> Select[Any]:
    """How many articles fit."""
    return select(func.count()).select_from(articles).where(condition)


def _sqlite_rows(query: SearchQuery) -> Select[Any]:
    match = " AND ".join(f'"{phrase}"' for phrase in query.wanted)
    for phrase in query.unwanted:
        match = f'({match}) NOT "{phrase}"'
    rows: Select[Any] = select(literal_column("rowid")).select_from(text("articles_search"))
    return rows.where(literal_column("articles_search").op("MATCH")(literal(match)))


def _postgres_match(query: SearchQuery) -> ColumnElement[bool]:
    vector: ColumnElement[str] = literal_column("articles.search")
    wanted = [vector.op("@@", is_comparison=True)(func.phraseto_tsquery("simple", w)) for w in query.wanted]
    unwanted = [vector.op("@@", is_comparison=True)(func.phraseto_tsquery("simple", w)) for w in query.unwanted]
    condition: ColumnElement[bool] = wanted[0]
    for part in wanted[1:]:
        condition = condition & part
    for part in unwanted:
        condition = condition & ~part
    return condition
