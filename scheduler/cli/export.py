"""`warta export`: stored articles, or the events that consumers are told of, as files."""

from __future__ import annotations

import shutil
import sys
from collections.abc import AsyncIterator, Mapping
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from monitor.filters import FilterError, parse
from scheduler.cli.context import ConfigOption, DataOption, Exit, fail, query, settings_from, utc_now
from scheduler.cli.output import Output
from scheduler.delivery.files import EVENT_COLUMNS, flat
from storage.articles import ArticleFilter
from storage.events import EventFilter
from storage.export import CSV_COLUMNS, csv_line, csv_row, json_line
from storage.parquet import ParquetFile, ParquetMissing
from storage.storage import Storage

#: Records of one row group of a Parquet file.
ROW_GROUP = 5000

Records = AsyncIterator[Mapping[str, Any]]


class Format(StrEnum):
    """File formats of `warta export`."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(rich_help_panel="Look")(export)


def export(
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="File to write (parquet: directory); standard output by default.", show_default=False
        ),
    ] = None,
    form: Annotated[Format, typer.Option("--format", "-f", help="jsonl, csv or parquet.")] = Format.JSONL,
    outlet: Annotated[str | None, typer.Option(help="Only this outlet.", show_default=False)] = None,
    since: Annotated[
        str | None, typer.Option(help="First seen since: 2h, 3d, or a moment.", show_default=False)
    ] = None,
    deliveries: Annotated[
        bool, typer.Option("--deliveries", help="Events as consumers get them, in order, instead of articles.")
    ] = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Write stored articles, oldest first; the file or directory appears whole or not at all."""
    settings = settings_from(config, data)
    try:
        wanted = parse([f"since:{since}"] if since else (), names=(), now=utc_now())
    except FilterError as error:
        fail(Exit.USAGE, str(error))
    if form is Format.PARQUET and (output is None or output.exists()):
        fail(Exit.USAGE, "parquet is written to a directory of its own: give --output DIR that does not exist yet")

    async def work(storage: Storage, out: Output) -> None:
        found: Records
        if deliveries:
            events = EventFilter(outlets=(outlet,) if outlet else (), since=wanted.since, backfilled=True)
            found, total = _events(storage, events, form), await storage.outbox.last()
        else:
            chosen = ArticleFilter(outlet_id=outlet, since=wanted.since)
            found, total = _articles(storage, chosen), await storage.articles.count(chosen)
        if output is None:
            await _write(found, form, sys.stdout, deliveries=deliveries)
            return
        try:
            written = await _to_disk(_counted(found, total), form, output, deliveries=deliveries)
        except ParquetMissing as error:
            fail(Exit.USAGE, str(error))
        out.line(f"{written:,} {'events' if deliveries else 'articles'} written to {output}")

    query(settings, work, json=False)


async def _articles(storage: Storage, where: ArticleFilter) -> Records:
    async for _, fields in storage.events.records(where):
        yield fields


async def _events(storage: Storage, where: EventFilter, form: Format) -> Records:
    async for event in storage.events.iterate(where):
        yield event.envelope() if form is Format.JSONL else flat(event)


async def _counted(found: Records, total: int) -> Records:
    """The same, with a progress bar where a person looks on."""
    columns = (TextColumn("export"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, disable=not sys.stderr.isatty(), transient=True) as progress:
        task = progress.add_task("export", total=total)
        async for fields in found:
            yield fields
            progress.advance(task)


async def _to_disk(found: Records, form: Format, output: Path, *, deliveries: bool) -> int:
    part = output.with_name(output.name + ".part")
    if form is Format.PARQUET:
        shutil.rmtree(part, ignore_errors=True)
        written = await _write_days(found, part, deliveries=deliveries)
        part.mkdir(parents=True, exist_ok=True)
    else:
        with part.open("w", encoding="utf-8", newline="") as file:
            written = await _write(found, form, file, deliveries=deliveries)
    part.replace(output)
    return written


async def _write(found: Records, form: Format, file: TextIO, *, deliveries: bool) -> int:
    columns = (*EVENT_COLUMNS, *CSV_COLUMNS) if deliveries else CSV_COLUMNS
    count = 0
    if form is Format.CSV:
        file.write(csv_line(columns))
    async for fields in found:
        file.write(json_line(fields) if form is Format.JSONL else csv_line(csv_row(fields, columns)))
        count += 1
    return count


async def _write_days(found: Records, directory: Path, *, deliveries: bool) -> int:
    """``day=2026-11-23/000000.parquet``: a day may have several files, a file has one row group."""
    moment = "created_at" if deliveries else "first_seen"
    count = 0
    async for batch in _batches(found):
        for day, group in groupby(batch, key=lambda fields: str(fields[moment])[:10]):
            rows = list(group)
            path = directory / f"day={day}" / f"{count:09d}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            with ParquetFile(path, events=deliveries) as file:
                file.write(rows)
            count += len(rows)
    return count


async def _batches(found: Records) -> AsyncIterator[list[Mapping[str, Any]]]:
    batch: list[Mapping[str, Any]] = []
    async for fields in found:
        batch.append(fields)
        if len(batch) == ROW_GROUP:
            yield batch
            batch = []
    if batch:
        yield batch
