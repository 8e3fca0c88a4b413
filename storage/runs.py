"""The ledger of runs: begun, what they discovered, finished; and those that did not happen."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.content import bounded, clean, clean_or_none
from storage.database import Database
from storage.errors import StaleToken, UnknownSource
from storage.fates import fate_from
from storage.hubs import earliest_push
from storage.identities import chunks, remember, row_for
from storage.model import (
    Counts,
    CrawlRun,
    Discovery,
    Fate,
    FateKind,
    IdentityKey,
    IdentityKind,
    RunStatus,
    SourceState,
    Trigger,
)
from storage.rhythms import NextPoll
from storage.rhythms import save as save_rhythm
from storage.sources import affected, allowed, earliest_pending, hold
from storage.tables import fates, runs, sources

COUNTS = (
    "discovered",
    "stored",
    "revised",
    "unchanged",
    "duplicate",
    "filtered",
    "failed",
    "pending",
    "known",
)

Filtered = tuple[Discovery, str, str | None]


@dataclass(frozen=True, slots=True)
class RunSummary:
    """Runs of a span of time, added up."""

    by_status: dict[RunStatus, int]
    counts: Counts


def run_id(now: datetime, entropy: int | None = None) -> str:
    """A UUID version 7 (RFC 9562) with microseconds, so that ids sort by the time they were made."""
    micros = int(now.astimezone(UTC).timestamp() * 1_000_000)
    millis, rest = divmod(micros, 1000)
    low = secrets.randbits(62) if entropy is None else entropy
    return str(UUID(int=(millis & (2**48 - 1)) << 80 | 7 << 76 | (rest << 2) << 64 | 2 << 62 | low))


class Runs:
    """The table ``runs``, and with it the discovery of items."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(
        self,
        source_id: str,
        outlet_id: str,
        trigger: Trigger,
        scheduled_for: datetime,
        token: int,
        worker: str,
        now: datetime,
    ) -> CrawlRun | None:
        """Start a run under the token of its lease; None when a run with this token or a later one has begun.

        From here on older tokens cannot write, and a run they left behind is marked interrupted.
        Raises UnknownSource.
        """
        run = CrawlRun(
            id=run_id(now),
            source_id=source_id,
            outlet_id=outlet_id,
            trigger=trigger,
            status=RunStatus.RUNNING,
            scheduled_for=scheduled_for,
            started_at=now,
            worker=worker,
            token=token,
        )
        async with self._database.write("begin") as connection:
            fenced = update(sources).where(sources.c.id == source_id, sources.c.fence < token)
            if not await affected(
                connection,
                fenced.values(fence=token, queued_at=None, pending_at=None, **_attempted(trigger, now)),
            ):
                if await connection.scalar(select(sources.c.id).where(sources.c.id == source_id)) is None:
                    raise UnknownSource(source_id)
                return None
            await _interrupt(connection, now, runs.c.source_id == source_id)
            await connection.execute(insert(runs).values(_row(run)))
        return run

    async def discovered(
        self,
        run_id: str,
        token: int,
        discoveries: Sequence[Discovery],
        known: int,
        filtered: Sequence[Filtered],
        now: datetime,
    ) -> list[Fate]:
        """Enter what a source announced: each item gets a fate, `known` more were recognised from memory.

        Returns the items to look at, in their order. One that already waits under another run of
        this source, or comes twice, is counted as known. May be called again for further pages.
        Raises StaleToken.
        """
        async with self._database.write("discovered") as connection:
            run = await _running(connection, run_id, token)
            taken = await _taken(connection, run, [d.url_key for d in (*discoveries, *(f[0] for f in filtered))])
            looked_at = [_discovered(run, d, now) for d in _first_of(discoveries, taken, key=lambda d: d.url_key)]
            left_out = [_filtered(run, item, now) for item in _first_of(filtered, taken, key=lambda f: f[0].url_key)]
            again = len(discoveries) + len(filtered) - len(looked_at) - len(left_out)
            made = await _insert_fates(connection, looked_at)
            await _insert_fates(connection, left_out)
            await remember(self._database, connection, _identities_of(run, filtered, now))
            total = known + len(discoveries) + len(filtered)
            r = runs.c
            counted = {
                "discovered": r.discovered + total,
                "known": r.known + known + again,
                "unchanged": r.unchanged + known + again,
                "filtered": r.filtered + len(left_out),
                "pending": r.pending + len(looked_at),
            }
            await connection.execute(update(runs).where(r.id == run_id).values(**counted))
        return made

    async def finish(
        self,
        run_id: str,
        token: int,
        status: RunStatus,
        *,
        now: datetime,
        reason: str | None = None,
        message: str | None = None,
        http_status: int | None = None,
        bytes: int | None = None,  # noqa: A002 - the column's name
        duration: float | None = None,
        evidence: Mapping[str, Any] | None = None,
        robots: str | None = None,
        crawl_delay: float | None = None,
        exchange: Mapping[str, Any] | None = None,
        state: Mapping[str, Any] | None = None,
        next_poll: NextPoll | None = None,
    ) -> bool:
        """End a run and write what it learned of its source, together; False when its token is stale."""
        changes = allowed(state or {})
        async with self._database.write("finish") as connection:
            try:
                run = await _running(connection, run_id, token)
            except StaleToken:
                return False
            await connection.execute(
                update(sources)
                .where(sources.c.id == run.source_id)
                .values(
                    **changes,
                    pending_at=earliest_pending(run.source_id, now),
                    pushed_at=earliest_push(run.source_id),
                )
            )
            ended = {
                "status": status.value,
                "finished_at": now,
                "reason": reason,
                "message": clean_or_none(message),
                "http_status": http_status,
                "bytes": bytes,
                "duration": duration,
                "evidence": evidence,
                "robots": robots,
                "crawl_delay": crawl_delay,
                "exchange": exchange,
            }
            await connection.execute(update(runs).where(runs.c.id == run_id).values(**ended))
            if next_poll is not None:
                await save_rhythm(self._database, connection, run.source_id, next_poll, now)
        return True

    async def record_absent(
        self,
        source: SourceState,
        status: RunStatus,
        reason: str,
        message: str | None,
        scheduled_for: datetime,
        now: datetime,
        trigger: Trigger = Trigger.SCHEDULE,
    ) -> CrawlRun:
        """Record a run that did not happen (skipped or missed) and why."""
        run = CrawlRun(
            id=run_id(now),
            source_id=source.id,
            outlet_id=source.outlet_id,
            trigger=trigger,
            status=status,
            scheduled_for=scheduled_for,
            finished_at=now,
            reason=reason,
            message=clean_or_none(message),
        )
        async with self._database.write("absent") as connection:
            await connection.execute(insert(runs).values(_row(run)))
        return run

    async def interrupt(self, run_ids: Sequence[str], now: datetime) -> list[str]:
        """Mark these runs, if still running, as interrupted; their undecided items are due at once."""
        return await self._interrupted(now, runs.c.id.in_(run_ids))

    async def interrupt_all(
        self, now: datetime, *, worker: str | None = None, started_before: datetime | None = None
    ) -> list[str]:
        """Mark runs whose worker is gone as interrupted; their undecided items are due at once.

        Returns the ids of those runs. Call it for a worker's own name when it starts.
        """
        conditions = []
        if worker is not None:
            conditions.append(runs.c.worker == worker)
        if started_before is not None:
            conditions.append(runs.c.started_at < started_before)
        return await self._interrupted(now, *conditions)

    async def _interrupted(self, now: datetime, *conditions: Any) -> list[str]:
        running = runs.c.status == RunStatus.RUNNING.value
        async with self._database.write("interrupt") as connection:
            left = select(runs.c.source_id).where(running, *conditions)
            held = select(sources.c.id).where(sources.c.id.in_(left)).order_by(sources.c.id).with_for_update()
            ids = list(await connection.scalars(held))
            ended = await _interrupt(connection, now, *conditions)
            for chunk in chunks(ids):
                await connection.execute(
                    update(sources)
                    .where(sources.c.id.in_(chunk))
                    .values(pending_at=earliest_pending(sources.c.id, now), pushed_at=earliest_push(sources.c.id))
                )
        return ended

    async def get(self, run_id: str) -> CrawlRun | None:
        """One run, or None."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(runs).where(runs.c.id == run_id))).one_or_none()
            return None if row is None else run_from(row)

    async def list(
        self,
        *,
        source_id: str | None = None,
        outlet_id: str | None = None,
        statuses: Sequence[RunStatus] = (),
        reason: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        before: str | None = None,
        limit: int = 100,
    ) -> list[CrawlRun]:
        """Runs that meet every condition given, the newest first; `before` is the id of the last one seen."""
        r = runs.c
        conditions: list[Any] = [
            column == value
            for column, value in ((r.source_id, source_id), (r.outlet_id, outlet_id), (r.reason, reason))
            if value is not None
        ]
        if statuses:
            conditions.append(r.status.in_([status.value for status in statuses]))
        if since is not None:
            conditions.append(r.id >= run_id(since, 0))
        if until is not None:
            conditions.append(r.id < run_id(until, 0))
        if before is not None:
            conditions.append(r.id < before)
        async with self._database.read() as connection:
            query = select(runs).where(*conditions).order_by(r.id.desc()).limit(limit)
            return [run_from(row) for row in await connection.execute(query)]

    async def summary(self, since: datetime, until: datetime | None = None) -> RunSummary:
        """Runs made at or after `since` and before `until`, added up."""
        sums = [func.coalesce(func.sum(runs.c[name]), 0).label(name) for name in COUNTS]
        query = (
            select(runs.c.status, func.count().label("runs"), *sums)
            .where(runs.c.id >= run_id(since, 0), *([] if until is None else [runs.c.id < run_id(until, 0)]))
            .group_by(runs.c.status)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        totals = {name: int(sum(getattr(row, name) for row in rows)) for name in COUNTS}
        return RunSummary({RunStatus(row.status): row.runs for row in rows}, Counts(**totals))


def run_from(row: Any) -> CrawlRun:
    """The run a row of ``runs`` holds."""
    values = row._asdict()
    counts = Counts(**{name: values.pop(name) for name in COUNTS})
    kinds = {"trigger": Trigger(values["trigger"]), "status": RunStatus(values["status"])}
    return CrawlRun(**values | kinds, counts=counts)


def _attempted(trigger: Trigger, now: datetime) -> dict[str, Any]:
    """Visits to stored pages are no attempt at the source, and take up nothing that was pushed."""
    return {} if trigger is Trigger.REVISIT else {"last_attempt": now, "pushed_at": None}


def _row(run: CrawlRun) -> dict[str, Any]:
    names = [column.name for column in runs.columns if column.name not in COUNTS]
    return {name: getattr(run, name) for name in names} | {name: getattr(run.counts, name) for name in COUNTS}


async def _interrupt(connection: AsyncConnection, now: datetime, *conditions: Any) -> list[str]:
    statement = (
        update(runs)
        .where(runs.c.status == RunStatus.RUNNING.value, *conditions)
        .values(
            status=RunStatus.INTERRUPTED.value,
            finished_at=now,
            reason="interrupted",
            message="its worker stopped before it was done; undecided items are tried again",
        )
        .returning(runs.c.id)
    )
    return list(await connection.scalars(statement))


async def _running(connection: AsyncConnection, run_id: str, token: int) -> CrawlRun:
    """The run, its source's token held in force; StaleToken unless it is running under that token."""
    source_id = await connection.scalar(select(runs.c.source_id).where(runs.c.id == run_id))
    if source_id is None:
        raise StaleToken("?", token, None)
    await hold(connection, source_id, token)
    run = run_from((await connection.execute(select(runs).where(runs.c.id == run_id))).one())
    if run.token != token or run.status is not RunStatus.RUNNING:
        raise StaleToken(source_id, run.token, token)
    return run


