"""`warta top`: sources, runs and the log on a terminal, live, from storage alone; 80 columns are enough.

Titles, addresses and messages come from outside: they are shown as :class:`rich.text.Text`, never read as markup, and
without the characters that a terminal obeys.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from rich.text import Text
from textual import work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.coordinate import Coordinate
from textual.screen import ModalScreen
from textual.widgets import DataTable, Footer, Input, RichLog, Static, TabbedContent, TabPane

from monitor import logs as log_files
from monitor.filters import Filter, FilterError, parse
from monitor.runs import NAMES as RUN_NAMES
from monitor.runs import find
from monitor.top import lines
from monitor.web.figures import SOURCE_NAMES, SourceWish, now_line, source_page
from storage.errors import StorageUnavailable
from storage.storage import Storage

#: Seconds between looks at the database.
LOOK = 2.0
#: Rows of a table; a filter finds the others.
ROWS = 200

_TABS = ("sources", "runs", "log")
_NAMES = {"sources": SOURCE_NAMES, "runs": RUN_NAMES, "log": log_files.FIELDS}


class Detail(ModalScreen[None]):
    """One source or one run, as text."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace,q", "app.pop_screen", "Back"),
        Binding("down,j", "scroll(1)", "Down", show=False),
        Binding("up,k", "scroll(-1)", "Up", show=False),
    ]

    def __init__(self, text: Text) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        """The text, and what can be done."""
        with VerticalScroll():
            yield Static(self._text, id="text", markup=False)
        yield Footer()

    def action_scroll(self, by: int) -> None:
        """A line up or down."""
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)


