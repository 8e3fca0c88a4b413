"""`warta demo`: the real daemon against a fictional press on loopback, shown while it happens."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from textwrap import shorten
from typing import Annotated, Any

import typer
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from config.load import load
from config.model import Settings
from newsroom import outlets as press_outlets
from newsroom import script
from newsroom.serve import Running, running
from scheduler.cli.context import JsonOption, finish, utc_now
from scheduler.cli.output import STYLES, Output, command, safe
from scheduler.daemon import Daemon
from scheduler.logs import configure
from scheduler.places import database_url, log_file
from scheduler.rooms import Rooms
from storage.articles import ArticleFilter
from storage.events import Event, EventFilter
from storage.model import RunStatus
from storage.storage import Storage

#: How the demo follows one outlet's articles: what takes days otherwise is seen within a minute.
FOLLOWED = {
    script.FOLLOWED: {
        "schedule": {"every": "25s"},
        "revisions": {"visits": ["6s", "14s", "22s", "35s"], "retract_after": "6s"},
    }
}

#: What may happen to a stored article; the closing words name one of each.
CHANGES = ("revised", "corrected", "moved", "retracted")

#: Events that are shown as they come.
SHOWN = ("copy", *CHANGES)

#: Lines of each part of the screen.
ARTICLES, EVENTS, TROUBLES = 8, 5, 4


@dataclass(slots=True)
class Scene:
    """What the screen shows."""

    began: datetime
    seconds: float
    #: When the daemon was there: from then the seconds count.
    opened: datetime | None = None
    #: Where the monitor is served; None: nowhere.
    pages: str | None = None
    cues: deque[str] = field(default_factory=lambda: deque(maxlen=1))
    counts: dict[str, int] = field(default_factory=dict)
    articles: list[tuple[str, str, str]] = field(default_factory=list)
    events: deque[tuple[str, str, str]] = field(default_factory=lambda: deque(maxlen=EVENTS))
    #: Place in the outbox up to which events were shown.
    reached: int = 0
    troubles: list[tuple[str, str]] = field(default_factory=list)

    @property
    def left(self) -> float | None:
        """Seconds that are left; None: no end."""
        if not self.seconds:
            return None
        return max(0.0, self.seconds - (utc_now() - (self.opened or self.began)).total_seconds())


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(rich_help_panel="Daemon")(demo)


def demo(
    seconds: Annotated[float, typer.Option(help="How long it runs; 0 means until Ctrl-C.", min=0)] = 60,
    data: Annotated[
        Path | None, typer.Option("--data", help="Directory for its configuration and data.", show_default="a new one")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Run the whole thing without internet: a fictional press publishes, the daemon keeps up, you watch."""
    directory = (data or Path(tempfile.mkdtemp(prefix="warta-demo-"))).absolute()
    newsroom = script.demo_newsroom()
    with running(newsroom) as press:
        press_outlets.write_config(directory, press.port, extra=FOLLOWED)
        settings = _settings(directory)
        configure(path=log_file(settings), level="debug", console=None)
        scene = Scene(began=utc_now(), seconds=seconds)
        show = script.Show(newsroom, lambda cue: scene.cues.append(cue.says))
        try:
            finish(_play(settings, scene, press, show, json=json))
        finally:
            show.stop()
    closing = finish(_closing(settings))
    if json:
        Output(json=True).record(closing)
    else:
        _farewell(closing, directory)


def _settings(directory: Path) -> Settings:
    return load(directory / "warta.yaml", {})


async def _play(settings: Settings, scene: Scene, press: Running, show: script.Show, *, json: bool) -> None:
    opened: asyncio.Future[Rooms] = asyncio.get_running_loop().create_future()
    daemon = Daemon(settings.path, settings, ready=opened.set_result)
    work = asyncio.create_task(daemon.run())
    both: set[asyncio.Future[Any]] = {work, opened}
    await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    if work.done():
        await work  # it could not start: its error says why
    rooms = opened.result()
    scene.opened = utc_now()
    show.start()
    scene.pages = rooms.pages
    if rooms.pages:
        print(f"monitor at {rooms.pages}", file=sys.stderr, flush=True)
    quiet = json or not sys.stdout.isatty()
    with (
        Live(console=Output(json=json).console, auto_refresh=False, transient=False)
        if not quiet
        else _Plain(silent=json) as screen
    ):
        while not work.done():
            await _look(rooms.storage, scene)
            screen.update(_screen(scene, press), refresh=True)
            if scene.left == 0:
                break
            await asyncio.wait({work}, timeout=0.5)
    daemon.stop()
    await work


class _Plain:
    """In place of a live screen where there is no terminal: one line every five seconds."""

    def __init__(self, *, silent: bool) -> None:
        self._silent = silent
        self._last: datetime | None = None

    def __enter__(self) -> _Plain:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def update(self, screen: Group, *, refresh: bool) -> None:
        """Print the counts now and then."""
        del refresh
        now = utc_now()
        if self._silent or (self._last is not None and (now - self._last).total_seconds() < 5):
            return
        self._last = now
        first = screen.renderables[0]
        print(first.plain if isinstance(first, Text) else "", flush=True)


