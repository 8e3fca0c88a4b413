from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis

from storage.embedded import EmbeddedError, EmbeddedEvent, EmbeddedEventKind, EmbeddedValkey, _socket_path
from storage.redis import connect

pytestmark = pytest.mark.redis


@asynccontextmanager
async def client_of(server: EmbeddedValkey) -> AsyncIterator[Redis]:
    client = connect(server.url)
    try:
        yield client
    finally:
        await client.aclose()


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


async def until_gone(pid: int) -> None:
    async with asyncio.timeout(10):
        while not gone(pid):
            await asyncio.sleep(0.01)


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory, valkey_dir: Path, request: pytest.FixtureRequest) -> Path:
    return valkey_dir / f"e{abs(hash(request.node.nodeid)) % 10**8}"


async def test_it_serves_on_a_private_socket_without_a_port_and_forgets_nothing(home: Path) -> None:
    server = EmbeddedValkey(home)
    async with server.running(), client_of(server) as client:
        await client.set("k", "v")
        assert stat.S_IMODE(server.socket.stat().st_mode) == 0o700
        assert stat.S_IMODE(server.directory.stat().st_mode) == 0o700
        asked = await client.config_get("port", "maxmemory-policy", "appendonly", "appendfsync")
        assert set(asked.values()) == {"0", "noeviction", "yes", "everysec"}
    assert server.pid is None
    again = EmbeddedValkey(home)
    async with again.running(), client_of(again) as client:
        assert await client.get("k") == b"v"


async def test_stopping_is_quick_and_idempotent_and_ends_the_watch(home: Path) -> None:
    server = EmbeddedValkey(home)
    await server.start()
    pid = server.pid
    assert pid is not None
    watch = asyncio.create_task(server.watch())
    await server.stop()
    await server.stop()
    await asyncio.wait_for(watch, 5)
    assert gone(pid)
    assert not server.socket.exists()


async def test_a_killed_server_is_started_again_with_its_data(home: Path) -> None:
    events: list[EmbeddedEvent] = []
    server = EmbeddedValkey(home, on_event=events.append)
    async with server.running():
        async with client_of(server) as client:
            for n in range(500):
                await client.set(f"k{n}", n)
            await asyncio.sleep(1.2)
        first = server.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        async with asyncio.timeout(10):
            while sum(event.kind is EmbeddedEventKind.STARTED for event in events) < 2:
                await asyncio.sleep(0.02)
        async with client_of(server) as client:
            assert await client.dbsize() == 500
    assert [event.kind.value for event in events] == ["started", "died", "started", "stopped"]
    assert "signal 9" in events[1].message


async def test_a_hanging_server_is_replaced(home: Path) -> None:
    events: list[EmbeddedEvent] = []
    server = EmbeddedValkey(home, on_event=events.append, hung_after=0.5)
    async with server.running():
        assert server.pid is not None
        os.kill(server.pid, signal.SIGSTOP)
        async with asyncio.timeout(20):
            while sum(event.kind is EmbeddedEventKind.STARTED for event in events) < 2:
                await asyncio.sleep(0.05)
    assert EmbeddedEventKind.UNRESPONSIVE in [event.kind for event in events]


