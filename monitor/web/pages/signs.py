"""For machines: alive, working, and the metrics."""

from __future__ import annotations

import asyncio
import shutil
from datetime import timedelta
from importlib.metadata import version

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from monitor.metrics import Reading, render
from monitor.web.face import site_of
from monitor.web.figures import KINDS, failures_since, now_line, totals
from monitor.web.site import ALIVE_SECONDS, Site
from storage.errors import StorageUnavailable

#: Sources this long overdue mean that nobody dispatches.
STALLED = timedelta(minutes=15)
#: Redis and the database have this many seconds to answer.
PATIENCE = 3.0


async def alive(request: Request) -> Response:
    """``/healthz``: the loop that serves this answers."""
    del request
    return PlainTextResponse("alive\n")


async def ready(request: Request) -> Response:
    """``/readyz``: work goes on, and the stores take what is written; 503 with what does not."""
    checks = await site_of(request).remembered("ready", 1.0, lambda: _checks(site_of(request)))
    well = all(value == "ok" for value in checks.values())
    return JSONResponse({"ready": well, "checks": checks}, status_code=200 if well else 503)


async def _checks(site: Site) -> dict[str, str]:
    checks = {"database": await _database(site)}
    if site.ping is not None:
        checks["redis"] = "ok" if await _redis(site) else "does not answer, or takes nothing"
    heartbeat = site.heartbeat()
    if heartbeat is not None:
        well = heartbeat < ALIVE_SECONDS
        checks["daemon"] = "ok" if well else f"last sign of life {heartbeat:.0f} s ago"
    if checks["database"] == "ok":
        line = await site.remembered("dispatch", 10.0, lambda: now_line(site.storage, site.now()))
        stalled = line.next_due is not None and site.now() - line.next_due > STALLED
        checks["dispatch"] = f"{line.overdue} sources are overdue" if stalled else "ok"
    return checks


async def _database(site: Site) -> str:
    try:
        health = await asyncio.wait_for(site.storage.database.health(), PATIENCE)
    except (StorageUnavailable, TimeoutError):
        return "does not answer"
    if site.storage.database.corrupt is not None:
        return f"corrupt: {site.storage.database.corrupt}"
    if not health.ok:
        return "does not answer"
    return await _writing(site) if site.writes else "ok"


async def _writing(site: Site) -> str:
    """One write; a statement that waits for a lock cannot be cancelled, so one that takes too long is left to end."""
    if site.proof is None or site.proof.done():
        site.proof = asyncio.create_task(site.storage.facts.prove(site.now()))
    done, _ = await asyncio.wait({site.proof}, timeout=PATIENCE)
    if not done:
        return "cannot be written: locked"
    error = site.proof.exception()
    return "ok" if error is None else f"cannot be written: {error}"


async def _redis(site: Site) -> bool | None:
    if site.ping is None:
        return None
    try:
        await asyncio.wait_for(_awaited(site), PATIENCE)
    except Exception:  # whatever a client raises: it does not answer
        return False
    return True


async def _awaited(site: Site) -> None:
    if site.ping is not None:
        await site.ping()


async def metrics(request: Request) -> Response:
    """``/metrics``."""
    site = site_of(request)
    reading = await site.remembered("metrics", 2.0, lambda: read(site))
    return Response(render(reading), media_type=CONTENT_TYPE_LATEST)


async def read(site: Site) -> Reading:
    """Measure everything once."""
    now = site.now()
    hour = now - timedelta(hours=1)
    line, ever = await now_line(site.storage, now), await totals(site.storage.database)
    runs = await site.lately("hour", 5.0, lambda: site.storage.runs.summary(hour))
    facts = await site.storage.facts.all()
    lags = await site.storage.deliveries.lag(now)
    hubs = await site.storage.hubs.counts()
    health = await site.storage.database.health()
    disk = await asyncio.to_thread(shutil.disk_usage, site.log.parent if site.log.parent.exists() else "/")
    return Reading(
        version=version("warta"), articles=ever.articles, items=ever.items, events=ever.events,
        articles_hour=line.articles_hour, fresh_p50=line.fresh_p50, fresh_p95=line.fresh_p95, states=line.states,
        runs_hour={str(status): number for status, number in runs.by_status.items()},
        fates_hour={kind: getattr(runs.counts, kind) for kind in KINDS},
        reasons_hour=await site.lately("reasons", 5.0, lambda: failures_since(site.storage.database, hour)),
        pending=line.pending,
        pending_seconds=(now - line.oldest_pending).total_seconds() if line.oldest_pending else 0.0,
        overdue=line.overdue, overdue_seconds=(now - line.next_due).total_seconds() if line.next_due else 0.0,
        outage=any(name.startswith("outage ") for name in facts), refused="configuration refused" in facts,
        heartbeat=site.heartbeat(), database_seconds=health.latency, redis=await _redis(site),
        lags=tuple((lag.consumer.name, lag.consumer.kind, lag.age.total_seconds(), lag.behind + lag.waiting)
                   for lag in lags),
        delivery_dead=sum(lag.dead for lag in lags),
        hubs={str(state): number for state, number in hubs.by_state.items()}, pushes=hubs.waiting,
        disk_free=disk.free, disk_total=disk.total,
    )  # fmt: skip
