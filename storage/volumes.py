"""How many articles each outlet brings in a stretch of the day, and how many are usual then."""

from __future__ import annotations

from datetime import datetime, timedelta
from statistics import median_low
from typing import Any

from sqlalchemy import func, select

from storage.database import Database
from storage.tables import articles, sources

#: Days before with which a stretch is compared.
DAYS = 7


async def volumes(database: Database, over: timedelta, now: datetime) -> dict[str, tuple[int, int]]:
    """Outlet, of those that are polled, to its articles of the last `over`, and to what is usual in the same hours.

    Usual is the lower median of the seven days before, or what came on the same day a week ago if that was less: a
    Saturday is not held against working days, nor a week against one with an outage.
    """
    a, s = articles.c, sources.c
    polled = select(s.outlet_id).where(s.removed_at.is_(None), ~s.paused).group_by(s.outlet_id).subquery()

    def came(days: int) -> Any:
        until = now - timedelta(days=days)
        query = select(func.count()).select_from(articles)
        return query.where(a.outlet_id == polled.c.outlet_id, a.first_seen >= until - over, a.first_seen < until)

    columns = [came(days).scalar_subquery().label(f"d{days}") for days in range(DAYS + 1)]
    async with database.read() as connection:
        rows = (await connection.execute(select(polled.c.outlet_id, *columns))).all()
    return {row[0]: (int(row[1]), usual([int(n) for n in row[2:]])) for row in rows}


def usual(before: list[int]) -> int:
    """What is usual, from what came in the same hours of the days before, yesterday first."""
    return min(median_low(before), before[-1])
