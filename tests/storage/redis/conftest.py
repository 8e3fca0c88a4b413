from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from storage.embedded import EmbeddedValkey
from storage.redis import connect


@pytest.fixture(scope="session")
def valkey_dir() -> Iterator[Path]:
    """Short, because sockets live below it."""
    path = Path(tempfile.mkdtemp(prefix="warta-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def valkey(valkey_dir: Path) -> AsyncIterator[EmbeddedValkey]:
    server = EmbeddedValkey(valkey_dir / "session", persistent=False)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def url(valkey: EmbeddedValkey) -> str:
    return valkey.url


@pytest_asyncio.fixture
async def redis(url: str) -> AsyncIterator[Redis]:
    """A client of an empty server with default settings."""
    client = connect(url)
    await client.flushall()
    yield client
    await client.config_set("maxmemory", "0")
    await client.replicaof("no", "one")
    await client.aclose()
