"""What the Redis side costs, over an embedded server of its own.

Run as ``python -m bench.redis`` from the root of the checkout; ``--quick`` takes a tenth of the work,
``--json`` prints one line. CPU is that of this process; the server's own stands beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from redis.asyncio import Redis

from config.model import Politeness
from scheduler.queue import CrawlMessage, CrawlQueue, QueueDepth
from storage.embedded import EmbeddedValkey
from storage.hosts import HostBudget
from storage.leases import Leases
from storage.model import FateKind, Identity, IdentityKey, IdentityKind
from storage.redis import connect
from storage.seen import Seen

Figures = dict[str, float]


def _identities(count: int) -> list[Identity]:
    """URL keys of the usual length with an article, an entry hash and a GUID each."""
    made: list[Identity] = []
    for n in range(count // 2):
        url = f"www.kontan.co.id/news/judul-berita-yang-panjangnya-seperti-biasa-nomor-{n:07d}"
        fields = {"article_id": f"01J{n:023d}", "fate": FateKind.STORED, "entry_hash": f"1:{n:016x}"}
        keys = (
            IdentityKey(IdentityKind.URL, "kontan", url),
            IdentityKey(IdentityKind.GUID, "kontan/rss", f"https://{url}"),
        )
        made.extend(Identity(key=key, url_key=url, **fields) for key in keys)  # type: ignore[arg-type]
    return made


async def _server_cpu(redis: Redis) -> float:
    facts = await redis.info("cpu")
    return float(facts["used_cpu_user"]) + float(facts["used_cpu_sys"])


async def _measure(redis: Redis, name: str, count: int, work: Callable[[], Awaitable[object]]) -> Figures:
    server = await _server_cpu(redis)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    cpu = usage.ru_utime + usage.ru_stime
    began = time.perf_counter()
    await work()
    took = time.perf_counter() - began
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        f"{name}_per_second": count / took,
        f"{name}_cpu_us": (usage.ru_utime + usage.ru_stime - cpu) / count * 1e6,
        f"{name}_server_cpu_us": (await _server_cpu(redis) - server) / count * 1e6,
    }


async def _seen(redis: Redis, count: int) -> Figures:
    seen = Seen(redis, timedelta(days=60), epoch="bench")
    identities = _identities(count)
    polls = [identities[i : i + 50] for i in range(0, count, 50)]
    before = int((await redis.info("memory"))["used_memory"])

    async def mark() -> None:
        for i in range(0, count, 3):  # the keys of one article
            await seen.mark(identities[i : i + 3])

    async def lookup() -> None:
        for poll in polls:  # a feed of 25 entries, two keys each
            found = await seen.lookup([identity.key for identity in poll])
            assert len(found) == len(poll)

    async def rebuild() -> None:
        async def stream() -> AsyncIterator[Identity]:
            for identity in identities:
                yield identity

        assert await seen.rebuild(stream()) == count

    figures = await _measure(redis, "seen_mark", count, mark)
    figures["seen_bytes_per_key"] = (int((await redis.info("memory"))["used_memory"]) - before) / count
    figures |= await _measure(redis, "seen_lookup", count, lookup)
    await redis.flushall()
    return figures | await _measure(redis, "seen_rebuild", count, rebuild)


async def _leases(redis: Redis, count: int) -> Figures:
    leases = Leases(redis)

    async def work() -> None:
        async def one(worker: int) -> None:
            for n in range(count // 16):
                lease = await leases.acquire(f"s{worker}-{n}", f"w{worker}", timedelta(seconds=30))
                assert lease is not None
                assert await leases.release(lease)

        await asyncio.gather(*(one(worker) for worker in range(16)))

    return await _measure(redis, "lease_acquire_and_release", count, work)


async def _hosts(redis: Redis, count: int) -> Figures:
    budget = HostBudget(redis, "bench")
    free = Politeness(user_agent="warta", delay=timedelta(0), concurrency=4, outlet_concurrency=1000)
    polite = Politeness(user_agent="warta", delay=timedelta(milliseconds=500), outlet_concurrency=1000)

    async def turns(politeness: Politeness, hosts: int, each: int) -> None:
        async def one(n: int) -> None:
            async with budget.turn(f"h{n % hosts}.example", f"o{n % 100}", politeness):
                pass

        await asyncio.gather(*(one(n) for n in range(hosts * each)))

    figures = await _measure(redis, "host_turn", count, lambda: turns(free, 100, count // 100))
    began = time.perf_counter()
    await turns(polite, 100, 8)
    # 8 turns at a host take 7 delays when nothing is lost in between.
    return figures | {"host_turn_delay_kept": (time.perf_counter() - began) / (7 * 0.5)}


async def _queue(redis: Redis, url: str, count: int) -> Figures:
    queue = CrawlQueue(url, "bench")
    latencies: list[float] = []
    done = asyncio.Event()
    wanted = 0

    async def run(message: CrawlMessage) -> None:
        latencies.append((datetime.now(UTC) - message.sent_at).total_seconds() * 1000)
        if len(latencies) == wanted:
            done.set()

    async def throughput() -> None:
        worker.start()
        await done.wait()
        while await queue.depth() != QueueDepth(0, 0):  # noqa: ASYNC110 - state of another process
            await asyncio.sleep(0.005)

    now = datetime.now(UTC)
    messages = [
        CrawlMessage(source_id=f"o/s{n}", scheduled_for=now, trigger="schedule", sent_at=now) for n in range(count)
    ]
    worker = queue.worker(run, asyncio.get_running_loop(), 32)
    figures = await _measure(redis, "queue_send", count, lambda: queue.send_all(messages))
    wanted = count
    figures |= await _measure(redis, "queue_run", count, throughput)
    latencies.clear()
    for _ in range(60):
        await queue.send("o/s", now, "schedule")
        await asyncio.sleep(0.07)
    await asyncio.sleep(0.3)
    latencies.sort()
    figures["queue_latency_p50_ms"] = latencies[len(latencies) // 2]
    figures["queue_latency_max_ms"] = latencies[-1]
    usage = resource.getrusage(resource.RUSAGE_SELF)
    await asyncio.sleep(5)
    later = resource.getrusage(resource.RUSAGE_SELF)
    idle = later.ru_utime + later.ru_stime - usage.ru_utime - usage.ru_stime
    figures["queue_idle_cpu_percent"] = idle / 5 * 100
    await worker.stop()
    queue.close()
    return figures


async def _starts(home: Path) -> Figures:
    taken: list[float] = []
    for n in range(5):
        server = EmbeddedValkey(home / f"start{n}")
        began = time.perf_counter()
        await server.start()
        taken.append((time.perf_counter() - began) * 1000)
        began = time.perf_counter()
        await server.stop()
    return {"embedded_start_ms": sorted(taken)[2], "embedded_stop_ms": (time.perf_counter() - began) * 1000}


async def _bench(quick: bool) -> Figures:
    scale = 1 if quick else 10
    home = Path(tempfile.mkdtemp(prefix="warta-bench-"))
    try:
        figures = await _starts(home)
        async with EmbeddedValkey(home / "serve").running() as server:
            redis = connect(server.url)
            figures |= await _seen(redis, 10_000 * scale)
            figures |= await _leases(redis, 1_600 * scale)
            figures |= await _hosts(redis, 2_000 * scale)
            figures |= await _queue(redis, server.url, 1_000 * scale)
            await redis.aclose()
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    figures = asyncio.run(_bench(options.quick))
    if options.json:
        print(json.dumps({name: round(value, 2) for name, value in figures.items()}))
        return
    for name, value in figures.items():
        print(f"{name:42} {value:14,.1f}")


if __name__ == "__main__":
    main()
