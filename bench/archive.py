"""A feed of its whole archive and a sitemap of last year: ``python -m bench.archive``.

An outlet that nobody has read yet shows a feed of 5,000 items, all more than a week old but for the newest one, and a
sitemap index with a child for each month of the last year, 5,000 addresses more. Its press, in a thread of its own,
is read over loopback by the crawler that the daemon runs (SQLite, Valkey), the feed first and then the sitemap, each
polled until a poll brings nothing more. Told is what consumers of new articles are told of, and what it took.

Exit code 1 when anything but the newest story is announced as new, or when it is not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import resource
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import yaml

from bench.field import Connection
from config.load import load
from newsroom import outlets
from newsroom.serve import bind
from scheduler.logs import configure
from scheduler.plan import active_sources, apply, diff
from scheduler.rooms import Rooms
from scheduler.worker import Worker
from storage.events import EventFilter
from storage.model import Trigger

HOST = "www.arsip.test"
OUTLET, FEED, SITEMAP = "arsip", "arsip/semua", "arsip/peta"
#: Age of the youngest of the old stories, and of the oldest.
YOUNGEST, OLDEST = timedelta(days=8), timedelta(days=365)
MONTHS = 12
#: Polls of one source at most.
POLLS = 10
FATES = ("stored", "revised", "unchanged", "duplicate", "filtered", "failed", "pending")

_SYLLABLES = [a + b for a in ("ba", "ka", "lu", "mi", "no", "ra", "su", "te", "wi") for b in ("dan", "ra", "si", "tu")]


class Archive:
    """An outlet's web presence of `items` stories in the feed and as many others in the sitemap; keeps nothing."""

    def __init__(self, items: int, port: int, now: datetime) -> None:
        self.items, self._port, self._now = items, port, now

    def published(self, story: int) -> datetime:
        """Story 0 came out an hour ago; the others are spread over last year, in the feed and again in the sitemap."""
        if story == 0:
            return self._now - timedelta(hours=1)
        return self._now - YOUNGEST - (OLDEST - YOUNGEST) * (story % self.items) / self.items

    def answer(self, path: str, headers: dict[str, str]) -> tuple[int, str, bytes]:
        """Status, headers and body."""
        del headers
        kind, _, rest = path.removeprefix("/").partition("/")
        if kind == "rss":
            return 200, "content-type: application/rss+xml\r\n", self._feed()
        if kind == "sitemap.xml":
            return 200, "content-type: application/xml\r\n", self._index()
        if kind == "bulan" and rest.isdigit():
            return 200, "content-type: application/xml\r\n", self._month(int(rest))
        if kind == "berita" and rest.isdigit():
            return 200, "content-type: text/html; charset=utf-8\r\n", self._page(int(rest))
        return 404, "content-type: text/plain\r\n", b"nothing here\n"

    def _url(self, story: int) -> str:
        return f"http://{HOST}:{self._port}/berita/{story}"

    def _feed(self) -> bytes:
        rows = "".join(
            f"<item><title>{_title(n)}</title><link>{self._url(n)}</link><guid>{self._url(n)}</guid>"
            f"<pubDate>{format_datetime(self.published(n))}</pubDate></item>"
            for n in range(self.items)
        )
        return f'<?xml version="1.0"?><rss version="2.0"><channel><title>Arsip</title>{rows}</channel></rss>'.encode()

    def _index(self) -> bytes:
        rows = "".join(f"<sitemap><loc>http://{HOST}:{self._port}/bulan/{n}</loc></sitemap>" for n in range(MONTHS))
        return f'<?xml version="1.0"?><sitemapindex xmlns="{_NAMESPACE}">{rows}</sitemapindex>'.encode()

    def _month(self, month: int) -> bytes:
        rows = "".join(
            f"<url><loc>{self._url(n)}</loc><lastmod>{self.published(n).isoformat()}</lastmod></url>"
            for n in range(self.items + month, 2 * self.items, MONTHS)
            if n != self.items  # it would be the story of an hour ago once more
        )
        return f'<?xml version="1.0"?><urlset xmlns="{_NAMESPACE}">{rows}</urlset>'.encode()

    def _page(self, story: int) -> bytes:
        dice = random.Random(story)
        words = ["".join(dice.choices(_SYLLABLES, k=2)) for _ in range(160)]
        text = "".join(f"<p>{' '.join(words[at : at + 40]).capitalize()}.</p>" for at in range(0, 160, 40))
        stamp = f'<meta property="article:published_time" content="{self.published(story).isoformat()}">'
        return (
            f"<!doctype html><html lang=id><head>{stamp}<title>{_title(story)}</title></head><body><article>"
            f'<h1>{_title(story)}</h1><div class="entry-content">{text}</div></article></body></html>'
        ).encode()


_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"


def _title(story: int) -> str:
    return f"Dari arsip: {' '.join(random.Random(story).choices(_SYLLABLES, k=4))} ke-{story}"


@contextmanager
def served(items: int, now: datetime) -> Iterator[tuple[Archive, int]]:
    """The archive on a loopback port of its own while the block lasts."""
    sock = bind()
    archive = Archive(items, sock.getsockname()[1], now)
    loop, ended = asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        async with await loop.create_server(lambda: Connection(archive.answer), sock=sock, backlog=2048):
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), name="archive", daemon=True)
    thread.start()
    try:
        yield archive, sock.getsockname()[1]
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)
        loop.close()


