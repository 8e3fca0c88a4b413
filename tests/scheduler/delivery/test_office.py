from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest_asyncio
from redis.asyncio import Redis

from config.load import load
from config.model import Files, Settings, Stream, Subscription
from scheduler.delivery.courier import Courier
from scheduler.delivery.files import FilesTarget
from scheduler.delivery.office import DeliveryOffice
from storage.embedded import EmbeddedValkey
from storage.events import EventFilter
from storage.leases import Leases
from storage.redis import connect
from storage.storage import Storage

KEY = "warta:articles"


def wall() -> datetime:
    return datetime.now(UTC)


@pytest_asyncio.fixture
async def redis(valkey: EmbeddedValkey) -> AsyncIterator[Redis]:
    client = connect(valkey.url)
    yield client
    await client.aclose()


@pytest_asyncio.fixture
async def office(
    storage: Storage, redis: Redis, tmp_path: Path
) -> AsyncIterator[Callable[[str, Callable[[], Settings]], DeliveryOffice]]:
    """Makes offices by the name of their process."""
    made = []

    def make(name: str, settings: Callable[[], Settings]) -> DeliveryOffice:
        one = DeliveryOffice(
            storage=storage, leases=Leases(redis), redis=redis, settings=settings, holder=name, now=wall
        )
        made.append(one)
        return one

    yield make
    for one in made:
        await one.stop()


def configured(tmp_path: Path, *deliver: Subscription) -> Settings:
    (tmp_path / "outlets").mkdir(exist_ok=True)
    (tmp_path / "outlets" / "w.yaml").write_text(
        "name: W\nhomepage: https://w.test\nsources: [{name: a, kind: feed, url: 'https://w.test/a'}]\n"
    )
    (tmp_path / "warta.yaml").write_text("")
    return replace(load(tmp_path / "warta.yaml", {}), deliver=deliver)


async def reaches(redis: Redis, length: int) -> bool:
    """Whether the stream gets that long within some seconds."""
    for _ in range(100):
        if await redis.xlen(KEY) >= length:
            return True
        await asyncio.sleep(0.05)
    return False


STREAM = Subscription(name="live", target=Stream(key=KEY))


async def test_of_two_offices_one_delivers_and_the_other_takes_over(
    office: Any, redis: Redis, storage: Storage, paper: Any, tmp_path: Path
) -> None:
    settings = configured(tmp_path, STREAM)
    first, second = office("one", lambda: settings), office("two", lambda: settings)
    await first.tick(leads=True)
    await paper.publish("a")
    assert await reaches(redis, 1)
    await second.tick(leads=True)
    await paper.publish("b")
    assert await reaches(redis, 2)
    assert await Leases(redis).holder("deliver:live") == "one"

    await first.tick(leads=False)
    await second.stop()
    await second.tick(leads=True)
    await paper.publish("c")
    assert await reaches(redis, 3)
    assert await Leases(redis).holder("deliver:live") == "two"
    assert [entry[0] for entry in await redis.xrange(KEY)] == [b"1-0", b"2-0", b"3-0"]


async def test_an_office_that_does_not_lead_delivers_nothing(
    office: Any, redis: Redis, storage: Storage, paper: Any, tmp_path: Path
) -> None:
    settings = configured(tmp_path, STREAM)
    await paper.publish("a")
    await office("one", lambda: settings).tick(leads=False)
    await asyncio.sleep(0.2)
    assert await storage.deliveries.all() == []
    assert not await redis.exists(KEY)


async def test_consumers_come_and_go_with_the_configuration(
    office: Any, redis: Redis, storage: Storage, paper: Any, tmp_path: Path
) -> None:
    now = configured(tmp_path, STREAM)
    desk = office("one", lambda: now)
    await paper.publish("a")
    await desk.tick(leads=True)
    assert await reaches(redis, 1)

    files = Files(directory=tmp_path / "files", every=timedelta(0))
    now = replace(now, deliver=(Subscription(name="archive", target=files),))
    await desk.tick(leads=True)
    await paper.publish("b")
    for _ in range(100):
        if list((tmp_path / "files").glob("day=*/*.jsonl")):
            break
        await asyncio.sleep(0.05)
    (path,) = (tmp_path / "files").glob("day=*/*.jsonl")
    assert len(path.read_text().splitlines()) == 2
    assert await redis.xlen(KEY) == 1

    now = replace(now, deliver=(STREAM,))
    await desk.tick(leads=True)
    assert await reaches(redis, 2)


async def test_trouble_of_one_consumer_is_no_other_ones(
    office: Any, redis: Redis, storage: Storage, paper: Any, tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("a file where the directory should be")
    broken = Subscription(name="archive", target=Files(directory=tmp_path / "taken", every=timedelta(0)))
    settings = configured(tmp_path, broken, STREAM)
    await paper.publish("a")
    await office("one", lambda: settings).tick(leads=True)
    assert await reaches(redis, 1)
    for _ in range(100):
        lags = {lag.consumer.name: lag for lag in await storage.deliveries.lag(wall())}
        if lags.get("archive") and lags["archive"].consumer.failures:
            break
        await asyncio.sleep(0.05)
    assert lags["archive"].consumer.failures == 1
    assert "taken" in str(lags["archive"].consumer.last_error)
    assert (lags["archive"].behind, lags["archive"].dead) == (1, 0)


async def test_what_waits_for_company_goes_out_although_the_clock_went_back(
    storage: Storage, paper: Any, tmp_path: Path
) -> None:
    clock = [paper.now() + timedelta(seconds=1)]
    await paper.publish("satu")
    files = Files(directory=tmp_path / "out", every=timedelta(seconds=30))
    await storage.deliveries.declare("archive", "files", clock[0], from_beginning=True)
    consumer = await storage.deliveries.take("archive", 1)
    courier = Courier(
        consumer=consumer, target=FilesTarget(files), where=EventFilter(), give_up=timedelta(days=1),
        events=storage.events, deliveries=storage.deliveries, now=lambda: clock[0], dice=lambda: 0.5,
    )  # fmt: skip
    await courier.round()
    assert list((tmp_path / "out").rglob("*.jsonl")) == []

    clock[0] -= timedelta(hours=1)
    await courier.round()

    assert len(list((tmp_path / "out").rglob("*.jsonl"))) == 1
