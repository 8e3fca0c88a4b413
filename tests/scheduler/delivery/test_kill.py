from __future__ import annotations

import asyncio
import json
import os
import random
import socket
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from storage.embedded import EmbeddedValkey
from storage.storage import Storage

HERE = Path(__file__).parent
ROOT = Path(__file__).parents[3]
SECRET = "a-secret-between-two"
ARTICLES = 50
SPEED = 500
#: Who is killed from outside, and when, in tenths of a second; receiver and reader kill themselves besides.
KILLS = {15: "receiver", 18: "reader", 25: "deliverer", 38: "receiver", 40: "reader", 45: "deliverer", 58: "receiver"}


class Process:
    """A program that is started again whenever it has died."""

    def __init__(self, *command: object) -> None:
        self._command = [sys.executable, *map(str, command)]
        self.starts = 0
        self._process: subprocess.Popen[bytes] | None = None

    def keep(self, *more: object) -> None:
        if self._process is None or self._process.poll() is not None:
            self.starts += 1
            environ = os.environ | {"PYTHONPATH": str(ROOT)}
            quiet = subprocess.DEVNULL
            self._process = subprocess.Popen(
                [*self._command, *map(str, more)], env=environ, stdout=quiet, stderr=quiet, cwd=ROOT
            )

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@pytest.fixture
def processes() -> Iterator[list[Process]]:
    running: list[Process] = []
    yield running
    for process in running:
        process.kill()


def in_order(keys: Sequence[str], expected: dict[str, list[str]]) -> None:
    """Everything arrived, and after the consumer's own dropping of repeats exactly once and in order per article."""
    seen: dict[str, list[str]] = defaultdict(list)
    for key in dict.fromkeys(keys):
        seen[key.partition(":")[0]].append(key)
    assert seen == expected


def lines(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


async def publish(paper: Any, dice: random.Random) -> None:
    """Articles that are new, revised some times, and now and then retracted."""
    for number in range(ARTICLES):
        await paper.publish(f"k{number}")
        for _ in range(3):
            key = f"k{dice.randrange(number + 1)}"
            await paper.revise(key, f"perubahan {dice.random()}")
        if number % 10 == 9:
            await paper.retract(f"k{dice.randrange(number + 1)}")
        await asyncio.sleep(0.02)


@pytest.mark.timeout(240)
async def test_killed_at_random_every_event_arrives_in_order_per_article(
    paper: Any, storage: Storage, valkey: EmbeddedValkey, tmp_path: Path, processes: list[Process]
) -> None:
    dice = random.Random(20261123)
    (tmp_path / "outlets").mkdir()
    (tmp_path / "outlets" / "w.yaml").write_text(
        "name: W\nhomepage: https://w.test\nsources: [{name: a, kind: feed, url: 'https://w.test/a'}]\n"
    )
    (tmp_path / "warta.yaml").write_text("")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    hooked, streamed, filed = tmp_path / "hooked", tmp_path / "streamed", tmp_path / "files"
    receiver = Process("-m", "bench.receiver", port, hooked, SECRET, 0.01)
    reader = Process("-m", "bench.reader", valkey.url, "warta:articles", streamed, 0.02)
    deliverer = Process(
        HERE / "processes" / "deliverer.py", f"sqlite:///{storage.database.path}", valkey.url,
        f"http://127.0.0.1:{port}/hook", SECRET, "warta:articles", filed, SPEED,
    )  # fmt: skip
    processes += [receiver, reader, deliverer]
    victims = {"receiver": receiver, "reader": reader, "deliverer": deliverer}
    publishing = asyncio.create_task(publish(paper, dice))

    for tick in range(900):
        receiver.keep(tick)
        reader.keep(tick)
        deliverer.keep()
        if tick in KILLS:
            victims[KILLS[tick]].kill()
        await asyncio.sleep(0.1)
        if (
            publishing.done()
            and tick > max(KILLS)
            and tick % 5 == 0
            and await _all_there(storage, hooked, streamed, filed)
        ):
            break
    await publishing

    expected: dict[str, list[str]] = defaultdict(list)
    events = [event async for event in storage.events.iterate()]
    for event in events:
        expected[event.article_id].append(event.key)
    assert len(events) > 3 * ARTICLES
    in_order(lines(hooked), expected)
    in_order(lines(streamed), expected)
    in_order(_filed(filed), expected)
    assert deliverer.starts >= 3
    assert receiver.starts >= 4
    assert reader.starts >= 3


async def _all_there(storage: Storage, hooked: Path, streamed: Path, filed: Path) -> bool:
    wanted = {event.key async for event in storage.events.iterate()}
    return wanted == set(lines(hooked)) == set(lines(streamed)) == set(_filed(filed))


def _filed(directory: Path) -> list[str]:
    found = [path.read_text() for path in sorted(directory.glob("day=*/*.jsonl"))]
    return [json.loads(line)["key"] for text in found for line in text.splitlines()]
