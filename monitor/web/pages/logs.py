"""The log: search; :mod:`monitor.web.live` follows it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from monitor import logs as log_files
from monitor.filters import FilterError, parse, read_moment
from monitor.web.face import page, site_of

LINES = 200
#: Seconds after which a search shows what it has and offers to go on.
PATIENCE = 2.0


async def logs(request: Request) -> Response:
    """``/logs?q=FILTER&before=MOMENT``."""
    site = site_of(request)
    now = site.now()
    words, before = request.query_params.get("q", "")[:500], request.query_params.get("before", "")[:40]
    problem, found = None, log_files.Found([])
    try:
        wanted = parse(words, names=log_files.FIELDS, now=now)
        moment = read_moment(before) if before else None
        if moment is not None:
            wanted = replace(wanted, until=min(moment, wanted.until or moment))
        found = await asyncio.to_thread(log_files.search, site.log, wanted, limit=LINES, patience=PATIENCE)
    except FilterError as error:
        problem = str(error)
    lines = found.records[::-1]
    older = found.until.isoformat() if found.until else str(lines[-1].get("time", "")) if len(lines) == LINES else ""
    return page(
        request, "logs.html", now, words=words, problem=problem, lines=lines, fields=log_files.FIELDS, before=before,
        older="" if older == before else older, looked_back_to=found.until,
    )  # fmt: skip
