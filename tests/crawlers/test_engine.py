from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from crawlers.address import parse_target
from crawlers.engine import Engine
from crawlers.exchange import ExchangeFailedError
from crawlers.fetch import exchange_for
from crawlers.model import Fetched, FetchFailed, FetchRequest, Purpose
from crawlers.settings import engine_settings

ROOT = Path(__file__).parents[2]


def exchange(url: str, limits):
    target = parse_target(url)
    request = FetchRequest(url=url, purpose=Purpose.FEED, outlet_id="kabar")
    return exchange_for(request, target, target, "warta", limits)


async def test_it_starts_once_and_stops_twice(web, make_visitor):
    visitor = await make_visitor()
    with pytest.raises(RuntimeError, match="already"):
        await visitor.fetcher.start()
    await visitor.fetcher.stop()
    await visitor.fetcher.stop()


async def test_it_says_when_it_has_not_been_started(web, make_visitor):
    visitor = await make_visitor()
    engine = Engine(visitor.settings)
    with pytest.raises(RuntimeError, match="not been started"):
        await engine.download(exchange(web.url("/"), visitor.settings.limits))


async def test_stopping_ends_what_is_in_flight(web, make_visitor):
    visitor = await make_visitor()
    arrived = asyncio.Event()

    @web.does("/feed")
    async def silent(reader, writer, asked):
        arrived.set()
        await reader.read()

    task = asyncio.create_task(visitor.get(web.url("/feed")))
    await arrived.wait()
    await asyncio.wait_for(visitor.fetcher.stop(), 5)
    assert isinstance(await task, FetchFailed)


async def test_no_task_and_no_connection_outlives_it(web, make_visitor):
    before = asyncio.all_tasks()
    visitor = await make_visitor()
    web.says("/feed", web.reply("200 OK", b"x"))
    for purpose in (Purpose.FEED, Purpose.ARTICLE):
        assert isinstance(await visitor.get(web.url("/feed"), purpose), Fetched)
    await visitor.fetcher.stop()
    await asyncio.sleep(0.05)
    assert asyncio.all_tasks() - before == set()


async def test_an_answer_of_the_engine_is_one_hop(web, make_visitor):
    visitor = await make_visitor()
    web.says("/feed", web.reply("302 Found", b"", "Location: /other"))
    answer = await visitor.fetcher._engine.download(exchange(web.url("/feed"), visitor.settings.limits))
    assert answer.status == 302
    assert web.paths() == ["/feed"]
    web.says("/feed", b"")
    with pytest.raises(ExchangeFailedError):
        await visitor.fetcher._engine.download(exchange(web.url("/feed"), visitor.settings.limits))


def test_what_bites_is_off():
    for reactor in ("none", "asyncio"):
        settings = engine_settings(reactor)
        assert settings["REMOTE_CONTROL_ENABLED"] is False
        assert settings["TELNETCONSOLE_ENABLED"] is False
        assert settings["CONCURRENT_REQUESTS"] == 0
        assert set(settings["DOWNLOADER_MIDDLEWARES"].values()) == {None}
        assert {scheme for scheme, handler in settings["DOWNLOAD_HANDLERS"].items() if handler} == {"http", "https"}
        assert settings["TWISTED_REACTOR_ENABLED"] is (reactor == "asyncio")


PROGRAM = """
import asyncio, json, sys
sys.path.insert(0, sys.argv[1])
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from config.model import Limits, Politeness, Settings
from crawlers.fetch import Fetcher
from crawlers.model import FetchRequest, Purpose
from crawlers.robots import Robots

class Turns:
    @asynccontextmanager
    async def turn(self, host, outlet, politeness, *, patience=None):
        yield
    async def block(self, host, until):
        pass

async def serve(reader, writer):
    head = await reader.readuntil(b"\\r\\n\\r\\n")
    body = b"" if b"robots.txt" in head else b"<rss/>"
    if b"/silent" in head:
        await reader.read()
    writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n%b" % (len(body), body))
    await writer.drain()
    writer.close()

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    polite = Politeness(user_agent="warta/0.1", delay=timedelta(0))
    settings = Settings(
        path=Path("x"), data_dir=Path("x"), redis="embedded", database="embedded", outlets=(), politeness=polite,
        limits=replace(Limits(), ports=frozenset({port}), feed_seconds=5),
        allow_networks=(ip_network("127.0.0.0/8"),), reactor=sys.argv[2],
    )
    now = lambda: datetime.now(UTC)
    fetcher = Fetcher(settings, Turns(), Robots(now), now)
    await fetcher.start()
    def request(path):
        return FetchRequest(url=f"http://127.0.0.1:{port}{path}", purpose=Purpose.FEED, outlet_id="x")
    results = await asyncio.gather(*(fetcher.fetch(request(f"/{n}"), polite) for n in range(20)))
    refused = await fetcher.fetch(replace(request("/"), url=f"http://10.0.0.1:{port}/"), polite)
    silent = asyncio.create_task(fetcher.fetch(request("/silent"), polite))
    await asyncio.sleep(0.1)
    silent.cancel()
    await asyncio.wait({silent})
    await fetcher.stop()
    server.close()
    from scrapy.utils.reactor import is_reactor_installed
    print(json.dumps({
        "fetched": sum(result.body == b"<rss/>" for result in results), "refused": str(refused.kind),
        "cancelled": silent.cancelled(), "reactor": is_reactor_installed(),
    }))

asyncio.run(main())
"""


@pytest.mark.parametrize("reactor", ["none", "asyncio"])
def test_both_reactors_fetch_refuse_and_stop(reactor):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, str(ROOT), reactor],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "fetched": 20,
        "refused": "forbidden_address",
        "cancelled": True,
        "reactor": reactor == "asyncio",
    }
    assert "Traceback" not in done.stderr
