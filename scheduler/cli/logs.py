"""`warta logs`: search and follow the log."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.text import Text

from monitor.filters import FilterError, parse
from monitor.logs import FIELDS, Record, follow, read
from scheduler.cli.context import (
    ConfigOption,
    DataOption,
    Exit,
    JsonOption,
    LimitOption,
    fail,
    settings_from,
    utc_now,
)
from scheduler.cli.output import STYLES, Output, safe
from scheduler.places import log_file

_QUIET = {"time", "level", "event", "logger", "outlet", "run", "exception"}


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(rich_help_panel="Look")(logs)


def logs(
    words: Annotated[
        list[str] | None,
        typer.Argument(help='Filter: outlet:kontan level:warning since:2h "some text".', show_default=False),
    ] = None,
    following: Annotated[bool, typer.Option("--follow", "-f", help="Keep printing what comes.")] = False,
    limit: LimitOption = 50,
    config: ConfigOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Show the newest log lines that fit the filter words; -f follows."""
    settings = settings_from(config, data, lenient=True)
    out = Output(json=json)
    path = log_file(settings)
    try:
        wanted = parse(words or (), names=FIELDS, now=utc_now())
    except FilterError as error:
        fail(Exit.USAGE, str(error))
    if not path.exists() and not following:
        fail(
            Exit.NOT_FOUND,
            f"there is no log at {path} yet; `warta run` writes it, --data DIR looks elsewhere",
        )
    try:
        for record in read(path, wanted, limit=limit):
            _show(out, record)
        if following:
            for record in follow(path, wanted, stop=lambda: False):
                _show(out, record)
    except KeyboardInterrupt:
        raise typer.Exit(Exit.INTERRUPTED) from None
    except BrokenPipeError:
        sys.stderr.close()
        raise typer.Exit(Exit.OK) from None


def _show(out: Output, record: Record) -> None:
    if out.json:
        out.record(record)
        return
    level = str(record.get("level", ""))
    line = Text()
    line.append(str(record.get("time", ""))[11:19] + " ", style="dim")
    line.append(f"{level[:5]:5} ", style=STYLES.get(level, "dim"))
    line.append(safe(record.get("event", "")), style="bold" if level in {"warning", "error"} else "")
    where = record.get("source") or record.get("outlet")
    if where:
        line.append(f" {safe(where)}", style="cyan")
    for key, value in record.items():
        if key not in _QUIET and key != "source" and value not in (None, ""):
            line.append(f" {key}=", style="dim")
            line.append(safe(value))
    out.console.print(line, soft_wrap=True)
    if record.get("exception"):
        out.line(f"    {record['exception']}"[:2000], style="dim")
