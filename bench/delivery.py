"""A newsroom week at a thousand times its speed, told to consumers that die: ``python -m bench.delivery``.

A fictional press publishes; a real daemon reads it and tells a webhook receiver that is slow, refuses one request in
twenty and kills itself, and a stream that a consumer group reads which kills itself, too. Receiver, reader and daemon
are killed from outside besides, at random, and started again. Then the press stops, and what arrived is held against
what happened: every event at least once, those of an article in order, and each once after the consumer's own dropping
of repeats.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from config.load import load
from newsroom import outlets
from newsroom.clock import Clock, wall
from newsroom.press import Newsroom
from newsroom.serve import running
from scheduler.places import database_url
from storage.embedded import EmbeddedValkey
from storage.events import EventFilter
from storage.storage import Storage

SECRET = "a-secret-between-two"
STREAM = "warta:articles"
#: Seconds between two kills of one program from outside, at most and at least.
KILLS = {"receiver": (10, 40), "reader": (10, 40), "daemon": (30, 90)}


@dataclass(slots=True)
class Arrived:
    """What one consumer got."""

    deliveries: int = 0
    repeats: int = 0
    missing: int = 0
    #: Articles whose events came in another order.
    disordered: int = 0
    unknown: int = 0

    @property
    def good(self) -> bool:
        """Everything, in order, and nothing that did not happen."""
        return not (self.missing or self.disordered or self.unknown)


def judge(keys: Sequence[str], expected: dict[str, list[str]]) -> Arrived:
    """Hold the keys in order of arrival against the keys of each article in order of its events."""
    seen: dict[str, list[str]] = defaultdict(list)
    for key in dict.fromkeys(keys):
        seen[key.partition(":")[0]].append(key)
    wanted, got = {key for own in expected.values() for key in own}, set(keys)
    orders = ((seen[article], [key for key in dict.fromkeys(own) if key in got]) for article, own in expected.items())
    return Arrived(
        deliveries=len(keys), repeats=len(keys) - len(got), missing=len(wanted - got), unknown=len(got - wanted),
        disordered=sum(came != happened for came, happened in orders),
    )  # fmt: skip


@dataclass(slots=True)
class Program:
    """A process that is started again whenever it has died."""

    words: list[str]
    log: Path
    starts: int = 0
    kills: int = 0
    process: subprocess.Popen[bytes] | None = None
    #: Its last argument is another at each start.
    seeded: bool = True
    again_at: float = field(default=0.0)

    def keep(self) -> None:
        """Start it unless it runs."""
        if self.process is None or self.process.poll() is not None:
            self.starts += 1
            with self.log.open("ab") as out:
                more = [str(self.starts)] if self.seeded else []
                self.process = subprocess.Popen(
                    [sys.executable, *self.words, *more], stdout=out, stderr=out, start_new_session=True
                )

    def stop(self) -> None:
        """SIGTERM, so that a daemon takes its server along; SIGKILL when that does not help."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """SIGKILL, children included."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.kills += 1


def _programs(directory: Path, press: int) -> dict[str, Program]:
    outlets.write_config(directory, press, every="2s")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    file = directory / "warta.yaml"
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    # What is older than a week when it is first seen is asked for, too: all events there are.
    document["deliver"] = [
        {
            "name": "hook",
            "webhook": f"http://127.0.0.1:{port}/hook",
            "secret": SECRET,
            "timeout": "2s",
            "backfilled": True,
        },
        {"name": "live", "stream": STREAM, "length": 1_000_000, "backfilled": True},
    ]
    document.setdefault("limits", {}).update({"page_retry": "1s", "page_attempts": 20})
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    redis = EmbeddedValkey(load(file, {}).data_dir).url
    return {
        # They die by themselves once in a thousand events, at the worst moments; the rest is done from outside.
        "receiver": Program(
            ["-m", "bench.receiver", str(port), f"{directory}/hooked", SECRET, "0.001"], directory / "r.out"
        ),
        "reader": Program(["-m", "bench.reader", redis, STREAM, f"{directory}/streamed", "0.001"], directory / "s.out"),
        "daemon": Program(["-m", "scheduler", "run", "--config", str(directory)], directory / "d.out", seeded=False),
    }


