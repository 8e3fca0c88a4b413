"""One source: what was expected and what came, its fetches, what is remembered and what is asked of it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from starlette.requests import Request
from starlette.responses import Response

from config.model import Settings, Source
from config.written import as_yaml
from monitor.web.face import lost, page, site_of
from monitor.web.figures import arrivals_of_source, fates_of_sources, sentence, state_of
from monitor.web.pages.sources import DAY, zone_of
from monitor.web.show import pairs, unlikely
from monitor.web.site import Site
from storage.coverage import Coverage
from storage.explanation import explanation
from storage.model import FIELDS, SourceState
from storage.rhythm import Forecast
from storage.rhythms import Remembered

#: Version of an outlet's rules that reads today's pages.
CURRENT = "current"
#: Articles of the source whose fields are looked at, the newest.
NEWEST = 60


async def source(request: Request) -> Response:
    """``/sources/OUTLET/NAME``."""
    site = site_of(request)
    now = site.now()
    source_id = f"{request.path_params['outlet']}/{request.path_params['name']}"
    state = await site.storage.sources.get(source_id)
    if state is None:
        return lost(request, f"There is no source {source_id}.")
    storage, settings = site.storage, site.settings()
    declared = settings.source(source_id)
    fates = await fates_of_sources(storage.database, [source_id], now - DAY)
    known = await storage.rhythms.get(source_id)
    hidden = (
        "id", "outlet_id", "kind", "url", "failures", "window", "proposal", "fence", "priority", "paused", "health",
        "health_since", "health_said", "health_flips", "next_attempt", "body_hash", "last_failure_message",
    )  # fmt: skip
    return page(
        request, "source.html", now, source=state, name=state_of(state), sentence=sentence(state),
        told=explanation(declared, state, known, now, await storage.hubs.of(source_id)),
        flips=await storage.health.flips(source_id=source_id, limit=10),
        runs=await storage.runs.list(source_id=source_id, limit=40),
        fates=await storage.fates.search(source_id=source_id, limit=25), day=fates.get(source_id, {}),
        week=await _week(site, source_id, known, zone_of(declared), now),
        coverage=await _coverage(site, state, now), newest=NEWEST,
        memory=pairs({n: getattr(state, n) for n in SourceState.__dataclass_fields__}, without=hidden),
        declared=declared, yaml=masked(settings, as_yaml(declared)) if declared else None,
        curl=masked(settings, as_curl(declared, state)) if declared else None,
        done=request.query_params.get("done", "")[:200],
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """What came in the last seven days, beside what the rhythm let expect, by weekday and hour of `zone`."""

    zone: str
    came: list[list[int]]
    #: None before there is a rhythm.
    expected: list[list[float]] | None
    watched_hours: float

    @property
    def total(self) -> int:
        """Items that came."""
        return sum(map(sum, self.came))

    @property
    def usual(self) -> float | None:
        """Items of a usual week."""
        return None if self.expected is None else sum(map(sum, self.expected))

    @property
    def short(self) -> int:
        """Hours in which far fewer came than expected."""
        if self.expected is None:
            return 0
        return sum(
            unlikely(number, self.expected[day][hour]) < 0
            for day, row in enumerate(self.came)
            for hour, number in enumerate(row)
        )


async def _week(site: Site, source_id: str, known: Remembered | None, zone: tzinfo, now: datetime) -> Week:
    since = now.replace(minute=0, second=0, microsecond=0) - timedelta(days=7) + timedelta(hours=1)
    came = await arrivals_of_source(site.storage.database, source_id, since, zone, now)
    expected = None
    if known is not None and known.rhythm.known:
        forecast = Forecast(known.rhythm, zone, now.timestamp())
        expected = [[forecast.usual(day * 24 + hour) * 3600 for hour in range(24)] for day in range(7)]
        # Of the hour that goes on no more can have come than its part.
        local = now.astimezone(zone)
        expected[local.weekday()][local.hour] *= local.minute / 60
    watched = known.rhythm.watched if known is not None else 0.0
    return Week(zone=getattr(zone, "key", "UTC"), came=came, expected=expected, watched_hours=watched)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldShare:
    """How many pages gave a field, as shares; None where there are no pages."""

    name: str
    #: Of the source's newest articles.
    own: float | None
    #: Of its outlet's pages of the last seven days, and of the three weeks before.
    lately: float | None
    before: float | None

    @property
    def is_lost(self) -> bool:
        """Whether the outlet's pages gave it clearly more often before."""
        return self.before is not None and self.lately is not None and self.before - self.lately > 0.2


async def _coverage(site: Site, state: SourceState, now: datetime) -> list[FieldShare]:
    """Every field, unless nothing is known of any."""
    today, book = now.date(), site.storage.coverage
    own = await book.of_source(state.id, NEWEST)
    lately = await book.total(state.outlet_id, CURRENT, today - timedelta(days=6), today)
    before = await book.total(state.outlet_id, CURRENT, today - timedelta(days=27), today - timedelta(days=7))
    if not (own.pages or lately.pages):
        return []
    return [
        FieldShare(name=name, own=_share(own, name), lately=_share(lately, name), before=_share(before, name))
        for name in FIELDS
    ]


def _share(coverage: Coverage, name: str) -> float | None:
    return coverage.found.get(name, 0) / coverage.pages if coverage.pages else None


def masked(settings: Settings, text: str) -> str:
    """The text without any secret of the configuration."""
    for secret in sorted(settings.secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


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
