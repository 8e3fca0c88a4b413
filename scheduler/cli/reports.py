"""`warta status`, `sources`, `runs`: what is going on."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from config.model import Settings
from config.units import span
from monitor.filters import Filter, FilterError, parse, read_moment
from monitor.health import TROUBLED
from monitor.runs import NAMES, find_all
from monitor.web.figures import SOURCE_NAMES, STATES, sentence, state_of
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
from scheduler.cli.output import Output, ago, short_local, short_span
from scheduler.lock import owner
from scheduler.plan import active_sources
from scheduler.redis_watch import FACT as EVICTS
from scheduler.standing import drifting, standing
from storage.model import CrawlRun, HealthState, SourceState
from storage.storage import Storage

Words = Annotated[
    list[str] | None,
    typer.Argument(help='Filter words: outlet:kontan status:failed since:2h "text".', show_default=False),
]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (status, sources, runs):
        app.command(rich_help_panel="Look")(command)


def status(config: ConfigOption = None, data: DataOption = None, json: JsonOption = False) -> None:
    """One screen: is the daemon at work, what came in, what is wrong. Exit code 1 when something is."""
    settings = settings_from(config, data, lenient=True)

    async def work(storage: Storage, out: Output) -> int:
        now = utc_now()
        report = await _report(storage, settings, now)
        if json:
            out.record(report)
        else:
            _print_status(out, report, now)
        return Exit.OK if report["healthy"] else Exit.FOUND

    raise typer.Exit(query(settings, work, json=json))


async def _report(storage: Storage, settings: Settings, now: datetime) -> dict[str, Any]:
    numbers = await storage.status()
    wanted = active_sources(settings.outlets)
    states = [s for s in await storage.sources.all() if s.removed_at is None]
    how = {s.id: state_of(s) for s in states}
    counted = Counter(how.values())
    worst = sorted((s for s in states if how[s.id] in TROUBLED), key=lambda s: (STATES.index(how[s.id]), s.id))
    holder = owner(settings.data_dir) if settings.database == "embedded" else None
    facts = await storage.facts.all()
    outage = min((str(v["since"]) for k, v in facts.items() if k.startswith("outage ")), default=None)
    windows = await storage.outages.windows()
    refused = facts.get("configuration refused", {}).get("problems", [])
    drift = drifting(facts)
    incidents = await storage.alerts.open()
    evicts = facts.get(EVICTS, {}).get("reason")
    return {
        "healthy": not (worst or outage or refused or drift or evicts)
        and bool(holder or settings.database != "embedded"),
        "outage_since": outage,
        "last_outage": asdict(windows[-1]) if windows else None,
        "configuration_refused": refused,
        "redis_evicts": evicts,
        "drifting": drift,
        "incidents": [
            {"id": i.id, "rule": i.rule, "severity": i.severity, "title": i.title, "began": i.began_at}
            for i in incidents
        ],
        "daemon": holder,
        "data": str(settings.data_dir),
        "configured": len(wanted),
        "sources": {
            "all": len(states),
            "states": {name: counted[name] for name in STATES if counted[name]},
            "troubled": len(worst),
            "paused": sum(s.paused for s in states),
            "never_polled": sum(s.last_attempt is None for s in states),
            "overdue": sum(s.next_attempt < now - timedelta(minutes=2) and not s.paused for s in states),
        },
        "numbers": numbers,
        "standing": {
            s.id: known for s in states if (known := standing(s, settings.source(s.id), now))
        },
        "worst": [
            {"source": s.id, "state": how[s.id], "since": s.health_since, "said": sentence(s),
             "failures": s.failures, "last_success": s.last_success, "next_attempt": s.next_attempt}
            for s in worst[:10]
        ],
    }  # fmt: skip


def _print_status(out: Output, report: dict[str, Any], now: datetime) -> None:
    holder = report["daemon"]
    if holder:
        out.line(f"daemon    at work as process {holder.get('pid')}, since {holder.get('started')}", style="green")
    else:
        out.line("daemon    not at work on this data directory", style="yellow")
    if report["outage_since"]:
        since = ago(read_moment(report["outage_since"]), now)
        out.line(f"network   our own outage, began {since}: no host answers, nobody is blamed", style="red")
    elif (last := report["last_outage"]) is not None and now - last["until"] < timedelta(days=1):
        lasted = span(last["until"] - last["since"])
        out.line(
            f"network   our own outage of {lasted} ended {ago(last['until'], now)}; nobody was blamed", style="yellow"
        )
    for problem in report["configuration_refused"]:
        out.line(f"config    {problem}", style="red")
    if report["redis_evicts"]:
        out.line(f"redis     {report['redis_evicts']}", style="yellow")
    _print_incidents(out, report["incidents"], now)
    for outlet, evidence in report["drifting"].items():
        out.line(f"drifting  {outlet}: {evidence}", style="yellow")
    numbers, sources = report["numbers"], report["sources"]
    last = f"{numbers.articles_last_hour:,} in the last hour, {numbers.articles_last_day:,} in 24 hours"
    out.line(f"articles  {numbers.articles:,} stored; {last}")
    fates = (
        ", ".join(f"{count:,} {kind}" for kind, count in sorted(numbers.fates_last_day.items()) if count) or "none yet"
    )
    out.line(f"items     in 24 hours: {fates}")
    runs = (
        ", ".join(f"{count:,} {kind}" for kind, count in sorted(numbers.runs_last_day.items()) if count) or "none yet"
    )
    out.line(f"runs      in 24 hours: {runs}")
    out.line(
        f"sources   {sources['all']}: {_states(sources['states'])}; "
        f"{sources['never_polled']} never polled, {sources['overdue']} overdue"
    )
    if numbers.oldest_pending is not None:
        out.line(f"pending   oldest item waits since {ago(numbers.oldest_pending, now)}")
    for source, known in list(report["standing"].items())[:10]:
        out.line(f"note      {source}: {'; '.join(known)}")
    if report["worst"]:
        out.line()
        out.table(
            ("source", "state", "began", "next try", "why"),
            ((w["source"], w["state"], ago(w["since"], now), ago(w["next_attempt"], now), w["said"])
             for w in report["worst"]),
            empty="", grow="why",
        )  # fmt: skip
        if sources["troubled"] > len(report["worst"]):
            out.line(f"and {sources['troubled'] - len(report['worst'])} more: warta sources -state:ok,new,paused")


def _print_incidents(out: Output, incidents: list[dict[str, Any]], now: datetime) -> None:
    for incident in incidents[:5]:
        out.line(f"incident  {incident['title']}, began {ago(incident['began'], now)}", style="red")
    if len(incidents) > 5:
        out.line(f"          and {len(incidents) - 5} more: warta alerts list", style="red")


def _states(counted: dict[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in counted.items()) or "none"


def sources(
    words: Words = None,
    limit: LimitOption = 200,
    config: ConfigOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """List sources with their last success, last article, next attempt and trouble."""
    settings = settings_from(config, data, lenient=True)
    wanted = _filter(words, (*SOURCE_NAMES, "paused"))

    async def work(storage: Storage, out: Output) -> None:
        now = utc_now()
        drift = drifting(await storage.facts.all())
        states = [s for s in await storage.sources.all() if s.removed_at is None and wanted.matches(_source_record(s))][
            :limit
        ]
        if json:
            out.records({**_whole(s, settings, now), "drifting": drift.get(s.outlet_id)} for s in states)
            return
        out.table(
            ("source", "state", "last success", "last article", "next", "trouble"),
            (_source_row(s, settings, now, drift) for s in states),
            empty="no source fits; `warta run` plans them from the configuration", grow="trouble",
        )  # fmt: skip

    query(settings, work, json=json)


def _source_record(state: SourceState) -> dict[str, Any]:
    return {
        "state": state_of(state), "outlet": state.outlet_id, "source": state.id, "kind": state.kind,
        "reason": state.last_failure or "", "paused": str(state.paused).lower(), "url": state.url,
    }  # fmt: skip


def _whole(state: SourceState, settings: Settings, now: datetime) -> dict[str, Any]:
    """Every field of the state but the digests of its window, which say nothing to anybody."""
    fields = {name: value for name, value in asdict(state).items() if name != "window"}
    return {**fields, "standing": standing(state, settings.source(state.id), now)}


def _source_row(state: SourceState, settings: Settings, now: datetime, drift: dict[str, str]) -> tuple[object, ...]:
    success, new = ago(state.last_success, now), ago(state.last_new, now)
    return (state.id, state_of(state), success, new, _next(state, now), _trouble(state, settings, now, drift))


def _next(state: SourceState, now: datetime) -> str:
    if state.paused:
        return "paused"
    return "now" if state.next_attempt <= now else ago(state.next_attempt, now)


def _trouble(state: SourceState, settings: Settings, now: datetime, drift: dict[str, str]) -> str | None:
    known = standing(state, settings.source(state.id), now)
    if state.outlet_id in drift:
        known.insert(0, f"drifting: {drift[state.outlet_id]}")
    if state.failures > 0:
        known.insert(0, f"{state.last_failure}: {state.last_failure_message}")
    if state_of(state) in {HealthState.LATE, HealthState.SILENT} and state.health_said:
        known.insert(0, state.health_said)
    return "; ".join(known) or None


def runs(
    words: Words = None,
    limit: LimitOption = 30,
    config: ConfigOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """List runs, the newest first, with what each discovered and where it went."""
    settings = settings_from(config, data, lenient=True)
    wanted = _filter(words, NAMES)

    async def work(storage: Storage, out: Output) -> None:
        try:
            found, _ = await find_all(storage.database, wanted, limit=limit)
        except FilterError as error:
            fail(Exit.USAGE, str(error))
        if json:
            out.records(found)
            return
        out.table(
            RUN_COLUMNS, (run_row(r) for r in found), empty="no run fits", grow="message",
        )  # fmt: skip

    query(settings, work, json=json)


RUN_COLUMNS = ("time", "source", "status", "items", "message")


def run_row(run: CrawlRun) -> tuple[object, ...]:
    """The values of RUN_COLUMNS."""
    took = "" if run.duration is None else f"{short_span(run.duration)} "
    why = f"{run.reason}: {run.message}" if run.message else run.reason or ""
    if run.evidence and not run.evidence.get("title") and run.evidence.get("start"):
        why += f" [served: {run.evidence['start'][:60]}]"
    return (
        short_local(run.started_at or run.scheduled_for, utc_now()),
        run.source_id,
        str(run.status),
        _items(run),
        took + why,
    )


def _items(run: CrawlRun) -> str:
    """``25: 3 new, 1 revised``; what was known already needs no word."""
    counts = run.counts
    words = (
        (counts.stored, "new"), (counts.revised, "revised"), (counts.duplicate, "copies"), (counts.failed, "failed"),
        (counts.filtered, "filtered"), (counts.pending, "waiting"),
    )  # fmt: skip
    parts = ", ".join(f"{count} {word}" for count, word in words if count)
    return f"{counts.discovered}: {parts}" if parts else str(counts.discovered or "")


def _filter(words: list[str] | None, names: tuple[str, ...]) -> Filter:
    try:
        return parse(words or (), names=names, now=utc_now())
    except FilterError as error:
        fail(Exit.USAGE, str(error))
