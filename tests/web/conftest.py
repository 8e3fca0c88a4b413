"""A site over real storage, filled with hostile words among others, and a browser to look at it."""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from config.load import load
from config.model import Monitor
from monitor.web import live
from monitor.web.serve import serving
from monitor.web.site import Site
from storage.alerts import Message, Trouble
from storage.content import article_id
from storage.delivery import Pending, Settlement
from storage.health import Change
from storage.model import (
    Article,
    Block,
    BlockKind,
    Decided,
    Discovery,
    FateKind,
    Image,
    RawPage,
    RunStatus,
    Trigger,
)
from storage.rhythm import SLOTS, Rhythm
from storage.rhythms import NextPoll
from storage.rhythms import save as save_rhythm
from storage.sources import SourceDefinition
from storage.storage import Storage

#: If any of these ran, the page's title would say so.
SCRIPT = "<script>document.title='owned'</script>"
ATTRIBUTE = '"><img src=x onerror="document.title=\'owned\'">'
ADDRESS = "javascript:document.title='owned'"
#: Of the sites that ask for one.
PASSWORD = "correct-horse-battery"
ANSI = "\x1b[31mred\x1b[0m\u202egnp"

WARTA = """
data_dir: {data}
outlets: [outlets/*.yaml]
"""
OUTLET = """
name: Kabar
homepage: https://kabar.test/
language: id
timezone: Asia/Jakarta
sources:
  - {name: utama, kind: feed, url: "https://kabar.test/rss", headers: {Authorization: "Bearer very-secret-word"}}
  - {name: bursa, kind: feed, url: "https://kabar.test/bursa.rss"}
  - {name: daerah, kind: sitemap, url: "https://kabar.test/sitemap.xml"}
"""

ARGUMENTS = [
    f"--{name}"
    for name in (
        "headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking",
        "disable-component-update", "disable-sync",
    )
]  # fmt: skip


def utc() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Filled:
    """A database file to be copied, and what there is to be found in it."""

    database: Path
    article: str
    hostile: str
    run: str


