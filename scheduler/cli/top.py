"""`warta top`: sources, runs and the log on one live screen."""

from __future__ import annotations

import sys

import typer

from monitor.top.app import Top
from scheduler.cli.context import ConfigOption, DataOption, Exit, fail, query, settings_from, utc_now
from scheduler.cli.output import Output
from scheduler.places import log_file
from storage.storage import Storage


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(rich_help_panel="Look")(top)


def top(config: ConfigOption = None, data: DataOption = None) -> None:
    """Watch sources, runs and the log live; pause, resume and poll. Beside the daemon; it reads storage only."""
    settings = settings_from(config, data)
    if not sys.stdout.isatty():
        fail(Exit.USAGE, "this needs a terminal; `warta status`, `sources`, `runs` and `logs -f` print")
    read_only = settings.monitor is not None and settings.monitor.read_only

    async def work(storage: Storage, _out: Output) -> None:
        await Top(storage, log_file(settings), utc_now, settings.source, read_only=read_only).run_async()

    query(settings, work, json=False)
