"""Commands that stay: run, scheduler, worker; and check, which says whether they would."""

from __future__ import annotations

import math
import os
import sys
import time
from pathlib import Path

import typer

from config.model import Settings
from scheduler.cli.context import (
    ConfigOption,
    DataOption,
    Exit,
    JsonOption,
    config_path,
    fail,
    finish,
    settings_from,
)
from scheduler.cli.output import Output
from scheduler.daemon import Daemon, Role, alive_file
from scheduler.logs import Mask, configure
from scheduler.plan import active_sources
from scheduler.rooms import Rooms, database_url
from storage.redis import masked

#: A daemon that gave no sign of life for this long is not at work.
ALIVE_SECONDS = 45.0


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command(rich_help_panel="Daemon")(run)
    app.command(rich_help_panel="Daemon")(scheduler)
    app.command(rich_help_panel="Daemon")(worker)
    app.command(rich_help_panel="Daemon")(check)
    app.command(rich_help_panel="Look")(alive)


def run(config: ConfigOption = None, data: DataOption = None) -> None:
    """Start the daemon: everything in one process, until SIGTERM or Ctrl-C."""
    _live(Role.RUN, config, data)


def scheduler(config: ConfigOption = None, data: DataOption = None) -> None:
    """Decide what is due, against a shared Redis and database; any number, one of them active."""
    _live(Role.SCHEDULER, config, data)


def worker(config: ConfigOption = None, data: DataOption = None) -> None:
    """Crawl what a scheduler finds due, against a shared Redis and database; any number."""
    _live(Role.WORKER, config, data)


def check(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Check the configuration: every problem with its place, exit code 2 if there is one."""
    settings = settings_from(config)
    out = Output(json=json)
    sources = active_sources(settings.outlets)
    enabled = [o for o in settings.outlets if o.enabled]
    if json:
        out.record({"ok": True, "path": str(settings.path), "outlets": len(enabled), "sources": len(sources)})
    else:
        out.line(f"{settings.path}: no problem; {len(enabled)} outlets and {len(sources)} sources are enabled")


def alive(config: ConfigOption = None, data: DataOption = None, json: JsonOption = False) -> None:
    """Whether the daemon on this data directory is at work; exit code 1 when it is not. For health checks."""
    settings = settings_from(config, data)
    try:
        age = time.time() - alive_file(settings.data_dir).stat().st_mtime
    except FileNotFoundError:
        age = math.inf
    well = age < ALIVE_SECONDS
    out = Output(json=json)
    if json:
        out.record({"alive": well, "seconds": None if math.isinf(age) else round(age, 1)})
    elif math.isinf(age):
        out.line(f"no daemon has been at work on {settings.data_dir}")
    else:
        out.line(f"{'at work' if well else 'not at work'}: last sign of life {age:.0f} s ago")
    raise typer.Exit(Exit.OK if well else Exit.FOUND)


def log_file(settings: Settings) -> Path:
    """The JSON lines log of a data directory."""
    return settings.data_dir / "logs" / "warta.jsonl"


def _live(role: Role, config: Path | None, data: Path | None) -> None:
    settings = settings_from(config, data)
    if role is not Role.RUN and "embedded" in {settings.redis, settings.database}:
        fail(
            Exit.USAGE,
            f"`warta {role}` shares its work with others: set redis and database to URLs in {settings.path}, "
            "or use `warta run`, which needs neither",
        )
    mask = Mask(settings.secrets)
    configure(path=log_file(settings), level=settings.log_level, mask=mask)
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
    option = "" if Path("data").absolute() == settings.data_dir.absolute() else f" --data {settings.data_dir}"
    lines = (
        ("warta", f"{role} as process {os.getpid()}: {len(sources)} sources of {len(outlets)} outlets"),
        ("config", str(settings.path)),
        ("database", masked(database_url(settings)) if settings.database != "embedded"
         else str(settings.data_dir / "warta.db")),
        ("log", f"{log_file(settings)}   (warta logs -f{option})"),
        ("status", f"warta status{option}"),
        ("stop", "Ctrl-C, or SIGTERM"),
    )  # fmt: skip
    print("\n".join(f"{name:>9}  {text}" for name, text in lines), file=sys.stderr, flush=True)
