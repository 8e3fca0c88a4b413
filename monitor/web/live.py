"""Server-sent events: parts of pages rendered again when something happened, and the log as it grows."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from monitor import logs as log_files
from monitor.filters import FilterError, parse
from monitor.web.face import fragment, site_of
from monitor.web.figures import pulse
from monitor.web.pages import overview, runs
from monitor.web.site import Site

#: Streams open at once; a browser that finds none free tries again by itself.
STREAMS = 64
#: Seconds between looks at the database.
LOOK = 1.5
#: A comment goes out after this many seconds of silence, so that dead connections are noticed.
SILENCE = 15.0
#: The page is rendered again after this many seconds although nothing happened: times grow older.
AGED = 30.0

_OPEN: set[object] = set()


async def overview_live(request: Request) -> Response:
    """``/live/overview``."""

    async def render(site: Site, beat: str) -> str:
        now = site.now()
        return fragment(request, "parts/overview.html", now, **await overview.contents(site, now, beat))

    return _stream(_changes(request, render))


async def runs_live(request: Request) -> Response:
    """``/live/runs?q=FILTER``."""
    asked = {"q": request.query_params.get("q", "")}

    async def render(site: Site, _beat: str) -> str:
        now = site.now()
        return fragment(request, "parts/runs.html", now, **await runs.contents(site, now, asked))

    return _stream(_changes(request, render))


async def logs_live(request: Request) -> Response:
    """``/live/logs?q=FILTER``."""
    site = site_of(request)
    try:
        wanted = parse(request.query_params.get("q", "")[:500], names=log_files.FIELDS, now=site.now())
    except FilterError as error:
        return PlainTextResponse(f"{error}\n", status_code=400)

    async def lines() -> AsyncIterator[str]:
        stop = threading.Event()
        came: asyncio.Queue[log_files.Record] = asyncio.Queue(maxsize=500)
        loop = asyncio.get_running_loop()

        def offer(record: log_files.Record) -> None:
            # A reader slower than the log misses lines rather than filling the memory.
            if not came.full():
                came.put_nowait(record)

        def read() -> None:
            for record in log_files.follow(site.log, wanted, stop=stop.is_set):
                try:
                    loop.call_soon_threadsafe(offer, record)
                except RuntimeError:
                    return  # the loop has ended

        threading.Thread(target=read, name="warta-log-follower", daemon=True).start()
        try:
            quiet = time.monotonic()
            while not site.closing.is_set():
                try:
                    record = await asyncio.wait_for(came.get(), timeout=1.0)
                except TimeoutError:
                    if time.monotonic() - quiet >= SILENCE:
                        quiet = time.monotonic()
                        yield ": still here\n\n"
                    continue
                batch = [record, *(came.get_nowait() for _ in range(came.qsize()))]
                yield event("page", fragment(request, "parts/lines.html", site.now(), lines=batch[::-1]))
        finally:
            stop.set()

    return _stream(lines())


async def _changes(request: Request, render: Any) -> AsyncIterator[str]:
    site = site_of(request)
    seen, rendered, said = "", 0.0, time.monotonic()
    while not site.closing.is_set():
        beat = await site.remembered("pulse", LOOK / 2, lambda: pulse(site.storage.database))
        aged = time.monotonic() - rendered > AGED
        if beat != seen or aged:
            seen, rendered, said = beat, time.monotonic(), time.monotonic()
            yield event("page", await render(site, beat))
        elif time.monotonic() - said > SILENCE:
            said = time.monotonic()
            yield ": still here\n\n"
        try:
            await asyncio.wait_for(site.closing.wait(), timeout=LOOK)
        except TimeoutError:
            continue


def event(name: str, data: str) -> str:
    """One event in the format of the HTML standard, section 9.2."""
    lines = "\n".join(f"data: {line}" for line in data.splitlines() or [""])
    return f"event: {name}\n{lines}\n\n"


def _stream(body: AsyncIterator[str]) -> Response:
    if len(_OPEN) >= STREAMS:
        return PlainTextResponse("too many live pages are open\n", status_code=503, headers={"Retry-After": "15"})
    ticket = object()
    _OPEN.add(ticket)

    async def counted() -> AsyncIterator[str]:
        try:
            async for part in body:
                yield part
        finally:
            _OPEN.discard(ticket)

    return StreamingResponse(counted(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
