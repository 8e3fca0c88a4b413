"""A database as a large desk leaves it after a month: sources with their rhythms, a day of runs, articles, fates.

Rows have the shapes that crawls write; they are loaded in bulk, with indexes and the text index built afterwards.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, insert, text
from sqlalchemy.engine import make_url

from storage.rhythm import SLOTS, Rhythm, pack
from storage.runs import run_id
from storage.tables import articles, fates, outbox, outlets, revisions, rhythms, runs, sources

#: Words that are searched for; each stands in one paragraph of some dozens.
WORDS = (  # noqa: SIM905 - read as prose
    "rupiah menguat bank sentral suku bunga harga emas saham pasar modal ekspor nikel batu bara investor "
    "pemerintah anggaran pajak subsidi energi listrik petani beras impor bandara tol kereta jakarta medan makassar"
).split()
SOURCES_OF_AN_OUTLET = 10
SECTIONS = ("ekonomi", "bola", "politik", "dunia", "Gaya Hidup", "otomotif", "teknologi", "hukum")
TAGS = ("emas", *(f"tag {n}" for n in range(500)))
BATCH = 5_000
_PARAGRAPHS = 6_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much of everything."""

    sources: int
    articles: int
    #: Runs of each source, spread over the last 24 hours.
    runs: int
    now: datetime


def outlet_of(number: int) -> str:
    return f"outlet{number // SOURCES_OF_AN_OUTLET:04}"


def source_of(number: int) -> str:
    return f"{outlet_of(number)}/s{number % SOURCES_OF_AN_OUTLET}"


def outlet_rows(size: Size) -> Iterator[dict[str, Any]]:
    for number in range(0, size.sources, SOURCES_OF_AN_OUTLET):
        name = outlet_of(number)
        yield {
            "id": name, "name": name.capitalize(), "homepage": f"https://{name}.test/", "language": "id",
            "timezone": "Asia/Jakarta", "enabled": True, "updated_at": size.now,
        }  # fmt: skip


def source_rows(size: Size) -> Iterator[dict[str, Any]]:
    for number in range(size.sources):
        bad = number % 37 == 0
        yield {
            "id": source_of(number), "outlet_id": outlet_of(number), "kind": "feed",
            "url": f"https://{outlet_of(number)}.test/{number % 10}.rss",
            "last_attempt": size.now - timedelta(seconds=number % 600), "last_success": size.now,
            "last_new": size.now - timedelta(seconds=number % 7200),
            "next_attempt": size.now + timedelta(seconds=number % 900), "paused": number % 211 == 0,
            "failures": 1.5 if bad else 0.0, "last_failure": "timeout" if bad else None,
            "last_failure_message": "no answer within 30 s" if bad else None,
            "window": [f"{number:08x}{n:08x}" for n in range(50)],
        }  # fmt: skip


def rhythm_rows(size: Size) -> Iterator[dict[str, Any]]:
    """Busy by day, quiet by night, watched for four weeks."""
    until = size.now.timestamp()
    counts = tuple(4.0 * (3 if 7 <= slot % 24 < 20 else 0.5) for slot in range(SLOTS))
    state = pack(Rhythm(counts=counts, hours=(4.0,) * SLOTS, origin=until, until=until, window=50.0))
    terms = [{"name": "rhythm", "text": "about 30 items a day", "at": size.now.isoformat()}]
    for number in range(size.sources):
        yield {
            "source_id": source_of(number), "state": state, "demand": [], "terms": terms, "decided_at": size.now,
        }  # fmt: skip


def run_rows(size: Size) -> Iterator[dict[str, Any]]:
    gap = timedelta(days=1) / size.runs
    for age in range(size.runs, 0, -1):
        for number in range(size.sources):
            started = size.now - gap * age + gap * number / size.sources
            failed, brings = number % 37 == 0, (age + number) % 5 == 0
            status = "failed" if failed else "ok" if brings else "not_modified"
            yield {
                "id": run_id(started, number), "source_id": source_of(number), "outlet_id": outlet_of(number),
                "trigger": "schedule", "status": status, "scheduled_for": started, "started_at": started,
                "finished_at": started, "discovered": 25 * brings, "unchanged": 24 * brings, "stored": int(brings),
                "known": 24 * brings, "http_status": None if failed else 200 if brings else 304,
                "bytes": 4000, "duration": 0.2, "reason": "timeout" if failed else None,
            }  # fmt: skip


class Prose:
    """Paragraphs whose words are as unequal as those of a language."""

    def __init__(self, seed: int) -> None:
        chance = random.Random(seed)
        parts = [a + b for a in "bcdfghjklmnprst" for b in "aeiou"]
        vocabulary = ["".join(chance.choices(parts, k=chance.randint(1, 4))) for _ in range(30_000)]
        weights = list(accumulate(1 / (rank + 3) for rank in range(len(vocabulary))))
        self._chance = chance
        self._paragraphs = [
            " ".join([*chance.choices(vocabulary, cum_weights=weights, k=60), *chance.choices(WORDS, k=2)])
            for _ in range(_PARAGRAPHS)
        ]
        self._vocabulary, self._weights = vocabulary, weights

    def text(self) -> str:
        """Four paragraphs."""
        return "\n\n".join(self._chance.choices(self._paragraphs, k=4))

    def title(self) -> str:
        """Seven words."""
        words = self._chance.choices(self._vocabulary, cum_weights=self._weights, k=6)
        return " ".join([*words, self._chance.choice(WORDS)]).capitalize()