async def _expected(directory: Path) -> dict[str, list[str]]:
    storage = await Storage.open(database_url(load(directory / "warta.yaml", {})), now=wall, migrate=False)
    expected: dict[str, list[str]] = defaultdict(list)
    async for event in storage.events.iterate(EventFilter(backfilled=True)):
        expected[event.article_id].append(event.key)
    await storage.close()
    return dict(expected)


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split() if path.exists() else []


def torture(directory: Path, *, days: float, speed: float, drain: float, seed: int = 7) -> dict[str, Any]:
    """Run it all; figures as JSON types."""
    chance, began = random.Random(seed), time.monotonic()
    start = wall() - timedelta(days=days + 1)
    newsroom = Newsroom(seed=seed, clock=Clock(start, speed=speed), backlog_days=0)
    with running(newsroom) as press:
        programs = _programs(directory, press.port)
        end = began + days * 86_400 / speed
        try:
            while time.monotonic() < end:
                _shake(programs, chance)
                time.sleep(0.1)
            newsroom.clock.set_speed(0)
            stopped = time.monotonic()
            expected = _drain(directory, programs, drain)
        finally:
            for program in programs.values():
                program.stop()
    found = {"webhook": judge(_lines(directory / "hooked"), expected)}
    found["stream"] = judge(_lines(directory / "streamed"), expected)
    return {
        "days": days, "speed": speed, "events": sum(map(len, expected.values())), "articles": len(expected),
        "deaths": {name: program.starts - 1 for name, program in programs.items()},
        **{name: asdict(arrived) for name, arrived in found.items()},
        "good": bool(expected) and all(arrived.good for arrived in found.values()),
        "drain_seconds": round(time.monotonic() - stopped, 1), "seconds": round(time.monotonic() - began, 1),
    }  # fmt: skip


def _shake(programs: dict[str, Program], chance: random.Random) -> None:
    for name, program in programs.items():
        program.keep()
        if program.again_at == 0.0:
            program.again_at = time.monotonic() + chance.uniform(*KILLS[name])
        elif time.monotonic() > program.again_at:
            program.kill()
            program.again_at = time.monotonic() + chance.uniform(*KILLS[name])


def _drain(directory: Path, programs: dict[str, Program], seconds: float) -> dict[str, list[str]]:
    """Keep all running until everything has arrived, or the time is up; what happened."""
    end, expected, former = time.monotonic() + seconds, dict[str, list[str]](), -1
    while time.monotonic() < end:
        for program in programs.values():
            program.keep()
        time.sleep(1)
        expected = asyncio.run(_expected(directory))
        events = {key for own in expected.values() for key in own}
        if len(events) == former and events == set(_lines(directory / "hooked")) == set(_lines(directory / "streamed")):
            break
        former = len(events)
    return expected


def main(argv: list[str] | None = None) -> int:
    """Run from the command line; exit code 1 when anything is missing or out of order."""
    parser = argparse.ArgumentParser(prog="python -m bench.delivery", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--days", type=float, default=7.0, help="of the newsroom")
    parser.add_argument("--speed", type=float, default=1000.0)
    parser.add_argument(
        "--drain", type=float, default=3600.0, help="seconds that catching up may take: retries wait up to an hour"
    )
    parser.add_argument("--quick", action="store_true", help="twelve hours, a minute and a half")
    parser.add_argument("--json", action="store_true", help="one closing JSON line")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="warta-d-", ignore_cleanup_errors=True) as folder:
        figures = torture(
            Path(folder), days=0.5 if options.quick else options.days, speed=options.speed, drain=options.drain
        )
    if options.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:>14}  {value}")
    return 0 if figures["good"] else 1


if __name__ == "__main__":
    sys.exit(main())
