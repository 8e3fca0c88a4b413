"""A web server that misbehaves on request, over real sockets, and a fetcher that may reach it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from config.model import Limits, Politeness, Settings
from crawlers.engine import Engine
from crawlers.fetch import Fetcher
from crawlers.model import FetchRequest, FetchResult, Purpose
from crawlers.robots import Robots

POLITE = Politeness(user_agent="warta/0.1 (+https://warta.example/bot)", delay=timedelta(0), concurrency=50)


@dataclass
class Asked:
    """One request as it arrived."""

    path: str
    host: str
    raw: bytes

    def header(self, name: str) -> str | None:
        for line in self.raw.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.lower() == name.lower().encode():
                return value.strip().decode("latin-1")
        return None


Act = Callable[[asyncio.StreamReader, asyncio.StreamWriter, Asked], Awaitable[None]]


def reply(status: str = "200 OK", body: bytes = b"", *headers: str, length: bool = True) -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


@dataclass
class Web:
    """Answers by path; a path without an act is 404. Speaks raw bytes, so it can break any rule."""

    port: int = 0
    acts: dict[str, Act] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    open: set[asyncio.Task[Any]] = field(default_factory=set)

    reply = staticmethod(reply)

    def says(self, path: str, data: bytes) -> None:
        """Answer with these bytes, then close."""

        async def act(_: asyncio.StreamReader, writer: asyncio.StreamWriter, __: Asked) -> None:
            writer.write(data)
            await writer.drain()

        self.acts[path] = act

    def does(self, path: str) -> Callable[[Act], Act]:
        def register(act: Act) -> Act:
            self.acts[path] = act
            return act

        return register

    def url(self, path: str, host: str = "press.test") -> str:
        return f"http://{host}:{self.port}{path}"

    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.open.add(task)
        self.connections += 1
        try:
            while True:
                raw = await reader.readuntil(b"\r\n\r\n")
                asked = Asked(raw.split(b" ", 2)[1].decode(), "", raw)
                asked.host = (asked.header("host") or "").partition(":")[0]
                self.asked.append(asked)
                act = self.acts.get(asked.path) or self.acts.get(asked.path.partition("?")[0])
                if act is None:
                    writer.write(reply("404 Not Found"))
                else:
                    await act(reader, writer, asked)
                    if asked.header("connection") == "close" or not getattr(act, "keep", False):
                        break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            writer.close()
            self.open.discard(task)


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    served = Web()
    server = await asyncio.start_server(served.serve, "127.0.0.1", 0)
    served.port = server.sockets[0].getsockname()[1]
    yield served
    server.close()
    for task in tuple(served.open):
        task.cancel()
    await asyncio.gather(*served.open, return_exceptions=True)


@dataclass
class Turns:
    """A budget that makes nobody wait and keeps a record."""

    taken: list[tuple[str, timedelta]] = field(default_factory=list)
    blocked: list[tuple[str, datetime]] = field(default_factory=list)
    held: int = 0

    @asynccontextmanager
    async def turn(
        self, host: str, outlet: str, politeness: Politeness, *, patience: timedelta | None = None
    ) -> AsyncIterator[None]:
        self.taken.append((host, politeness.delay))
        self.held += 1
        try:
            yield
        finally:
            self.held -= 1

    async def block(self, host: str, until: datetime) -> None:
        self.blocked.append((host, until))


@dataclass
class Clock:
    """Time that is set, never waited for."""

    moment: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, **span: float) -> None:
        self.moment += timedelta(**span)


@dataclass
class Visitor:
    """A fetcher with what it was built from."""

    fetcher: Fetcher
    settings: Settings
    turns: Turns
    clock: Clock
    polite: Politeness = POLITE

    async def get(self, url: str, purpose: Purpose = Purpose.FEED, **more: Any) -> FetchResult:
        request = FetchRequest(url=url, purpose=purpose, outlet_id="kabar", **more)
        return await self.fetcher.fetch(request, self.polite)


def settings_for(port: int, **changes: Any) -> Settings:
    """Settings that may reach loopback at one port, by any name under .test."""
    ports = frozenset({port, *changes.pop("ports", ())})
    limits = replace(changes.pop("limits", Limits()), ports=ports)
    base = Settings(
        path=Path("warta.yaml"),
        data_dir=Path("data"),
        redis="embedded",
        database="embedded",
        outlets=(),
        limits=limits,
        politeness=POLITE,
        allow_networks=(ip_network("127.0.0.0/8"),),
        resolve=(("*.test", "127.0.0.1"),),
    )
    return replace(base, **changes)


MakeVisitor = Callable[..., Awaitable[Visitor]]


@pytest.fixture
async def make_visitor(web: Web) -> AsyncIterator[MakeVisitor]:
    """Builds visitors; keyword arguments change the settings."""
    started: list[Fetcher] = []

    async def make(*, lookup: Any = None, robots: bool = False, **changes: Any) -> Visitor:
        settings = settings_for(web.port, **changes)
        clock, turns = Clock(), Turns()
        engine = Engine(settings, lookup=lookup) if lookup is not None else Engine(settings)
        fetcher = Fetcher(settings, turns, Robots(clock), clock, engine=engine)
        await fetcher.start()
        started.append(fetcher)
        if not robots:
            web.says("/robots.txt", reply("404 Not Found"))
        return Visitor(fetcher, settings, turns, clock)

    yield make
    for fetcher in started:
        await fetcher.stop()


@pytest.fixture
async def visitor(make_visitor: MakeVisitor) -> Visitor:
    return await make_visitor()
