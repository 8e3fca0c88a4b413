"""The operations under ``/v1``: each reads storage and knows nothing of tokens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from monitor.api import parameters as p
from monitor.api.answers import answer, error, lines, wants_lines
from monitor.filters import Filter, FilterError, parse
from monitor.logs import FIELDS, search
from monitor.runs import NAMES as RUN_NAMES
from monitor.runs import find_all
from monitor.web.figures import state_of
from storage.articles import ArticleFilter, Revision
from storage.differences import differences
from storage.events import EVENTS, Event, EventFilter
from storage.explanation import explanation
from storage.export import content_of, iso, record
from storage.model import Article, CrawlRun, RunStatus, SourceState
from storage.storage import Storage

ARTICLE_PARAMETERS = (
    p.AFTER, p.LIMIT, p.OUTLET, p.SINCE, p.UNTIL, p.QUERY, p.LANGUAGE, p.CLUSTER, p.COPIES, p.ARCHIVE, p.ORDER,
)  # fmt: skip
EVENT_PARAMETERS = (
    p.AFTER, p.LIMIT, p.OUTLET, p.SINCE, p.UNTIL, p.COPIES, p.EVENT, p.BACKFILLED, p.MATERIALITY,
)  # fmt: skip
RUN_PARAMETERS = (p.FILTER, p.SOURCE, p.OUTLET, p.STATUS, p.SINCE, p.UNTIL, p.BEFORE, p.LIMIT)
LOG_PARAMETERS = (p.FILTER, p.LIMIT)

#: Records of one page when the reader names no limit.
PAGE = 50
#: Seconds that a search of runs or of the log may take.
PATIENCE = 5.0


def _storage(request: Request) -> Storage:
    storage: Storage = request.app.state.storage
    return storage


async def articles(request: Request) -> Response:
    """Articles behind a cursor."""
    said = p.read(request.query_params, ARTICLE_PARAMETERS)
    where = ArticleFilter(
        outlet_id=said["outlet"], since=said["since"], until=said["until"], query=said["q"],
        language=said["language"], cluster=said["cluster"], copies=said["copies"],
        backfilled=said["backfilled"],
    )  # fmt: skip
    events, newest = _storage(request).events, said["order"] == "newest"
    if wants_lines(request):
        found = events.records(where, after=said["after"], newest_first=newest)
        return lines(_with_cursor(found), said["limit"])
    page = await events.articles(where, after=said["after"], limit=said["limit"] or PAGE, newest_first=newest)
    cursor = page.records[-1][0] if page.records else said["after"]
    found_now = [{"cursor": at, **fields} for at, fields in page.records]
    return answer(request, {"articles": found_now, "cursor": cursor, "more": page.more})


async def _with_cursor(found: AsyncIterator[tuple[int, dict[str, Any]]]) -> AsyncIterator[dict[str, Any]]:
    async for cursor, fields in found:
        yield {"cursor": cursor, **fields}


async def article(request: Request) -> Response:
    """One article at its newest revision."""
    stored = await _storage(request).articles.get(request.path_params["id"])
    if stored is None:
        return error(404, f"no article {request.path_params['id'][:40]!r}")
    return answer(request, record(stored))


async def revisions(request: Request) -> Response:
    """Everything an article ever said, each state with what it changed of the one before."""
    storage, article_id = _storage(request), request.path_params["id"]
    found = await storage.articles.revisions(article_id)
    if not found:
        return error(404, f"no article {article_id[:40]!r}")
    told = await storage.events.after(0, 500, EventFilter(article_id=article_id, backfilled=True))
    weighed = {event.revision: event for event in told.events if event.event != "retracted"}
    rows = await asyncio.to_thread(_revisions, found, weighed)
    return answer(request, {"article_id": article_id, "revisions": rows})


def _revisions(found: list[Revision], told: Mapping[int, Event]) -> list[dict[str, Any]]:
    rows = []
    for before, revision in zip([None, *found], found, strict=False):
        event = told.get(revision.revision)
        rows.append(
            {
                "revision": revision.revision,
                "reason": revision.reason,
                "created_at": iso(revision.created_at),
                "run_id": revision.run_id,
                "materiality": event.materiality if event else None,
                "detail": event.detail if event else None,
                "diff": _diff(before.article, revision.article) if before else None,
                "article": content_of(revision.article),
            }
        )
    return rows


def _diff(old: Article, new: Article) -> dict[str, list[dict[str, str]]]:
    return {
        name: [{"op": op, "text": text} for op, text in differences(getattr(old, name), getattr(new, name))]
        for name in ("title", "text")
    }


async def events(request: Request) -> Response:
    """What happened behind a cursor."""
    said = p.read(request.query_params, EVENT_PARAMETERS)
    where = EventFilter(
        outlets=(said["outlet"],) if said["outlet"] else (), copies=said["copies"],
        since=said["since"], until=said["until"], events=_events(said["event"]), backfilled=said["backfilled"],
        materiality=said["materiality"],
    )  # fmt: skip
    source = _storage(request).events
    if wants_lines(request):
        return lines((event.envelope() async for event in source.iterate(where, after=said["after"])), said["limit"])
    limit = said["limit"] or PAGE
    page = await source.after(said["after"], limit, where)
    return answer(
        request,
        {
            "events": [event.envelope() for event in page.events],
            "cursor": page.reached,
            "more": len(page.events) == limit,
        },
    )


def _events(said: str | None) -> tuple[str, ...]:
    names = tuple(said.split(",")) if said else ()
    unknown = [name for name in names if name not in EVENTS]
    if unknown:
        raise p.BadParameter(f"event {unknown[0][:40]!r} is none of {', '.join(EVENTS)}")
    return names


async def sources(request: Request) -> Response:
    """Every source and its state."""
    p.read(request.query_params, ())
    states = await _storage(request).sources.all()
    return answer(request, {"sources": [_source(state) for state in states if state.removed_at is None]})


async def runs(request: Request) -> Response:
    """Runs, the newest first."""
    said = p.read(request.query_params, RUN_PARAMETERS)
    limit = said["limit"] or PAGE
    if said["filter"]:
        if any(said[name] for name in ("source", "outlet", "status", "since", "until")):
            raise p.BadParameter("filter stands alone: say all of it in filter words")
        wanted = _filter(said["filter"], RUN_NAMES)
        fitting, following = await find_all(
            _storage(request).database, wanted, before=said["before"], limit=limit, patience=PATIENCE
        )
        rows = [_run(run) for run in fitting]
        return answer(request, {"runs": rows, "more": following is not None, "next": following})
    found = await _storage(request).runs.list(
        source_id=said["source"], outlet_id=said["outlet"], since=said["since"], until=said["until"],
        statuses=[RunStatus(said["status"])] if said["status"] else (), before=said["before"], limit=limit,
    )  # fmt: skip
    more = len(found) == limit
    rows = [_run(run) for run in found]
    return answer(request, {"runs": rows, "more": more, "next": found[-1].id if more else None})


async def source(request: Request) -> Response:
    """One source with its state, and what led to its next attempt, in words."""
    p.read(request.query_params, ())
    name = f"{request.path_params['outlet']}/{request.path_params['name']}"
    storage = _storage(request)
    state = await storage.sources.get(name)
    if state is None or state.removed_at is not None:
        return error(404, f"no source {name[:200]!r}")
    hub = await storage.hubs.of(name)
    told = explanation(None, state, await storage.rhythms.get(name), datetime.now(UTC), hub)
    return answer(
        request,
        _source(state)
        | {"health": state_of(state), "health_since": iso(state.health_since), "health_said": state.health_said}
        | {"next_because": told["terms"], "items_per_day": told["items_per_day"]}
        | {"hub": told["hub"]["text"] if told["hub"] else None},
    )


async def logs(request: Request) -> Response:
    """Log lines that fit, the newest first."""
    said = p.read(request.query_params, LOG_PARAMETERS)
    path: Path | None = request.app.state.log
    if path is None:
        return error(404, "this API knows of no log")
    wanted = _filter(said["filter"] or "", FIELDS)
    found = await asyncio.to_thread(search, path, wanted, limit=said["limit"] or PAGE, patience=PATIENCE)
    return answer(request, {"lines": found.records[::-1], "looked_back_to": iso(found.until)})


def _filter(words: str, names: Sequence[str]) -> Filter:
    try:
        return parse(words, names=names, now=datetime.now(UTC))
    except FilterError as problem:
        raise p.BadParameter(f"filter: {problem}") from None


def _source(state: SourceState) -> dict[str, Any]:
    plain = ("id", "outlet_id", "kind", "url", "failures", "last_failure", "last_failure_message", "paused")
    times = ("next_attempt", "last_attempt", "last_success", "last_new")
    return {name: getattr(state, name) for name in plain} | {name: iso(getattr(state, name)) for name in times}


def _run(run: CrawlRun) -> dict[str, Any]:
    plain = ("id", "source_id", "outlet_id", "reason", "message", "http_status", "bytes", "duration")
    times = ("scheduled_for", "started_at", "finished_at")
    return (
        {name: getattr(run, name) for name in plain}
        | {"trigger": run.trigger.value, "status": run.status.value}
        | {name: iso(getattr(run, name)) for name in times}
        | asdict(run.counts)
    )
