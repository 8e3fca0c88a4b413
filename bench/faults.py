"""A daemon through the bad days, one after the other: ``python -m bench.faults``.

A fictional press publishes; one daemon on the embedded defaults reads it and delivers to a directory. For each fault:
stories are published before and while it lasts, it is lifted, and the clock runs until everything published is
stored and delivered. Meanwhile ``/healthz`` is asked twice a second and ``/readyz`` says what is wrong. At the end of
each, nothing may be lost, announced twice or invented, and ``warta audit`` finds nothing. Nobody helps the daemon.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from bench.torture import FAULTS, OUTLETS, Stage, Verdict, compare, morning
from newsroom.clock import Clock, wall
from newsroom.press import Newsroom
from newsroom.serve import Running, start
from storage.redis import connect_threaded
from storage.storage import Storage

#: How often the sources are polled, and how long after a fault all must be well: one interval and 30 s.
EVERY: Final = 2.0
LIMIT: Final = EVERY + 30
#: Room of the data directory's own file system, for the full disk.
ROOM: Final = "160m"


@dataclass(slots=True)
class Day:
    """One fault and how it went."""

    fault: str
    #: Seconds from its end until everything was stored and delivered.
    recovery: float = 0.0
    lost: int = 0
    twice: int = 0
    phantom: int = 0
    findings: int = 0
    #: Longest time ``/healthz`` took to answer, seconds.
    healthz: float = 0.0
    #: Lines of the log in each second, from before the fault until all was well.
    lines: float = 0.0
    #: What ``/readyz`` named, and the log's warnings.
    said: list[str] = field(default_factory=list)
    skipped: str | None = None

    @property
    def good(self) -> bool:
        """Nothing wrong, in time."""
        return not (self.lost or self.twice or self.phantom or self.findings) and self.recovery <= LIMIT


@dataclass(slots=True)
class Scene:
    """The daemon, the press, and what a fault may touch."""

    stage: Stage
    newsroom: Newsroom
    press: Running
    monitor: int
    mounted: bool

    @contextmanager
    def redis(self) -> Iterator[Any]:
        """A connection to the embedded server."""
        client = connect_threaded(self.stage.server.url, timeout=timedelta(seconds=3), connections=1)
        try:
            yield client
        finally:
            client.close()


class Skip(Exception):
    """The fault cannot be made here."""


# -- faults: each lasts as long as its block ------------------------------------------------------


@contextmanager
def server_killed(scene: Scene) -> Iterator[None]:
    """Kill -9 of the embedded server."""
    scene.stage.kill("server")
    yield


@contextmanager
def server_flushed(scene: Scene) -> Iterator[None]:
    """FLUSHALL: every lease, mark and queue gone."""
    with scene.redis() as redis:
        redis.flushall()
    yield


@contextmanager
def _configured(scene: Scene, **values: str) -> Iterator[None]:
    with scene.redis() as redis:
        before = {name: redis.config_get(name)[name] for name in values}
        for name, value in values.items():
            redis.config_set(name, value)
    try:
        yield
    finally:
        with scene.redis() as redis:
            for name, value in before.items():
                redis.config_set(name, value)


def server_full(scene: Scene) -> Any:
    """No memory left, and nothing may be evicted."""
    return _configured(scene, **{"maxmemory-policy": "noeviction", "maxmemory": "1mb"})


def server_evicting(scene: Scene) -> Any:
    """No memory left, and anything may be evicted."""
    return _configured(scene, **{"maxmemory-policy": "allkeys-lru", "maxmemory": "1mb"})


@contextmanager
def server_read_only(scene: Scene) -> Iterator[None]:
    """A replica of nobody."""
    with scene.redis() as redis:
        redis.execute_command("REPLICAOF", "127.0.0.1", "1")
    try:
        yield
    finally:
        with scene.redis() as redis:
            redis.execute_command("REPLICAOF", "NO", "ONE")


@contextmanager
def acknowledgements_lost(scene: Scene) -> Iterator[None]:
    """Writes are carried out after their senders gave up waiting."""
    with scene.redis() as redis:
        redis.execute_command("CLIENT", "PAUSE", "6000", "WRITE")
    yield


@contextmanager
def database_locked(scene: Scene) -> Iterator[None]:
    """Somebody else holds the write lock."""
    with closing(sqlite3.connect(scene.stage.settings.data_dir / "warta.db", timeout=30)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.rollback()


@contextmanager
def disk_full(scene: Scene) -> Iterator[None]:
    """Database, log and the server's file have no byte left."""
    if not scene.mounted:
        raise Skip("a file system of its own takes root")
    filler = scene.stage.settings.data_dir / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 65_536)
    with suppress(OSError), filler.open("ab", buffering=0) as file:
        while True:
            file.write(b"\0" * 64)
    try:
        yield
    finally:
        filler.unlink()