class Top(App[None]):
    """The screen. Knows storage and the log; what it changes it writes through storage."""

    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #now { height: 2; padding: 0 1; }
    TabbedContent, ContentSwitcher { height: 1fr; }
    Detail { background: $background; }
    Detail #text { padding: 0 1; }
    #filter { display: none; height: 1; border: none; padding: 0 1; }
    #filter.open { display: block; }
    TabPane { padding: 0; }
    DataTable { height: 1fr; overflow-x: hidden; scrollbar-size-vertical: 1; }
    RichLog { height: 1fr; scrollbar-size-vertical: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "show('sources')", "Sources"),
        Binding("2", "show('runs')", "Runs"),
        Binding("3", "show('log')", "Log"),
        Binding("slash", "filter", "Filter"),
        Binding("p", "change('pause')", "Pause"),
        Binding("r", "change('resume')", "Resume"),
        Binding("n", "change('poll')", "Poll now"),
        Binding("u", "runs_of", "Its runs", show=False),
        Binding("l", "log_of", "Its log", show=False),
        Binding("escape", "close_filter", "Close", show=False),
        Binding("q", "quit", "Quit"),
    ]

    def __init__(
        self,
        storage: Storage,
        log: Path,
        now: Callable[[], datetime],
        describe: Callable[[str], Any] | None = None,
        *,
        read_only: bool = False,
    ) -> None:
        """`describe` gives what the configuration says of a source, by id (:class:`config.model.Source`)."""
        super().__init__()
        self._storage = storage
        self._log_path = log
        self._clock = now
        self._describe = describe or (lambda _id: None)
        self._read_only = read_only
        self._words = dict.fromkeys(_TABS, "")
        self._follower: threading.Event | None = None

    def compose(self) -> ComposeResult:
        """Two lines of numbers, three tables, a filter."""
        yield Static(id="now", markup=False)
        with TabbedContent(initial="sources", id="tabs"):
            with TabPane("Sources", id="sources"):
                yield DataTable(id="sources-table", cursor_type="row", zebra_stripes=True)
            with TabPane("Runs", id="runs"):
                yield DataTable(id="runs-table", cursor_type="row", zebra_stripes=True)
            with TabPane("Log", id="log"):
                yield RichLog(id="log-lines", max_lines=2_000, wrap=True, markup=False, highlight=False)
        yield Input(id="filter", placeholder='outlet:kontan state:failing "text"', max_length=500)
        yield Footer()

    async def on_mount(self) -> None:
        """Set up the tables and look for the first time."""
        for name, columns in (("sources", lines.SOURCE_COLUMNS), ("runs", lines.RUN_COLUMNS)):
            table = self._table(name)
            for title, width in columns:
                table.add_column(title, width=width)
        self._table("sources").focus()
        await self._look()
        self.set_interval(LOOK, self._look)
        self._follow()

    def on_unmount(self) -> None:
        """Let the follower of the log go."""
        if self._follower is not None:
            self._follower.set()

    @property
    def shown(self) -> str:
        """The tab in front: sources, runs or log."""
        return self.query_one("#tabs", TabbedContent).active

    def _table(self, name: str) -> DataTable[Text]:
        return self.screen_stack[0].query_one(f"#{name}-table", DataTable)

    # -- looking ------------------------------------------------------------------------------

    async def _look(self) -> None:
        """Read everything that is shown anew."""
        now = self._clock()
        try:
            line = await now_line(self._storage, now)
            await self._show_sources(now)
            await self._show_runs(now)
        except StorageUnavailable as error:
            self._say(Text(f"the database does not answer: {error}", style="red"))
            return
        except FilterError as error:
            self._say(Text(str(error), style="red"))
            return
        self._say(lines.headline(line, self._words[self.shown]))

    def _say(self, text: Text) -> None:
        self.screen_stack[0].query_one("#now", Static).update(text)

    async def _show_sources(self, now: datetime) -> None:
        wanted = self._wanted("sources", now)
        found, total = await source_page(self._storage.database, SourceWish.of(wanted), offset=0, limit=ROWS)
        self._fill("sources", [(state.id, lines.source_row(state, now)) for state in found])
        self._table("sources").tooltip = f"{len(found)} of {total}"

    async def _show_runs(self, now: datetime) -> None:
        found, _ = await find(self._storage.database, self._wanted("runs", now), limit=ROWS)
        self._fill("runs", [(run.id, lines.run_row(run, now)) for run in found])

    def _wanted(self, name: str, now: datetime) -> Filter:
        return parse(self._words[name], names=_NAMES[name], now=now)

    def _fill(self, name: str, rows: list[tuple[str, tuple[Text, ...]]]) -> None:
        """Put rows into a table; what was chosen stays chosen wherever it went."""
        table = self._table(name)
        keys = [key for key, _ in rows]
        if [row.value for row in table.rows] == keys:
            for number, (_, cells) in enumerate(rows):
                for column, cell in enumerate(cells):
                    if table.get_cell_at(Coordinate(number, column)) != cell:
                        table.update_cell_at(Coordinate(number, column), cell)
            return
        chosen = self._chosen(name)
        table.clear()
        for key, cells in rows:
            table.add_row(*cells, key=key)
        if chosen in keys:
            table.move_cursor(row=keys.index(chosen), animate=False)

    def _chosen(self, name: str) -> str | None:
        table = self._table(name)
        if not table.is_valid_coordinate(table.cursor_coordinate):
            return None
        return table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value

    # -- the log ------------------------------------------------------------------------------

    def _follow(self) -> None:
        """Show the newest lines that fit, then those that come."""
        if self._follower is not None:
            self._follower.set()
        stop = self._follower = threading.Event()
        shown = self.screen_stack[0].query_one("#log-lines", RichLog)
        shown.clear()
        wanted = self._wanted("log", self._clock())

        def write(record: log_files.Record) -> None:
            if not stop.is_set():
                shown.write(lines.log_line(record))

        def pause() -> None:
            stop.wait(0.25)

        def read() -> None:
            for record in log_files.search(self._log_path, wanted, limit=ROWS, patience=2.0).records:
                self.call_from_thread(write, record)
            for record in log_files.follow(self._log_path, wanted, stop=stop.is_set, pause=pause):
                if stop.is_set():
                    return
                self.call_from_thread(write, record)

        threading.Thread(target=_until_closed, args=(read,), name="warta-top-log", daemon=True).start()

    # -- keys ---------------------------------------------------------------------------------

    async def action_show(self, name: str) -> None:
        """Bring a tab to the front."""
        self.query_one("#tabs", TabbedContent).active = name
        self.query_one(f"#{name}-table" if name != "log" else "#log-lines").focus()
        await self._look()

    def action_filter(self) -> None:
        """Ask for filter words of the tab in front."""
        asked = self.query_one("#filter", Input)
        asked.value = self._words[self.shown]
        asked.add_class("open")
        asked.focus()

    async def action_close_filter(self) -> None:
        """Leave the filter as it is."""
        self.query_one("#filter", Input).remove_class("open")
        await self.action_show(self.shown)

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the filter, unless it cannot be read."""
        await self._filter_by(self.shown, event.value)

    async def _filter_by(self, name: str, words: str) -> None:
        try:
            parse(words, names=_NAMES[name], now=self._clock())
        except FilterError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        self._words[name] = words
        self.query_one("#filter", Input).remove_class("open")
        await self.action_show(name)
        if name == "log":
            self._follow()

    async def action_change(self, action: str) -> None:
        """Pause, resume or poll the chosen source, through storage."""
        source = self._chosen("sources")
        if self.shown != "sources" or source is None:
            self.notify("choose a source first (key 1)", severity="warning")
            return
        if self._read_only:
            self.notify("this monitor is read-only (monitor.read_only)", severity="warning")
            return
        sources, now = self._storage.sources, self._clock()
        if action == "pause":
            done = await sources.pause([source])
        elif action == "resume":
            done = await sources.resume([source])
        else:
            done = await sources.request_run([source], now)
        word = {"pause": "paused", "resume": "resumed", "poll": "asked to be polled"}[action]
        self.notify(f"{source} {word}" if done else f"{source}: nothing to do", markup=False)
        await self._look()

    async def action_runs_of(self) -> None:
        """The runs of the chosen source."""
        if (source := self._chosen("sources")) is not None:
            await self._filter_by("runs", f"source:{source}")

    async def action_log_of(self) -> None:
        """The log of the chosen source, or of the chosen run."""
        name = "run" if self.shown == "runs" else "source"
        if (chosen := self._chosen("runs" if name == "run" else "sources")) is not None:
            await self._filter_by("log", f"{name}:{chosen}")

    @work(exclusive=True)
    async def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Look closer at what was chosen."""
        chosen = event.row_key.value
        if chosen is None:
            return
        if event.data_table.id == "runs-table":
            text = await self._run(chosen)
        else:
            text = await self._source(chosen)
        await self.push_screen(Detail(text))

    async def _source(self, source_id: str) -> Text:
        storage, now = self._storage, self._clock()
        state = await storage.sources.get(source_id)
        if state is None:
            return Text(f"{source_id} is gone")
        return lines.source_text(
            state,
            now,
            declared=self._describe(source_id),
            remembered=await storage.rhythms.get(source_id),
            runs=await storage.runs.list(source_id=source_id, limit=15),
            fates=await storage.fates.search(source_id=source_id, limit=15),
        )

    async def _run(self, run_id: str) -> Text:
        run = await self._storage.runs.get(run_id)
        if run is None:
            return Text(f"there is no run {run_id} any more")
        wanted = Filter(fields={"run": (run_id,)}, since=run.started_at or run.scheduled_for)
        records = await asyncio.to_thread(log_files.read, self._log_path, wanted, limit=50)
        return lines.run_text(run, await self._storage.fates.search(run_id=run_id, limit=50), records, self._clock())


def _until_closed(read: Callable[[], None]) -> None:
    """The screen may be closed while a line is on its way to it."""
    try:
        read()
    except RuntimeError:
        return
