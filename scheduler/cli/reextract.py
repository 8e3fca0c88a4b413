"""`warta reextract`: today's rules over the pages that were kept."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from config.model import Settings
from crawlers.pool import ParsePool
from monitor.filters import FilterError, parse
from scheduler.cli.context import ConfigOption, DataOption, Exit, JsonOption, fail, query, settings_from, utc_now
from scheduler.cli.output import Output
from scheduler.reextract import Job, PageDone, Reextractor, totals
from storage.storage import Storage

#: Changed articles that a dry run names.
SHOWN = 20


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(rich_help_panel="Keep")(reextract)


def reextract(
    outlet: Annotated[str | None, typer.Option(help="Only this outlet.", show_default=False)] = None,
    since: Annotated[
        str | None, typer.Option(help="First seen since: 2h, 7d, or a moment.", show_default=False)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; say what would change.")] = False,
    config: ConfigOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Read the kept pages again by today's rules; what changes becomes a revision that says so."""
    settings = settings_from(config, data)
    if outlet is not None and settings.outlet(outlet) is None:
        fail(Exit.NOT_FOUND, f"no outlet {outlet!r} in {settings.path} (warta outlets)")
    try:
        wanted = parse([f"since:{since}"] if since else (), names=(), now=utc_now())
    except FilterError as error:
        fail(Exit.USAGE, str(error))
    job = Job(outlet_id=outlet, since=wanted.since, dry_run=dry_run, said=since)

    async def work(storage: Storage, out: Output) -> int:
        counts = await _go(settings, storage, out, job)
        if json:
            out.record({"ok": not counts["failed"], "dry_run": dry_run, **totals(counts)})
        else:
            out.line(_sentence(counts, dry_run=dry_run))
        return Exit.FOUND if counts["failed"] else Exit.OK

    raise typer.Exit(query(settings, work, json=json))


async def _go(settings: Settings, storage: Storage, out: Output, job: Job) -> Counter[str]:
    pool = ParsePool(
        settings.parse_processes, memory_bytes=settings.limits.parse_bytes, seconds=settings.limits.parse_seconds,
        preload=("crawlers.reread",),
    )  # fmt: skip
    reextractor = Reextractor(settings, storage, pool, utc_now)
    after = await reextractor.resumes(job)
    if after and not out.json:
        out.line("goes on where the last one of this kind was interrupted", style="dim")
    counts: Counter[str] = Counter()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, disable=out.json or not sys.stderr.isatty(), transient=True) as progress:
            total = await storage.reextraction.count(job.outlet_id, job.since, after)
            task = progress.add_task("reextract", total=total)
            async for done in reextractor.run(job, after):
                counts[done.outcome] += 1
                _show(done, counts, out, job)
                _advance(progress, task, counts)
    finally:
        await pool.stop()
    return counts


def _advance(progress: Progress, task: TaskID, counts: Counter[str]) -> None:
    progress.update(task, advance=1, description=f"reextract  {counts['revised']:,} changed")


def _show(done: PageDone, counts: Counter[str], out: Output, job: Job) -> None:
    """Name the articles that changed, failed or would change."""
    told = done.outcome in {"revised", "rejected", "failed"}
    if out.json:
        if told:
            out.record(done)
    elif done.outcome == "failed":
        out.line(f"failed   {done.url}: {done.detail}", style="red")
    elif job.dry_run and told and counts["revised"] + counts["rejected"] <= SHOWN:
        out.line(f"{done.outcome:8} {done.url}: {', '.join(done.fields) or done.detail}")


def _sentence(counts: Counter[str], *, dry_run: bool) -> str:
    numbers = totals(counts)
    parts = [f"{numbers[name]:,} {_WORDS[name]}" for name in _WORDS if numbers[name]]
    head = f"{numbers['pages']:,} pages read" + (", nothing written" if dry_run else "")
    return f"{head}: {', '.join(parts)}" if parts else f"{head}; none is kept for these articles"


_WORDS = {
    "revised": "changed",
    "unchanged": "as they were",
    "rejected": "no longer taken for articles (left alone)",
    "partial": "of several pages, of which only the first was kept (left alone)",
    "overtaken": "revised meanwhile or too often (left alone)",
    "failed": "failed",
    "unconfigured": "of outlets that are no longer configured (left alone)",
}
