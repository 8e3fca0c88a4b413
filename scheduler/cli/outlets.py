"""`warta outlets`: what is configured, and what is known of it."""

from __future__ import annotations

import textwrap
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import typer

from config.model import Outlet, Settings
from scheduler.cli.context import (
    ConfigOption,
    DataOption,
    Exit,
    JsonOption,
    fail,
    finish,
    opened,
    settings_from,
    utc_now,
)
from scheduler.cli.output import Output, ago, short_span
from scheduler.places import database_url
from scheduler.policy import interval_of
from scheduler.standing import drifting
from storage.model import SourceState


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(rich_help_panel="Look")(outlets)


def outlets(
    outlet: Annotated[str | None, typer.Argument(help="Id of one outlet, for all that is known of it.")] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """List the configured outlets; with an id, one outlet with its sources, rules and notes."""
    settings = settings_from(config, data)
    chosen = settings.outlets if outlet is None else (_one(settings, outlet),)
    states = _states(settings)
    out, drift = Output(json=json), _drift(settings)
    if json:
        out.records({**_record(one, states), "drifting": drift.get(one.id)} for one in chosen)
    elif outlet is None:
        _table(chosen, states, drift, out)
    else:
        _details(chosen[0], states, out)
        if outlet in drift:
            out.line(f"drifting: {drift[outlet]}", style="yellow")


def _one(settings: Settings, name: str) -> Outlet:
    found = settings.outlet(name)
    if found is None:
        close = get_close_matches(name, [o.id for o in settings.outlets], n=1)
        fail(
            Exit.NOT_FOUND, f"no outlet {name!r} in {settings.path}" + (f"; did you mean {close[0]}?" if close else "")
        )
    return found


def _states(settings: Settings) -> dict[str, SourceState]:
    """What the database remembers of each source; nothing where there is none yet."""
    url = database_url(settings)
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        return {}

    async def read() -> dict[str, SourceState]:
        async with opened(settings) as storage:
            return {state.id: state for state in await storage.sources.all()}

    return finish(read())


def _drift(settings: Settings) -> dict[str, str]:
    """The outlets that drift, with the evidence."""
    url = database_url(settings)
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        return {}

    async def read() -> dict[str, str]:
        async with opened(settings) as storage:
            return drifting(await storage.facts.all())

    return finish(read())


def _last(outlet: Outlet, states: dict[str, SourceState]) -> Any:
    known = [states[s.id].last_success for s in outlet.sources if s.id in states]
    return max((moment for moment in known if moment is not None), default=None)


def why_off(declared_at: str, key: str = "enabled: false") -> str | None:
    """The comment behind the line that switches something off, from the file it is declared in."""
    file, _, line = declared_at.rpartition(":")
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    start = max(int(line) - 1, 0) if line.isdigit() else 0
    for number, text in enumerate(lines[start:], start):
        if number > start and text.lstrip().startswith("- name:"):
            return None
        if key in text and "#" in text:
            return text.partition("#")[2].strip()
    return None


def _record(outlet: Outlet, states: dict[str, SourceState]) -> dict[str, Any]:
    now = utc_now()
    return {
        "id": outlet.id, "name": outlet.name, "group": outlet.group, "enabled": outlet.enabled,
        "language": outlet.language, "timezone": outlet.timezone.key, "homepage": outlet.homepage,
        "hosts": outlet.hosts, "last_success": _last(outlet, states),
        "off_because": None if outlet.enabled else why_off(outlet.declared_at),
        "sources": [
            {"id": s.id, "kind": s.kind, "url": s.url, "enabled": s.enabled, "every": interval_of(s.schedule, now),
             "off_because": None if s.enabled else why_off(s.declared_at),
             "last_success": states[s.id].last_success if s.id in states else None}
            for s in outlet.sources
        ],
        "rules": len(outlet.rules), "rules_until": [str(r.valid_until) for r in outlet.rules if r.valid_until],
        "full_page": outlet.urls.full_page, "notes": outlet.notes,
    }  # fmt: skip


def _table(chosen: tuple[Outlet, ...], states: dict[str, SourceState], drift: dict[str, str], out: Output) -> None:
    now = utc_now()
    rows = []
    for outlet in chosen:
        live = [s for s in outlet.sources if s.enabled and outlet.enabled]
        every = short_span(min(interval_of(s.schedule, now).total_seconds() for s in live)) if live else None
        state = ("drifting" if outlet.id in drift else "enabled") if live else "off"
        known = outlet.notes if outlet.enabled else f"{why_off(outlet.declared_at) or 'off'}. {outlet.notes}"
        known = f"{drift[outlet.id]}. {known}" if outlet.id in drift else known
        rows.append((outlet.id, outlet.group, state, len(live), every, ago(_last(outlet, states), now), known.strip()))
    columns = ("outlet", "group", "state", "#sources", "every", "success", "known")
    out.table(columns, rows, empty="no outlet configured", grow="known")


def _details(outlet: Outlet, states: dict[str, SourceState], out: Output) -> None:
    now = utc_now()
    out.line(f"{outlet.name}  {outlet.homepage}", style="bold")
    if not outlet.enabled:
        out.line(f"off: {why_off(outlet.declared_at) or 'no reason given'}", style="yellow")
    for name, value in (
        ("hosts", ", ".join(outlet.hosts)),
        ("language", f"{outlet.language}, times without a zone are {outlet.timezone.key}"),
        ("datelines", ", ".join(outlet.brands)),
        ("robots.txt", outlet.politeness.robots.value),
        ("whole pages", outlet.urls.full_page or "the plain address; further pages are followed"),
        ("rules", f"{len(outlet.rules)}" + "".join(f", until {r.valid_until}" for r in outlet.rules if r.valid_until)),
        ("declared", outlet.declared_at),
    ):
        out.line(f"{name:>11}  {value or '-'}")
    if outlet.notes:
        out.line()
        for line in textwrap.wrap(outlet.notes, min(100, out.console.width)):
            out.line(line)
    out.line()
    rows = []
    for source in outlet.sources:
        state = states.get(source.id)
        why = "" if source.enabled else why_off(source.declared_at) or ""
        every = short_span(interval_of(source.schedule, now).total_seconds())
        success = ago(state.last_success if state else None, now)
        rows.append((source.name, source.kind.value, every if source.enabled else "off", success, why or source.url))
    last = "address, or why it is off"
    out.table(("source", "kind", "every", "success", last), rows, empty="no source", grow=last)
