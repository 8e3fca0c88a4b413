"""Both databases for the contract tests, and a news desk that speaks to storage in verbs."""

from __future__ import annotations

import hashlib
import itertools
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from storage.model import (
    Article,
    Block,
    BlockKind,
    Committed,
    CrawlRun,
    Decided,
    Discovery,
    Fate,
    FateKind,
    IdentityKey,
    IdentityKind,
    RawPage,
    Trigger,
)
from storage.sources import SourceDefinition
from storage.storage import Storage

Fresh = Callable[[], str]


@pytest.fixture(scope="session")
def fresh_sqlite(blank: Path, tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    """Makes an empty migrated file at each call."""
    folder = tmp_path_factory.mktemp("sqlite")
    numbers = itertools.count()

    def make() -> str:
        path = folder / f"t{next(numbers)}.db"
        shutil.copy(blank, path)
        return f"sqlite:///{path}"

    return make


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def fresh(request: pytest.FixtureRequest) -> Fresh:
    """Makes an empty migrated database of one kind, then of the other."""
    return request.getfixturevalue(f"fresh_{request.param}")


@pytest.fixture
def url(fresh: Fresh) -> str:
    return fresh()


@pytest_asyncio.fixture
async def storage(url: str, clock: Callable[[], datetime]) -> AsyncIterator[Storage]:
    opened = await Storage.open(url, now=clock)
    yield opened
    await opened.close()


PARAGRAPHS = (
    "Harga beras medium di pasar induk naik tipis sejak awal pekan.",
    "Pedagang menyebut pasokan dari sentra produksi belum pulih sepenuhnya.",
)


def article(key: str, text: str = "", *, title: str | None = None, outlet: str = "warta-pagi") -> Article:
    """A fictional article; the same `text` makes the same body."""
    paragraphs = (*PARAGRAPHS, text or f"Laporan {key}.")
    title = title or f"Harga beras {key}"
    body = "\n\n".join(paragraphs)
    return Article(
        outlet_id=outlet,
        url=f"https://{outlet}.test/{key}",
        url_key=key,
        title=title,
        body=tuple(Block(BlockKind.PARAGRAPH, paragraph) for paragraph in paragraphs),
        text=body,
        language="id",
        authors=("Siti Rahma",),
        places=("JAKARTA",),
        tags=("beras", "pangan"),
        word_count=len(body.split()),
        provenance=(("title", "rules"),),
        content_hash="1" + hashlib.sha256(f"{title}\n{body}".encode("utf-8", "replace")).hexdigest()[:31],
        body_hash="1" + hashlib.sha256(body.encode("utf-8", "replace")).hexdigest()[:31],
    )


@dataclass
class Desk:
    """One source of one outlet, and what a crawl does with it."""

    storage: Storage
    clock: Any
    source: str = "warta-pagi/utama"
    token: int = 0
    run: CrawlRun | None = None
    numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def outlet(self) -> str:
        return self.source.partition("/")[0]

    async def declare(self, *sources: str) -> None:
        definitions = [
            SourceDefinition(id=name, outlet_id=name.partition("/")[0], kind="feed", url=f"https://{name}.test/rss")
            for name in sources or (self.source,)
        ]
        await self.storage.sources.upsert(definitions, {}, self.clock())

    async def begin(self, source: str | None = None) -> CrawlRun:
        self.token += 1
        source = source or self.source
        run = await self.storage.runs.begin(
            source, source.partition("/")[0], Trigger.SCHEDULE, self.clock(), self.token, "w1", self.clock()
        )
        assert run is not None
        self.run = run
        return run

    async def discover(self, *keys: str, known: int = 0) -> list[Fate]:
        assert self.run is not None
        found = [
            Discovery(url=f"https://{self.outlet}.test/{key}", url_key=key, guid=f"g-{key}", entry='{"a":1}')
            for key in keys
        ]
        return await self.storage.runs.discovered(self.run.id, self.run.token, found, known, (), self.clock())

    def decided(
        self, fate: Fate, kind: FateKind = FateKind.STORED, what: Article | None = None, **more: Any
    ) -> Decided:
        assert self.run is not None
        with_article = kind in {FateKind.STORED, FateKind.REVISED, FateKind.DUPLICATE}
        if what is None and with_article:
            what = article(fate.url_key, outlet=fate.outlet_id)
        keys = [
            IdentityKey(IdentityKind.URL, fate.outlet_id, fate.url_key),
            IdentityKey(IdentityKind.GUID, fate.source_id, fate.guid or ""),
        ]
        if what is not None:
            keys.append(IdentityKey(IdentityKind.BODY, fate.outlet_id, what.body_hash))
        values: dict[str, Any] = {
            "fate_id": fate.id,
            "run_id": self.run.id,
            "source_id": fate.source_id,
            "outlet_id": fate.outlet_id,
            "token": self.run.token,
            "kind": kind,
            "now": self.clock(),
            "article": what,
            "raw": None if what is None else self.page(what),
            "identities": tuple(keys),
            "entry_hash": fate.entry_hash,
        }
        return Decided(**values | more)

    def page(self, what: Article) -> RawPage:
        body = b"<html>" + what.text.encode("utf-8", "replace")
        return RawPage(url=what.url, body=body, content_type="text/html", fetched_at=self.clock())

    async def decide(
        self, fate: Fate, kind: FateKind = FateKind.STORED, what: Article | None = None, **more: Any
    ) -> Committed:
        return await self.storage.writer.commit(self.decided(fate, kind, what, **more))

    async def publish(self, key: str, what: Article | None = None) -> Committed:
        """Discover and store one article in a run of its own."""
        await self.begin()
        (fate,) = await self.discover(key)
        return await self.decide(fate, FateKind.STORED, what)

    async def counts(self, run: CrawlRun | None = None) -> dict[str, int]:
        """The run's counters that are not zero."""
        run = run or self.run
        assert run is not None
        stored = await self.storage.runs.get(run.id)
        assert stored is not None
        assert stored.counts.adds_up
        return {name: n for name in stored.counts.__slots__ if (n := getattr(stored.counts, name))}

    async def agrees(self) -> None:
        """Everything stored agrees with itself."""
        report = await self.storage.audit.run()
        assert report.findings == ()


@pytest_asyncio.fixture
async def desk(storage: Storage, clock: Any) -> Desk:
    """A declared source, no run yet."""
    made = Desk(storage, clock)
    await made.declare()
    return made


@pytest.fixture
def write_article() -> Callable[..., Article]:
    return article


@pytest.fixture
def make_desk() -> Callable[..., Desk]:
    return Desk
