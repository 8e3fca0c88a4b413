"""How fast what was missed is made up for, when we come back from an outage or from not running. Pure.

Sources are dispatched by priority, the oldest first, as always; what is added here is that a host which is to be asked
for many of them at once is asked for few at first::

    seconds since we came back      0   10   20   30   60   120   300
    sources of one host until then  1    2    5   10   37   145   all
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

#: Afterwards hosts are asked for all that is due.
RAMP = timedelta(minutes=5)
_STEP = timedelta(seconds=10)


def allowed(elapsed: timedelta) -> int | None:
    """Overdue sources of one host that may have been dispatched by then; None: all."""
    if elapsed >= RAMP:
        return None
    return 1 + int((max(elapsed, timedelta(0)) / _STEP) ** 2)


@dataclass(slots=True)
class Ramp:
    """What was dispatched since we came back, by host."""

    came_back: datetime
    _sent: Counter[str] = field(default_factory=Counter)

    def is_over(self, now: datetime) -> bool:
        """Whether nothing is held back any more."""
        return allowed(now - self.came_back) is None

    def concerns(self, next_attempt: datetime) -> bool:
        """Whether a poll was due while we were away."""
        return next_attempt <= self.came_back

    def admits(self, host: str, now: datetime) -> bool:
        """Whether an overdue source of that host may go now; counts it if so."""
        most = allowed(now - self.came_back)
        if most is not None and self._sent[host] >= most:
            return False
        self._sent[host] += 1
        return True
