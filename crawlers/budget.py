"""What the fetcher asks of the keeper of host limits (``storage.hosts.HostBudget``)."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any, Protocol

from config.model import Politeness


class Budget(Protocol):
    """Gives each request its turn; shared by all sources, and by all workers when kept in Redis."""

    def turn(
        self, host: str, outlet: str, politeness: Politeness, *, patience: timedelta | None = None
    ) -> AbstractAsyncContextManager[Any]:
        """Wait until the host and the outlet may be asked; leaving the context gives the turn back.

        Raises storage.hosts.TurnRefusedError when the wait is known to exceed the patience.
        """

    async def block(self, host: str, until: datetime) -> None:
        """Let no request to the host begin before that moment (aware)."""
