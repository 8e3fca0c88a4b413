"""Memory under attack, measured in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

CLIENT = r"""
import asyncio, json, resource, sys, time
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

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

async def main():
    port = int(sys.argv[2])
    polite = Politeness(user_agent="warta/0.1", delay=timedelta(0))
    settings = Settings(
        path=Path("x"), data_dir=Path("x"), redis="embedded", database="embedded", outlets=(), politeness=polite,
        limits=replace(Limits(), ports=frozenset({port})), allow_networks=(ip_network("127.0.0.0/8"),),
    )
    now = lambda: datetime.now(UTC)
    fetcher = Fetcher(settings, Turns(), Robots(now), now)
    await fetcher.start()
    async def get(path):
        request = FetchRequest(url=f"http://127.0.0.1:{port}{path}", purpose=Purpose.FEED, outlet_id="x")
        begun = time.monotonic()
        result = await fetcher.fetch(request, polite)
        return [path, str(getattr(result, "kind", "fetched")), round(time.monotonic() - begun, 2)]
    await get("/none")
    base = peak()
    results = [await get(path) for path in sys.argv[3:]]
    grown = peak() - base
    await fetcher.stop()
    print(json.dumps({"results": results, "grown_mib": grown}))

asyncio.run(main())
"""

BOMBS = ("gzip", "deflate", "br", "zstd", "gzip+gzip")
ATTACKS = [*(f"/bomb/{name}" for name in BOMBS), "/headers", "/header", "/body", "/chunks"]


@pytest.fixture(scope="module")
def attacker():
    with subprocess.Popen(
        [sys.executable, "-m", "bench.attacker"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.kill()


def test_bombs_and_floods_of_a_gibibyte_cost_less_than_200_mib(attacker):
    done = subprocess.run(
        [sys.executable, "-c", CLIENT, str(ROOT), attacker, *ATTACKS],
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout.splitlines()[-1])
    print(outcome)
    assert {kind for _, kind, _ in outcome["results"]} == {"too_large"}, outcome
    assert outcome["grown_mib"] < 200, outcome
    assert max(seconds for *_, seconds in outcome["results"]) < 5, outcome
