"""A database with one feed, and the address at which hubs reach it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import aiohttp
import pytest_asyncio
from aiohttp import web
from yarl import URL

from config.model import Limits, Outlet, Politeness, Settings, WebSub
from monitor.api.serve import ApiServer
from scheduler.websub.callback import Callbacks
from scheduler.websub.client import HubClient
from scheduler.websub.office import SubscriptionOffice
from storage.hubs import HubSubscription
from storage.sources import SourceDefinition
from storage.storage import Storage

SOURCE = "kabar/main"
TOPIC = "https://kabar.test/feed"
CALLBACK = "https://warta.test/hooks/"


@dataclass
class Hub:
    """A hub that answers as told and keeps what it was sent."""

    url: str = ""
    #: (status, headers) of the answers to come; 202 after that.
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    got: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    async def serve(self, request: web.Request) -> web.Response:
        self.got.append((request.path, {k: str(v) for k, v in (await request.post()).items()}))
        status, headers = self.answers.pop(0) if self.answers else (202, {})
        return web.Response(status=status, headers=headers, text="so it is" if status >= 400 else "")


@pytest_asyncio.fixture
async def hub() -> AsyncIterator[Hub]:
    found, app = Hub(), web.Application()
    app.router.add_post("/{path:.*}", found.serve)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/hub"  # type: ignore[union-attr]
    yield found
    await runner.cleanup()


def settings_for(url: str, outlets: Sequence[Outlet] = (), **changes: Any) -> Settings:
    """Settings that may reach the hub's port on this machine, unless they say otherwise."""
    given: dict[str, Any] = {"allow_networks": (ip_network("127.0.0.0/8"),)} | changes
    return Settings(
        path=Path("warta.yaml"), data_dir=Path("data"), redis="embedded", database="embedded", outlets=tuple(outlets),
        limits=Limits(ports=frozenset({URL(url).port or 443})), politeness=Politeness(user_agent="warta/0.1"),
        **given,
    )  # fmt: skip


@dataclass
class Reply:
    """An answer, read."""

    status_code: int
    text: str
    headers: Any


class Http:
    """Asks the callback's server for what stands at its public address."""

    def __init__(self, address: str) -> None:
        self._address = URL(address)
        self._session = aiohttp.ClientSession()

    async def get(self, url: str, params: dict[str, str]) -> Reply:
        return await self._do("GET", url, params=params)

    async def post(self, url: str, content: Any = b"", headers: Any = None) -> Reply:
        return await self._do("POST", url, data=content, headers=headers)

    async def _do(self, method: str, url: str, **how: Any) -> Reply:
        async with self._session.request(method, self._address.join(URL(URL(url).path)), **how) as answer:
            return Reply(answer.status, await answer.text(), answer.headers)

    async def close(self) -> None:
        await self._session.close()


@dataclass
class Post:
    """The subscription of one feed, from both ends."""

    storage: Storage
    clock: Any
    hub: Hub
    office: SubscriptionOffice
    http: Http

    async def offered(self) -> HubSubscription:
        found = await self.storage.hubs.offer(SOURCE, [self.hub.url], TOPIC, self.clock())
        assert found is not None
        return found

    async def now(self) -> HubSubscription:
        """The subscription as it stands."""
        found = await self.storage.hubs.of(SOURCE)
        assert found is not None
        return found

    async def verify(self, **changes: str) -> Reply:
        """The hub's question about what it was asked last."""
        form = self.hub.got[-1][1]
        query = {
            "hub.mode": form["hub.mode"], "hub.topic": form["hub.topic"], "hub.challenge": "c-4711",
            "hub.lease_seconds": "86400",
        }  # fmt: skip
        query |= {f"hub.{name}": value for name, value in changes.items()}
        return await self.http.get(form["hub.callback"], params=query)

    async def active(self) -> HubSubscription:
        await self.offered()
        await self.office.tick()
        assert (await self.verify()).text == "c-4711"
        return await self.now()


MakePost = Callable[..., Any]


@pytest_asyncio.fixture
async def make_post(hub: Hub, clock: Any, blank: Path, tmp_path: Path) -> AsyncIterator[MakePost]:
    opened: list[Post] = []
    servers: list[tuple[ApiServer, asyncio.Task[None]]] = []

    async def make(*, websub: WebSub | None = None, outlets: Sequence[Outlet] = (), most_bytes: int = 1000) -> Post:
        websub = websub or WebSub(callback=CALLBACK, lease=timedelta(days=10))
        path = tmp_path / "warta.db"
        if not path.exists():
            shutil.copy(blank, path)
        storage = await Storage.open(f"sqlite:///{path}", now=clock, migrate=False)
        definition = SourceDefinition(id=SOURCE, outlet_id="kabar", kind="feed", url=TOPIC)
        await storage.sources.upsert([definition], {SOURCE: clock() + timedelta(hours=5)}, clock())
        settings = settings_for(hub.url, outlets)
        client = HubClient(settings, now=clock)
        office = SubscriptionOffice(storage, lambda: settings, client, websub, now=clock)
        callbacks = Callbacks(storage, lease=websub.lease, most_bytes=most_bytes, lost=office.lost, now=clock)
        server = ApiServer(callbacks.app(), WebSub(callback=CALLBACK, port=0))
        servers.append((server, asyncio.create_task(server.serve())))
        opened.append(Post(storage, clock, hub, office, Http(server.address)))
        return opened[-1]

    yield make
    for post in opened:
        await post.http.close()
        await post.office.close()
        await post.storage.close()
    for server, serving in servers:
        server.stop()
        await serving


@pytest_asyncio.fixture
async def post(make_post: MakePost) -> Post:
    found: Post = await make_post()
    return found
