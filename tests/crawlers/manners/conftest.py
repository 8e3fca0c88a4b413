"""One outlet on a server that does as it is told, crawled by the real crawler on a clock that is set."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from config.model import Every, Listing, Outlet, Source, SourceKind
from crawlers.pool import ParsePool
from crawlers.run import Crawler
from scheduler.plan import apply, diff
from scheduler.worker import after_poll
from storage.embedded import EmbeddedValkey
from storage.leases import Leases
from storage.model import CrawlRun, Fate, SourceState, Trigger
from storage.redis import connect
from storage.seen import Seen
from storage.storage import Storage

HOST = "press.test"
WORDS = "Harga cabai di pasar induk turun lagi pekan ini karena panen di tiga kabupaten datang bersamaan. "


def page(slug: str) -> bytes:
    """An article that a reader would take for one."""
    body = "".join(f"<p>{slug}: {WORDS * 3}</p>" for _ in range(4))
    head = f"<title>Kabar {slug}</title><meta property='og:type' content='article'>"
    return f"<html><head>{head}</head><body><article><h1>Kabar {slug}</h1>{body}</article></body></html>".encode()


@dataclass
class Press:
    """What the server publishes, and the crawler that reads it."""

    web: Any
    storage: Storage
    crawler: Crawler
    clock: Any
    outlet: Outlet
    fetcher: Any
    #: Items of the main feed, newest first.
    items: list[str] = field(default_factory=list)

    def url(self, path: str, host: str = HOST) -> str:
        return str(self.web.url(path, host))

    def publish(self, *slugs: str) -> None:
        """Put articles on the server and on top of the feed."""
        for slug in slugs:
            self.items.insert(0, slug)
            self.web.says(f"/a/{slug}", self.web.reply("200 OK", page(slug), "Content-Type: text/html"))

    def rss(self, items: Sequence[str] | None = None, inside: str = "") -> bytes:
        listed = "".join(
            f"<item><title>Kabar {slug}</title><link>{self.url(f'/a/{slug}')}</link>"
            f"<guid isPermaLink='false'>{slug}</guid></item>"
            for slug in (self.items if items is None else items)
        )
        head = "<rss version='2.0' xmlns:atom='http://www.w3.org/2005/Atom'>"
        return f"{head}<channel><title>Kabar</title>{inside}{listed}</channel></rss>".encode()

    def serves(self, path: str, body: bytes | str, *headers: str, status: str = "200 OK") -> None:
        data = body if isinstance(body, bytes) else body.encode()
        self.web.says(path, self.web.reply(status, data, *headers))

    def answers(self, path: str, answer: Callable[[Any], bytes]) -> None:
        """Answer each request at `path` with what the function makes of it."""

        async def act(_: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: Any) -> None:
            writer.write(answer(asked))
            await writer.drain()

        self.web.acts[path] = act

    async def poll(self, name: str = "main", trigger: Trigger = Trigger.SCHEDULE, **later: float) -> CrawlRun:
        """One run, ten minutes (or `later`) after the one before."""
        self.clock.forward(**(later or {"minutes": 10}))
        run = await self.crawler.crawl(f"kabar/{name}", scheduled_for=self.clock(), trigger=trigger)
        assert run is not None
        return run

    async def state(self, name: str = "main") -> SourceState:
        state = await self.storage.sources.get(f"kabar/{name}")
        assert state is not None
        return state

    async def fates(self, slug: str) -> list[Fate]:
        return await self.storage.fates.explain(self.url(f"/a/{slug}"))

    async def discovered(self) -> set[str]:
        """Slugs of everything that ever got a fate."""
        return {fate.url.rpartition("/")[2] for fate in await self.storage.fates.search(limit=10_000)}

    def asked(self, path: str) -> list[Any]:
        return [asked for asked in self.web.asked if asked.path == path]


@pytest.fixture(scope="session")
def valkey_home() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="warta-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def valkey_url(valkey_home: Path) -> AsyncIterator[str]:
    server = EmbeddedValkey(valkey_home / "v", persistent=False)
    await server.start()
    yield server.url
    await server.stop()


MakePress = Callable[..., Awaitable[Press]]


@pytest.fixture
async def make_press(
    web: Any, make_visitor: Any, valkey_url: str, blank: Path, tmp_path: Path
) -> AsyncIterator[MakePress]:
    """Builds the press; `sources` are (name, kind, path) triples, or Source fields as a mapping."""
    visitor = await make_visitor()
    redis = connect(valkey_url)
    await redis.flushall()
    clock = visitor.clock
    shutil.copy(blank, tmp_path / "warta.db")
    storage = await Storage.open(f"sqlite:///{tmp_path / 'warta.db'}", now=clock, migrate=False)
    pool = ParsePool(1, seconds=10.0, preload=("crawlers.discover", "crawlers.page"))
    pool.start()

    async def make(*sources: Any, **changes: Any) -> Press:
        given = [s if isinstance(s, dict) else dict(zip(("name", "kind", "path"), s, strict=True)) for s in sources]
        outlet = Outlet(
            id="kabar", name="Kabar", homepage=web.url("/", HOST), group=None, language="id",
            timezone=ZoneInfo("Asia/Jakarta"), hosts=(HOST, f"*.{HOST}"), politeness=visitor.polite,
            sources=tuple(_source(web, visitor.polite, **s) for s in given or [{}]), **changes,
        )  # fmt: skip
        await apply(diff({s.id: s for s in outlet.sources}, [], now=clock()), [outlet], storage.sources, now=clock())
        by_id = {s.id: (outlet, s) for s in outlet.sources}
        crawler = Crawler(
            storage=storage, seen=Seen(redis, timedelta(days=60), epoch=await storage.facts.epoch(clock())),
            leases=Leases(redis), fetcher=visitor.fetcher, pool=pool, lookup=by_id.get,
            limits=visitor.settings.limits, next_attempt=after_poll, worker="w", now=clock,
        )  # fmt: skip
        return Press(web, storage, crawler, clock, outlet, visitor.fetcher)

    yield make
    await pool.stop()
    await storage.close()
    await redis.aclose()


def _source(
    web: Any, polite: Any, *, name: str = "main", kind: str = "feed", path: str = "/feed.xml", host: str = HOST,
    listing: Listing | None = None, **fields: Any,
) -> Source:  # fmt: skip
    return Source(
        id=f"kabar/{name}", outlet_id="kabar", name=name, kind=SourceKind(kind), url=web.url(path, host),
        schedule=Every(interval=timedelta(minutes=10)), politeness=polite, listing=listing, **fields,
    )  # fmt: skip


@pytest.fixture
async def press(make_press: MakePress) -> Press:
    """One feed at /feed.xml."""
    return await make_press()
