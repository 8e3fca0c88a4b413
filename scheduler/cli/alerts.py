"""`warta alerts`: what is wrong, who was told, and keeping quiet about it."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import typer

from config.model import Settings
from config.units import duration
from monitor.filters import FilterError, parse
from scheduler.alerting.office import AlertOffice
from scheduler.cli.context import (
    ConfigOption,
    DataOption,
    Exit,
    JsonOption,
    LimitOption,
    fail,
    query,
    settings_from,
    utc_now,
)  # fmt: skip
from scheduler.cli.output import Output, ago, short_span
from storage.alerts import Incident, Silence, StoredMessage
from storage.storage import Storage

alerts = typer.Typer(
    name="alerts", help="Incidents, what was told of them, and silences.", no_args_is_help=True
)  # fmt: skip


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(alerts, rich_help_panel="Look")


@alerts.command("list")
def list_(
    limit: LimitOption = 20, config: ConfigOption = None, data: DataOption = None, json: JsonOption = False
) -> None:
    """List incidents, silences and the last messages; exit code 1 while an incident goes on."""
    settings = settings_from(config, data, lenient=True)

    async def work(storage: Storage, out: Output) -> bool:
        now = utc_now()
        found = await storage.alerts.recent(limit=limit)
        silences = await storage.alerts.silences(now)
        messages = await storage.alerts.messages(limit=limit)
        if json:
            out.records({"type": "incident", **_plain(i)} for i in found)
            out.records({"type": "silence", **_plain(s)} for s in silences)
            out.records({"type": "message", **_plain(m)} for m in messages)
        else:
            _print(out, found, silences, messages, now)
        return any(incident.ended_at is None for incident in found) or bool(await storage.alerts.open())

    raise typer.Exit(Exit.FOUND if query(settings, work, json=json) else Exit.OK)


def _plain(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


def _print(
    out: Output, found: list[Incident], silences: list[Silence], messages: list[StoredMessage], now: datetime
) -> None:
    out.table(
        ("#number", "began", "lasts", "rule", "what"),
        ((i.id, ago(i.began_at, now), _lasts(i, now), i.rule, i.title) for i in found),
        empty="no incident", grow="what",
    )  # fmt: skip
    if silences:
        out.line()
        out.table(
            ("silence", "about", "ends", "by", "why"),
            ((s.id, _about(s), ago(s.until, now), s.who, s.reason) for s in silences), empty="", grow="why",
        )  # fmt: skip
    if messages:
        out.line()
        out.table(
            ("told", "channel", "kind", "how it went", "title"),
            ((ago(m.created_at, now), m.channel, m.kind, _went(m), m.title) for m in messages), empty="", grow="title",
        )  # fmt: skip


def _lasts(incident: Incident, now: datetime) -> str:
    lasted = short_span(((incident.ended_at or now) - incident.began_at).total_seconds())
    return f"{lasted}, over" if incident.ended_at else lasted


def _about(silence: Silence) -> str:
    words = {"rule": silence.rule, "outlet": silence.outlet_id, "source": silence.source_id}
    return " ".join(f"{name}:{value}" for name, value in words.items() if value) or "everything"


def _went(message: StoredMessage) -> str:
    if message.sent_at is not None:
        return "sent"
    if message.dropped_at is not None:
        return "dropped"
    return f"waits after {message.attempts} tries: {message.last_error}" if message.attempts else "waits"


@alerts.command("test")
def try_(
    channel: Annotated[str | None, typer.Option("--channel", help="Only this one.", show_default=False)] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Send a test to every channel, whatever the hour; exit code 1 when one does not take it."""
    settings = settings_from(config, data)
    wanted = [c for c in settings.alerts.channels if channel in (None, c.name)]
    if not wanted:
        known = ", ".join(c.name for c in settings.alerts.channels) or "`alerts.channels` in warta.yaml lists none"
        fail(Exit.NOT_FOUND, f"no channel{f' {channel!r}' if channel else ''}: {known}")

    async def work(storage: Storage, out: Output) -> bool:
        office, fine = AlertOffice(storage, lambda: settings), True
        for one in wanted:
            went = await office.test(one, utc_now())
            fine = fine and went.sent_at is not None
            if json:
                out.record({"channel": one.name, "sent": went.sent_at is not None, "error": went.last_error})
            else:
                out.line(f"{one.name}: {'taken' if went.sent_at else f'not taken: {went.last_error}'}")
        return fine

    raise typer.Exit(Exit.OK if query(settings, work, json=json) else Exit.FOUND)


@alerts.command()
def silence(
    words: Annotated[
        list[str] | None,
        typer.Argument(help="What: outlet:kontan, source:kontan/nasional, rule:disk; nothing is everything."),
    ] = None,
    lasting: Annotated[str, typer.Option("--for", help="How long, such as 2h or 3d.")] = "2h",
    why: Annotated[str, typer.Option("--why", help="Why, for others.")] = "",
    who: Annotated[str | None, typer.Option("--who", help="Who; the user's name when not set.")] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Tell nobody of such incidents for a while; they stay visible."""
    settings = settings_from(config, data, lenient=True)
    about = _silenced(settings, words)
    try:
        until = utc_now() + duration(lasting)
    except (ValueError, OverflowError):
        fail(Exit.USAGE, f"{lasting!r} is not a duration: 30m, 2h, 3d")

    async def work(storage: Storage, out: Output) -> None:
        try:
            made = await storage.alerts.silence(
                until=until, who=who or getpass.getuser(), reason=why, now=utc_now(), **about
            )
        except ValueError as error:
            fail(Exit.USAGE, str(error))
        if json:
            out.record(_plain(made))
        else:
            out.line(f"silence {made.id}: nobody is told of {_about(made)} until {made.until:%F %H:%M} UTC")

    query(settings, work, json=json)


def _silenced(settings: Settings, words: list[str] | None) -> dict[str, str]:
    try:
        wanted = parse(words or (), names=("outlet", "source", "rule"), now=utc_now())
    except FilterError as error:
        fail(Exit.USAGE, str(error))
    if wanted.text or wanted.without or any(len(values) > 1 for values in wanted.fields.values()):
        fail(Exit.USAGE, "a silence is about one outlet:, source: or rule:, or about everything")
    found = {name: values[0] for name, values in wanted.fields.items()}
    checks: dict[str, Callable[[str], object]] = {
        "outlet": settings.outlet, "source": settings.source,
        "rule": lambda name: next((rule for rule in settings.alerts.rules if rule.name == name), None),
    }  # fmt: skip
    for name, value in found.items():
        if checks[name](value) is None:
            fail(Exit.NOT_FOUND, f"no {name} {value!r}")
    return {("rule" if name == "rule" else f"{name}_id"): value for name, value in found.items()}


@alerts.command()
def unsilence(
    number: Annotated[int, typer.Argument(help="Number of the silence, from `warta alerts list`.")],
    config: ConfigOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """End a silence early."""
    settings = settings_from(config, data, lenient=True)

    async def work(storage: Storage, out: Output) -> None:
        if not await storage.alerts.unsilence(number, utc_now()):
            fail(Exit.NOT_FOUND, f"no silence {number} holds now; `warta alerts list` shows them")
        if json:
            out.record({"silence": number, "ended": True})
        else:
            out.line(f"silence {number} is over")

    query(settings, work, json=json)
