"""The command `warta`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from importlib import import_module
from importlib.metadata import version
from typing import Annotated

import typer

_OPPOSITE = re.compile(r"-[a-z_]{2,}:.")

#: Command to the module that holds it; only that one is imported, so that `warta alive` answers at once.
MODULES = {
    "run": "service",
    "scheduler": "service",
    "worker": "service",
    "monitor": "monitor",
    "demo": "demo",
    "crawl": "crawl",
    "fetch": "fetch",
    "check": "checks",
    "alive": "checks",
    "outlets": "outlets",
    "status": "reports",
    "sources": "reports",
    "top": "top",
    "why": "why",
    "hubs": "hubs",
    "runs": "reports",
    "articles": "articles",
    "show": "articles",
    "explain": "articles",
    "export": "export",
    "deliver": "deliver",
    "alerts": "alerts",
    "api": "api",
    "adopt": "adopt",
    "logs": "logs",
    "migrate": "upkeep",
    "audit": "upkeep",
    "import": "imports",
    "reextract": "reextract",
}


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"warta {version('warta')}")
        raise typer.Exit


def _options(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    pass


def build(modules: Iterable[str]) -> typer.Typer:
    """The command with what those modules hold."""
    app = typer.Typer(
        name="warta",
        help="News ingestion daemon and feed monitor: polls politely, stores clean articles, accounts for every item.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name in modules:
        import_module(f"scheduler.cli.{name}").add_to(app)
    app.callback()(_options)
    return app


def opposites_last(words: list[str]) -> list[str]:
    """The command line with filter words such as ``-status:ok`` where no parser takes them for options."""
    end = words.index("--") if "--" in words else len(words)
    opposites = [word for word in words[:end] if _OPPOSITE.match(word)]
    if not opposites:
        return words
    return [*(word for word in words[:end] if not _OPPOSITE.match(word)), "--", *opposites, *words[end + 1 :]]


def main() -> None:
    """Entry point of the console script."""
    sys.argv[1:] = opposites_last(sys.argv[1:])
    asked = next((MODULES[word] for word in sys.argv[1:2] if word in MODULES), None)
    everything = list(dict.fromkeys(MODULES.values()))
    build(everything if asked is None else [asked, "checks"])()
