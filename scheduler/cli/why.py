"""`warta why`: when a source is polled next, and every term that led there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from config.model import Adaptive, Settings, Source
from scheduler.cli.context import ConfigOption, DataOption, Exit, JsonOption, fail, query, settings_from, utc_now
from scheduler.cli.output import Output, ago
from storage.explanation import explanation
from storage.rhythm import Forecast
from storage.rhythms import Remembered
from storage.storage import Storage

#: Shades of an hour's share of the busiest hour.
_SHADES = " ▁▂▃▄▅▆▇█"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(rich_help_panel="Look")(why)


def why(
    source: Annotated[str, typer.Argument(help="Source as OUTLET/NAME, or an outlet with one source.")],
    config: ConfigOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Say when a source is polled next and why: its rhythm, failures, budget, and the publisher's word."""
    settings = settings_from(config, data)
    asked = _source(settings, source)

    async def work(storage: Storage, out: Output) -> None:
        now = utc_now()
        state = await storage.sources.get(asked.id)
        if state is None:
            fail(Exit.NOT_FOUND, f"{asked.id} is not planned yet; `warta run` plans it")
        remembered = await storage.rhythms.get(asked.id)
        told = explanation(asked, state, remembered, now, await storage.hubs.of(asked.id))
        if json:
            out.record(told)
        else:
            _print(out, told, asked, remembered, now)

    query(settings, work, json=json)


def _source(settings: Settings, name: str) -> Source:
    found = settings.source(name)
    outlet = settings.outlet(name)
    if found is None and outlet is not None and len(outlet.sources) == 1:
        found = outlet.sources[0]
    if found is None:
        named = ", ".join(s.id for s in outlet.sources) if outlet else "`warta outlets` lists them"
        fail(Exit.NOT_FOUND, f"no source {name!r}: {named}")
    return found


def _print(out: Output, told: dict[str, Any], source: Source, remembered: Remembered | None, now: datetime) -> None:
    state = "paused" if told["paused"] else f"next {ago(told['next_attempt'], now)}, {told['next_attempt']:%F %T}Z"
    out.line(f"{told['source']}  {state}")
    rows = [(t["name"], datetime.fromisoformat(t["at"]), t["text"]) for t in told["terms"]]
    out.table(("term", "at, UTC", "why"), ((n, f"{at:%F %T}", text) for n, at, text in rows), empty="", grow="why")
    if told["hub"] is not None:
        out.line(f"hub       {told['hub']['text']}")
    how = told["health"]
    since = f", since {ago(how['since'], now)}" if how["since"] else ""
    out.line(f"state     {how['state']}{since}: {how['sentence']}")
    if told["items_per_day"] is not None and remembered is not None:
        per_day, within = told["items_per_day"], told["next_item_within"]
        out.line(f"rhythm    about {per_day} items a day; the next is expected within {within}")
        if told["minutes"]:
            timed = ", ".join(f"{minute} ({share:.0%} of all)" for minute, share in told["minutes"].items())
            out.line(f"          more than chance come in these minutes of the hour: {timed}")
        zone = source.schedule.timezone if isinstance(source.schedule, Adaptive) else UTC
        for line in week(Forecast(remembered.rhythm, zone, now.timestamp())):
            out.line(f"          {line}")


def week(forecast: Forecast) -> list[str]:
    """The learned week as a picture, a day a line, an hour a column."""
    rates = [forecast.usual(index) for index in range(168)]
    most = max(rates)
    return [
        f"{day} " + "".join(_SHADES[round(rate / most * 8)] for rate in rates[n * 24 : n * 24 + 24])
        for n, day in enumerate(_DAYS)
    ]