PARENT = """
import asyncio, sys
from pathlib import Path
from storage.embedded import EmbeddedValkey
from storage.redis import connect
async def main():
    server = EmbeddedValkey(Path(sys.argv[1]))
    await server.start()
    await connect(server.url).set("k", "v")
    print(server.pid, flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


def orphaned(home: Path) -> int:
    """Pid of a server whose parent was killed with -9."""
    with subprocess.Popen([sys.executable, "-c", PARENT, str(home)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        while not (line := parent.stdout.readline().strip()).isdigit():
            assert line or parent.poll() is None
        parent.kill()
    return int(line)


async def test_an_orphan_is_adopted_watched_and_stopped(home: Path) -> None:
    pid = await asyncio.to_thread(orphaned, home)
    assert not gone(pid)
    events: list[EmbeddedEvent] = []
    server = EmbeddedValkey(home, on_event=events.append)
    async with server.running(), client_of(server) as client:
        assert server.pid == pid
        assert await client.get("k") == b"v"
        os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(10):
            while events[-1].kind is not EmbeddedEventKind.STARTED:
                await asyncio.sleep(0.02)
    kinds = [event.kind.value for event in events]
    assert kinds == ["adopted", "died", "started", "stopped"]


async def test_an_orphan_without_its_pid_file_is_found_by_its_socket(home: Path) -> None:
    pid = await asyncio.to_thread(orphaned, home)
    server = EmbeddedValkey(home)
    (server.directory / "valkey.pid").unlink()
    await server.start()
    assert server.pid == pid
    await server.stop()
    await until_gone(pid)


async def test_an_orphan_with_other_settings_is_ended_and_replaced(home: Path) -> None:
    pid = await asyncio.to_thread(orphaned, home)
    server = EmbeddedValkey(home, memory=64 * 2**20)
    async with server.running(), client_of(server) as client:
        assert server.pid != pid
        assert gone(pid)
        assert await client.get("k") == b"v"


async def test_an_orphan_that_answers_nothing_is_ended_and_replaced(home: Path) -> None:
    pid = await asyncio.to_thread(orphaned, home)
    os.kill(pid, signal.SIGSTOP)
    server = EmbeddedValkey(home)
    async with asyncio.timeout(30), server.running():
        assert server.pid != pid
        assert gone(pid)


async def test_a_pid_file_that_names_another_process_harms_nobody(home: Path) -> None:
    server = EmbeddedValkey(home)
    server.directory.mkdir(parents=True)
    (server.directory / "valkey.pid").write_text(str(os.getpid()))
    async with server.running():
        assert server.pid != os.getpid()


async def filled(home: Path) -> Path:
    """The incremental append-only file of a stopped server that holds 100 keys."""
    server = EmbeddedValkey(home)
    async with server.running(), client_of(server) as client:
        for n in range(100):
            await client.set(f"key{n}", "value")
    (path,) = (server.directory / "appendonlydir").glob("*.incr.aof")
    return path


async def test_a_torn_end_of_the_append_only_file_costs_only_the_last_command(home: Path) -> None:
    path = await filled(home)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 7)
    events: list[EmbeddedEvent] = []
    server = EmbeddedValkey(home, on_event=events.append)
    async with server.running(), client_of(server) as client:
        assert await client.dbsize() == 99
    assert EmbeddedEventKind.DATA_MOVED_ASIDE not in [event.kind for event in events]


@pytest.mark.parametrize("part", ["middle", "manifest", "base"])
async def test_a_broken_append_only_file_is_moved_aside(home: Path, part: str) -> None:
    path = await filled(home)
    if part == "manifest":
        (path,) = path.parent.glob("*.manifest")
        path.write_bytes(b"file nonsense\n")
    elif part == "base":
        (path,) = path.parent.glob("*.base.rdb")
        path.write_bytes(b"REDIS0011" + os.urandom(50))
    else:
        data = bytearray(path.read_bytes())
        data[len(data) // 2 : len(data) // 2 + 40] = b"\xff" * 40
        path.write_bytes(bytes(data))
    events: list[EmbeddedEvent] = []
    server = EmbeddedValkey(home, on_event=events.append)
    async with server.running(), client_of(server) as client:
        assert await client.dbsize() == 0
        assert await client.set("k", "v")
    moved = [event for event in events if event.kind is EmbeddedEventKind.DATA_MOVED_ASIDE]
    assert len(moved) == 1
    assert "rebuilt from the database" in moved[0].message
    assert len(list(server.directory.glob("appendonlydir.broken-*"))) == 1


async def test_a_long_or_odd_data_directory_gets_a_short_private_socket(home: Path) -> None:
    deep = home / ("x" * 120) / 'spaces, "quotes" & ünïcode % \\'
    server = EmbeddedValkey(deep)
    assert len(os.fsencode(server.socket)) < 100
    async with server.running(), client_of(server) as client:
        assert await client.ping()
        assert stat.S_IMODE(server.socket.parent.stat().st_mode) == 0o700
    server.socket.parent.rmdir()


async def test_a_short_odd_data_directory_works_too(home: Path) -> None:
    server = EmbeddedValkey(home / 'a "b" %41 é?#')
    async with server.running(), client_of(server) as client:
        assert await client.ping()


async def test_a_socket_directory_that_others_may_enter_is_refused(home: Path) -> None:
    deep = home / ("y" * 120)
    directory = _socket_path((deep / "redis").absolute()).parent
    directory.mkdir(mode=0o755)
    directory.chmod(0o755)
    try:
        with pytest.raises(EmbeddedError, match="open to others"):
            await EmbeddedValkey(deep).start()
    finally:
        directory.rmdir()


async def test_a_server_that_cannot_start_says_why_and_where_to_look(home: Path) -> None:
    with pytest.raises(EmbeddedError, match="ended with code 1 while starting"):
        await EmbeddedValkey(home, binary=Path("/bin/false")).start()
    with pytest.raises(EmbeddedError, match="cannot be run"):
        await EmbeddedValkey(home, binary=Path("/nowhere/valkey-server")).start()


async def test_a_data_directory_that_is_a_file_is_explained(home: Path) -> None:
    home.write_text("")
    with pytest.raises(EmbeddedError, match="data directory that it may write to"):
        await EmbeddedValkey(home).start()
