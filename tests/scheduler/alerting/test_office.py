"""Alerting on a real database, to a real receiver through apprise."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from config.alerting import Alerts, Channel, DeadMan, Rule
from config.load import load
from config.model import Settings
from scheduler.alerting.office import AlertOffice
from scheduler.alerting.sender import Sender, SendError
from storage.health import Change
from storage.sources import SourceDefinition
from storage.storage import Storage

LOOPBACK = (ip_network("127.0.0.0/8"),)


@dataclass
class Receiver:
    """What a channel got, and how it answers."""

    port: int = 0
    status: int = 200
    got: list[dict[str, Any]] = field(default_factory=list)
    calls: int = 0

    async def take(self, request: web.Request) -> web.Response:
        if request.method == "GET":
            self.calls += 1
            return web.Response(status=self.status)
        if self.status == 200:
            self.got.append(json.loads(await request.text()))
        return web.Response(status=self.status)


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    found = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", found.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    found.port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    yield found
    await runner.cleanup()


@pytest_asyncio.fixture
async def storage(tmp_path: Path, clock: Any) -> AsyncIterator[Storage]:
    opened = await Storage.open(f"sqlite:///{tmp_path / 'w.db'}", now=clock)
    definitions = [
        SourceDefinition(id=f"pagi/{n}", outlet_id="pagi", kind="feed", url=f"https://pagi.test/{n}") for n in range(3)
    ]
    await opened.sources.upsert(definitions, {}, clock() + timedelta(days=30))
    yield opened
    await opened.close()


def settings(tmp_path: Path, receiver: Receiver, **more: Any) -> Settings:
    (tmp_path / "outlets").mkdir(exist_ok=True)
    (tmp_path / "warta.yaml").write_text("outlets: []\n")
    channel = Channel(name="ops", url=f"json://127.0.0.1:{receiver.port}/hook")
    rule = Rule(name="sick", states=("silent", "failing"))
    alerts = Alerts(**{"channels": (channel,), "rules": (rule,)} | more)
    return replace(load(tmp_path / "warta.yaml", {}), alerts=alerts, allow_networks=LOOPBACK, data_dir=tmp_path)


async def fall_ill(storage: Storage, clock: Any, *numbers: int, flips: int = 0, state: str = "silent") -> None:
    changes = [
        Change(
            source_id=f"pagi/{n}", outlet_id="pagi", flips=flips, was="ok", became=state, evidence={},
            sentence="no item \x1b[31m<script>", began_at=clock() - timedelta(hours=2),
        )
        for n in numbers
    ]  # fmt: skip
    assert len(await storage.health.write(changes, clock())) == len(numbers)


async def test_an_incident_is_told_once_even_over_a_restart_and_its_end_too(
    storage: Storage, clock: Any, tmp_path: Path, receiver: Receiver
) -> None:
    found = settings(tmp_path, receiver)
    await fall_ill(storage, clock, 0, 1, 2)
    for _ in range(3):
        await AlertOffice(storage, lambda: found).look(clock())
        clock.advance(timedelta(seconds=30))
    await fall_ill(storage, clock, 0, 1, 2, flips=1, state="ok")
    for _ in range(2):
        await AlertOffice(storage, lambda: found).look(clock())

    first, second = receiver.got
    assert first["title"] == "[warning] pagi: all 3 sources are silent"
    assert "<script>" in first["message"]
    assert "\x1b" not in first["message"]
    assert second["title"] == "[warning] over: pagi: all 3 sources are silent"
    (incident,) = await storage.alerts.recent()
    assert incident.ended_at == clock()


async def test_a_channel_that_is_away_is_tried_again_and_seen_to_fail(
    storage: Storage, clock: Any, tmp_path: Path, receiver: Receiver
) -> None:
    found = settings(tmp_path, receiver)
    office = AlertOffice(storage, lambda: found)
    receiver.status = 500
    await fall_ill(storage, clock, 0)
    await office.look(clock())
    (message,) = await storage.alerts.messages(waiting=True)
    assert (message.attempts, message.last_error) == (1, "the channel did not take it")

    receiver.status = 200
    await office.look(clock() + timedelta(seconds=10))
    assert receiver.got == []  # too soon
    await office.look(clock() + timedelta(seconds=31))
    assert [got["title"] for got in receiver.got] == ["[warning] pagi/0 is silent"]
    assert await storage.alerts.messages(waiting=True) == []


async def test_what_is_silenced_is_an_incident_that_nobody_is_told_of(
    storage: Storage, clock: Any, tmp_path: Path, receiver: Receiver
) -> None:
    found = settings(tmp_path, receiver)
    await storage.alerts.silence(outlet_id="pagi", until=clock() + timedelta(hours=1), who="siti", now=clock())
    await fall_ill(storage, clock, 0)
    await AlertOffice(storage, lambda: found).look(clock())

    assert receiver.got == []
    assert len(await storage.alerts.open()) == 1
    await AlertOffice(storage, lambda: found).look(clock() + timedelta(hours=1))
    assert len(receiver.got) == 1


async def test_a_test_says_how_it_went(storage: Storage, clock: Any, tmp_path: Path, receiver: Receiver) -> None:
    found = settings(tmp_path, receiver)
    office = AlertOffice(storage, lambda: found)
    assert (await office.test(found.alerts.channels[0], clock())).sent_at == clock()
    receiver.status = 403
    failed = await office.test(found.alerts.channels[0], clock())

    assert (failed.sent_at, failed.last_error) == (None, "the channel did not take it")
    assert await storage.alerts.messages(waiting=True) == []


async def test_private_networks_are_reached_only_when_they_are_allowed(receiver: Receiver) -> None:
    url = f"json://127.0.0.1:{receiver.port}/hook"
    named = f"json://intern.test:{receiver.port}/hook"

    async def lookup(host: str) -> list[str]:
        return ["127.0.0.1"]

    for address in (url, named):
        with pytest.raises(SendError, match="not a public address"):
            await Sender(allow_networks=(), lookup=lookup).send(address, "info", "t", "b")
    with pytest.raises(SendError, match="not a public address"):
        await Sender(allow_networks=()).call(f"http://127.0.0.1:{receiver.port}/ping")
    assert (receiver.got, receiver.calls) == ([], 0)
    await Sender(allow_networks=LOOPBACK).send(url, "info", "t", "b")
    assert len(receiver.got) == 1


async def test_an_address_that_apprise_does_not_know_is_told_without_the_address() -> None:
    with pytest.raises(SendError) as caught:
        await Sender(allow_networks=()).send("nonsense://hunter2", "info", "t", "b")

    assert "hunter2" not in str(caught.value)


async def test_the_dead_mans_switch_is_called_only_while_articles_flow(
    storage: Storage, clock: Any, tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    switch = DeadMan(url=f"http://127.0.0.1:{receiver.port}/ping", every=timedelta(minutes=5))
    found = settings(tmp_path, receiver, dead_man=switch)
    office = AlertOffice(storage, lambda: found)
    await office.look(clock())
    assert receiver.calls == 0

    async def flows(*_: Any) -> int:
        return 3

    monkeypatch.setattr(storage.articles, "count", flows)
    for _ in range(4):
        await office.look(clock.advance(timedelta(minutes=2)))
    assert receiver.calls == 2
