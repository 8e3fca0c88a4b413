"""A paper that publishes into a database of its own, and receivers over real sockets."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from storage.embedded import EmbeddedValkey
from storage.model import Article, Block, BlockKind, Committed, CrawlRun, Decided, Discovery, FateKind, Trigger
from storage.sources import SourceDefinition
from storage.storage import Storage


@dataclass
class Paper:
    """One outlet whose articles are new, revised and retracted."""

    storage: Storage
    now: Callable[[], datetime]
    outlet: str = "warta-pagi"
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    run: CrawlRun | None = None
    keys: dict[str, str] = field(default_factory=dict)

    async def open(self) -> None:
        source = f"{self.outlet}/utama"
        definition = SourceDefinition(
            id=source, outlet_id=self.outlet, kind="feed", url=f"https://{self.outlet}.test/r"
        )
        await self.storage.sources.upsert([definition], {}, self.now())
        self.run = await self.storage.runs.begin(
            source, self.outlet, Trigger.SCHEDULE, self.now(), next(self.numbers), "w", self.now()
        )

    async def _write(self, key: str, kind: FateKind, text: str) -> Committed:
        assert self.run is not None
        number = next(self.numbers)
        discovery = Discovery(url=f"https://{self.outlet}.test/{key}?{number}", url_key=f"{key}#{number}")
        (fate,) = await self.storage.runs.discovered(self.run.id, self.run.token, [discovery], 0, (), self.now())
        digest = hashlib.sha256(text.encode()).hexdigest()[:31]
        article = Article(
            outlet_id=self.outlet, url=f"https://{self.outlet}.test/{key}", url_key=key, title=f"Judul {key}",
            body=(Block(BlockKind.PARAGRAPH, text),), text=text, language="id", word_count=len(text.split()),
            content_hash=f"1{digest}", body_hash=f"1{digest}",
        )  # fmt: skip
        done = await self.storage.writer.commit(
            Decided(
                fate_id=fate.id,
                run_id=self.run.id,
                source_id=fate.source_id,
                outlet_id=self.outlet,
                token=self.run.token,
                kind=kind,
                now=self.now(),
                article=article,
                of=self.keys.get(key),
            )
        )
        assert done.article_id is not None
        self.keys[key] = done.article_id
        return done

    async def publish(self, key: str) -> Committed:
        return await self._write(key, FateKind.STORED, f"Laporan pertama tentang {key} dari {self.outlet}.")

    async def revise(self, key: str, text: str) -> Committed:
        return await self._write(key, FateKind.REVISED, f"Laporan {key} direvisi: {text}.")

    async def retract(self, key: str) -> None:
        await self.storage.articles.retract(self.keys[key], self.now())


@pytest_asyncio.fixture
async def storage(tmp_path: Path, clock: Any) -> AsyncIterator[Storage]:
    opened = await Storage.open(f"sqlite:///{tmp_path / 'warta.db'}", now=clock)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def paper(storage: Storage, clock: Any) -> Paper:
    made = Paper(storage, clock)
    await made.open()
    return made


@pytest.fixture
def make_paper() -> Callable[..., Paper]:
    return Paper


@dataclass
class Receiver:
    """A webhook receiver that answers as told and keeps what it got."""

    url: str = ""
    port: int = 0
    #: Every request: headers and body.
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    #: Article ids (or "*") to the status they are answered with.
    status: dict[str, int] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    in_flight: int = 0
    most_in_flight: int = 0
    delay: float = 0.0

    @property
    def keys(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.got]

    async def answer(self, request: web.Request) -> web.Response:
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            body = await request.read()
            self.got.append((dict(request.headers), body))
            if self.delay:
                await asyncio.sleep(self.delay)
            article = json.loads(body)["article_id"]
            status = self.status.get(article, self.status.get("*", 204))
            return web.Response(status=status, headers=self.headers, text="" if status == 204 else "answer of the test")
        finally:
            self.in_flight -= 1


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    app = web.Application(client_max_size=2**24)
    app.router.add_route("*", "/{rest:.*}", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.port = runner.addresses[0][1]
    made.url = f"http://127.0.0.1:{made.port}/hook"
    yield made
    await runner.cleanup()


@pytest_asyncio.fixture
async def valkey(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedValkey]:
    async with EmbeddedValkey(tmp_path_factory.mktemp("v"), persistent=False).running() as server:
        yield server
