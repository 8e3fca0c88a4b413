"""A stretch of network between the daemon and the press, as good or bad as it is told to be."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from enum import StrEnum
from typing import Final

#: Seconds that each piece waits on a slow line, and its bytes: 4 KiB a second, half a second of delay.
SLOW_SECONDS: Final = 0.25
SLOW_BYTES: Final = 1024
#: Bytes of an answer that come through before a cut.
CUT_AFTER: Final = 700
_PIECE: Final = 65_536


class Line(StrEnum):
    """How the line is."""

    OPEN = "open"
    SLOW = "slow"  # few bytes a second
    CUT = "cut"  # connections are reset in the middle of the answer
    SILENT = "silent"  # connections open and nothing ever comes, also later: their state on the way was lost


class Toxic:
    """Listens on a loopback port of its own and carries bytes to another; for use in a ``with`` block."""

    def __init__(self, to: int) -> None:
        self.to = to
        self.line = Line.OPEN
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="toxic", daemon=True)

    def __enter__(self) -> Toxic:
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the line to the press did not come up within 10 s")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._carry, "127.0.0.1", 0, backlog=2048))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        server.close()
        self._loop.close()

    async def _carry(self, near: asyncio.StreamReader, to_near: asyncio.StreamWriter) -> None:
        if self.line is Line.SILENT:
            await self._swallow(near, to_near)
            return
        try:
            far, to_far = await asyncio.open_connection("127.0.0.1", self.to)
        except OSError:
            to_near.transport.abort()
            return
        ways = [asyncio.create_task(self._pump(near, to_far)), asyncio.create_task(self._back(far, to_near))]
        with suppress(OSError, asyncio.CancelledError):
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        for writer in (to_near, to_far):
            writer.close()

    @staticmethod
    async def _swallow(near: asyncio.StreamReader, to_near: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while await near.read(_PIECE):
                pass
        to_near.close()

    @staticmethod
    async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await source.read(_PIECE):
                sink.write(piece)
                await sink.drain()

    async def _back(self, far: asyncio.StreamReader, to_near: asyncio.StreamWriter) -> None:
        """The answer, which is what suffers."""
        with suppress(OSError):
            while piece := await far.read(SLOW_BYTES if self.line is Line.SLOW else _PIECE):
                if self.line is Line.SILENT:
                    await asyncio.Event().wait()
                if self.line is Line.CUT:
                    to_near.write(piece[:CUT_AFTER])
                    await to_near.drain()
                    to_near.transport.abort()
                    return
                if self.line is Line.SLOW:
                    await asyncio.sleep(SLOW_SECONDS)
                to_near.write(piece)
                await to_near.drain()
