"""`warta adopt SOURCE`: poll a source where it is now."""

from __future__ import annotations

from typing import Annotated

import typer

from scheduler.cli.context import ConfigOption, DataOption, Exit, JsonOption, fail, query, settings_from, utc_now
from scheduler.cli.output import Output
from storage.model import SourceState
from storage.storage import Storage


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(rich_help_panel="Keep")(adopt)


def adopt(
    source: Annotated[str, typer.Argument(help="Id of the source (kontan/nasional).")],
    undo: Annotated[bool, typer.Option("--undo", help="Go back to the configured address.")] = False,
    config: ConfigOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Accept the replacement proposed for a source, or its permanent redirect before the week is over."""
    settings = settings_from(config, data)

    async def work(storage: Storage, out: Output) -> None:
        state = await storage.sources.get(source)
        if state is None or state.removed_at is not None:
            fail(Exit.NOT_FOUND, f"no source {source!r} is in service; `warta sources` lists them")
        address = None if undo else offered(state)
        if not undo and address is None:
            fail(Exit.NOT_FOUND, f"{source} has neither moved nor a replacement proposed; it is polled at {state.url}")
        await storage.sources.adopt(source, address, utc_now())
        if json:
            out.record({"source": source, "address": address or state.url, "configured": state.url})
        else:
            out.line(f"{source} is polled at {address or state.url} from now on; its entry in YAML says {state.url}")

    query(settings, work, json=json)


def offered(state: SourceState) -> str | None:
    """Where the source may be now: its proposed replacement, else the target of its permanent redirect."""
    return str(state.proposal["url"]) if state.proposal is not None else state.moved_to