@dataclass
class Served:
    """A running site and its database's own door, used from the test's thread."""

    url: str
    site: Site
    loop: asyncio.AbstractEventLoop
    filled: Filled

    @property
    def article(self) -> str:
        return self.filled.article

    @property
    def hostile(self) -> str:
        return self.filled.hostile

    @property
    def run(self) -> str:
        return self.filled.run

    def write_log(self, **fields: Any) -> None:
        write_log(self.site.log, **fields)

    def do(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(20)


def _article(title: str, text: str, *, key: str, url: str, authors: tuple[str, ...] = ("Rina",)) -> Article:
    return Article(
        outlet_id="kabar", url=url, url_key=key, title=title, body=(Block(BlockKind.PARAGRAPH, text),), text=text,
        language="id", authors=authors, published=utc() - timedelta(minutes=5), published_from="feed",
        word_count=len(text.split()), provenance=(("title", "feed"), ("body", "rules")),
        images=(Image(url=url, caption=title),), content_hash=f"1:{title}{text}", body_hash=f"1:{text}",
    )  # fmt: skip


async def _filled(storage: Storage) -> tuple[str, str, str]:
    now = utc()
    names = {"utama": "feed", "bursa": "feed", "daerah": "sitemap"}
    await storage.sources.upsert(
        [
            SourceDefinition(id=f"kabar/{n}", outlet_id="kabar", kind=k, url=f"https://kabar.test/{n}")
            for n, k in names.items()
        ],
        {f"kabar/{n}": now + timedelta(hours=1) for n in names},
        now,
    )
    run = await storage.runs.begin("kabar/utama", "kabar", Trigger.SCHEDULE, now, 1, "tests", now)
    assert run is not None
    bad = await storage.runs.begin("kabar/bursa", "kabar", Trigger.SCHEDULE, now, 2, "tests", now)
    assert bad is not None
    await storage.runs.finish(
        bad.id, 2, RunStatus.FAILED, now=now, reason="http_5xx", message=f"answers 500 {SCRIPT}{ANSI}",
        http_status=500, state={"failures": 1.0, "last_failure": "http_5xx", "last_failure_message": ATTRIBUTE},
    )  # fmt: skip
    plain = _article(
        "Rupiah menguat", "Rupiah menguat tipis pada Senin.", key="rupiah", url="https://kabar.test/rupiah"
    )
    evil = _article(f"Judul {SCRIPT}", f"Isi {ATTRIBUTE} {ANSI}", key="jahat", url=ADDRESS, authors=(SCRIPT, ATTRIBUTE))
    found = await storage.runs.discovered(
        run.id, 1, [Discovery(url=a.url, url_key=a.url_key, title=a.title) for a in (plain, evil)], 3, [], now
    )
    raw = RawPage(
        url="https://kabar.test/jahat", body=f"<h1>Asli</h1>{SCRIPT}".encode(), content_type=None, fetched_at=now
    )
    for fate, article in zip(found, (plain, evil), strict=True):
        await storage.writer.commit(
            Decided(
                fate_id=fate.id, run_id=run.id, source_id="kabar/utama", outlet_id="kabar", token=1,
                kind=FateKind.STORED, now=now, article=article, raw=raw,
            )
        )  # fmt: skip
    await storage.runs.finish(
        run.id, 1, RunStatus.OK, now=now, http_status=200, bytes=4096, duration=0.25,
        exchange={"sent": {"etag": f'"{SCRIPT}"'}, "given": {"etag": '"v1"'}, "redirects": [[301, ATTRIBUTE]]},
        state={"last_success": now, "last_new": now, "etag": '"v1"'},
    )  # fmt: skip
    second = await storage.runs.begin("kabar/utama", "kabar", Trigger.MANUAL, now, 3, "tests", now)
    assert second is not None
    (again,) = await storage.runs.discovered(
        second.id, 3, [Discovery(url=plain.url, url_key=plain.url_key, title=plain.title)], 0, [], now
    )
    revised = _article("Rupiah melemah", "Rupiah melemah tipis pada Senin.", key="rupiah", url=plain.url)
    known = article_id("kabar", "rupiah")
    await storage.writer.commit(
        Decided(
            fate_id=again.id, run_id=second.id, source_id="kabar/utama", outlet_id="kabar", token=3,
            kind=FateKind.REVISED, now=now, article=revised, of=known,
        )
    )  # fmt: skip
    await storage.runs.finish(second.id, 3, RunStatus.OK, now=now, http_status=200, duration=0.1)
    await _judged(storage, bad.id, now)
    await storage.deliveries.declare("arsip", "webhook", now - timedelta(hours=1), from_beginning=True)
    await storage.deliveries.take("arsip", 1)
    dead = Pending(
        consumer="arsip", event_id=2, article_id=article_id("kabar", "jahat"), status="dead", attempts=9,
        next_attempt=now, first_failed=now, last_error=f"says {SCRIPT}{ANSI}",
    )  # fmt: skip
    await storage.deliveries.settle("arsip", 1, Settlement(cursor=2, pending=[dead], error=ATTRIBUTE), now)
    return known, article_id("kabar", "jahat"), run.id


async def _judged(storage: Storage, failed_run: str, now: datetime) -> None:
    """One source fails, with a rhythm of its own; an incident tells of it, and another is over."""
    states = {"utama": ("ok", "Items come as expected"), "bursa": ("failing", f"{ATTRIBUTE}{ANSI}")}
    changes = [
        Change(
            source_id=f"kabar/{name}", outlet_id="kabar", flips=0, was="new", became=state, sentence=sentence,
            evidence={}, began_at=now - timedelta(hours=2),
        )
        for name, (state, sentence) in states.items()
    ]  # fmt: skip
    await storage.health.write(changes, now)
    counts = tuple(4.0 if slot % 24 > 6 else 0.5 for slot in range(SLOTS))
    at = now.timestamp()
    rhythm = Rhythm(counts=counts, hours=(2.0,) * SLOTS, origin=at, until=at, window=20.0)
    term = {"name": "rhythm", "text": f"about 40 a day {SCRIPT}", "at": (now + timedelta(hours=1)).isoformat()}
    found = NextPoll(at=now + timedelta(hours=1), terms=(term,), rhythm=rhythm)
    async with storage.database.write() as connection:
        await save_rhythm(storage.database, connection, "kabar/utama", found, now)
    trouble = Trouble(
        rule="failing", key="kabar", severity="critical", title=f"Kabar {SCRIPT}", sentence=f"{ATTRIBUTE}{ANSI}",
        began_at=now - timedelta(hours=1), outlet_id="kabar", sources=("kabar/bursa",), path=f"/runs/{failed_run}",
    )  # fmt: skip
    over = Trouble(rule="disk", key="disk", severity="warning", title="Disk", sentence="Full", began_at=now)
    opened, _ = await storage.alerts.step(now, troubles=[trouble, over])
    await storage.alerts.step(now, ended=[(opened[1].id, now)])
    message = Message(
        incident_id=opened[0].id, channel="telegram", kind="opened", number=0, severity="critical",
        title=f"Kabar {SCRIPT}", body="-",
    )  # fmt: skip
    await storage.alerts.tell([message], now)
    await storage.alerts.silence(until=now + timedelta(hours=1), who=ATTRIBUTE, reason=SCRIPT, rule="disk", now=now)


def write_log(path: Path, **fields: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"time": utc().isoformat(), "level": "info", "logger": "tests"} | fields) + "\n")


