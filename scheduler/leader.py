"""Exactly one active scheduler: the one that holds the lease."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import structlog

from storage.leases import Lease, Leases

log = structlog.get_logger(__name__)

#: A scheduler that died is replaced within this time.
TERM = timedelta(seconds=15)


class Leader:
    """Tries for the lease, renews it, and says whether this process leads."""

    def __init__(self, leases: Leases, holder: str, monotonic: Callable[[], float]) -> None:
        self._leases = leases
        self._holder = holder
        self._monotonic = monotonic
        self._lease: Lease | None = None
        self._until = 0.0

    @property
    def leads(self) -> bool:
        """Whether this process may dispatch now; false as soon as the lease may have run out."""
        return self._lease is not None and self._monotonic() < self._until

    async def tick(self) -> None:
        """Renew the lease or try for it; called a few times a term."""
        asked = self._monotonic()
        led = self.leads
        try:
            if self._lease is not None and await self._leases.renew(self._lease):
                self._until = asked + TERM.total_seconds()
            else:
                self._lease = await self._leases.acquire("scheduler", self._holder, TERM, floor=0)
                self._until = asked + TERM.total_seconds() if self._lease else 0.0
        except Exception as error:  # Redis away: the lease runs out by itself
            log.warning("leadership unknown", reason=f"{type(error).__name__}: {error}")
        if self.leads and not led:
            log.info("scheduler active", holder=self._holder)
        elif led and not self.leads:
            log.warning("scheduler passive", holder=self._holder, reason="the lease went to another or ran out")

    async def resign(self) -> None:
        """Give the lease back, so that another scheduler takes over at once."""
        lease, self._lease, self._until = self._lease, None, 0.0
        if lease is not None:
            async with asyncio.timeout(2):
                await self._leases.release(lease)
