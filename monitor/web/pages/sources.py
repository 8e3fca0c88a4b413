"""All sources, the worst first, and what can be done with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from config.model import Adaptive, Source
from monitor.filters import Filter, FilterError, parse
from monitor.web.face import page, site_of
from monitor.web.figures import (
    SOURCE_NAMES,
    STATES,
    SourceWish,
    fates_of_sources,
    sentence,
    source_ids,
    source_page,
    state_of,
)
from monitor.web.guard import refused
from storage.expectation import LEAST_HOURS
from storage.model import SourceState
from storage.rhythm import expected_items
from storage.rhythms import Remembered

PAGE = 50
DAY = timedelta(days=1)
#: Items of a day that must be expected before the day is held against it.
LEAST_EXPECTED = 3.0

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
    found, total = await source_page(database, SourceWish.of(wanted), offset=(number - 1) * PAGE, limit=PAGE)
    ids = [state.id for state in found]
    fates = await fates_of_sources(database, ids, now - DAY)
    known = await site.storage.rhythms.many(ids)
    settings = site.settings()
    rows = [
        Row(
            source=state, name=state_of(state), why=sentence(state), fates=fates.get(state.id, {}),
            next_because=next_because(known.get(state.id)),
            usual=usual_day(known.get(state.id), zone_of(settings.source(state.id)), now),
        )
        for state in found
    ]  # fmt: skip
    return page(
        request, "sources.html", now, words=words, problem=problem, total=total, number=number,
        pages=max(1, -(-total // PAGE)), states=STATES, done=request.query_params.get("done", "")[:200], rows=rows,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of the list."""

    source: SourceState
    name: str
    why: str
    #: What its runs of 24 hours discovered, by fate.
    fates: dict[str, int]
    #: What last decided on its next attempt.
    next_because: str
    #: Items that its rhythm let expect in 24 hours; None before it is known.
    usual: float | None

    @property
    def news(self) -> int:
        """Items of 24 hours that were not known before."""
        return sum(self.fates.values()) - self.fates.get("unchanged", 0) - self.fates.get("revised", 0)

    @property
    def trend(self) -> float | None:
        """News over what was expected; None where too little is expected for a share to say something."""
        return None if self.usual is None or self.usual < LEAST_EXPECTED else self.news / self.usual


def zone_of(declared: Source | None) -> tzinfo:
    """The clock that a source's rhythm is learned by."""
    schedule = declared.schedule if declared is not None else None
    return schedule.timezone if isinstance(schedule, Adaptive) else UTC


def next_because(known: Remembered | None) -> str:
    """The last term of its next attempt, in words."""
    return known.terms[-1]["text"] if known is not None and known.terms else ""


def usual_day(known: Remembered | None, zone: tzinfo, now: datetime) -> float | None:
    """Items that the rhythm lets expect in the 24 hours before `now`; None before it is known."""
    if known is None or known.rhythm.watched < LEAST_HOURS:
        return None
    return expected_items(known.rhythm, now - DAY, now, zone)


def _number(text: str | None) -> int:
    return min(100_000, max(1, int(text))) if text and text.isdecimal() and len(text) < 7 else 1


async def act(request: Request) -> Response:
    """``POST /sources``: pause, resume or poll the chosen sources, or all that fit the filter."""
    site = site_of(request)
    if (refusal := await refused(request)) is not None:
        return refusal
    form = await request.form()
    action, words, now = str(form.get("action", "")), str(form.get("q", ""))[:500], site.now()
    if action not in _ACTIONS:
        return PlainTextResponse(f"unknown action; there are {', '.join(_ACTIONS)}\n", status_code=400)
    if form.get("all"):
        try:
            wanted = SourceWish.of(parse(words, names=SOURCE_NAMES, now=now))
        except FilterError as error:
            return PlainTextResponse(f"{error}\n", status_code=400)
        ids = await source_ids(site.storage.database, wanted)
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
