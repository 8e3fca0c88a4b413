"""`warta crawl OUTLET`: one outlet once, now."""

from __future__ import annotations

from collections.abc import AsyncIterator
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import typer

from config.model import Outlet, Settings, Source
from scheduler.cli import dryrun
from scheduler.cli.context import (
    ConfigOption,
    DataOption,
    Exit,
    JsonOption,
    fail,
    finish,
    opened,
    settings_from,
    utc_now,
)  # fmt: skip
from scheduler.cli.output import Output
from scheduler.cli.reports import RUN_COLUMNS, run_row
from scheduler.lock import owner
from scheduler.log_file import keep
from scheduler.logs import Mask, configure
from scheduler.once import ask_daemon, crawl_here
from scheduler.places import log_file
from storage.model import CrawlRun, RunStatus


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(rich_help_panel="Daemon")(crawl)


def crawl(
    outlet: Annotated[str, typer.Argument(help="Id of an outlet, or of one source (kontan/nasional).")],
    dry_run: Annotated[
        str | None, typer.Option("--dry-run", metavar="URL", help="Read this one page and store nothing.")
    ] = None,
    file: Annotated[
        list[Path] | None,
        typer.Option("--file", exists=True, dir_okay=False, help="With --dry-run: the page as saved; again for more."),
    ] = None,
    save_fixture: Annotated[
        Path | None, typer.Option("--save-fixture", help="With --dry-run: write the page as a test case into DIR.")
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Crawl one outlet once, now, and show what came of it. Exit code 1 when a run failed.

    With --dry-run one page is fetched and read; each field is shown with where it came from and, beside it,
    what reading without the outlet's rules gives.
    """
    settings = settings_from(config, data)
    if dry_run is not None:
        _dry(settings, outlet, dry_run, file or [], save_fixture, json=json)
        return
    if file or save_fixture:
        fail(Exit.USAGE, "--file and --save-fixture need --dry-run URL")
    sources = _sources(settings, outlet)
    out = Output(json=json)

    async def work() -> bool:
        found: list[CrawlRun] = []
        async for run in _runs(settings, sources):
            found.append(run)
            if json:
                out.record(run)
        if not json:
            out.table(RUN_COLUMNS, (run_row(r) for r in found), empty="nothing was crawled", grow="message")
        return all(run.status is not RunStatus.FAILED for run in found) and bool(found)

    raise typer.Exit(Exit.OK if finish(work()) else Exit.FOUND)


def _dry(settings: Settings, name: str, url: str, files: list[Path], folder: Path | None, *, json: bool) -> None:
    outlet = _outlet(settings, name)
    try:
        if files:
            run = dryrun.read_files(outlet, url, files, now=utc_now())
        else:
            run = finish(dryrun.dry_run(settings, outlet, url, now=utc_now))
        if folder is not None:
            dryrun.save(run, folder)
    except OSError as error:
        fail(Exit.USAGE, str(error))
    out = Output(json=json)
    if json:
        out.record(dryrun.record(run))
    else:
        dryrun.show(run, out)
        if folder is not None and run.trial is not None:
            out.line(f"saved    {folder}; correct its expected.json by hand")
    stored = run.trial is not None and bool(run.trial.compared())
    raise typer.Exit(Exit.OK if stored else Exit.FOUND)


async def _runs(settings: Settings, sources: list[Source]) -> AsyncIterator[CrawlRun]:
    if settings.database == "embedded" and (owner(settings.data_dir) or {}).get("role") == "run":
        async with opened(settings) as storage:
            async for run in ask_daemon(storage, sources, now=utc_now):
                yield run
        return
    configure(
        path=log_file(settings),
        level=settings.log_level,
        mask=Mask(settings.secrets),
        console=None,
        keep=keep(settings),
    )
    async for run in crawl_here(settings, sources, now=utc_now):
        yield run


def _outlet(settings: Settings, name: str) -> Outlet:
    found = settings.outlet(name.partition("/")[0])
    if found is None:
        close = get_close_matches(name, [o.id for o in settings.outlets], n=1)
        hint = f"did you mean {close[0]}?" if close else "`warta outlets` lists them"
        fail(Exit.NOT_FOUND, f"no outlet {name!r} in {settings.path}; {hint}")
    return found


def _sources(settings: Settings, name: str) -> list[Source]:
    found = _outlet(settings, name)
    sources = [s for s in found.sources if s.enabled and name in {found.id, s.id}]
    if not found.enabled or not sources:
        names = ", ".join(s.id + ("" if s.enabled else " (off)") for s in found.sources)
        fail(
            Exit.NOT_FOUND,
            f"{name!r} has no enabled source; {found.id} has: {names}, declared at {found.declared_at}",
        )
    return sources
