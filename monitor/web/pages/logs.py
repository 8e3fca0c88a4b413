"""The log: search; :mod:`monitor.web.live` follows it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from monitor import logs as log_files
from monitor.filters import FilterError, parse
from monitor.web.face import page, site_of

LINES = 200
_SHOWN_APART = {"time", "level", "event", "logger", "exception"}


async def logs(request: Request) -> Response:
    """``/logs?q=FILTER``."""
    site = site_of(request)
    now = site.now()
    words = request.query_params.get("q", "")[:500]
    problem, lines = None, list[log_files.Record]()
    try:
        wanted = parse(words, names=log_files.FIELDS, now=now)
        lines = await asyncio.to_thread(log_files.read, site.log, wanted, limit=LINES)
    except FilterError as error:
        problem = str(error)
    return page(
        request, "logs.html", now, words=words, problem=problem, lines=[*reversed(lines)], fields=log_files.FIELDS
    )


def rest_of(line: Mapping[str, Any]) -> dict[str, str]:
    """The fields of a line that have no column of their own."""
    return {str(k)[:60]: str(v)[:2000] for k, v in line.items() if k not in _SHOWN_APART and v not in (None, "")}
