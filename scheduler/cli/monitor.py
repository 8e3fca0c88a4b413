"""`warta monitor`: the web pages in a process of their own."""

from __future__ import annotations

import dataclasses
import sys
from typing import Annotated

import typer

from config.model import Monitor
from config.password import hashed
from monitor.web.guard import LONGEST, PasswordRequiredError
from monitor.web.serve import AddressInUseError
from scheduler import monitoring
from scheduler.cli.context import ConfigOption, DataOption, Exit, fail, finish, settings_from, utc_now


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    group = typer.Typer(invoke_without_command=True)
    group.callback()(monitor)
    group.command()(password)
    app.add_typer(group, name="monitor", rich_help_panel="Daemon")


def monitor(
    context: typer.Context,
    config: ConfigOption = None,
    data: DataOption = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Instead of the configured one; 0: any.", show_default=False)
    ] = None,
) -> None:
    """Serve the web pages, beside a daemon or without one, until SIGTERM or Ctrl-C."""
    if context.invoked_subcommand is not None:
        return
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


def password() -> None:
    """Ask for a password and print its hash for `monitor.password`; from a pipe the first line is taken."""
    if sys.stdin.isatty():
        word = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        word = sys.stdin.readline().rstrip("\r\n")
    if not 12 <= len(word) <= LONGEST:
        fail(Exit.USAGE, f"a password of {len(word)} characters: 12 to {LONGEST} are asked for")
    print(hashed(word))
