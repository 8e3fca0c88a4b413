"""Runs and what each of them did."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from monitor import logs
from monitor.filters import Filter, FilterError, parse
from monitor.runs import NAMES, find
from monitor.web.face import lost, page, site_of
from monitor.web.site import Site
from storage.model import CrawlRun, FateKind, RunStatus

PAGE = 50


async def runs(request: Request) -> Response:
    """``/runs?q=FILTER&before=ID``."""
    site = site_of(request)
    now = site.now()
    return page(request, "runs.html", now, **await contents(site, now, dict(request.query_params)))


async def contents(site: Site, now: datetime, asked: dict[str, str]) -> dict[str, Any]:
    """A page of runs."""
    words, before = asked.get("q", "")[:500], asked.get("before", "")[:64] or None
    problem, found, more = None, list[CrawlRun](), None
    try:
        wanted = parse(words, names=NAMES, now=now)
        found, more = await find(site.storage.database, wanted, before=before, limit=PAGE)
    except FilterError as error:
        problem = str(error)
    return {
        "words": words, "problem": problem, "rows": found, "more": more, "before": before, "statuses": list(RunStatus),
    }  # fmt: skip


async def run(request: Request) -> Response:
    """``/runs/ID``."""
    site = site_of(request)
    now = site.now()
    found = await site.storage.runs.get(request.path_params["id"][:64])
    if found is None:
        return lost(request, f"There is no run {request.path_params['id'][:64]}; old runs may have been removed.")
    kind = request.query_params.get("kind", "")
    kinds = [FateKind(kind)] if kind in set(FateKind) else []
    began = found.started_at or found.scheduled_for
    wanted = Filter(fields={"run": (found.id,)}, since=began - timedelta(minutes=1))
    lines = await asyncio.to_thread(logs.read, site.log, wanted, limit=200)
    before = request.query_params.get("before", "")
    fates = await site.storage.fates.search(
        run_id=found.id, kinds=kinds, limit=101, before=int(before) if before.isdecimal() and len(before) < 19 else None
    )
    counts = {str(k): getattr(found.counts, str(k)) for k in FateKind}
    canonical = next((line for line in reversed(lines) if line.get("event") == "run finished"), None)
    return page(
        request, "run.html", now, run=found, fates=fates[:100], more=fates[99].id if len(fates) > 100 else None,
        lines=lines, canonical=canonical, counts=counts, kind=kind,
    )  # fmt: skip
