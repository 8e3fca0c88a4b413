"""Runs and what each of them did."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from monitor import logs
from monitor.filters import Filter, FilterError, parse
from monitor.web.face import lost, page, site_of
from monitor.web.site import Site
from storage.model import CrawlRun, FateKind, RunStatus

PAGE = 50
NAMES = ("outlet", "source", "status", "reason")
#: Runs looked through for text before the page ends, found or not.
LOOKED_THROUGH = 2_000
#: Runs read at once where more has to be looked at than the database was asked.
BATCH = 500


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
        found, more = await _find(site, wanted, before)
    except FilterError as error:
        problem = str(error)
    return {
        "words": words, "problem": problem, "rows": found, "more": more, "before": before, "statuses": list(RunStatus),
    }  # fmt: skip


async def _find(site: Site, wanted: Filter, before: str | None) -> tuple[list[CrawlRun], str | None]:
    """The runs that fit, and the id to go on behind; None at the end."""
    try:
        statuses = [RunStatus(value) for value in wanted.fields.get("status", ())]
    except ValueError as error:
        raise FilterError(f"{error}; a status is one of {', '.join(RunStatus)}") from None
    found: list[CrawlRun] = []
    looked = 0
    asked_all = not wanted.text and not wanted.without and all(len(v) == 1 for v in wanted.fields.values())
    size = PAGE if asked_all else BATCH
    while looked < LOOKED_THROUGH:
        batch = await site.storage.runs.list(
            source_id=wanted.one("source"), outlet_id=wanted.one("outlet"), statuses=statuses,
            reason=wanted.one("reason"), since=wanted.since, until=wanted.until, before=before, limit=size + 1,
        )  # fmt: skip
        for run in batch[:size]:
            looked, before = looked + 1, run.id
            if _fits(wanted, run):
                found.append(run)
                if len(found) == PAGE:
                    return found, before
        if len(batch) <= size:
            return found, None
    return found, before


def _fits(wanted: Filter, run: CrawlRun) -> bool:
    """What the database was not asked: lists of values, opposites, text."""
    record = {
        "outlet": run.outlet_id, "source": run.source_id, "status": str(run.status), "reason": run.reason or "",
        "message": run.message or "", "id": run.id,
    }  # fmt: skip
    rest = Filter(fields=wanted.fields, without=wanted.without, text=wanted.text)
    return rest.matches(record)


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
