"""`warta outlets`: what is configured, and what is known of it."""

from __future__ import annotations

import typer

from scheduler.cli.context import ConfigOption, JsonOption, settings_from, utc_now
from scheduler.cli.output import Output, short_span
from scheduler.policy import interval_of


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(rich_help_panel="Look")(outlets)


def outlets(config: ConfigOption = None, json: JsonOption = False) -> None:
    """List the configured outlets with their sources."""
    settings = settings_from(config)
    out = Output(json=json)
    now = utc_now()
    if json:
        for outlet in settings.outlets:
            out.record(
                {
                    "id": outlet.id, "name": outlet.name, "group": outlet.group, "enabled": outlet.enabled,
                    "language": outlet.language, "timezone": outlet.timezone.key, "homepage": outlet.homepage,
                    "sources": [
                        {"id": s.id, "kind": s.kind, "url": s.url, "enabled": s.enabled,
                         "every": interval_of(s.schedule, now)}
                        for s in outlet.sources
                    ],
                    "rules": len(outlet.rules), "notes": outlet.notes,
                }
            )  # fmt: skip
        return
    rows = []
    for outlet in settings.outlets:
        live = [s for s in outlet.sources if s.enabled and outlet.enabled]
        every = short_span(min(interval_of(s.schedule, now).total_seconds() for s in live)) if live else None
        state = "enabled" if live else "off"
        rows.append((outlet.id, outlet.group, state, len(live), every, outlet.language, outlet.notes))
    out.table(
        ("outlet", "group", "state", "#sources", "every", "lang", "notes"),
        rows,
        empty="no outlet configured",
        grow="notes",
    )