def article_rows(size: Size) -> Iterator[dict[str, Any]]:
    prose, chance = Prose(5), random.Random(7)
    number_of_outlets = max(1, size.sources // SOURCES_OF_AN_OUTLET)
    for number in range(size.articles):
        seen = size.now - timedelta(days=30) * ((size.articles - number) / size.articles)
        copies = number % 20 == 0 and number > 0
        yield {
            "id": f"article{number:09}", "outlet_id": f"outlet{int(chance.random() ** 2 * number_of_outlets):04}",
            "url": f"https://x.test/{number}", "url_key": f"k{number}", "title": prose.title(), "text": prose.text(),
            "language": "id", "authors": ["Rina"], "places": ["JAKARTA"],
            "section": SECTIONS[number % len(SECTIONS)], "tags": [TAGS[number % 7], TAGS[number % len(TAGS)]],
            "word_count": 248,
            "content_hash": f"c{number}", "body_hash": f"b{number}", "revision": 1, "first_seen": seen,
            "revised_at": seen, "published": seen - timedelta(seconds=chance.randint(10, 2000)),
            "copy_of": f"article{number - 1:09}" if copies else None,
            "cluster": f"article{number - copies:09}" if number % 20 in {0, 19} else None,
        }  # fmt: skip


def content_of(row: dict[str, Any]) -> dict[str, Any]:
    empty = dict.fromkeys(("subtitle", "editor", "agency", "brand", "published_from", "updated_from", "updated"))
    wanted = (
        "outlet_id", "url", "url_key", "title", "language", "section", "tags", "word_count", "content_hash",
        "body_hash",
    )  # fmt: skip
    lists: dict[str, Any] = {name: [] for name in ("images", "related")}
    lists |= {"authors": row["authors"], "places": row["places"], "provenance": [["title", "feed"], ["body", "rules"]]}
    body = [{"kind": "paragraph", "text": part} for part in row["text"].split("\n\n")]
    return {n: row[n] for n in wanted} | empty | lists | {"published": row["published"].isoformat(), "body": body}


def _first_revision(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "article_id": row["id"], "revision": 1, "reason": "first", "title": row["title"], "content_hash": "c",
        "body_hash": "b", "content": content_of(row), "created_at": row["first_seen"],
    }  # fmt: skip


def _event(row: dict[str, Any]) -> dict[str, Any]:
    kind = "copy" if row["copy_of"] else "new"
    return {
        "event": kind, "article_id": row["id"], "revision": 1, "outlet_id": row["outlet_id"],
        "created_at": row["first_seen"],
    }  # fmt: skip


def _fate(row: dict[str, Any], run: str) -> dict[str, Any]:
    kind = "duplicate" if row["copy_of"] else "stored"
    return {
        "run_id": run, "source_id": f"{row['outlet_id']}/s0", "outlet_id": row["outlet_id"], "url": row["url"],
        "url_key": row["url_key"], "title": row["title"], "kind": kind, "article_id": row["id"],
        "discovered_at": row["first_seen"], "reason": "new",
    }  # fmt: skip


def batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def fill(url: str, size: Size) -> str:
    """Write everything into a migrated, empty database; returns the id of a run that brought something."""
    engine = _engine(url)
    try:
        with engine.begin() as connection:
            later = _without_indexes(connection)
        brought = _load(engine, size)
        with engine.begin() as connection:
            for statement in later:
                connection.exec_driver_sql(statement)
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("INSERT INTO articles_search(articles_search) VALUES ('rebuild')")
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")
    finally:
        engine.dispose()
    return brought


def _engine(url: str) -> Engine:
    driver = "sqlite" if url.startswith("sqlite") else "postgresql+psycopg"
    engine = create_engine(make_url(url).set(drivername=driver))
    if driver == "sqlite":
        with engine.connect() as connection:
            connection.execute(text("PRAGMA synchronous = OFF"))
    return engine


def _without_indexes(connection: Connection) -> list[str]:
    """Drop what would be kept up row by row; returns the statements that bring it back."""
    if connection.dialect.name != "sqlite":
        rows = connection.execute(
            text("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexname LIKE 'ix%'")
        ).all()
        for name, _ in rows:
            connection.exec_driver_sql(f'DROP INDEX "{name}"')
        return [statement for _, statement in rows]
    kept = connection.execute(
        text("SELECT type, name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql IS NOT NULL")
    ).all()
    for kind, name, _ in kept:
        connection.exec_driver_sql(f'DROP {kind.upper()} "{name}"')
    return [statement for *_, statement in kept]


def _load(engine: Engine, size: Size) -> str:
    for table, rows in (
        (outlets, outlet_rows(size)), (sources, source_rows(size)), (rhythms, rhythm_rows(size)),
    ):  # fmt: skip
        for batch in batches(rows):
            with engine.begin() as connection:
                connection.execute(insert(table), batch)
    brought: list[str] = []
    for batch in batches(run_rows(size)):
        brought += [row["id"] for row in batch if row["stored"]]
        with engine.begin() as connection:
            connection.execute(insert(runs), batch)
    for batch in batches(article_rows(size)):
        with engine.begin() as connection:
            connection.execute(insert(articles), batch)
            connection.execute(insert(revisions), [_first_revision(row) for row in batch])
            connection.execute(insert(outbox), [_event(row) for row in batch])
            ends = [_fate(row, brought[int(row["id"][7:]) * len(brought) // size.articles]) for row in batch]
            connection.execute(insert(fates), ends)
    return brought[-1]


def now() -> datetime:
    """The hour of the fill."""
    return datetime.now(UTC)
