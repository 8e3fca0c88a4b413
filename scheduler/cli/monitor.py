"""`warta monitor`: the web pages in a process of their own."""

from __future__ import annotations

import dataclasses
import sys
from typing import Annotated

import typer

from config.model import Monitor
from monitor.web.guard import PasswordRequiredError
from monitor.web.serve import AddressInUseError
from scheduler import monitoring
from scheduler.cli.context import ConfigOption, DataOption, Exit, fail, finish, settings_from, utc_now


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(rich_help_panel="Daemon")(monitor)


def monitor(
    config: ConfigOption = None,
    data: DataOption = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Instead of the configured one; 0: any.", show_default=False)
    ] = None,
) -> None:
    """Serve the web pages, beside a daemon or without one, until SIGTERM or Ctrl-C."""
    settings = settings_from(config, data)
    wanted = settings.monitor or Monitor()
    if port is not None:
        wanted = dataclasses.replace(wanted, port=port)

    def ready(address: str) -> None:
        print(f"  monitor  {address}\n     stop  Ctrl-C, or SIGTERM", file=sys.stderr, flush=True)

    try:
        finish(monitoring.alone(settings, wanted, utc_now, ready))
    except PasswordRequiredError as error:
        fail(Exit.USAGE, str(error))
    except AddressInUseError as error:
        fail(Exit.IN_USE, str(error))
