"""`warta migrate` and `audit`: the database in shape, and the proof that its ledger adds up."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from config.model import Settings
from scheduler.cli.context import (
    ConfigOption,
    DataOption,
    Exit,
    JsonOption,
    fail,
    finish,
    query,
    settings_from,
    utc_now,
)
from scheduler.cli.output import Output
from scheduler.index import compare
from scheduler.move import move_installation
from scheduler.places import database_url
from storage.move import MoveRefused
from storage.redis import masked
from storage.storage import Storage
from storage.streams import StreamExists


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command(rich_help_panel="Keep")(migrate)
    app.command(rich_help_panel="Keep")(audit)


def migrate(
    to: Annotated[
        str | None,
        typer.Option(help="Move everything to this empty database: postgresql://USER@HOST/NAME.", show_default=False),
    ] = None,
    redis: Annotated[
        str | None,
        typer.Option(help="With --to: the Redis server that takes the embedded one's place.", show_default=False),
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Bring the database's tables to this version (`warta run` does it by itself), or move it to PostgreSQL."""
    settings = settings_from(config, data)
    if to is not None:
        _move(settings, to, redis, Output(json=json))
        return
    if redis is not None:
        fail(Exit.USAGE, "--redis goes with --to: a database has to be moved with its streams")

    async def work() -> None:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        storage = await Storage.open(database_url(settings), now=utc_now)
        version = await storage.database.version()
        await storage.close()
        out = Output(json=json)
        if json:
            out.record({"ok": True, "version": version})
        else:
            out.line(f"{masked(database_url(settings))} is at version {version}")

    finish(work())


def _move(settings: Settings, to: str, redis: str | None, out: Output) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, disable=not sys.stderr.isatty(), transient=True, console=Console(stderr=True)) as progress:
        bars: dict[str, TaskID] = {}

        def say(table: str, what: str, done: int, total: int) -> None:
            # A table has two ways to go: there, and back for the comparison.
            if table not in bars:
                bars[table] = progress.add_task(table, total=total * 2)
            progress.update(bars[table], description=f"{table} {what}", advance=done)

        try:
            moved = finish(move_installation(settings, to, redis, say))
        except (MoveRefused, StreamExists) as error:
            fail(Exit.IN_USE, str(error))
        except ValueError as error:
            fail(Exit.USAGE, str(error))
    if out.json:
        out.record({"ok": True, **moved.facts()})
        return
    out.table(("table", "#rows", "digest"), ((t.name, f"{t.rows:,}", t.digest) for t in moved.tables), empty="")
    for stream in moved.streams:
        out.line(
            f"stream {stream.key}: {stream.entries:,} entries, {stream.groups} consumer groups,"
            f" {stream.pending:,} taken and not acknowledged"
        )
    out.line("\nEvery row was read back and compared. Put this in warta.yaml and start warta again:\n")
    out.line(f"  database: {masked(to)}")
    if redis is not None:
        out.line(f"  redis: {masked(redis)}")
    out.line(
        f"\nNothing reads {settings.data_dir / 'warta.db'} any more then;"
        " keep it until you have seen the new one at work."
    )


def audit(config: ConfigOption = None, data: DataOption = None, json: JsonOption = False) -> None:
    """Check that every discovered item is accounted for; exit code 1 and the findings when one is not.

    Where Redis answers, the index of what was seen is compared with the table it was made from.
    """
    settings = settings_from(config, data, lenient=True)

    async def work(storage: Storage, out: Output) -> bool:
        report, index = await storage.audit.run(), await compare(settings, storage)
        findings = (*report.findings, *(index.findings if index else ()))
        if json:
            out.record({"ok": not findings, "findings": findings, "index": index})
            return not findings
        for finding in findings:
            out.line(f"{finding.check}  {finding.subject}: {finding.detail}", style="red")
        marks = "no Redis to compare with" if index is None else f"{index.marks:,} marks compared"
        out.line(f"the ledger adds up; {marks}" if not findings else f"{len(findings)} findings")
        return not findings

    raise typer.Exit(Exit.OK if query(settings, work, json=json) else Exit.FOUND)
