"""Incidents, what was told of them, and what is kept quiet."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from monitor.web.face import lost, page, site_of
from monitor.web.guard import address_of, refused
from storage.alerts import Incident, Silence

PAGE = 50
SEVERITIES = {"critical": 0, "warning": 1, "info": 2}
#: How long a silence made here may last.
SPANS = {"1h": timedelta(hours=1), "8h": timedelta(hours=8), "1d": timedelta(days=1), "7d": timedelta(days=7)}


async def alerts(request: Request) -> Response:
    """``/alerts?before=ID``."""
    site = site_of(request)
    now, book = site.now(), site.storage.alerts
    before = request.query_params.get("before", "")
    at = int(before) if before.isdecimal() and len(before) < 19 else None
    going_on, recent = await book.open(), await book.recent(before=at, limit=PAGE + 1)
    silences = await book.silences(now)
    return page(
        request, "alerts.html", now, open=[(i, _silence_of(i, silences, now)) for i in by_severity(going_on)],
        past=[i for i in recent[:PAGE] if i.ended_at is not None], before=before,
        more=recent[PAGE - 1].id if len(recent) > PAGE else None, silences=silences, spans=SPANS,
        done=request.query_params.get("done", "")[:200],
    )  # fmt: skip


def by_severity(incidents: list[Incident]) -> list[Incident]:
    """The most severe first, of these the newest."""
    return sorted(incidents, key=lambda incident: (SEVERITIES.get(incident.severity, 3), -incident.id))


def _silence_of(incident: Incident, silences: list[Silence], now: datetime) -> Silence | None:
    return next((silence for silence in silences if silence.covers(incident, now)), None)


async def incident(request: Request) -> Response:
    """``/alerts/ID``."""
    site = site_of(request)
    now, book = site.now(), site.storage.alerts
    found = await book.incident(int(request.path_params["id"]) if request.path_params["id"] < 2**62 else 0)
    if found is None:
        return lost(request, f"There is no incident {request.path_params['id']}.")
    messages = await book.messages(incident_ids=[found.id])
    quiet = _silence_of(found, await book.silences(now), now)
    return page(request, "incident.html", now, incident=found, messages=messages, quiet=quiet, spans=SPANS)


async def act(request: Request) -> Response:
    """``POST /alerts``: keep channels from being told of something for a while, or end that."""
    site = site_of(request)
    if (refusal := await refused(request)) is not None:
        return refusal
    form, now, book = await request.form(), site.now(), site.storage.alerts
    action, number = str(form.get("action", "")), str(form.get("id", ""))
    if action == "unsilence" and number.isdecimal() and len(number) < 18:
        ended = await book.unsilence(int(number), now)
        done = "the silence is over" if ended else "that silence was over already"
    elif action == "silence" and str(form.get("span")) in SPANS:
        named = {name: str(form.get(name, ""))[:200].strip() or None for name in ("rule", "outlet_id", "source_id")}
        until = now + SPANS[str(form.get("span"))]
        reason = str(form.get("reason", ""))[:500]
        await book.silence(until=until, who=f"web, {address_of(request)}", now=now, reason=reason, **named)
        done = f"silent until {until:%Y-%m-%d %H:%M} UTC"
    else:
        return PlainTextResponse(f"unknown action; there are silence (span: {', '.join(SPANS)}) and unsilence\n", 400)
    site.forget()
    return RedirectResponse(f"/alerts?{urlencode({'done': done})}", status_code=303)
