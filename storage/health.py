"""States of sources: what there is to judge, and changes of state, each written once whoever judges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, func, insert, or_, select, update

from storage.content import clean
from storage.database import Database
from storage.health_tables import flips
from storage.identities import chunks
from storage.model import CrawlRun, HealthState, RunStatus, SourceState
from storage.runs import run_from
from storage.sources import affected, state_from
from storage.tables import runs, sources


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A state that a source has taken on, as found by whoever judges it."""

    source_id: str
    outlet_id: str
    #: Changes there were when it was judged: another number since then, and somebody else was first.
    flips: int
    was: str
    became: str
    sentence: str
    evidence: Mapping[str, Any]
    began_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """A change of state as it is remembered."""

    id: int
    source_id: str
    outlet_id: str
    number: int
    was: str
    became: str
    sentence: str
    evidence: Mapping[str, Any] | None
    began_at: datetime
    noticed_at: datetime


class HealthBook:
    """The table ``flips`` and the state in ``sources``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def changed(self, since: datetime | None) -> list[SourceState]:
        """Sources in service that were tried since then (None: all), or whose state does not go with their pause."""
        s = sources.c
        paused = HealthState.PAUSED.value
        moved = or_(and_(s.paused, s.health != paused), and_(~s.paused, s.health == paused))
        query = select(sources).where(s.removed_at.is_(None))
        if since is not None:
            query = query.where(or_(moved, s.last_attempt >= since))
        async with self._database.read() as connection:
            return [state_from(row) for row in await connection.execute(query)]

    async def write(self, changes: Sequence[Change], now: datetime) -> list[Change]:
        """Write those changes that nobody else has written, and return them."""
        s, written = sources.c, []
        async with self._database.write("health") as connection:
            for change in sorted(changes, key=lambda change: change.source_id):
                claimed = await affected(
                    connection,
                    update(sources)
                    .where(s.id == change.source_id, s.health_flips == change.flips)
                    .values(
                        health=change.became,
                        health_since=change.began_at,
                        health_said=clean(change.sentence),
                        health_flips=change.flips + 1,
                    ),
                )
                if claimed:
                    row = {
                        "source_id": change.source_id,
                        "outlet_id": change.outlet_id,
                        "number": change.flips + 1,
                        "was": change.was,
                        "became": change.became,
                        "sentence": clean(change.sentence),
                        "evidence": dict(change.evidence),
                        "began_at": change.began_at,
                        "noticed_at": now,
                    }
                    await connection.execute(insert(flips).values(row))
                    written.append(change)
        return written

    async def say(self, sentences: Mapping[str, str]) -> None:
        """Another sentence on states that stay as they are."""
        async with self._database.write("health") as connection:
            for source_id, sentence in sorted(sentences.items()):
                statement = update(sources).where(sources.c.id == source_id).values(health_said=clean(sentence))
                await connection.execute(statement)

    async def flips(
        self,
        *,
        source_id: str | None = None,
        outlet_id: str | None = None,
        since: datetime | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[Flip]:
        """Changes of state, the last noticed first; `before` is the id of the last one seen."""
        f = flips.c
        conditions: list[Any] = [
            column == value for column, value in ((f.source_id, source_id), (f.outlet_id, outlet_id)) if value
        ]
        if since is not None:
            conditions.append(f.noticed_at >= since)
        if before is not None:
            conditions.append(f.id < before)
        query = select(flips).where(*conditions).order_by(f.id.desc()).limit(limit)
        async with self._database.read() as connection:
            return [Flip(**row._asdict()) for row in await connection.execute(query)]

    async def counts(self) -> dict[str, int]:
        """Sources in service by state."""
        state = case((sources.c.paused, HealthState.PAUSED.value), else_=sources.c.health)
        query = select(state, func.count()).where(sources.c.removed_at.is_(None)).group_by(state)
        async with self._database.read() as connection:
            return {row[0]: row[1] for row in await connection.execute(query)}

    async def by_outlet(self) -> dict[str, int]:
        """Sources in service by outlet."""
        s = sources.c
        query = select(s.outlet_id, func.count()).where(s.removed_at.is_(None)).group_by(s.outlet_id)
        async with self._database.read() as connection:
            return {row[0]: row[1] for row in await connection.execute(query)}

    async def troubled(self, states: Sequence[str]) -> list[SourceState]:
        """Sources in service that are in one of these states and not paused, by id."""
        s = sources.c
        query = select(sources).where(s.removed_at.is_(None), ~s.paused, s.health.in_(states)).order_by(s.id)
        async with self._database.read() as connection:
            return [state_from(row) for row in await connection.execute(query)]

    async def began_with(self, source_ids: Iterable[str]) -> dict[str, str]:
        """The run in which the present state of these sources began, where it is known."""
        f, s = flips.c, sources.c
        found: dict[str, str] = {}
        async with self._database.read() as connection:
            for chunk in chunks(sorted(source_ids)):
                query = (
                    select(f.source_id, f.evidence)
                    .join(sources, and_(s.id == f.source_id, s.health_flips == f.number))
                    .where(f.source_id.in_(chunk))
                )
                for row in await connection.execute(query):
                    if row.evidence and row.evidence.get("run"):
                        found[row.source_id] = str(row.evidence["run"])
        return found

    async def first_failure(self, source_id: str, after: str | None) -> CrawlRun | None:
        """The first run that failed or was kept away after the run `after`; of all when that is None."""
        r = runs.c
        bad = (RunStatus.FAILED.value, RunStatus.SKIPPED.value)
        conditions = [r.source_id == source_id, r.status.in_(bad)]
        if after is not None:
            conditions.append(r.id > after)
        query = select(runs).where(*conditions).order_by(r.id).limit(1)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else run_from(row)

    async def last_good_run(self, source_id: str) -> CrawlRun | None:
        """The last run that had an answer."""
        r = runs.c
        good = (RunStatus.OK.value, RunStatus.NOT_MODIFIED.value)
        query = (
            select(runs).where(r.source_id == source_id, r.status.in_(good)).order_by(r.id.desc()).limit(1)
        )  # fmt: skip
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else run_from(row)

    async def items_since(self, source_ids: Sequence[str], since_run: str) -> dict[str, int]:
        """Items that were news to these sources' runs from the run id `since_run` on."""
        r = runs.c
        found: dict[str, int] = {}
        async with self._database.read() as connection:
            for chunk in chunks(sorted(source_ids)):
                query = (
                    select(r.source_id, func.sum(r.discovered - r.known))
                    .where(r.source_id.in_(chunk), r.id >= since_run)
                    .group_by(r.source_id)
                )
                found |= {row[0]: int(row[1]) for row in await connection.execute(query)}
        return found
