"""The first page: is everything fine, and if not, what is worst."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from monitor.filters import read_moment
from monitor.web.face import page, site_of
from monitor.web.figures import (
    KINDS,
    STATES,
    TROUBLED,
    SourceWish,
    articles_by_hour,
    now_line,
    sentence,
    source_page,
    state_of,
)
from monitor.web.pages.alerts import by_severity
from monitor.web.site import ALIVE_SECONDS, Site
from storage.model import HealthState, RunStatus

#: Changes of state that are counted, and shown.
CHANGES, SHOWN = 1_000, 8
#: Hours of the chart.
HOURS = 48


async def overview(request: Request) -> Response:
    """``/``."""
    site = site_of(request)
    now = site.now()
    return page(request, "overview.html", now, **await contents(site, now))


async def contents(site: Site, now: datetime, pulse: str = "") -> dict[str, Any]:
    """What the overview shows; a second old at most, whoever asks, and not from before the `pulse`."""
    return await site.remembered("overview", 1.0, lambda: _contents(site, now), pulse)


async def _contents(site: Site, now: datetime) -> dict[str, Any]:
    day = now - timedelta(days=1)
    line = await now_line(site.storage, now)
    worst, troubled = await source_page(site.storage.database, SourceWish(states=TROUBLED), offset=0, limit=10)
    # A day of ten thousand sources is a million runs: added up twice a minute, whoever looks.
    summary = await site.lately("day", 30.0, lambda: site.day.summary(site.storage.runs, now))
    failed = await site.storage.runs.list(statuses=[RunStatus.FAILED], since=day, limit=8)
    changed = await site.storage.health.flips(since=day, limit=CHANGES)
    return {
        "line": line,
        "worst": [(state, state_of(state), sentence(state)) for state in worst],
        "alerts": by_severity(await site.storage.alerts.open()),
        "changed": changed[:SHOWN],
        "became": dict(Counter(flip.became for flip in changed).most_common()),
        "more_changes": len(changed) == CHANGES,
        "troubled": troubled,
        "runs_today": {str(status): number for status, number in summary.by_status.items()},
        "counts": summary.counts,
        "failed": failed,
        "incidents": incidents(await site.storage.facts.all(), site.heartbeat()),
        "verdict": _verdict(line.states),
        "states": STATES,
        "kinds": KINDS,
    }


def _verdict(states: Mapping[str, int]) -> str:
    """One sentence."""
    bad = [f"{states[name]} {name}" for name in TROUBLED if states.get(name)]
    total = sum(states.values())
    if not total:
        return "No source is in service yet."
    if bad:
        return f"{', '.join(bad)} of {total} sources"
    new = states.get(HealthState.NEW, 0)
    if new == total:
        return f"{total} sources, and nothing can be said of any yet."
    return f"Nothing is wrong with any of {total} sources." + (f" {new} are new." if new else "")


def incidents(
    facts: Mapping[str, Mapping[str, Any]], heartbeat: float | None
) -> list[tuple[str, str, datetime | None]]:
    """What concerns everything: kind, a sentence, since when."""
    found: list[tuple[str, str, datetime | None]] = []
    if heartbeat is not None and heartbeat > ALIVE_SECONDS:
        found.append(("bad", f"The daemon gave no sign of life for {heartbeat:.0f} s; nothing is polled.", None))
    outages = [read_moment(str(value.get("since"))) for name, value in facts.items() if name.startswith("outage ")]
    if outages:
        since = min((moment for moment in outages if moment), default=None)
        found.append(("bad", "Our own outage: no host answers, and no outlet is blamed.", since))
    problems = facts.get("configuration refused", {}).get("problems", [])
    if problems:
        text = f"A changed configuration was refused with {len(problems)} problem(s); the last good one stays in force."
        found.append(("warn", text, None))
    return found


async def chart(request: Request) -> Response:
    """``/overview/chart.json``: seconds since 1970 and articles, for uPlot."""
    site = site_of(request)
    now = site.now()
    hours = await site.remembered("chart", 30.0, lambda: articles_by_hour(site.storage.database, now, HOURS))
    return JSONResponse([[int(start.timestamp()) for start, _ in hours], [number for _, number in hours]])
