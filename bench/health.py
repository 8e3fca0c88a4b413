"""What it costs to know how every source is: ``python -m bench.health [--sources N] [--json]``.

Fills a SQLite database with sources and learned rhythms, each polled every ten minutes, and lets the daemon's own
watch look at them: at all, as after a start, and then at those of half a minute, as it does from then on.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import insert, update

from config.model import Adaptive, Expectation, Settings
from monitor.judge import EVERY_SECONDS, HealthWatch
from storage.rhythm import HOUR, Rhythm, learn, pack
from storage.sources import SourceDefinition
from storage.storage import Storage
from storage.tables import rhythms, sources

NOW = datetime(2026, 1, 26, 9, 0, tzinfo=UTC)
JAKARTA = ZoneInfo("Asia/Jakarta")
INTERVAL = 600.0


def learned(*, quiet: bool) -> Rhythm:
    """Three weeks of a desk; a quiet one brought nothing for the last polls."""
    at = NOW.timestamp() - 21 * 24 * HOUR
    rhythm = learn(Rhythm(), at, shown=20, fresh=[None] * 20, zone=JAKARTA)
    while at < NOW.timestamp() - HOUR / 2:
        at += HOUR / 2
        busy = 6 <= datetime.fromtimestamp(at, JAKARTA).hour < 20
        rhythm = learn(rhythm, at, shown=20, fresh=[at - 60, at - 900] if busy else [], zone=JAKARTA)
    for n in range(3 if quiet else 0):
        rhythm = learn(rhythm, at + (n + 1) * 120, shown=None, fresh=[], zone=JAKARTA)
    return rhythm


def settings(count: int) -> Settings:
    """Outlets of twenty sources, as the watch asks for them."""
    adaptive = Adaptive(timezone=JAKARTA)
    outlets = []
    for number in range(0, count, 20):
        name = f"o{number}"
        own = [
            SimpleNamespace(id=f"{name}/s{n}", expect=Expectation(), schedule=adaptive) for n in range(min(20, count))
        ]
        outlets.append(SimpleNamespace(id=name, timezone=JAKARTA, sources=own))
    return cast("Settings", SimpleNamespace(outlets=outlets))


async def measure(count: int) -> dict[str, Any]:
    """CPU seconds of both looks."""
    with tempfile.TemporaryDirectory(prefix="warta-health-") as directory:
        storage = await Storage.open(f"sqlite:///{Path(directory) / 'w.db'}", now=lambda: NOW)
        whole = settings(count)
        names = [source.id for outlet in whole.outlets for source in outlet.sources]
        await storage.sources.upsert(
            [SourceDefinition(id=n, outlet_id=n.split("/")[0], kind="feed", url=f"https://{n}.test") for n in names],
            {}, NOW,
        )  # fmt: skip
        packed = [pack(learned(quiet=False)), pack(learned(quiet=True))]
        async with storage.database.write() as connection:
            rows = [
                {"source_id": n, "state": packed[i % 4 == 0], "demand": [], "terms": [], "decided_at": NOW}
                for i, n in enumerate(names)
            ]
            await connection.execute(insert(rhythms), rows)
            await connection.execute(update(sources).values(window=[f"{n:016x}" for n in range(25)]))
        watch = HealthWatch(storage, lambda: whole)
        await _polled(storage, names, NOW)
        first = await _cpu(watch, NOW)
        later, part = [], round(count * EVERY_SECONDS / INTERVAL)
        for n in range(1, 6):
            now = NOW + timedelta(seconds=90 * n)
            await _polled(storage, names[part * n : part * (n + 1)], now)
            later.append(await _cpu(watch, now))
        states = await storage.health.counts()
        await storage.close()
    usual = sorted(later)[len(later) // 2]
    return {
        "sources": count, "whole_look_cpu_seconds": round(first, 2), "look_cpu_seconds": round(usual, 3),
        "share_of_a_core": round(usual / EVERY_SECONDS, 4), "judged_a_look": part, "states": states,
    }  # fmt: skip


async def _polled(storage: Storage, names: list[str], now: datetime) -> None:
    async with storage.database.write() as connection:
        for start in range(0, len(names), 500):
            chosen = sources.c.id.in_(names[start : start + 500])
            await connection.execute(update(sources).where(chosen).values(last_attempt=now, last_success=now))


async def _cpu(watch: HealthWatch, now: datetime) -> float:
    began = time.process_time()
    await watch.look(now)
    return time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=int, default=10_000)
    parser.add_argument("--json", action="store_true", help="print only the closing line, as always")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    print(json.dumps(asyncio.run(measure(options.sources))))


if __name__ == "__main__":
    main()