def write_config(directory: Path, port: int) -> None:
    """A configuration that reads the archive and nothing else."""
    base = f"http://{HOST}:{port}"
    outlet = {
        "name": "Arsip", "homepage": base, "language": "id", "timezone": "Asia/Jakarta", "hosts": [HOST],
        "sources": [
            {"name": FEED.partition("/")[2], "kind": "feed", "url": f"{base}/rss"},
            {"name": SITEMAP.partition("/")[2], "kind": "sitemap", "url": f"{base}/sitemap.xml"},
        ],
        "urls": {"article": "/berita/\\d+"},
    }  # fmt: skip
    (directory / "outlets").mkdir(parents=True, exist_ok=True)
    settings = outlets.settings(port, "1h", "0ms") | {"data_dir": str((directory / "data").absolute())}
    (directory / "warta.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    (directory / "outlets" / f"{OUTLET}.yaml").write_text(yaml.safe_dump(outlet), encoding="utf-8")


@dataclass(slots=True)
class Outcome:
    """What came of it."""

    items: int
    #: Each poll: its source, what it discovered by fate, and the memory of the crawler's process after it, in MiB.
    polls: list[tuple[str, dict[str, int], float]] = field(default_factory=list)
    #: Events by their names.
    events: dict[str, int] = field(default_factory=dict)
    #: Stories that consumers of new articles are told of, by age in days.
    announced: list[float] = field(default_factory=list)
    articles: int = 0
    cpu_seconds: float = 0.0
    seconds: float = 0.0
    #: Memory of the crawler's process before the first poll, in MiB.
    mib_before: float = 0.0

    @property
    def good(self) -> bool:
        """Whether the story of an hour ago is all that was announced."""
        return len(self.announced) == 1 and self.announced[0] < 1


async def read(directory: Path, outcome: Outcome) -> None:
    """Poll both sources until nothing more comes."""

    def now() -> datetime:
        return datetime.now(UTC)

    settings = load(directory / "warta.yaml", {})
    async with Rooms.open(settings, name="archive", now=now) as rooms:
        plan = diff(active_sources(settings.outlets), await rooms.storage.sources.all(), now=now())
        await apply(plan, settings.outlets, rooms.storage.sources, now=now())
        worker = Worker(
            settings=lambda: settings, storage=rooms.storage, seen=rooms.seen, leases=rooms.leases,
            budget=rooms.budget, name="archive", now=now, bands=rooms.bands,
        )  # fmt: skip
        await worker.start()
        outcome.mib_before = resident()
        for source in (FEED, SITEMAP):
            for _ in range(POLLS):
                run = await worker.crawl(source, now(), Trigger.MANUAL)
                assert run is not None
                fates = {kind: getattr(run.counts, kind) for kind in FATES if getattr(run.counts, kind)}
                outcome.polls.append((source, fates, resident()))
                if not run.counts.stored:
                    break
        await worker.stop(timedelta(seconds=1))
        outcome.articles = await rooms.storage.articles.count()
        everything = [e async for e in rooms.storage.events.iterate(EventFilter(backfilled=True))]
        outcome.events = dict(Counter(e.event for e in everything))
        heard = [e.record async for e in rooms.storage.events.iterate(EventFilter())]
        dates = [datetime.fromisoformat(r["published"]) for r in heard if r and r["published"]]
        outcome.announced = [(now() - at).total_seconds() / 86_400 for at in dates]


def resident() -> float:
    """Memory of this process, in MiB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def _cpu() -> float:
    return sum(
        used.ru_utime + used.ru_stime
        for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def measure(items: int) -> Outcome:
    """Serve, read and sum up."""
    outcome = Outcome(items)
    with served(items, datetime.now(UTC)) as (_, port), tempfile.TemporaryDirectory(prefix="warta-") as place:
        write_config(Path(place), port)
        configure(path=Path(place) / "log.jsonl", level="info", console=None)
        began, cpu = time.monotonic(), _cpu()
        asyncio.run(read(Path(place), outcome))
        outcome.seconds, outcome.cpu_seconds = time.monotonic() - began, _cpu() - cpu
    return outcome


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.archive", description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=5000, help="of the feed, and of the sitemap")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    outcome = measure(options.items)
    if options.json:
        print(json.dumps(asdict(outcome) | {"good": outcome.good}))
        return 0 if outcome.good else 1
    for source, fates, mib in outcome.polls:
        print(f"{source:14} {mib:4.0f} MiB  " + (", ".join(f"{n} {kind}" for kind, n in fates.items()) or "nothing"))
    print(f"{outcome.articles} articles; events: {outcome.events}; announced: {len(outcome.announced)}")
    print(
        f"{outcome.cpu_seconds:.0f} s of CPU with the press and the children "
        f"({1000 * outcome.cpu_seconds / max(1, outcome.articles):.0f} ms an article), {outcome.seconds:.0f} s; "
        f"{outcome.mib_before:.0f} MiB before the first poll"
    )
    return 0 if outcome.good else 1


if __name__ == "__main__":
    sys.exit(main())