async def _taken(connection: AsyncConnection, run: CrawlRun, url_keys: Sequence[str]) -> set[str]:
    """Keys (bounded) that wait under this source already or have a fate in this run."""
    taken: set[str] = set()
    f = fates.c
    for chunk in chunks(sorted({bounded(key) for key in url_keys})):
        waiting = select(f.url_key).where(
            f.kind == FateKind.PENDING.value, f.source_id == run.source_id, f.url_key.in_(chunk)
        )
        here = select(f.url_key).where(f.run_id == run.id, f.url_key.in_(chunk))
        taken.update(await connection.scalars(waiting))
        taken.update(await connection.scalars(here))
    return taken


def _first_of(items: Sequence[Any], taken: set[str], *, key: Any) -> list[Any]:
    """Items whose key is not taken yet, the first of each; their keys are taken from now on."""
    chosen = []
    for item in items:
        name = bounded(key(item))
        if name not in taken:
            taken.add(name)
            chosen.append(item)
    return chosen


def _discovered(run: CrawlRun, item: Discovery, now: datetime) -> dict[str, Any]:
    return {
        "run_id": run.id,
        "source_id": run.source_id,
        "outlet_id": run.outlet_id,
        "url": clean(item.url),
        "url_key": bounded(item.url_key),
        "guid": clean_or_none(item.guid),
        "title": clean_or_none(item.title),
        "kind": FateKind.PENDING.value,
        "rule": None,
        "detail": None,
        "discovered_at": now,
        "decided_at": None,
        "attempts": 0,
        "published": item.published,
        "entry_hash": item.entry_hash,
        "entry": clean(item.entry),
        "reason": item.reason,
    }


