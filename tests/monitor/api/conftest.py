"""A desk that stores articles, and the API over them on a real socket."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest_asyncio

from config.model import Api
from monitor.api.app import create_api
from monitor.api.serve import ApiServer
from storage.model import Article, Block, BlockKind, Decided, Discovery, FateKind, Image, Trigger
from storage.sources import SourceDefinition
from storage.storage import Storage

Store = Callable[..., Awaitable[str]]


@pytest_asyncio.fixture
async def storage(tmp_path: Path, clock: Any) -> AsyncIterator[Storage]:
    opened = await Storage.open(f"sqlite:///{tmp_path / 'warta.db'}", now=clock)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def store(storage: Storage, clock: Any) -> Store:
    """Stores an article and returns its id; the same key again revises it."""
    numbers = itertools.count(1)
    ids: dict[str, str] = {}

    async def write(
        key: str,
        text: str = "",
        *,
        outlet: str = "warta-pagi",
        title: str = "",
        copy_of: str | None = None,
        **more: Any,
    ) -> str:
        number, source = next(numbers), f"{outlet}/utama"
        text = text or f"Laporan tentang {key}."
        definition = SourceDefinition(id=source, outlet_id=outlet, kind="feed", url=f"https://{outlet}.test/rss")
        await storage.sources.upsert([definition], {}, clock())
        run = await storage.runs.begin(source, outlet, Trigger.SCHEDULE, clock(), number, "w", clock())
        assert run is not None
        discovery = Discovery(url=f"https://{outlet}.test/{key}", url_key=f"{key}#{number}")
        (fate,) = await storage.runs.discovered(run.id, number, [discovery], 0, (), clock())
        digest = "1" + hashlib.sha256(text.encode()).hexdigest()[:31]
        fields: dict[str, Any] = {
            "language": "id", "authors": ("Siti Rahma",), "tags": ("beras", "pangan"), "published": clock(),
            "body": tuple(Block(BlockKind.PARAGRAPH, part) for part in text.split("\n\n")),
            "images": (Image(url="https://w.test/a.jpg"),),
        }  # fmt: skip
        article = Article(
            outlet_id=outlet, url=discovery.url, url_key=key, title=title or f"Judul {key}", text=text,
            word_count=len(text.split()), content_hash=digest, body_hash=digest, **fields | more,
        )  # fmt: skip
        kind = FateKind.REVISED if key in ids else FateKind.DUPLICATE if copy_of else FateKind.STORED
        decided = Decided(
            fate_id=fate.id, run_id=run.id, source_id=source, outlet_id=outlet, token=number, kind=kind, now=clock(),
            article=article, of=ids.get(key) or copy_of,
        )  # fmt: skip
        done = await storage.writer.commit(decided)
        assert done.article_id is not None
        ids[key] = done.article_id
        return done.article_id

    return write


@pytest_asyncio.fixture
async def serve(storage: Storage, tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[aiohttp.ClientSession]]]:
    """Serves the API and gives a client whose paths are relative to it."""
    running: list[tuple[ApiServer, asyncio.Task[None], aiohttp.ClientSession]] = []

    async def start(**how: Any) -> aiohttp.ClientSession:
        api = Api(**{"port": 0} | how)
        server = ApiServer(create_api(storage, api, tmp_path / "warta.jsonl"), api)
        task = asyncio.create_task(server.serve())
        session = aiohttp.ClientSession(server.address)
        running.append((server, task, session))
        return session

    yield start
    for server, task, session in running:
        await session.close()
        server.stop()
        await task


@pytest_asyncio.fixture
async def api(serve: Any) -> aiohttp.ClientSession:
    session: aiohttp.ClientSession = await serve()
    return session
