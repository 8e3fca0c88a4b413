"""`warta check` and `alive`: would it run, and does it."""

from __future__ import annotations

import math
import time

import typer

from scheduler.cli.context import ConfigOption, DataOption, Exit, JsonOption, settings_from
from scheduler.cli.output import Output, counted
from scheduler.places import alive_file
from scheduler.plan import active_sources

#: A daemon that gave no sign of life for this long is not at work.
ALIVE_SECONDS = 45.0


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command(rich_help_panel="Daemon")(check)
    app.command(rich_help_panel="Look")(alive)


def check(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Check the configuration: every problem with its place, exit code 2 if there is one."""
    settings = settings_from(config)
    out = Output(json=json)
    sources = active_sources(settings.outlets)
    enabled = [o for o in settings.outlets if o.enabled]
    if json:
        out.record({"ok": True, "path": str(settings.path), "outlets": len(enabled), "sources": len(sources)})
    else:
        found = f"{counted(len(enabled), 'outlet')} and {counted(len(sources), 'source')}"
        out.line(f"{settings.path}: no problem; {found} are enabled")


def alive(config: ConfigOption = None, data: DataOption = None, json: JsonOption = False) -> None:
    """Whether the daemon on this data directory is at work; exit code 1 when it is not. For health checks."""
    settings = settings_from(config, data, lenient=True)
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
