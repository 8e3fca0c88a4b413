"""The command `warta`."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from scheduler.cli import articles, crawl, demo, logs, outlets, reports, service, upkeep

app = typer.Typer(
    name="warta",
    help="News ingestion daemon and feed monitor: polls politely, stores clean articles, accounts for every item.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for module in (service, demo, crawl, outlets, reports, articles, logs, upkeep):
    module.add_to(app)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"warta {version('warta')}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Entry point of the console script."""
    app()