@contextmanager
def suspended(scene: Scene) -> Iterator[None]:
    """Every process stops, as under a closed lid."""
    group = scene.stage.processes["daemon"].pid
    os.killpg(group, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(group, signal.SIGCONT)


@contextmanager
def network_cut(scene: Scene) -> Iterator[None]:
    """No outlet can be reached."""
    scene.press.stop()
    try:
        yield
    finally:
        scene.press = start(scene.newsroom, scene.press.port)


@contextmanager
def network_flapping(scene: Scene) -> Iterator[None]:
    """Outlets come and go every second."""
    for _ in range(3):
        scene.press.stop()
        time.sleep(1)
        scene.press = start(scene.newsroom, scene.press.port)
        time.sleep(1)
    yield


@contextmanager
def answers_broken(scene: Scene) -> Iterator[None]:
    """Half of all answers are faulty, in seven ways."""
    rules = [scene.newsroom.misbehave(fault, share=0.5 / len(FAULTS)) for fault in FAULTS]
    try:
        yield
    finally:
        for rule in rules:
            scene.newsroom.rules.remove(rule.id)


@contextmanager
def configuration_broken(scene: Scene) -> Iterator[None]:
    """Somebody saves a file with a mistake in it."""
    path = scene.stage.directory / "outlets" / "kabarniaga.yaml"
    good = path.read_text(encoding="utf-8")
    path.write_text(good.replace("sources:", "surces:"), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(good, encoding="utf-8")


@contextmanager
def second_daemon(scene: Scene) -> Iterator[None]:
    """Somebody starts another one on the same data."""
    words = [sys.executable, "-m", "scheduler", "run", "--config", str(scene.stage.directory)]
    done = subprocess.run(words, capture_output=True, timeout=60, check=False)
    if done.returncode != 3:
        raise RuntimeError(f"the second daemon ended with {done.returncode}, not 3")
    yield


@contextmanager
def daemon_killed(scene: Scene) -> Iterator[None]:
    """Kill -9 of the daemon, and another start."""
    scene.stage.kill("daemon")
    yield


@contextmanager
def flood(scene: Scene) -> Iterator[None]:
    """Hundreds of stories at once."""
    for outlet in OUTLETS:
        scene.newsroom.publish(outlet, 15)
    yield


#: Name, fault, and how many seconds it lasts.
ACTS: Final[tuple[tuple[str, Callable[[Scene], Any], float], ...]] = (
    ("redis killed", server_killed, 2),
    ("redis flushed", server_flushed, 1),
    ("redis full", server_full, 6),
    ("redis evicting", server_evicting, 6),
    ("redis read-only", server_read_only, 6),
    ("redis acknowledgements lost", acknowledgements_lost, 7),
    ("database locked", database_locked, 8),
    ("disk full (database, log, redis)", disk_full, 8),
    ("suspended", suspended, 8),
    ("network cut", network_cut, 8),
    ("network flapping", network_flapping, 0),
    ("half of all answers broken", answers_broken, 8),
    ("configuration broken at reload", configuration_broken, 5),
    ("two daemons", second_daemon, 0),
    ("flood of stories", flood, 0),
    ("daemon killed", daemon_killed, 1),
)


class Watch:
    """Asks the daemon how it is, twice a second, in a thread."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._stop = threading.Event()
        self.longest = 0.0
        self.said: dict[str, None] = {}
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(20)

    def _ask(self) -> None:
        while not self._stop.wait(0.5):
            began = time.monotonic()
            if self._get("/healthz") is not None:
                self.longest = max(self.longest, time.monotonic() - began)
            answer = self._get("/readyz")
            for name, word in json.loads(answer or "{}").get("checks", {}).items():
                if word != "ok":
                    self.said[f"{name} {word}"] = None

    def _get(self, path: str) -> str | None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}{path}", timeout=10) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            return error.read().decode()
        except OSError:
            return None


def play(scene: Scene, name: str, fault: Callable[[Scene], Any], lasting: float) -> Day:
    """One fault from beginning to end."""
    day = Day(name)
    log = scene.stage.settings.data_dir / "logs" / "warta.jsonl"
    from_here = log.stat().st_size if log.exists() else 0
    began = time.monotonic()
    _publish(scene, 2)
    with Watch(scene.monitor) as watch:
        try:
            with fault(scene):
                _publish(scene, 2)
                time.sleep(lasting)
        except Skip as skip:
            day.skipped = str(skip)
            return day
        lifted = time.monotonic()
        verdict = asyncio.run(_caught_up(scene, lifted))
        day.recovery = round(time.monotonic() - lifted, 1)
    day.healthz, day.said = round(watch.longest, 2), list(watch.said)[:4]
    day.lines = round(_lines(log, from_here) / (time.monotonic() - began), 1)
    day.said += _warnings(log, from_here)
    day.lost, day.twice, day.phantom = len(verdict.lost) + len(verdict.late), len(verdict.twice), len(verdict.phantom)
    day.findings = len(verdict.findings)
    return day


def _publish(scene: Scene, count: int) -> None:
    for outlet in OUTLETS[:3]:
        scene.newsroom.publish(outlet, count)


async def _caught_up(scene: Scene, since: float) -> Verdict:
    while True:
        storage = await Storage.open(scene.stage.database, now=wall, migrate=False)
        try:
            verdict = Verdict()
            await compare(storage, scene.stage, scene.newsroom, verdict)
            late = verdict.lost or verdict.late or (await storage.status()).pending
            if not late or time.monotonic() - since > LIMIT * 2:
                verdict.findings = [str(f) for f in (await storage.audit.run()).findings]
                return verdict
        finally:
            await storage.close()
        await asyncio.sleep(0.5)


def _lines(log: Path, start: int) -> int:
    """Lines since then; the log may have begun another file meanwhile."""
    with suppress(OSError), log.open("rb") as file:
        file.seek(min(start, log.stat().st_size))
        return file.read().count(b"\n")
    return 0


def _warnings(log: Path, start: int) -> list[str]:
    """The log's own words, each once."""
    found: dict[str, None] = {}
    with suppress(OSError), log.open("rb") as file:
        file.seek(min(start, log.stat().st_size))
        for line in file:
            with suppress(ValueError):
                said = json.loads(line)
                if said.get("level") in {"warning", "error"}:
                    reason = str(said.get("reason") or "")[:60]
                    found[f"log: {said.get('event')} {reason}".strip()] = None
    return list(found)[:4]


@contextmanager
def scene_in(directory: Path) -> Iterator[Scene]:
    """A press and a daemon that has read it once."""
    newsroom = Newsroom(seed=11, clock=Clock(morning(), speed=1), backlog_days=0)
    press = start(newsroom)
    data, mounted = directory / "data", False
    data.mkdir()
    if os.geteuid() == 0 and shutil.which("mount"):
        words = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(data)]
        mounted = subprocess.run(words, capture_output=True, check=False).returncode == 0
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    stage = Stage(directory, press.port, every=f"{EVERY:g}s", extra={"monitor": {"listen": f"127.0.0.1:{port}"}})
    scene = Scene(stage, newsroom, press, port, mounted)
    try:
        _publish(scene, 2)
        stage.start("daemon")
        _until_ready(port)
        asyncio.run(_caught_up(scene, time.monotonic()))
        yield scene
    finally:
        stage.stop()
        scene.press.stop()
        if mounted:
            subprocess.run(["umount", "-l", str(data)], check=False)


def _until_ready(port: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
            return
        time.sleep(0.2)
    raise TimeoutError("the daemon was not ready within a minute")


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; exit code 1 when a fault did harm."""
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description=__doc__)
    parser.add_argument("fault", nargs="*", help="names as printed; default: all")
    parser.add_argument("--json", action="store_true", help="one JSON object a fault")
    options = parser.parse_args(arguments)
    days: list[Day] = []
    temporary = tempfile.TemporaryDirectory(prefix="warta-faults-", ignore_cleanup_errors=True)
    with temporary as directory, scene_in(Path(directory)) as scene:
        for name, fault, lasting in ACTS:
            if options.fault and name not in options.fault:
                continue
            days.append(day := play(scene, name, fault, lasting))
            print(json.dumps(asdict(day)) if options.json else line(day), flush=True)
    return int(not all(day.good for day in days))


def line(day: Day) -> str:
    """For a person."""
    if day.skipped:
        return f"{day.fault:<34} skipped: {day.skipped}"
    counts = f"lost {day.lost}, twice {day.twice}, phantom {day.phantom}, findings {day.findings}"
    health = f"healthz {day.healthz:.2f} s, {day.lines:.0f} log lines a second"
    return f"{day.fault:<34} well after {day.recovery:>5.1f} s; {counts}; {health}; " + "; ".join(day.said)


if __name__ == "__main__":
    sys.exit(main())
