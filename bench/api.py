"""Reading a big database: the API's pages beside the same page by plain SQL, and an export.

    python -m bench.api --articles 1000000 --database /var/tmp/warta-bench.db

The database is filled once and kept when a path is given. Prints what was measured and, with ``--json``, one closing
line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import random
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
from rich.progress import Progress

from config.model import Api
from monitor.api.app import create_api
from monitor.api.serve import ApiServer
from storage.articles import ArticleFilter
from storage.content import article_id
from storage.export import json_line
from storage.storage import Storage

START = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = """harga beras pasar induk naik turun pekan ini pemerintah bank indonesia suku bunga saham emas ekspor impor
    produksi petani kementerian menteri jakarta surabaya medan makassar bandung rupiah dolar inflasi pangan energi
    listrik gas""".split()  # noqa: SIM905 - read as prose
OUTLETS = 50
PAGE = 50


def row(number: int, dice: random.Random) -> tuple[tuple[Any, ...], tuple[Any, ...], tuple[Any, ...]]:
    """An article of some 300 words with its revision and its event, as rows of SQLite."""
    outlet = f"outlet-{number % OUTLETS}"
    key, moment = f"berita-{number}", (START + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    name = article_id(outlet, key)
    paragraphs = [" ".join(dice.choices(WORDS, k=60)) + "." for _ in range(5)]
    text, title = "\n\n".join(paragraphs), " ".join(dice.choices(WORDS, k=8))
    digest = "1" + hashlib.blake2b(text.encode(), digest_size=15).hexdigest()
    content = {
        "outlet_id": outlet, "url": f"https://{outlet}.test/{key}", "url_key": key, "title": title, "language": "id",
        "subtitle": None, "editor": None, "agency": None, "brand": None, "published_from": None, "updated_from": None,
        "section": "ekonomi", "word_count": 300, "content_hash": digest, "body_hash": digest, "authors": ["Siti Rahma"],
        "places": ["JAKARTA"], "tags": ["beras"], "published": None, "updated": None,
        "body": [{"kind": "paragraph", "text": part} for part in paragraphs], "images": [], "related": [],
        "provenance": [["title", "rules"]],
    }  # fmt: skip
    article = (
        name, outlet, content["url"], key, title, text, "id", '["Siti Rahma"]', '["JAKARTA"]', "ekonomi", '["beras"]',
        300, digest, digest, 1, moment, moment,
    )  # fmt: skip
    revision = (name, 1, "first", title, digest, digest, json.dumps(content, ensure_ascii=False), moment)
    return article, revision, ("new", name, 1, outlet, moment)


def fill(path: Path, count: int) -> None:
    """Articles up to that number, behind those that are there."""
    connection = sqlite3.connect(path)
    have = connection.execute("SELECT count(*) FROM articles").fetchone()[0]
    if have >= count:
        connection.close()
        return
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA cache_size=-262144")
    # The index of words is made at the end: one by one takes three times as long.
    triggers = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'articles'"
    ).fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    dice = random.Random(have)
    with Progress(disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("fill", total=count, completed=have)
        for first in range(have, count, 5000):
            rows = [row(number, dice) for number in range(first, min(first + 5000, count))]
            articles, revisions, events = zip(*rows, strict=True)
            connection.executemany(
                "INSERT INTO articles(id, outlet_id, url, url_key, title, text, language, authors, places, section,"
                " tags, word_count, content_hash, body_hash, revision, first_seen, revised_at)"
                f" VALUES ({','.join('?' * 17)})",
                articles,
            )
            connection.executemany(
                "INSERT INTO revisions(article_id, revision, reason, title, content_hash, body_hash, content,"
                " created_at)"
                f" VALUES ({','.join('?' * 8)})",
                revisions,
            )
            connection.executemany(
                "INSERT INTO outbox(event, article_id, revision, outlet_id, created_at) VALUES (?,?,?,?,?)", events
            )
            connection.commit()
            progress.advance(task, len(rows))
    connection.execute("INSERT INTO articles_search(articles_search) VALUES ('rebuild')")
    for _, definition in triggers:
        connection.execute(definition)
    connection.execute("ANALYZE")
    connection.commit()
    connection.close()


async def timed(reads: int, readers: int, read: Callable[[int], Awaitable[None]]) -> dict[str, float]:
    """Reads a second and their times in milliseconds, with that many readers side by side."""
    times: list[float] = []
    numbers = iter(range(reads))

    async def reader() -> None:
        for number in numbers:
            began = time.perf_counter()
            await read(number)
            times.append((time.perf_counter() - began) * 1000)

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(reader() for _ in range(readers)))
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    times.sort()
    return {
        "per_second": round(reads / took, 1),
        "p50_ms": round(times[len(times) // 2], 2),
        "p99_ms": round(times[int(len(times) * 0.99)], 2),
        "cpu_ms": round(cpu / reads * 1000, 2),
    }


def plain_sql(path: Path, cursors: list[int]) -> Callable[[int], Awaitable[None]]:
    """The same page without the API: one query of the same rows, read as JSON."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, check_same_thread=False)
    query = (
        "SELECT o.id, a.id, a.revision, a.first_seen, a.revised_at, a.copy_of, a.cluster, r.content FROM outbox AS o"
        " JOIN articles AS a ON a.id = o.article_id"
        " JOIN revisions AS r ON r.article_id = a.id AND r.revision = a.revision"
        " WHERE o.event IN ('new', 'copy') AND o.id > ? ORDER BY o.id LIMIT ?"
    )

    def page(number: int) -> None:
        rows = connection.execute(query, (cursors[number % len(cursors)], PAGE)).fetchall()
        assert len([json.loads(row[-1]) for row in rows]) == PAGE

    async def read(number: int) -> None:
        await asyncio.to_thread(page, number)

    return read