def _filtered(run: CrawlRun, item: Filtered, now: datetime) -> dict[str, Any]:
    discovery, rule, detail = item
    decided = {
        "kind": FateKind.FILTERED.value,
        "rule": rule,
        "detail": clean_or_none(detail),
        "decided_at": now,
    }
    return _discovered(run, replace(discovery, entry="{}"), now) | decided


def _identities_of(run: CrawlRun, filtered: Sequence[Filtered], now: datetime) -> list[dict[str, Any]]:
    """What is left out is remembered too, or each poll would account for it again."""
    rows = {}
    for item, _rule, _detail in filtered:
        keys = [IdentityKey(IdentityKind.URL, run.outlet_id, item.url_key)]
        if item.guid is not None:
            keys.append(IdentityKey(IdentityKind.GUID, run.source_id, item.guid))
        for key in keys:
            row = row_for(
                key,
                article_id=None,
                fate=FateKind.FILTERED,
                entry_hash=item.entry_hash,
                url_key=item.url_key,
                now=now,
            )
            rows[row["kind"], row["scope"], row["key"]] = row
    return list(rows.values())


async def _insert_fates(connection: AsyncConnection, rows: Sequence[dict[str, Any]]) -> list[Fate]:
    if not rows:
        return []
    statement = insert(fates).returning(fates, sort_by_parameter_order=True)
    return [fate_from(row) for row in await connection.execute(statement, list(rows))]
