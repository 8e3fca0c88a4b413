"""Says that the database or Redis takes nothing: in the log at once, to the channels when it lasts.

Incidents are kept in the database, and who tells is decided in Redis; so trouble of these two goes straight to the
channels, from every process that schedules, and is remembered here only.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from config.alerting import Severity
from config.model import Settings
from config.units import span
from scheduler.alerting.sender import Sender, SendError

log = structlog.get_logger(__name__)

#: How often a store is tried.
EVERY_SECONDS = 10.0
#: A store that has not answered after so many seconds is in trouble.
PATIENCE = 5.0
#: Trouble that is over sooner is told by the log only.
HOLD = timedelta(minutes=1)

Probe = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class _Trouble:
    reason: str
    #: Monotonic seconds.
    since: float
    #: Channels that know.
    told: set[str] = field(default_factory=set)


class StoreWatch:
    """Tries each store with a write. `probes` raise what is wrong; their names stand in messages."""

    def __init__(
        self,
        probes: Mapping[str, Probe],
        settings: Callable[[], Settings],
        *,
        sender: Sender | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        patience: float = PATIENCE,
    ) -> None:
        self._probes = probes
        self._settings = settings
        self._sender = sender
        self._monotonic = monotonic
        self._patience = patience
        self._troubles: dict[str, _Trouble] = {}
        self._asked: dict[str, asyncio.Task[None]] = {}

    async def look(self) -> None:
        """One try of each; what is wrong is said."""
        for name in self._probes:
            reason = await self._ask(name)
            trouble = self._troubles.get(name)
            if reason is not None and trouble is None:
                trouble = self._troubles[name] = _Trouble(reason, self._monotonic())
                log.error("store fails", store=name, reason=reason, message="work waits for it; nothing is lost")
            if trouble is None:
                continue
            lasted = timedelta(seconds=self._monotonic() - trouble.since)
            if reason is None:
                del self._troubles[name]
                log.warning("store works again", store=name, seconds=round(lasted.total_seconds(), 1))
                await self._tell(name, trouble, lasted, over=True)
            elif lasted >= HOLD:
                trouble.reason = reason
                await self._tell(name, trouble, lasted, over=False)

    async def _ask(self, name: str) -> str | None:
        """What is wrong. A try that hangs is left to end: a statement that waits for a lock cannot be cancelled."""
        asked = self._asked.get(name)
        if asked is None or asked.done():
            asked = self._asked[name] = asyncio.ensure_future(_tried(self._probes[name]))
        done, _ = await asyncio.wait({asked}, timeout=self._patience)
        if not done:
            return f"no answer within {self._patience:g} s"
        error = asked.exception()
        return None if error is None else f"{error}"[:300] or type(error).__name__

    async def _tell(self, name: str, trouble: _Trouble, lasted: timedelta, *, over: bool) -> None:
        """To each channel that does not know yet, or when it is over to those that do."""
        settings = self._settings()
        sender = self._sender or Sender(allow_networks=settings.allow_networks, resolve=settings.resolve)
        title = f"warta: the {name} works again" if over else f"warta: the {name} takes nothing"
        body = f"It took nothing for {span(lasted)}." if over else f"For {span(lasted)}: {trouble.reason}"
        severity = str(Severity.INFO if over else Severity.CRITICAL)
        for channel in settings.alerts.channels:
            if (channel.name in trouble.told) is not over:
                continue
            try:
                await sender.send(channel.url, severity, title, body)
            except SendError as error:
                log.warning("channel refuses alerts", channel=channel.name, alerts=1, reason=str(error))
            else:
                trouble.told.add(channel.name)
                log.info("alerts sent", channel=channel.name, alerts=1)


async def _tried(probe: Probe) -> None:
    await probe()
