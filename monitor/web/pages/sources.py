"""All sources, one of them, and what can be done with them."""

from __future__ import annotations

import shlex
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

import yaml
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from config.model import Cron, Settings, Source
from monitor.filters import Filter, FilterError, parse
from monitor.web.face import lost, page, site_of
from monitor.web.figures import (
    SOURCE_NAMES,
    STATES,
    SourceWish,
    fates_of_sources,
    source_ids,
    source_page,
    state_of,
    week_of_source,
)
from monitor.web.guard import is_ours
from monitor.web.show import pairs
from storage.model import SourceState

PAGE = 50

_ACTIONS = {"pause": "paused", "resume": "resumed", "poll": "asked to be polled"}


async def sources(request: Request) -> Response:
    """``/sources?q=FILTER&page=N``."""
    site = site_of(request)
    now = site.now()
    words = request.query_params.get("q", "")[:500]
    number = _number(request.query_params.get("page"))
    try:
        wanted, problem = parse(words, names=SOURCE_NAMES, now=now), None
    except FilterError as error:
        wanted, problem = Filter(), str(error)
    database = site.storage.database
    found, total = await source_page(database, SourceWish.of(wanted), now, offset=(number - 1) * PAGE, limit=PAGE)
    fates = await fates_of_sources(database, [s.id for s in found], now - timedelta(days=1))
    return page(
        request, "sources.html", now, words=words, problem=problem, total=total, number=number,
        pages=max(1, -(-total // PAGE)), states=STATES, done=request.query_params.get("done", "")[:200],
        rows=[(s, state_of(s, now), sentence(s, state_of(s, now)), fates.get(s.id, {})) for s in found],
    )  # fmt: skip


def _number(text: str | None) -> int:
    return min(100_000, max(1, int(text))) if text and text.isdecimal() and len(text) < 7 else 1


def sentence(state: SourceState, name: str) -> str:
    """Why it is in that state."""
    if name == "failing":
        return f"{state.last_failure}: {state.last_failure_message or 'no more is known'}"
    if name == "ok" and state.moved_to:
        return f"It says it moved to {state.moved_to}"
    return {
        "paused": "A person stopped it",
        "gone": "It answers 410 (gone) for days; probed now and then",
        "new": "Not polled yet",
        "late": "Its time has passed and nobody has come for it",
    }.get(name, "")


async def act(request: Request) -> Response:
    """``POST /sources``: pause, resume or poll the chosen sources, or all that fit the filter."""
    site = site_of(request)
    if not await is_ours(request):
        return PlainTextResponse("this form has expired: reload the page and try again\n", status_code=403)
    if site.monitor.read_only:
        return PlainTextResponse("this monitor is read-only (monitor.read_only)\n", status_code=403)
    form = await request.form()
    action, words, now = str(form.get("action", "")), str(form.get("q", ""))[:500], site.now()
    if action not in _ACTIONS:
        return PlainTextResponse(f"unknown action; there are {', '.join(_ACTIONS)}\n", status_code=400)
    if form.get("all"):
        try:
            wanted = SourceWish.of(parse(words, names=SOURCE_NAMES, now=now))
        except FilterError as error:
            return PlainTextResponse(f"{error}\n", status_code=400)
        ids = await source_ids(site.storage.database, wanted, now)
    else:
        ids = [str(value) for value in form.getlist("source")][:10_000]
    if action == "pause":
        changed = await site.storage.sources.pause(ids)
    elif action == "resume":
        changed = await site.storage.sources.resume(ids)
    else:
        changed = await site.storage.sources.request_run(ids, now)
    site.forget()
    done = f"{changed} source{'' if changed == 1 else 's'} {_ACTIONS[action]}"
    back = str(form.get("back", ""))
    there = back if back.startswith("/sources/") else "/sources"
    return RedirectResponse(f"{quote(there)}?{urlencode({'q': words, 'done': done})}", status_code=303)


async def source(request: Request) -> Response:
    """``/sources/OUTLET/NAME``."""
    site = site_of(request)
    now = site.now()
    source_id = f"{request.path_params['outlet']}/{request.path_params['name']}"
    state = await site.storage.sources.get(source_id)
    if state is None:
        return lost(request, f"There is no source {source_id}.")
    database = site.storage.database
    settings = site.settings()
    declared = settings.source(source_id)
    name = state_of(state, now)
    fates = await fates_of_sources(database, [source_id], now - timedelta(days=1))
    hidden = ("id", "outlet_id", "kind", "url", "failures", "window", "proposal", "fence", "priority", "paused")
    return page(
        request, "source.html", now, source=state, name=name, sentence=sentence(state, name),
        runs=await site.storage.runs.list(source_id=source_id, limit=40),
        fates=await site.storage.fates.search(source_id=source_id, limit=25),
        day=fates.get(source_id, {}), grid=await week_of_source(database, source_id, now),
        memory=pairs({n: getattr(state, n) for n in SourceState.__dataclass_fields__}, without=hidden),
        declared=declared, yaml=masked(settings, as_yaml(declared)) if declared else None,
        curl=masked(settings, as_curl(declared, state)) if declared else None,
        done=request.query_params.get("done", "")[:200],
    )  # fmt: skip


def masked(settings: Settings, text: str) -> str:
    """The text without any secret of the configuration."""
    for secret in sorted(settings.secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def as_yaml(source: Source) -> str:
    """A source as it stands after inheritance, as YAML that the configuration reads."""
    schedule = source.schedule
    asked: dict[str, Any] = {"every": f"{getattr(schedule, 'interval', timedelta()).total_seconds():.0f}s"}
    if isinstance(schedule, Cron):
        asked = {"cron": schedule.expression, "timezone": schedule.timezone.key}
    manners = source.politeness
    document = {
        "name": source.name,
        "kind": str(source.kind),
        "url": source.url,
        "enabled": source.enabled,
        "priority": source.priority,
        "schedule": asked,
        "politeness": {
            "robots": str(manners.robots),
            "delay": f"{manners.delay.total_seconds():g}s",
            "concurrency": manners.concurrency,
            "user_agent": manners.user_agent,
        },
    }
    if source.headers:
        # Header values are for the server alone, whether they came from the environment or not.
        document["headers"] = {name: "***" for name, _ in source.headers}
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)


def as_curl(source: Source, state: SourceState) -> str:
    """The same request by hand, validators included."""
    headers = [("User-Agent", source.politeness.user_agent)]
    if state.etag:
        headers.append(("If-None-Match", state.etag))
    if state.last_modified:
        headers.append(("If-Modified-Since", state.last_modified))
    headers += [(name, "***") for name, _ in source.headers]
    words = ["curl", "-sS", "-D", "-", "--compressed", "--max-time", "30"]
    for name, value in headers:
        words += ["-H", f"{name}: {value}"]
    return shlex.join([*words, "--", state.adopted_url or source.url])
