"""What `warta top` writes: rows, the headline, and the texts of one source or run. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.text import Text

from config.model import Source
from monitor.logs import Record
from monitor.web.figures import Now, sentence, state_of
from monitor.web.show import count, plain, span
from storage.explanation import explanation
from storage.model import CrawlRun, Fate, SourceState
from storage.rhythms import Remembered

#: Title and width; what is left of 80 columns belongs to the last.
SOURCE_COLUMNS = (("source", 22), ("state", 8), ("ok", 6), ("new", 6), ("next", 6), ("why", None))
RUN_COLUMNS = (("when", 6), ("source", 22), ("status", 12), ("took", 6), ("items", 16), ("why", None))

_STYLES = {
    "ok": "green", "not_modified": "dim", "running": "blue", "new": "blue", "paused": "dim", "late": "yellow",
    "silent": "yellow", "empty": "yellow", "drifting": "yellow", "skipped": "yellow", "missed": "yellow",
    "interrupted": "yellow", "failing": "red", "blocked": "red", "gone": "red", "failed": "red", "warning": "yellow",
    "error": "red", "critical": "red", "stored": "green", "revised": "blue", "pending": "yellow",
}  # fmt: skip
_BORING = {"time", "level", "event", "logger", "outlet", "run", "source", "exception"}


def said(text: object, style: str = "") -> Text:
    """Text from outside, on one line."""
    return Text(plain(text).replace("\n", " "), style=style, no_wrap=True, overflow="ellipsis")


def marked(word: object) -> Text:
    """A state, status or fate in its colour."""
    return said(word, _STYLES.get(str(word), ""))


def since(moment: datetime | None, now: datetime) -> Text:
    """``5 m``: how long ago, or in how long."""
    return Text("–" if moment is None else span(abs((now - moment).total_seconds())), style="dim")


def headline(line: Now, words: str) -> Text:
    """The numbers of this moment, in two lines."""
    usual = f" (usual {count(line.usual_hour)})" if line.usual_hour is not None else ""
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"articles {count(line.articles_hour)} in an hour{usual}, {count(line.articles_day)} in a day", "bold")
    text.append(f"  fresh {span(line.fresh_p50)}, 95 % {span(line.fresh_p95)}  waiting {count(line.pending)}\n")
    for name, number in line.states.items():
        if number:
            text.append(f"{name} {count(number)}  ", _STYLES.get(name, ""))
    if words:
        text.append("filter ", "dim").append(plain(words), "reverse")
    return text


def source_row(state: SourceState, now: datetime) -> tuple[Text, ...]:
    """The cells of SOURCE_COLUMNS."""
    name = state_of(state)
    ahead = Text("asked" if state.requested_at else "–") if state.requested_at or state.paused else None
    return (
        said(state.id), marked(name), since(state.last_success, now), since(state.last_new, now),
        ahead or since(state.next_attempt, now), said(sentence(state)),
    )  # fmt: skip


def run_row(run: CrawlRun, now: datetime) -> tuple[Text, ...]:
    """The cells of RUN_COLUMNS."""
    return (
        since(run.started_at or run.scheduled_for, now), said(run.source_id), marked(run.status), _took(run),
        said(items(run)), said(reason(run)),
    )  # fmt: skip


def items(run: CrawlRun) -> str:
    """``25: 3 stored``; what was known needs no word."""
    counts = run.counts
    words = [
        f"{number} {name}"
        for name in ("stored", "revised", "duplicate", "failed", "filtered", "pending")
        if (number := getattr(counts, name))
    ]
    return f"{counts.discovered}: {', '.join(words)}" if words else str(counts.discovered or "")


def reason(run: CrawlRun) -> str:
    """Why it ended as it did."""
    return f"{run.reason}: {run.message}" if run.reason and run.message else run.reason or run.message or ""


def _took(run: CrawlRun) -> Text:
    return Text("–" if run.duration is None else f"{run.duration:.1f} s", style="dim", justify="right")


def log_line(record: Record) -> Text:
    """``08:15:02 warning run finished kontan/nasional reason=dns …``."""
    level = str(record.get("level", ""))
    text = Text().append(plain(str(record.get("time", ""))[11:19]) + " ", "dim")
    text.append(f"{plain(level)[:7]:7} ", _STYLES.get(level, "dim"))
    text.append(plain(record.get("event", "")), "bold" if level in {"warning", "error"} else "")
    where = record.get("source") or record.get("outlet")
    if where:
        text.append(f" {plain(where)}", "cyan")
    for name, value in record.items():
        if name not in _BORING and value not in (None, ""):
            text.append(f" {plain(name)}=", "dim").append(plain(value).replace("\n", " ")[:300])
    return text


def source_text(
    state: SourceState,
    now: datetime,
    *,
    declared: Source | None,
    remembered: Remembered | None,
    runs: Sequence[CrawlRun],
    fates: Sequence[Fate],
) -> Text:
    """Everything of one source that fits a screen or two."""
    name = state_of(state)
    text = Text().append(plain(state.id), "bold").append("  ").append_text(marked(name)).append("\n")
    if why := sentence(state):
        text.append(f"{plain(why)}\n", "yellow")
    text.append(f"{state.kind} {plain(state.adopted_url or state.url)}\n", "dim")
    text.append("last success ").append_text(since(state.last_success, now)).append(" ago, last article ")
    text.append_text(since(state.last_new, now)).append(" ago\n")
    told = explanation(declared, state, remembered, now)
    text.append("\nnext ", "bold").append(f"{told['next_attempt']:%F %T} UTC\n")
    for term in told["terms"]:
        text.append(f"  {term['name']:12} ", "dim").append(f"{plain(term['text'])}\n")
    text.append("\nruns\n", "bold")
    for run in runs:
        cells = run_row(run, now)
        text.append("  ").append(f"{cells[0].plain:>6} ago  ").append_text(cells[2])
        text.append(f"  {cells[4].plain}  {cells[5].plain}\n")
    text.append("\nitems\n", "bold")
    return text.append_text(_fates(fates, now))


def run_text(run: CrawlRun, fates: Sequence[Fate], records: Sequence[Record], now: datetime) -> Text:
    """A run with its items and its log."""
    text = Text().append(f"run of {plain(run.source_id)}", "bold").append("  ").append_text(marked(run.status))
    text.append(f"\n{plain(run.id)}\n", "dim")
    if why := reason(run):
        text.append(f"{plain(why)}\n", "yellow")
    text.append(f"began {run.started_at or run.scheduled_for:%F %T} UTC, took ").append_text(_took(run))
    text.append(f", HTTP {run.http_status or '–'}, {run.bytes or 0} bytes, because of {run.trigger}\n")
    text.append(f"items {items(run) or 'none'}\n")
    text.append("\nitems\n", "bold").append_text(_fates(fates, now))
    text.append("\nlog\n", "bold")
    for record in records:
        text.append("  ").append_text(log_line(record)).append("\n")
    return text


def _fates(fates: Sequence[Fate], now: datetime) -> Text:
    text = Text()
    for fate in fates:
        text.append(f"  {since(fate.discovered_at, now).plain:>6} ago  ").append_text(marked(f"{fate.kind}"))
        text.append(f"  {plain(fate.title or fate.url)}")
        why = ": ".join(part for part in (fate.rule, fate.detail) if part)
        text.append(f"  {plain(why)}\n" if why else "\n", "dim")
    return text if fates else Text("  none\n", style="dim")