async def export(storage: Storage, path: Path, count: int) -> dict[str, float]:
    """All articles as JSON Lines."""
    began, cpu = time.perf_counter(), time.process_time()
    with path.open("w", encoding="utf-8") as file, Progress(disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("export", total=count)
        async for _, fields in storage.events.records(ArticleFilter()):
            file.write(json_line(fields))
            progress.advance(task)
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    return {
        "seconds": round(took, 1),
        "cpu_seconds": round(cpu, 1),
        "per_second": round(count / took),
        "MB": megabytes(path, remove=True),
    }


def megabytes(path: Path, *, remove: bool = False) -> int:
    """Size of a file."""
    size = path.stat().st_size
    if remove:
        path.unlink()
    return round(size / 1e6)


async def measure(path: Path, count: int, reads: int, readers: int, *, exports: bool) -> dict[str, Any]:
    """Everything."""
    storage = await Storage.open(f"sqlite:///{path}", now=lambda: datetime.now(UTC))
    began = time.perf_counter()
    await asyncio.to_thread(fill, path, count)
    filled = time.perf_counter() - began
    dice = random.Random(1)
    cursors = [dice.randrange(max(count - 2 * PAGE, 1)) for _ in range(1000)]
    api = Api(port=0)
    server = ApiServer(create_api(storage, api), api)
    serving = asyncio.create_task(server.serve())
    found: dict[str, Any] = {
        "articles": count,
        "readers": readers,
        "database_MB": megabytes(path),
        "fill_seconds": round(filled),
    }
    try:
        async with aiohttp.ClientSession(server.address) as session:

            async def get(url: str) -> None:
                async with session.get(url) as answer:
                    assert answer.status == 200
                    await answer.read()

            def pages(more: str) -> Callable[[int], Awaitable[None]]:
                return lambda n: get(f"/v1/articles?limit={PAGE}&after={cursors[n % len(cursors)]}{more}")

            found["sql_page"] = await timed(reads, readers, plain_sql(path, cursors))
            found["api_page"] = await timed(reads, readers, pages(""))
            found["api_outlet_page"] = await timed(reads, readers, pages("&outlet=outlet-7"))
            one = article_id("outlet-7", "berita-7")
            found["api_article"] = await timed(reads, readers, lambda _: get(f"/v1/articles/{one}"))
            found["api_search"] = await timed(
                max(reads // 20, 5), 1, lambda n: get(f'/v1/articles?order=newest&q="{WORDS[n % 20]} {WORDS[n % 7]}"')
            )
    finally:
        server.stop()
        await serving
    if exports:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        found["export"] = await export(storage, path.with_suffix(".jsonl"), count)
        found["export"]["grew_MB"] = round((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
    found["peak_MB"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    await storage.close()
    return found


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=20_000)
    parser.add_argument("--reads", type=int, default=400)
    parser.add_argument("--readers", type=int, default=4)
    parser.add_argument("--database", type=Path, help="kept for the next time; a temporary one by default")
    parser.add_argument("--export", action=argparse.BooleanOptionalAction, default=True, help="measure an export, too")
    parser.add_argument("--json", action="store_true")
    said = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="warta-bench-") as folder:
        path = said.database or Path(folder) / "warta.db"
        found = asyncio.run(measure(path, said.articles, said.reads, said.readers, exports=said.export))
    for name, value in found.items():
        print(f"{name:>16}  {value}", file=sys.stderr if said.json else sys.stdout)
    if said.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
