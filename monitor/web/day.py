"""The runs of a day, added up hour by hour: hours that are over are not read again each time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta

from storage.model import Counts, RunStatus
from storage.runs import Runs, RunSummary

HOUR = timedelta(hours=1)
HOURS = 24
#: Items of a run are decided within hours at most; sums of older hours are taken as they were for this long.
FRESH, KEPT = 2, timedelta(minutes=20)


@dataclass(slots=True)
class Day:
    """Sums by hour, kept for whoever asks next."""

    _hours: dict[datetime, tuple[datetime, RunSummary]] = field(default_factory=dict)

    async def summary(self, runs: Runs, now: datetime) -> RunSummary:
        """Runs of this hour and the 24 before it."""
        this = now.replace(minute=0, second=0, microsecond=0)
        wanted = [this - HOUR * age for age in range(HOURS, -1, -1)]
        self._hours = {hour: known for hour, known in self._hours.items() if hour in wanted}
        # At most one old hour is read again at a time, the longest kept first.
        aged = sorted((known[0], hour) for hour, known in self._hours.items() if now - known[0] > KEPT)
        again = {hour for _, hour in aged[:1]} | set(wanted[-FRESH:])
        for hour in wanted:
            if hour not in self._hours or hour in again:
                self._hours[hour] = (now, await runs.summary(hour, hour + HOUR))
        return added(summary for _, summary in self._hours.values())


def added(summaries: Iterable[RunSummary]) -> RunSummary:
    """Their sum."""
    by_status: dict[RunStatus, int] = {}
    totals = dict.fromkeys((f.name for f in fields(Counts)), 0)
    for summary in summaries:
        for status, number in summary.by_status.items():
            by_status[status] = by_status.get(status, 0) + number
        for name in totals:
            totals[name] += getattr(summary.counts, name)
    return RunSummary(by_status, Counts(**totals))
