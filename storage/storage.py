"""All of storage's SQL side behind one object, opened once a process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

import storage.views  # noqa: F401 - adds the views to the metadata
from storage.alerts import Alerts
from storage.articles import ArticleFilter, Articles
from storage.audit import Audit
from storage.children import Children
from storage.coverage import CoverageBook
from storage.database import Database
from storage.delivery import Deliveries
from storage.events import Events
from storage.facts import Facts
from storage.fates import Fates
from storage.health import HealthBook
from storage.hubs import Hubs
from storage.model import FateKind, RunStatus
from storage.outages import Outages
from storage.outbox import Outbox
from storage.reextraction import Reextraction
from storage.retention import Retention
from storage.rhythms import Rhythms
from storage.runs import Runs
from storage.sources import Sources
from storage.tables import fates, sources
from storage.texts import Texts
from storage.visits import Visits
from storage.waits import Waits
from storage.writer import Writer


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageStatus:
    """Small numbers for a glance."""

    articles: int
    articles_last_hour: int
    articles_last_day: int
    #: Sources in service, and of these the paused.
    sources: int
    paused: int
    runs_last_day: dict[RunStatus, int]
    fates_last_day: dict[FateKind, int]
    #: Items recognised from memory in the last day, which have no fate of their own.
    known_last_day: int
    pending: int
    #: When the item that has waited longest was discovered.
    oldest_pending: datetime | None
    last_event: int


class Storage:
    """The parts of storage, sharing one database."""

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        self.database = database
        self.sources = Sources(database)
        self.children = Children(database)
        self.hubs = Hubs(database)
        self.runs = Runs(database)
        self.rhythms = Rhythms(database)
        self.fates = Fates(database)
        self.articles = Articles(database)
        self.coverage = CoverageBook(database)
        self.texts = Texts(database)
        self.outbox = Outbox(database)
        self.events = Events(database)
        self.deliveries = Deliveries(database)
        self.retention = Retention(database)
        self.reextraction = Reextraction(database)
        self.audit = Audit(database)
        self.facts = Facts(database)
        self.health = HealthBook(database)
        self.alerts = Alerts(database)
        self.outages = Outages(database)
        self.visits = Visits(database)
        self.waits = Waits(database)
        self.writer = Writer(database)
        self._now = now

    @classmethod
    async def open(cls, url: str, *, now: Callable[[], datetime], migrate: bool = True) -> Storage:
        """Open ``sqlite:///FILE`` or ``postgresql://…``, bringing its tables up to date first.

        With `migrate` False tables of another version raise SchemaOutdated.
        Raises StorageUnavailable when the database does not answer.
        """
        database = Database(url)
        try:
            await (database.migrate() if migrate else database.require_current())
        except BaseException:
            await database.close()
            raise
        return cls(database, now=now)

    async def close(self) -> None:
        """Commit what waits in the writer, then close every connection."""
        await self.writer.close()
        await self.database.close()

    async def status(self) -> StorageStatus:
        """Small numbers for a glance, all counted now."""
        now = self._now()
        day, hour = now - timedelta(days=1), now - timedelta(hours=1)
        f, s = fates.c, sources.c
        async with self.database.read() as connection:
            kinds = await connection.execute(
                select(f.kind, func.count()).where(f.discovered_at >= day).group_by(f.kind)
            )
            by_kind = {FateKind(kind): count for kind, count in kinds}
            waiting = select(func.count(), func.min(f.discovered_at)).where(f.kind == FateKind.PENDING.value)
            pending, oldest = (await connection.execute(waiting)).one()
            in_service = select(s.paused, func.count()).where(s.removed_at.is_(None)).group_by(s.paused)
            served: dict[bool, int] = {row[0]: row[1] for row in await connection.execute(in_service)}
        runs = await self.runs.summary(day)
        return StorageStatus(
            articles=await self.articles.count(),
            articles_last_hour=await self.articles.count(ArticleFilter(since=hour)),
            articles_last_day=await self.articles.count(ArticleFilter(since=day)),
            sources=sum(served.values()),
            paused=served.get(True, 0),
            runs_last_day=runs.by_status,
            fates_last_day=by_kind,
            known_last_day=runs.counts.known,
            pending=pending,
            oldest_pending=oldest,
            last_event=await self.outbox.last(),
        )