async def _look(storage: Storage, scene: Scene) -> None:
    """Read what is shown; from the database, as any other reader would."""
    day = await storage.runs.summary(scene.began)
    counts = day.counts
    scene.counts = {
        "stored": counts.stored,
        "revised": counts.revised,
        "duplicate": counts.duplicate,
        "failed": counts.failed,
        "pending": counts.pending,
        "known": counts.known,
        "runs": sum(day.by_status.values()),
        "failed runs": day.by_status.get(RunStatus.FAILED, 0),
    }
    newest = (await storage.articles.list(ArticleFilter(since=scene.began), limit=ARTICLES)).articles
    scene.articles = [(a.article.outlet_id, (a.article.places or ("",))[0].title(), a.article.title) for a in newest]
    page = await storage.events.after(scene.reached, 500, EventFilter(events=SHOWN))
    scene.reached = page.reached
    scene.events.extendleft((e.event, (e.record or {}).get("title", ""), _why(e)) for e in page.events)
    states = await storage.sources.all()
    scene.troubles = [
        (s.id, f"{s.last_failure}: {s.last_failure_message}") for s in states if s.failures > 0 and s.removed_at is None
    ][:TROUBLES]


def _why(event: Event) -> str:
    """What an event says beyond its name, in a few words."""
    detail = event.detail or {}
    if event.event == "copy":
        return f"of {(event.record or {}).get('copy_of')}"
    if event.event == "moved":
        return f"to {detail.get('to')}"
    if event.event == "retracted":
        return f"{detail.get('how')}, {detail.get('looks')} looks"
    weight = "" if event.materiality is None else f"materiality {event.materiality:.2f}"
    return f"{detail['notice']} ({weight})" if "notice" in detail else weight


def _screen(scene: Scene, press: Running) -> Group:
    left = f", {scene.left:.0f}s left" if scene.left is not None else ""
    numbers = "  ".join(f"{name} {count}" for name, count in scene.counts.items() if name != "known")
    parts: list[Any] = [
        Text(f"warta demo  {numbers}{left}", style="bold"),
        *([Text(f"monitor at {scene.pages}", style="bold cyan")] if scene.pages else []),
        Text(
            f"press at {press.base}; the newest there: {scene.cues[-1] if scene.cues else 'morning conference'}",
            style="dim",
        ),
        Text(""),
        _table(("outlet", "place", "newest articles"), scene.articles),
    ]
    if scene.events:
        parts += [Text(""), _table(("event", "story", "why"), list(scene.events))]
    if scene.troubles:
        parts += [Text(""), _table(("source", "trouble"), scene.troubles)]
    return Group(*parts)


def _table(columns: tuple[str, ...], rows: list[Any]) -> Table:
    table = Table(box=None, pad_edge=False, expand=True, header_style="bold")
    for position, name in enumerate(columns):
        last = position == len(columns) - 1
        table.add_column(name, no_wrap=True, overflow="ellipsis", ratio=1 if last or name == "story" else None)
    for row in rows:
        table.add_row(*(Text(safe(cell), style=STYLES.get(safe(cell), "")) for cell in row))
    return table


async def _closing(settings: Settings) -> dict[str, Any]:
    """The sums at the end, and whether the ledger adds up."""
    storage = await Storage.open(database_url(settings), now=utc_now)
    try:
        runs = await storage.runs.summary(datetime.min.replace(tzinfo=utc_now().tzinfo, year=1970))
        report = await storage.audit.run()
        counts = runs.counts
        events = [e async for e in storage.events.iterate(EventFilter(backfilled=True))]
        return {
            "stored": counts.stored,
            "revised": counts.revised,
            "duplicate": counts.duplicate,
            "failed": counts.failed,
            "unchanged": counts.unchanged,
            "filtered": counts.filtered,
            "pending": counts.pending,
            "discovered": counts.discovered,
            "runs": {str(k): v for k, v in runs.by_status.items()},
            "articles": await storage.articles.count(),
            "events": dict(Counter(e.event for e in events)),
            "examples": _examples(events),
            "ledger_adds_up": counts.adds_up and not report.findings,
            "findings": [str(f) for f in report.findings],
            "data": str(settings.data_dir),
            "config": str(settings.path),
        }
    finally:
        await storage.close()


def _examples(events: list[Event]) -> dict[str, dict[str, str]]:
    """Of each change the first that came: its story, and the words behind ``warta`` that show it."""
    found: dict[str, dict[str, str]] = {}
    for event in events:
        if event.event not in CHANGES or event.event in found or event.record is None:
            continue
        detail = event.detail or {}
        words = {
            "moved": f"explain {detail.get('from')}",
            "retracted": f"explain {event.record['url']}",
        }.get(event.event, f"show {event.article_id} --diff")
        title = shorten(str(event.record["title"]), 70, placeholder=" …")
        found[event.event] = {"title": title, "why": shorten(_why(event), 60, placeholder=" …"), "words": words}
    return found


def _farewell(closing: dict[str, Any], directory: Path) -> None:
    out = Output(json=False)
    out.line()
    told = closing["events"]
    out.line(
        f"{closing['stored']} articles stored, {closing['duplicate']} linked as copies, {closing['failed']} failed; "
        + ", ".join(f"{told.get(name, 0)} {name}" for name in CHANGES)
        + f"; the ledger {'adds up' if closing['ledger_adds_up'] else 'DOES NOT ADD UP'}."
    )
    for finding in closing["findings"]:
        out.line(finding, style="red")
    warta = command()
    out.line("What became of stories after they were stored:")
    for name in CHANGES:
        if (example := closing["examples"].get(name)) is None:
            out.line(f"  {name:10}none yet: this machine was busy; --seconds 120 gives it time", style="yellow")
            continue
        out.line(f"  {name:10}{safe(example['title'])} ({safe(example['why'])})")
        out.line(f"            {warta} {safe(example['words'])} --config {directory}")
    out.line("Try next:")
    for words in ("articles", "articles rupiah", "runs status:failed", "sources", "logs level:warning", "audit"):
        out.line(f"  {warta} {words} --config {directory}")
    out.line(f"  {warta} run   the same with the real outlets that are shipped")