@pytest.fixture(autouse=True)
def _looked_at_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LOOK", 0.2)


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """Migrated and filled once; each site gets a copy."""
    path = tmp_path_factory.mktemp("web") / "warta.db"

    async def fill() -> tuple[str, str, str]:
        storage = await Storage.open(f"sqlite:///{path}", now=utc)
        try:
            return await _filled(storage)
        finally:
            await storage.close()

    with ThreadPoolExecutor(1) as apart:  # Playwright may keep a loop running in this thread
        article, hostile, run = apart.submit(lambda: asyncio.run(fill())).result(60)
    return Filled(path, article, hostile, run)


@contextmanager
def _sites(filled: Filled, place_of: Path) -> Iterator[Callable[..., Served]]:
    stops: list[Callable[[], None]] = []

    def start(**monitor: Any) -> Served:
        place = place_of / f"site{len(stops)}"
        (place / "outlets").mkdir(parents=True)
        (place / "warta.yaml").write_text(WARTA.format(data=place / "data"))
        (place / "outlets" / "kabar.yaml").write_text(OUTLET)
        shutil.copy(filled.database, place / "warta.db")
        settings = load(place, {})
        ready: list[Any] = []
        began, loop, stop = threading.Event(), asyncio.new_event_loop(), asyncio.Event()

        async def live() -> None:
            storage = await Storage.open(f"sqlite:///{place / 'warta.db'}", now=utc, migrate=False)
            site = Site(
                storage=storage, settings=lambda: settings, monitor=Monitor(**{"port": 0} | monitor), now=utc,
                log=place / "logs" / "warta.jsonl", alive=place / "warta.alive",
            )  # fmt: skip
            try:
                words = {"run": filled.run, "source": "kabar/utama", "outlet": "kabar", "outcome": "ok"}
                write_log(site.log, event="run finished", **words)
                write_log(site.log, event=f"strange {SCRIPT}{ANSI}", level="warning", url=ADDRESS)
                async with serving(site) as url:
                    ready.append(Served(url.replace("0.0.0.0", "127.0.0.1"), site, loop, filled))
                    began.set()
                    await stop.wait()
            finally:
                await storage.close()
                began.set()

        thread = threading.Thread(target=lambda: loop.run_until_complete(live()), daemon=True)
        thread.start()
        assert began.wait(20)
        assert ready, "the site did not start"

        def end() -> None:
            loop.call_soon_threadsafe(stop.set)
            thread.join(15)
            loop.close()

        stops.append(end)
        return ready[0]

    try:
        yield start
    finally:
        for stop in stops:
            stop()


@pytest.fixture
def serve(filled: Filled, tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Serve a filled site with such a monitor, for this test alone; as often as it likes."""
    with _sites(filled, tmp_path) as start:
        yield start


@pytest.fixture
def served(serve: Callable[..., Served]) -> Served:
    """A site that this test may change."""
    return serve()


@pytest.fixture(scope="module")
def _kept(filled: Filled, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Served]]:
    with _sites(filled, tmp_path_factory.mktemp("kept")) as start:
        yield start


@pytest.fixture(scope="module")
def looked_at(_kept: Callable[..., Served]) -> Served:
    """A site that many tests share, and none of them changes."""
    return _kept()


@pytest.fixture(scope="module")
def locked(_kept: Callable[..., Served]) -> Served:
    """The same behind :data:`PASSWORD`."""
    return _kept(password=PASSWORD)


@pytest.fixture(scope="module")
def chromium(missing: Callable[[str], None]) -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright.

    One for each module: while Playwright is up it keeps an event loop running in this thread, in which no
    asynchronous test of another module could run.
    """
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        missing("no Chromium here: make system installs it")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """A page of a new, empty profile; any script error or refused resource fails the test."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    found = context.new_page()
    problems: list[str] = []
    found.on("pageerror", lambda error: problems.append(str(error)))
    found.on("console", lambda m: problems.append(m.text) if "Content Security Policy" in m.text else None)
    yield found
    context.close()
    assert problems == []
