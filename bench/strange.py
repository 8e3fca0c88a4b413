"""Faults of what nobody checks: the clock, the file system under open files, names, pages, the database server."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, Final

from bench.mishaps import suspended
from bench.scene import Postgres, Scene, Skip, Unreal

HOUR: Final = 3600
#: Seconds after which no process remembers an address any more.
REMEMBERED: Final = 62
#: Bytes that stand in a corrupt page.
GARBAGE: Final = b"\xde\xad"


def _unreal(scene: Scene) -> Unreal:
    if scene.unreal is None:
        raise Skip(scene.missing["unreal"])
    return scene.unreal


def clock_moved(seconds: int) -> Callable[[Scene], Any]:
    """Somebody sets the wall clock, and it stays so."""

    @contextmanager
    def moved(scene: Scene) -> Iterator[None]:
        unreal = _unreal(scene)
        unreal.shift += seconds
        unreal.tell()
        yield

    return moved


@contextmanager
def lid_closed(scene: Scene) -> Iterator[None]:
    """Every process stops, the server too, and wakes an hour later by the wall clock, at once by the monotonic one."""
    unreal = _unreal(scene)
    with scene.redis() as redis:
        server = int(redis.info("server")["process_id"])
    os.kill(server, signal.SIGSTOP)
    try:
        with suspended(scene):
            yield
            unreal.shift += HOUR
            unreal.tell()
    finally:
        os.kill(server, signal.SIGCONT)


@contextmanager
def read_only(scene: Scene) -> Iterator[None]:
    """The kernel has turned the data directory read-only: database, log and the server's file."""
    unreal = _unreal(scene)
    unreal.read_only = True
    unreal.tell()
    try:
        yield
    finally:
        unreal.read_only = False
        unreal.tell()


@contextmanager
def names_silent(scene: Scene) -> Iterator[None]:
    """The name server stops answering."""
    if scene.names is None:
        raise Skip(scene.missing["names"])
    scene.names.silent = True
    try:
        time.sleep(REMEMBERED)
        scene.publish(2)
        yield
    finally:
        scene.names.silent = False


@contextmanager
def page_corrupt(scene: Scene) -> Iterator[None]:
    """A page that every stored article needs reads as garbage, until its disk gives the right bytes again."""
    with closing(sqlite3.connect(scene.database, timeout=30)) as connection:
        size = int(connection.execute("PRAGMA page_size").fetchone()[0])
        row = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'identities'")
        place = (int(row.fetchone()[0]) - 1) * size
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    garbage = GARBAGE * (size // len(GARBAGE))
    with scene.database.open("r+b", buffering=0) as file:
        right = os.pread(file.fileno(), size, place)
        os.pwrite(file.fileno(), garbage, place)
        try:
            yield
        finally:
            # A page that was written anew meanwhile is right, and newer.
            if os.pread(file.fileno(), size, place) == garbage:
                os.pwrite(file.fileno(), right, place)


def _postgres(scene: Scene) -> Postgres:
    if scene.postgres is None:
        raise Skip("this daemon has another database")
    return scene.postgres


def postgres_stopped(how: str) -> Callable[[Scene], Any]:
    """``pg_ctl stop``, in the mode given, and a start when it is over."""

    @contextmanager
    def stopped(scene: Scene) -> Iterator[None]:
        postgres = _postgres(scene)
        postgres.stop(how)
        try:
            yield
        finally:
            postgres.start()

    return stopped


@contextmanager
def postgres_read_only(scene: Scene) -> Iterator[None]:
    """What is at the address has become a standby, as after a failover; it is promoted when it is over."""
    postgres = _postgres(scene)
    postgres.stop("fast")
    postgres.demote()
    postgres.start()
    try:
        yield
    finally:
        postgres.promote()


@contextmanager
def postgres_frozen(scene: Scene) -> Iterator[None]:
    """A server that is there and answers nothing."""
    postgres = _postgres(scene)
    postgres.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        postgres.signal(signal.SIGCONT)
