"""An installation moved from SQLite to PostgreSQL, and its consumers, who notice nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from redis.asyncio import Redis
from sqlalchemy import text

from config.load import load
from config.model import Files, Settings, Stream, Subscription
from scheduler.cli.context import Exit
from scheduler.cli.main import build
from scheduler.delivery.office import DeliveryOffice, filter_of
from scheduler.lock import AlreadyRunning, DataLock
from scheduler.move import Moved, move_installation
from storage.database import Database
from storage.embedded import EmbeddedValkey
from storage.leases import Leases
from storage.move import MoveRefused
from storage.redis import connect
from storage.storage import Storage
from storage.streams import StreamExists

KEY = "warta:articles"

pytestmark = pytest.mark.postgres


def unheard(_table: str, _what: str, _done: int, _total: int) -> None:
    """No bar here."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An embedded installation with a stream and files."""
    (tmp_path / "outlets").mkdir()
    (tmp_path / "outlets" / "w.yaml").write_text(
        "name: W\nhomepage: https://w.test\nsources: [{name: a, kind: feed, url: 'https://w.test/a'}]\n"
    )
    (tmp_path / "warta.yaml").write_text(f"data_dir: {tmp_path / 'd'}\n")
    found = load(tmp_path / "warta.yaml", {})
    files = Files(directory=tmp_path / "files", every=timedelta(seconds=0))
    return replace(
        found, deliver=(Subscription(name="live", target=Stream(key=KEY)), Subscription(name="archive", target=files))
    )


