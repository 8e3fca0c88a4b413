"""`warta import`: the feeds of a feed reader as outlets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crawlers.opml import Left, ListError, NewOutlet, outlets, subscriptions
from scheduler.cli.context import ConfigOption, Exit, JsonOption, config_path, fail, settings_from
from scheduler.cli.output import Output, counted


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("import", rich_help_panel="Keep")(import_)


def import_(
    file: Annotated[Path, typer.Argument(help="An OPML file, as feed readers export it.")],
    into: Annotated[
        Path | None, typer.Option("--into", help="Directory for the files; outlets/ beside warta.yaml when not said.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the files, write none.")] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Write an outlet for each domain whose feeds a feed reader's list (OPML) names; nothing is overwritten."""
    if into is None and config_path(config).is_absolute() and config is None:
        fail(Exit.USAGE, "there is no warta.yaml here; say --config, or --into for the directory of the files")
    directory = into or config_path(config).parent / "outlets"
    # Where there is no outlet yet, the configuration lacks what this is to bring.
    settings = settings_from(config, lenient=not any(directory.glob("*.yaml")))
    try:
        feeds = subscriptions(file.read_bytes())
    except OSError as error:
        fail(Exit.NOT_FOUND, f"{file} cannot be read: {error.strerror}")
    except ListError as error:
        fail(Exit.USAGE, f"{file}: {error}")
    taken = {outlet.id for outlet in settings.outlets} | {path.stem for path in directory.glob("*.yaml")}
    known = {source.url for outlet in settings.outlets for source in outlet.sources}
    made, left = outlets(feeds, known=known, taken=taken)
    texts = {outlet.id: outlet.as_yaml(file.name) for outlet in made}
    if not dry_run:
        _write(directory, texts)
    _tell(Output(json=json), directory, made, left, texts if dry_run else {}, json=json)


def _write(directory: Path, texts: dict[str, str]) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            with (directory / f"{name}.yaml").open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        fail(Exit.FOUND, f"{error.filename} cannot be written: {error.strerror}")


def _tell(
    out: Output, directory: Path, made: list[NewOutlet], left: list[Left], texts: dict[str, str], *, json: bool
) -> None:
    if json:
        for one in made:
            sources = {name: feed.url for name, feed in one.sources.items()}
            out.record({"outlet": one.id, "path": str(directory / f"{one.id}.yaml"), "sources": sources})
        for one_left in left:
            out.record({"left": one_left.subscription.url, "why": one_left.why})
        return
    for text in texts.values():
        out.line(text)
    for one_left in left:
        out.line(f"left out  {one_left.subscription.url}: {one_left.why}", style="yellow")
    feeds, names = counted(sum(len(one.sources) for one in made), "feed"), counted(len(made), "outlet")
    verb = "would be written" if texts else "written"
    out.line(f"{feeds} of {names} {verb} to {directory}; {len(left)} left out")
    if made and not texts:
        out.line("next: `warta check`, then say each outlet's timezone and language")
