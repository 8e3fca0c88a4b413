"""Trouble of the stores themselves, which no incident can be written down for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from config.alerting import Alerts, Channel
from config.load import load
from config.model import Settings
from scheduler.alerting.sender import Sender, SendError
from scheduler.alerting.stores import HOLD, StoreWatch
from storage.errors import StorageUnavailable


@dataclass
class Store:
    """A database that says what it is told to."""

    says: Exception | None = None
    hangs: bool = False

    async def probe(self) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.says is not None:
            raise self.says


@dataclass
class Post(Sender):
    """Keeps what is sent; channels that refuse are named."""

    refuses: Sequence[str] = ()
    sent: list[tuple[str, str, str, str]] = field(default_factory=list)

    async def send(self, url: str, severity: str, title: str, body: str) -> None:
        if url in self.refuses:
            raise SendError("HTTP 503")
        self.sent.append((url, severity, title, body))


@dataclass
class Bench:
    watch: StoreWatch
    store: Store
    post: Post
    seconds: float = 0.0

    async def after(self, seconds: float) -> list[tuple[str, str, str, str]]:
        """What one more look sends."""
        self.seconds += seconds
        before = len(self.post.sent)
        await self.watch.look()
        return self.post.sent[before:]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    config = tmp_path / "warta.yaml"
    config.write_text("outlets: [o.yaml]\n", encoding="utf-8")
    outlet = "name: K\nhomepage: https://k.test/\nsources: [{name: s, kind: feed, url: 'https://k.test/s'}]\n"
    (tmp_path / "o.yaml").write_text(outlet, encoding="utf-8")
    channels = tuple(Channel(name=name, url=name) for name in ("desk", "pager"))
    settings: Settings = replace(load(config, {}), alerts=Alerts(channels=channels))
    store, post = Store(), Post()
    watch = StoreWatch(
        {"database": store.probe}, lambda: settings, sender=post, monotonic=lambda: made.seconds, patience=0.01
    )
    made = Bench(watch, store, post)
    return made


async def test_a_database_that_takes_nothing_is_told_once_when_it_lasts_and_when_it_is_over(bench: Bench) -> None:
    bench.store.says = StorageUnavailable("database: disk I/O error")

    assert await bench.after(0) == []
    (desk, pager) = await bench.after(HOLD.total_seconds())
    assert desk == ("desk", "critical", "warta: the database takes nothing", "For 1 min: database: disk I/O error")
    assert pager[0] == "pager"
    assert await bench.after(10) == []

    bench.store.says = None
    assert [(channel, severity) for channel, severity, *_ in await bench.after(10)] == [
        ("desk", "info"), ("pager", "info"),
    ]  # fmt: skip
    assert await bench.after(10) == []


async def test_what_is_over_within_a_minute_wakes_nobody(bench: Bench) -> None:
    bench.store.says = StorageUnavailable("database is locked")
    await bench.after(0)
    bench.store.says = None

    assert await bench.after(30) == []


async def test_a_store_that_hangs_is_trouble_and_is_not_asked_again_beside_itself(bench: Bench) -> None:
    bench.store.hangs = True
    await bench.after(0)

    told = await bench.after(HOLD.total_seconds())

    assert told[0][3] == "For 1 min: no answer within 0.01 s"
    assert len(bench.watch._asked) == 1
    for task in bench.watch._asked.values():
        task.cancel()


async def test_a_channel_that_refuses_is_tried_again_and_heard_of_the_end_only_if_it_heard_of_the_trouble(
    bench: Bench,
) -> None:
    bench.store.says, bench.post.refuses = StorageUnavailable("full"), ("desk",)
    await bench.after(0)

    assert [channel for channel, *_ in await bench.after(HOLD.total_seconds())] == ["pager"]
    assert await bench.after(10) == []
    bench.store.says = None
    assert [channel for channel, *_ in await bench.after(10)] == ["pager"]
