"""Faults of the embedded defaults: servers, disks, networks, configuration. Each lasts as long as its block."""

from __future__ import annotations

import itertools
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

from bench.scene import Scene, Skip
from bench.torture import FAULTS, OUTLETS
from bench.toxic import Line


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
    with closing(sqlite3.connect(scene.database, timeout=30)) as connection:
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
        scene.open_press()


@contextmanager
def network_silent(scene: Scene) -> Iterator[None]:
    """Connections open and nothing ever comes, as behind a router that lost its table."""
    scene.line.line = Line.SILENT
    try:
        yield
    finally:
        scene.line.line = Line.OPEN


@contextmanager
def network_slow(scene: Scene) -> Iterator[None]:
    """Half a second of delay and 4 KiB a second for each connection."""
    scene.line.line = Line.SLOW
    try:
        yield
    finally:
        scene.line.line = Line.OPEN


@contextmanager
def network_flapping(scene: Scene) -> Iterator[None]:
    """The line is cut in the middle of answers, silent and good by turns, a second each."""
    done = threading.Event()

    def flap() -> None:
        turns = itertools.cycle((Line.CUT, Line.OPEN, Line.SILENT, Line.OPEN))
        while not done.wait(1):
            scene.line.line = next(turns)

    flapping = threading.Thread(target=flap, name="flapping", daemon=True)
    flapping.start()
    try:
        yield
    finally:
        done.set()
        flapping.join(5)
        scene.line.line = Line.OPEN


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
