"""Commands that stay: run, scheduler, worker."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import typer

from scheduler.cli.context import (
    ConfigOption,
    DataOption,
    Exit,
    config_path,
    fail,
    finish,
    settings_from,
)
from scheduler.cli.output import command, counted
from scheduler.daemon import Daemon, Role
from scheduler.log_file import keep
from scheduler.logs import Mask, configure
from scheduler.places import database_url, log_file
from scheduler.plan import active_sources
from scheduler.rooms import Rooms
from storage.redis import masked


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command(rich_help_panel="Daemon")(run)
    app.command(rich_help_panel="Daemon")(scheduler)
    app.command(rich_help_panel="Daemon")(worker)


def run(config: ConfigOption = None, data: DataOption = None) -> None:
    """Start the daemon: everything in one process, until SIGTERM or Ctrl-C."""
    _live(Role.RUN, config, data)


def scheduler(config: ConfigOption = None, data: DataOption = None) -> None:
    """Decide what is due, against a shared Redis and database; any number, one of them active."""
    _live(Role.SCHEDULER, config, data)


def worker(config: ConfigOption = None, data: DataOption = None) -> None:
    """Crawl what a scheduler finds due, against a shared Redis and database; any number."""
    _live(Role.WORKER, config, data)


def _live(role: Role, config: Path | None, data: Path | None) -> None:
    settings = settings_from(config, data)
    if role is not Role.RUN and "embedded" in {settings.redis, settings.database}:
        fail(
            Exit.USAGE,
            f"`warta {role}` shares its work with others: set redis and database to URLs in {settings.path}, "
            "or use `warta run`, which needs neither",
        )
    mask = Mask(settings.secrets)
    configure(path=log_file(settings), level=settings.log_level, mask=mask, keep=keep(settings))
    daemon = Daemon(
        config_path(config),
        settings,
        role=role,
        data_dir=data,
        mask=mask,
        ready=lambda rooms: _greet(role, rooms),
    )
    raise typer.Exit(finish(daemon.run()))


def _greet(role: Role, rooms: Rooms) -> None:
    """Tell a person where to look; on standard error, where a terminal shows it and a pipe does not."""
    settings = rooms.settings
    sources = active_sources(settings.outlets)
    outlets = {source.outlet_id for source in sources.values()}
    option = "" if settings.path.absolute() == config_path(None).absolute() else f" --config {settings.path}"
    option += "" if Path("data").absolute() == settings.data_dir.absolute() else f" --data {settings.data_dir}"
    polled = f"{counted(len(sources), 'source')} of {counted(len(outlets), 'outlet')}"
    lines = (
        ("warta", f"{role} as process {os.getpid()}: {polled}"),
        ("config", str(settings.path)),
        ("database", masked(database_url(settings)) if settings.database != "embedded"
         else str(settings.data_dir / "warta.db")),
        ("log", f"{log_file(settings)}   ({command()} logs -f{option})"),
        ("status", f"{command()} status{option}"),
        *((("monitor", rooms.pages),) if rooms.pages else ()),
        ("stop", "Ctrl-C, or SIGTERM"),
    )  # fmt: skip
    print("\n".join(f"{name:>9}  {text}" for name, text in lines), file=sys.stderr, flush=True)
