"""`warta crawl OUTLET --dry-run URL`: one page, fetched or from a file, and how the outlet's rules read it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from config.model import Outlet, Politeness, Settings, Source
from crawlers.fetch import Fetcher
from crawlers.identity import is_article, url_key
from crawlers.model import Fetched, FetchFailed, FetchRequest, FetchResult, Rejected
from crawlers.pages import MAX_PAGES, fetch_article
from crawlers.robots import Robots
from crawlers.trial import Compared, Trial, try_pages
from scheduler.cli.fixture import page_from, save_case
from scheduler.cli.output import Output

#: Blocks of the body that are shown, and characters of each.
_SHOWN, _WIDTH = 6, 160
#: Characters of the first of several texts.
_BRIEF = 80


class SoloBudget:
    """The manners of one process that asks a handful of things: a delay between two requests to one host."""

    def __init__(self) -> None:
        self._next: dict[str, float] = {}

    @asynccontextmanager
    async def turn(
        self, host: str, outlet: str, politeness: Politeness, *, patience: timedelta | None = None
    ) -> AsyncIterator[None]:
        """Wait for the host's turn; `outlet` and `patience` do not matter to one process."""
        await asyncio.sleep(max(0.0, self._next.get(host, 0.0) - time.monotonic()))
        self._next[host] = time.monotonic() + politeness.delay.total_seconds()
        yield

    async def block(self, host: str, until: datetime) -> None:
        """A host that asked to be left alone is not asked again: this process ends first."""


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a dry run gave: pages and their reading, or why there is none."""

    outlet: Outlet
    url: str
    pages: tuple[Fetched, ...] = ()
    trial: Trial | None = None
    failure: FetchFailed | None = None


async def dry_run(settings: Settings, outlet: Outlet, url: str, *, now: Callable[[], datetime]) -> DryRun:
    """Fetch the page as the daemon would (robots.txt, delay, whole form, further pages) and read it."""
    fetcher = Fetcher(settings, SoloBudget(), Robots(now=now), now)
    await fetcher.start()

    async def fetch(request: FetchRequest, source: Source | Outlet) -> FetchResult:
        return await fetcher.fetch(request, source.politeness)

    try:
        result, whole = await fetch_article(fetch, url, outlet)
        if not isinstance(result, Fetched):
            return DryRun(outlet, url, failure=result if isinstance(result, FetchFailed) else None)
        pages = [result]
        trial = try_pages(pages, outlet, None, now())
        while not whole and trial.next_url and len(pages) < MAX_PAGES:
            further, _ = await fetch_article(fetch, trial.next_url, _plain(outlet))
            if not isinstance(further, Fetched) or further.final_url in {page.final_url for page in pages}:
                break
            pages.append(further)
            trial = try_pages(pages, outlet, None, now())
        return DryRun(outlet, url, tuple(pages), trial)
    finally:
        await fetcher.stop()


def _plain(outlet: Outlet) -> Outlet:
    return replace(outlet, urls=replace(outlet.urls, full_page=None))


def read_files(outlet: Outlet, url: str, files: list[Path], *, now: datetime) -> DryRun:
    """The same for pages that were saved.

    :raises OSError: a file that cannot be read.
    """
    pages = tuple(page_from(file.read_bytes(), url, now) for file in files)
    return DryRun(outlet, url, pages, try_pages(pages, outlet, None, now))


def save(run: DryRun, folder: Path) -> None:
    """Write the pages and their reading as a test case.

    :raises FileExistsError: the folder holds one already.
    """
    if run.trial is not None:
        save_case(folder, run.pages, None, run.trial.ruled)


def record(run: DryRun) -> dict[str, Any]:
    """The run as JSON types."""
    said: dict[str, Any] = {"outlet": run.outlet.id, "url": run.url, "url_key": url_key(run.url, run.outlet)}
    if run.failure is not None:
        return {**said, "failure": run.failure.kind, "message": run.failure.message}
    if run.trial is None:
        return {**said, "failure": "protocol", "message": "the answer holds no page"}
    rejected = {
        name: {"rule": read.rule, "detail": read.detail}
        for name, read in (("rejected", run.trial.ruled), ("generic_rejected", run.trial.generic))
        if isinstance(read, Rejected)
    }
    return {
        **said,
        "pages": [page.final_url for page in run.pages],
        "address": {"accepted": run.trial.accepted, "rule": run.trial.rule},
        **rejected,
        "fields": {
            c.name: {"value": c.value, "origin": c.origin, **({"generic": c.generic} if c.differs else {})}
            for c in run.trial.compared()
        },
    }


def show(run: DryRun, out: Output) -> None:
    """Print the run for a person."""
    accepted, rule = is_article(run.url, run.outlet)
    out.line(f"address  {run.url}")
    out.line(f"         {'an article address' if accepted else f'not stored by a crawl: {rule}'}; key "
             f"{url_key(run.url, run.outlet)}", style=None if accepted else "yellow")  # fmt: skip
    if run.failure is not None:
        out.line(f"failed   {run.failure.kind}: {run.failure.message}", style="red")
    if run.trial is None:
        return
    for page in run.pages:
        out.line(f"page     {page.final_url}, {len(page.body):,} bytes")
    for name, read in (("rules", run.trial.ruled), ("generic", run.trial.generic)):
        if isinstance(read, Rejected):
            out.line(f"{name:<8} rejected: {read.rule}: {read.detail}", style="yellow")
    compared = run.trial.compared()
    if compared:
        out.line()
        for one in compared:
            _line(one, out)
        out.line()
        _preview(next(one for one in compared if one.name == "body"), out)


def _line(one: Compared, out: Output) -> None:
    """The field and, below it where they differ, what is found without rules."""
    if not one.value and not one.generic:
        return
    origin = f"  ({one.origin})" if one.origin else ""
    out.line(f"{one.name:>14}  {_brief(one.value)}{origin}", style="green" if one.differs else None)
    if one.differs:
        out.line(f"{'without rules':>14}  {_brief(one.generic)}", style="dim")


def _brief(value: Any) -> str:
    if isinstance(value, list):
        if value and (len(value) > 3 or isinstance(value[0], dict)):
            first = value[0]
            told = " | ".join(map(str, first.values())) if isinstance(first, dict) else str(first)[:_BRIEF]
            return f"{len(value)}: {told}"
        return ", ".join(str(item) for item in value) or "-"
    return "-" if value is None else str(value)


def _preview(body: Compared, out: Output) -> None:
    for block in body.value[:_SHOWN]:
        text = block if isinstance(block, str) else "# " + next(iter(block.values()))
        out.line("  " + text[:_WIDTH] + ("…" if len(text) > _WIDTH else ""), style="dim")
    if len(body.value) > _SHOWN:
        out.line(f"  … {len(body.value) - _SHOWN} more", style="dim")
