"""Our own outages: facts while they last, windows afterwards, and what is taken back and made up for.

Knows nothing of how an outage is told from other people's; see `crawlers.outage`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Update, case, func, or_, select, update

from storage.database import Database
from storage.facts import Facts
from storage.model import RunStatus
from storage.tables import runs, sources

#: Before the name of a worker, in the name of the fact that it sees an outage.
LIVE = "outage "

#: Name of the fact that lists the windows that are over.
WINDOWS = "own outages"

#: Windows that are remembered.
_MOST = 50

#: Reason of runs that our own outage spoiled.
REASON = "outage"

#: The source that waited longest comes so much before the one that waited least, in the order of catching up.
_SPREAD = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Window:
    """From when to when nobody could be reached."""

    since: datetime
    until: datetime


class Outages:
    """Facts, runs and sources as far as our own outages concern them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._facts = Facts(database)

    async def begin(self, worker: str, since: datetime, weights: Mapping[str, float], now: datetime) -> int:
        """It began; failures since then are taken back, each by its weight. Returns how many runs that excuses."""
        await self._facts.put(f"{LIVE}{worker}", {"since": since.isoformat()}, now)
        r = runs.c
        failed = (r.status == RunStatus.FAILED.value, r.reason.in_(sorted(weights)), r.finished_at >= since)
        async with self._database.write("outage") as connection:
            found = (await connection.execute(select(r.id, r.source_id, r.reason).where(*failed))).all()
            taken_back: dict[str, float] = {}
            for row in found:
                taken_back[row.source_id] = taken_back.get(row.source_id, 0.0) + weights[row.reason]
            spoiled = {
                "status": RunStatus.SKIPPED.value, "reason": REASON,
                "message": "our own outage: " + func.coalesce(r.message, r.reason),
            }  # fmt: skip
            await connection.execute(update(runs).where(*failed).values(**spoiled))
            for source_id, weight in sorted(taken_back.items()):
                await connection.execute(_forgiven(source_id, weight))
        return len(found)

    async def end(self, worker: str, since: datetime, now: datetime) -> int:
        """It is over: its window is marked, and sources that were to be polled in it are due, the oldest first.

        Returns how many these are.
        """
        await self._facts.drop(f"{LIVE}{worker}")
        window = [since.isoformat(), now.isoformat()]
        known = await self._facts.get(WINDOWS) or {"windows": []}
        await self._facts.put(WINDOWS, {"windows": [*known["windows"], window][-_MOST:]}, now)
        r, s = runs.c, sources.c
        spoiled = select(r.source_id).where(
            r.status == RunStatus.SKIPPED.value, r.reason == REASON, r.finished_at >= since
        )
        overtaken = (
            select(s.id)
            .where(s.id.in_(spoiled), s.next_attempt > now, s.removed_at.is_(None))
            .where(or_(s.last_success.is_(None), s.last_success < now), s.gone_at.is_(None))
            .order_by(s.last_success.is_not(None), s.last_success, s.id)
        )
        async with self._database.write("outage") as connection:
            ids = list(await connection.scalars(overtaken))
            for place, source_id in enumerate(ids):
                at = now - _SPREAD * (1 - place / len(ids))
                await connection.execute(update(sources).where(s.id == source_id).values(next_attempt=at))
        return len(ids)

    async def windows(self) -> Sequence[Window]:
        """Those that are over, the oldest first."""
        known = await self._facts.get(WINDOWS) or {"windows": []}
        return [Window(datetime.fromisoformat(a), datetime.fromisoformat(b)) for a, b in known["windows"]]


def _forgiven(source_id: str, weight: float) -> Update:
    s = sources.c
    left = s.failures - weight
    return (
        update(sources)
        .where(s.id == source_id)
        .values(
            failures=case((left > 0, left), else_=0.0),
            last_failure=case((left > 0, s.last_failure), else_=None),
            last_failure_message=case((left > 0, s.last_failure_message), else_=None),
        )
    )
