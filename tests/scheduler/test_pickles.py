"""Nothing that a stranger put into the shared store is ever run."""

from __future__ import annotations

import os
import pickle  # noqa: TID251 - the attack itself
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from .conftest import OUTLET, SOURCE, Desk

ROOT = Path(__file__).parents[2]


class _Marker:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.path}",)


async def _poison(redis: object, key: bytes, poison: bytes) -> None:
    kind = await redis.type(key)
    match kind:
        case b"string":
            await redis.set(key, poison)
        case b"hash":
            for name in await redis.hkeys(key):
                await redis.hset(key, name, poison)
        case b"list":
            await redis.lpush(key, poison)
        case b"set":
            await redis.sadd(key, poison)
        case b"zset":
            await redis.zadd(key, {poison: 0})


async def test_a_pickle_in_every_key_is_never_loaded(desk: Desk, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    poison = pickle.dumps(_Marker(marker))
    desk.newsroom.publish(OUTLET, 2)
    first = await desk.crawl()
    keys = [key async for key in desk.rooms.redis.scan_iter()]
    for key in keys:
        await _poison(desk.rooms.redis, key, poison)
    desk.newsroom.publish(OUTLET, 1)

    run = await desk.worker.crawl(SOURCE, datetime.now(UTC), first.trigger)

    assert len(keys) > 3
    assert run is None or run.counts.adds_up
    assert not marker.exists()
    pickle.loads(poison)
    assert marker.exists()


@pytest.mark.parametrize(
    "line",
    ["import pickle", "import marshal", "import shelve", "import yaml\nyaml.load('')", "eval('1')", "exec('1')"],
)
def test_the_linter_forbids_what_runs_strangers_code(line: str) -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "--stdin-filename", "storage/x.py", "-"],
        input=f"{line}\n", cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert {"TID251", "S301", "S302", "S307", "S102", "S506"} & set(checked.stdout.replace(":", " ").split()), line
    ignored = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]["ignore"]
    assert not {"S", "S301", "S302", "S307", "S102", "S506", "TID251"} & set(ignored)
