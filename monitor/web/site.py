"""What the pages are made from: storage, the configuration in force, the log, and signs of life."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import structlog

from config.model import Monitor, Settings
from monitor.web.day import Day
from storage.errors import StorageUnavailable
from storage.storage import Storage

log = structlog.get_logger(__name__)

_T = TypeVar("_T")

#: The daemon touches its file every ten seconds; this long without it, it is not at work.
ALIVE_SECONDS = 45.0


@dataclass(slots=True, kw_only=True)
class Site:
    """Handed to every page; holds no state of its own but a short memory of costly answers."""

    storage: Storage
    #: The configuration in force; may be another one after a reload.
    settings: Callable[[], Settings]
    #: How it was served when the site was opened.
    monitor: Monitor
    now: Callable[[], datetime]
    #: The JSON lines log.
    log: Path
    #: Touched by the daemon while it works; absent where the daemon is on another machine.
    alive: Path
    #: Raises when Redis does not answer; None where this process knows of no Redis.
    ping: Callable[[], Awaitable[object]] | None = None
    #: Whether this is the process that writes: it is ready only while writing works.
    writes: bool = False
    #: The write that was last tried for it.
    proof: asyncio.Task[None] | None = None
    #: Set when the server stops: streams end then.
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    #: The runs of a day, added up.
    day: Day = field(default_factory=Day)
    _answers: dict[str, tuple[float, object, str]] = field(default_factory=dict)
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)
    _renewed: set[str] = field(default_factory=set)
    _asking: dict[str, asyncio.Task[object]] = field(default_factory=dict)

    async def remembered(self, name: str, seconds: float, ask: Callable[[], Awaitable[_T]], at: str = "") -> _T:
        """The answer to `ask`, at most `seconds` old; asked once however many want it at the same moment.

        With `at`, which stands for the state of things, not one given at another state. `name` is one of a closed
        set: nothing is ever forgotten.
        """
        async with self._locks.setdefault(name, asyncio.Lock()):
            known = self._answers.get(name)
            if known is not None and time.monotonic() - known[0] < seconds and at in {"", known[2]}:
                return known[1]  # type: ignore[return-value]  # the name stands for the type
            answer = await ask()
            self._answers[name] = (time.monotonic(), answer, at)
            return answer

    async def lately(self, name: str, seconds: float, ask: Callable[[], Awaitable[_T]]) -> _T:
        """The same, but whoever comes when it is too old gets the old answer while it is asked anew."""
        self._renewed.add(name)
        known = self._answers.get(name)
        if known is None:
            return await self.remembered(name, seconds, ask)
        if time.monotonic() - known[0] >= seconds and (name not in self._asking or self._asking[name].done()):
            task: asyncio.Task[object] = asyncio.create_task(self._renew(name, seconds, ask))
            self._asking[name] = task
        return known[1]  # type: ignore[return-value]  # the name stands for the type

    async def _renew(self, name: str, seconds: float, ask: Callable[[], Awaitable[object]]) -> None:
        try:
            await self.remembered(name, seconds, ask)
        except StorageUnavailable as error:
            log.warning("number not renewed", number=name, reason=str(error))

    def forget(self) -> None:
        """Ask anew for all that is remembered for a moment: something was just changed.

        What is renewed behind the reader's back stays until it is.
        """
        for name in self._answers.keys() - self._renewed:
            del self._answers[name]

    def heartbeat(self) -> float | None:
        """Seconds since the daemon's last sign of life; None when it leaves none on this machine."""
        try:
            return max(0.0, time.time() - self.alive.stat().st_mtime)
        except OSError:
            return None