@pytest_asyncio.fixture
async def old(settings: Settings, clock: Any) -> AsyncIterator[Storage]:
    settings.data_dir.mkdir(parents=True)
    opened = await Storage.open(f"sqlite:///{settings.data_dir / 'warta.db'}", now=clock)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def other_redis(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    async with EmbeddedValkey(tmp_path_factory.mktemp("o"), persistent=False).running() as server:
        yield server.url


async def published(storage: Storage, clock: Any, make_desk: Callable[..., Any], *keys: str, token: int = 0) -> None:
    desk = make_desk(storage, clock)
    desk.token = token
    await desk.declare()
    for key in keys:
        await desk.publish(key)


async def rows(database: Database) -> dict[str, int]:
    async with database.read() as connection:
        names = ("articles", "revisions", "raw_pages", "identities", "outbox", "consumers", "fates", "runs")
        return {name: int(await connection.scalar(text(f"SELECT count(*) FROM {name}")) or 0) for name in names}


async def deliver(storage: Storage, redis: Redis, settings: Settings, clock: Any) -> None:
    """Let the couriers work until nobody has anything to get."""
    office = DeliveryOffice(
        storage=storage, leases=Leases(redis), redis=redis, settings=lambda: settings, holder="t", now=clock
    )
    await office.tick(leads=True)
    filters = {s.name: filter_of(s) for s in settings.deliver}
    async with asyncio.timeout(20):
        while True:
            lags = await storage.deliveries.lag(clock(), filters)
            if len(lags) == len(settings.deliver) and not any(lag.behind + lag.waiting for lag in lags):
                break
            await asyncio.sleep(0.05)
    await office.stop()


async def read(redis: Redis, *, pending: bool = False, acknowledge: bool = True, count: int = 100) -> list[str]:
    """Keys of the entries that the reader gets: those it took before and not acknowledged, or what is behind them."""
    start = "0" if pending else ">"
    found: Any = await redis.xreadgroup("arsip", "satu", {KEY: start}, count=count)
    entries = found[0][1] if found else []
    if acknowledge and entries:
        await redis.xack(KEY, "arsip", *[entry_id for entry_id, _ in entries])
    return [fields[b"key"].decode() for _, fields in entries]


async def test_consumers_go_on_where_they_were(
    settings: Settings, old: Storage, other_redis: str, fresh_postgres: Callable[[], str], clock: Any,
    make_desk: Callable[..., Any],
) -> None:  # fmt: skip
    await published(old, clock, make_desk, *"abcdef")
    async with EmbeddedValkey(settings.data_dir).running() as server:
        redis = connect(server.url)
        await redis.xgroup_create(KEY, "arsip", id="0", mkstream=True)
        await deliver(old, redis, settings, clock)
        got = await read(redis, count=2)
        taken = await read(redis, count=2, acknowledge=False)
        await redis.hset("warta:host:w.test", mapping={"learned": "4000", "learned_at": "1"})
        await redis.pexpire("warta:host:w.test", 60_000)
        await redis.aclose()
    await published(old, clock, make_desk, "g", token=100)  # nobody has been told of this one
    before, last = await rows(old.database), await old.outbox.last()
    await old.close()

    url = fresh_postgres()
    moved = await move_installation(settings, url, other_redis, unheard)
    assert {table.name: table.rows for table in moved.tables}.items() >= before.items()
    assert (moved.streams[0].entries, moved.streams[0].groups, moved.streams[0].pending, moved.hosts) == (6, 1, 2, 1)

    storage, redis = await Storage.open(url, now=clock), connect(other_redis)
    assert (await storage.audit.run()).findings == ()
    assert await storage.outbox.last() == last
    await published(storage, clock, make_desk, "a", "h", token=200)  # known ones stay known
    await deliver(storage, redis, settings, clock)
    assert await storage.outbox.last() > last
    got += await read(redis, pending=True)
    assert got[2:] == taken
    got += await read(redis)
    events = [event.key async for event in storage.events.iterate()]
    assert got == events
    filed = [path.read_text().splitlines() for path in sorted((settings.path.parent / "files").glob("day=*/*.jsonl"))]
    assert sum(map(len, filed)) == len(events)
    await redis.aclose()
    await storage.close()


async def test_numbers_that_were_given_are_not_given_again(
    settings: Settings, old: Storage, fresh_postgres: Callable[[], str], clock: Any, make_desk: Callable[..., Any]
) -> None:
    await published(old, clock, make_desk, "a", "b")
    async with old.database.write() as connection:
        await connection.execute(text("DELETE FROM outbox WHERE id = 2"))
    await old.close()
    url = fresh_postgres()
    await move_installation(settings, url, None, unheard)
    storage = await Storage.open(url, now=clock)
    await published(storage, clock, make_desk, "c", token=100)
    assert [event.id for event in await storage.outbox.after(0, limit=10)] == [1, 3]
    await storage.close()


async def test_a_target_in_use_is_refused_and_stays_as_it_is(
    settings: Settings, old: Storage, other_redis: str, fresh_postgres: Callable[[], str], clock: Any,
    make_desk: Callable[..., Any],
) -> None:  # fmt: skip
    await published(old, clock, make_desk, "a")
    await old.close()
    url = fresh_postgres()
    there = await Storage.open(url, now=clock)
    await published(there, clock, make_desk, "z")
    before = await rows(there.database)
    with pytest.raises(MoveRefused, match="has rows"):
        await move_installation(settings, url, None, unheard)
    assert await rows(there.database) == before
    await there.close()
    redis = connect(other_redis)
    await redis.xadd(KEY, {"x": "y"})
    with pytest.raises(StreamExists, match="DEL"):
        await move_installation(settings, fresh_postgres(), other_redis, unheard)
    assert await redis.xlen(KEY) == 1
    await redis.aclose()


async def test_a_move_that_breaks_off_leaves_nothing(
    settings: Settings, old: Storage, fresh_postgres: Callable[[], str], clock: Any, make_desk: Callable[..., Any]
) -> None:
    await published(old, clock, make_desk, "a", "b", "c")
    await old.close()
    url = fresh_postgres()

    def break_off(table: str, what: str, _done: int, _total: int) -> None:
        if (table, what) == ("outbox", "compared"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await move_installation(settings, url, None, break_off)
    storage = await Storage.open(url, now=clock)
    assert set((await rows(storage.database)).values()) == {0}
    await storage.close()
    moved: Moved = await move_installation(settings, url, None, unheard)
    assert next(table.rows for table in moved.tables if table.name == "articles") == 3


async def test_a_table_that_nobody_knows_is_not_left_behind_in_silence(
    settings: Settings, old: Storage, fresh_postgres: Callable[[], str]
) -> None:
    async with old.database.write() as connection:
        await connection.execute(text("CREATE TABLE notizen (id INTEGER PRIMARY KEY)"))
    await old.close()
    with pytest.raises(MoveRefused, match="notizen"):
        await move_installation(settings, fresh_postgres(), None, unheard)


async def test_a_daemon_at_work_is_not_moved_away_from_under(
    settings: Settings, old: Storage, fresh_postgres: Callable[[], str]
) -> None:
    await old.close()
    with DataLock(settings.data_dir), pytest.raises(AlreadyRunning):
        await move_installation(settings, fresh_postgres(), None, unheard)


def test_the_command_says_what_to_write_into_the_configuration(
    settings: Settings, fresh_postgres: Callable[[], str], clock: Any, make_desk: Callable[..., Any],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    async def fill() -> None:
        settings.data_dir.mkdir(parents=True)
        storage = await Storage.open(f"sqlite:///{settings.data_dir / 'warta.db'}", now=clock)
        await published(storage, clock, make_desk, "a")
        await storage.close()

    asyncio.run(fill())
    app, url = build(["upkeep"]), fresh_postgres()
    words = ["--config", str(settings.path)]
    app(["migrate", "--to", url, *words], standalone_mode=False)
    said = capsys.readouterr().out
    assert "database: postgresql://" in said
    assert "articles" in said
    for wrong, code in ((["--to", "mysql://x/y"], Exit.USAGE), (["--redis", "redis://x"], Exit.USAGE)):
        with pytest.raises(SystemExit) as end:
            app(["migrate", *wrong, *words])
        assert end.value.code == code
