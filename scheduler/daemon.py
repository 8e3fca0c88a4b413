"""The daemon: startup, the time in between, and shutdown; the place where everything is wired."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

import sdnotify
import structlog

from config.collection import keep
from config.errors import ConfigError
from config.load import Watched, load
from config.model import Settings
from monitor import judge
from monitor.api.app import create_api
from monitor.api.serve import ApiServer, CannotListen
from monitor.judge import HealthWatch
from scheduler import holder, monitoring, redis_watch, retention
from scheduler.alerting import office as alerting
from scheduler.alerting import stores
from scheduler.alerting.office import AlertOffice
from scheduler.alerting.stores import StoreWatch
from scheduler.clockwork import ClockJump, Clockwork
from scheduler.delivery.office import DeliveryOffice
from scheduler.dispatch import Dispatcher
from scheduler.holder import is_dead
from scheduler.leader import Leader
from scheduler.lock import DataLock
from scheduler.logs import Mask
from scheduler.places import alive_file, log_file
from scheduler.plan import active_sources, apply, diff
from scheduler.pricing import reprice
from scheduler.queue import CrawlQueue
from scheduler.rooms import Rooms
from scheduler.websub.callback import Callbacks
from scheduler.websub.client import HubClient
from scheduler.websub.office import SubscriptionOffice
from scheduler.worker import Worker
from storage.errors import StorageCorrupt
from storage.model import RunStatus
from storage.outages import LIVE
from storage.robots import RobotsShelf

log = structlog.get_logger(__name__)

#: Without a tick of the dispatcher for this long, systemd's watchdog is no longer fed.
STALLED_SECONDS = 60.0


#: Name of the fact that a reload was refused.
REFUSED = "configuration refused"

#: Signals closer together than this are one.
SAME_SIGNAL_SECONDS = 0.5

#: Share of a core's time that looking for changes of the configuration may take: thousands of files wait longer.
LOOKING = 0.02

#: Settings that the parts take when they are made.
NEEDS_RESTART = (
    "data_dir", "redis", "database", "parse_processes", "worker_concurrency", "reactor",
    "limits", "allow_networks", "resolve", "seen_ttl", "dedupe", "log_level", "api", "websub", "monitor",
)  # fmt: skip


def _looked(watched: Watched) -> tuple[str, float]:
    """The fingerprint of the files, and the CPU seconds that it took."""
    began = time.thread_time()
    return watched.fingerprint(), time.thread_time() - began


class Role(StrEnum):
    """What this process does."""

    RUN = "run"  # everything
    SCHEDULER = "scheduler"
    WORKER = "worker"

    @property
    def schedules(self) -> bool:
        """Whether it decides what is due."""
        return self is not Role.WORKER

    @property
    def works(self) -> bool:
        """Whether it crawls."""
        return self is not Role.SCHEDULER


class Daemon:
    """One process of warta, from start to exit code."""

    def __init__(
        self,
        path: Path,
        settings: Settings,
        *,
        role: Role = Role.RUN,
        data_dir: Path | None = None,
        environ: Mapping[str, str] = os.environ,
        mask: Mask | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        ready: Callable[[Rooms], None] | None = None,
    ) -> None:
        self._path = path
        self._settings = settings
        self._role = role
        #: Given on the command line; wins over every configuration loaded later.
        self._data_dir = data_dir
        self._environ = environ
        self._mask = mask or Mask()
        self._now = now
        self._ready = ready
        self._name = holder.name()
        self._stop = asyncio.Event()
        self._asked_to_stop = 0.0
        self._reload = asyncio.Event()
        self._notify = sdnotify.SystemdNotifier()
        #: Why the last reload was refused; None while the running configuration is the one on disk.
        self._refused: str | None = None
        self._watched = Watched(path)
        #: On the monotonic clock: when the files are looked at again.
        self._look_again = 0.0

    @property
    def settings(self) -> Settings:
        """The configuration in force."""
        return self._settings

    def stop(self) -> None:
        """Ask for an orderly end."""
        self._stop.set()

    async def run(self) -> int:
        """Live; returns the exit code. Raises AlreadyRunning, StorageUnavailable and the like at startup only."""
        with contextlib.ExitStack() as stack:
            if self._role is Role.RUN:
                stack.enter_context(DataLock(self._settings.data_dir))
            self._signals()
            async with Rooms.open(self._settings, name=self._name, now=self._now) as rooms:
                await self._live(rooms)
        log.info("stopped")
        return 0

    async def _live(self, rooms: Rooms) -> None:
        queue = CrawlQueue(rooms.redis_url, holder=self._name, is_dead=is_dead)
        clockwork = Clockwork()
        worker = await self._start_worker(rooms, queue) if self._role.works else None
        if self._role.schedules:
            await self._start_scheduler(rooms, queue, clockwork)
        api = self._start_api(rooms)
        callbacks = self._start_websub(rooms, clockwork)
        clockwork.every(10, "watchdog", self._feed_watchdog)
        clockwork.every(2, "reload", lambda: self._reload_if_changed(rooms))
        clockwork.start()
        keep()
        self._notify.notify(f"READY=1\nSTATUS=polling {len(active_sources(self._settings.outlets))} sources")
        log.info("started", role=str(self._role), pid=os.getpid(), data=str(self._settings.data_dir))
        try:
            async with monitoring.inside(rooms, lambda: self._settings, serve=self._role is Role.RUN) as rooms.pages:
                if self._ready is not None:
                    self._ready(rooms)
                await self._stop.wait()
        finally:
            self._notify.notify("STOPPING=1")
            await clockwork.stop()
            if api is not None:
                await self._stop_server(self._api, api)
            if callbacks is not None:
                await self._stop_server(self._callbacks, callbacks)
            if self._role.schedules:
                await self._office.stop()
                await self._hubs.close()
                with contextlib.suppress(Exception):
                    await self._leader.resign()
            if worker is not None:
                await self._stop_worker(worker)
            queue.close()

    # -- api ----------------------------------------------------------------------------------

    def _start_api(self, rooms: Rooms) -> asyncio.Task[None] | None:
        """Serve the API when it is asked for; a taken port is a complaint, not the end of the crawl."""
        api = self._settings.api
        if api is None or not self._role.schedules:
            return None
        try:
            self._api = ApiServer(create_api(rooms.storage, api, log_file(self._settings)), api)
        except CannotListen as error:
            log.error("api not served", reason=str(error))
            return None
        log.info("api served", address=self._api.address)
        return asyncio.create_task(self._api.serve(), name="api")

    def _start_websub(self, rooms: Rooms, clockwork: Clockwork) -> asyncio.Task[None] | None:
        """Look after subscriptions at hubs, and serve the address at which hubs reach us."""
        if not self._role.schedules:
            return None
        settings, websub, serving = self._settings, self._settings.websub, None
        client = HubClient(settings, now=self._now)
        self._hubs = SubscriptionOffice(rooms.storage, lambda: self._settings, client, websub, now=self._now)
        if websub is not None:
            callbacks = Callbacks(
                rooms.storage, lease=websub.lease, most_bytes=settings.limits.feed_bytes, lost=self._hubs.lost,
                now=self._now,
            )  # fmt: skip
            try:
                self._callbacks = ApiServer(callbacks.app(), websub, name="websub", key="websub.listen")
                serving = asyncio.create_task(self._callbacks.serve(), name="websub")
                log.info("hubs awaited", address=self._callbacks.address, callback=websub.callback)
            except CannotListen as error:
                log.error("hubs not awaited", reason=str(error))
        clockwork.every(2, "hubs", self._attend_hubs)
        return serving

    async def _attend_hubs(self) -> None:
        if self._leader.leads:
            await self._hubs.tick()

    async def _stop_server(self, server: ApiServer, serving: asyncio.Task[None]) -> None:
        server.stop()
        await asyncio.wait([serving], timeout=5)
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)

    # -- scheduler ----------------------------------------------------------------------------

    async def _start_scheduler(self, rooms: Rooms, queue: CrawlQueue, clockwork: Clockwork) -> None:
        self._leader = Leader(rooms.leases, self._name, time.monotonic)
        backlog = max(64, self._settings.worker_concurrency * 4)
        self._dispatcher = Dispatcher(rooms.storage, queue, lambda: self._settings, backlog=backlog, now=self._now)
        clockwork.on_jump = self._jumped
        await rooms.storage.facts.drop(REFUSED)
        await self._leader.tick()
        await self._plan(rooms)
        clockwork.every(4, "leader", self._leader.tick)
        clockwork.every(1, "dispatch", self._dispatch)
        clockwork.every(10, "recover", lambda: self._recover(rooms))
        clockwork.every(
            redis_watch.EVERY_SECONDS, "redis", lambda: redis_watch.look(rooms.redis, rooms.storage, self._now())
        )
        clockwork.every(300, "price", lambda: self._reprice(rooms))
        self._office = DeliveryOffice(
            storage=rooms.storage, leases=rooms.leases, redis=rooms.redis, settings=lambda: self._settings,
            holder=self._name, now=self._now,
        )  # fmt: skip
        self._health = HealthWatch(rooms.storage, lambda: self._settings)
        clockwork.every(judge.EVERY_SECONDS, "health", self._judge)
        self._alerts = AlertOffice(rooms.storage, lambda: self._settings)
        clockwork.every(alerting.EVERY_SECONDS, "alerts", self._alert)
        probes = {"database": lambda: self._database_works(rooms), "redis": lambda: monitoring.written(rooms.redis)}
        clockwork.every(stores.EVERY_SECONDS, "stores", StoreWatch(probes, lambda: self._settings).look)
        clockwork.every(retention.EVERY_SECONDS, "retention", lambda: self._sweep(rooms))
        clockwork.every(2, "deliver", lambda: self._office.tick(leads=self._leader.leads))

    async def _jumped(self, jump: ClockJump) -> None:
        """Set right what waits, once: the table is everybody's."""
        if self._leader.leads:
            await self._dispatcher.jumped(jump)

    async def _judge(self) -> None:
        """Say how every source is."""
        if self._leader.leads:
            await self._health.look(self._now())

    async def _alert(self) -> None:
        """Tell who is to be told."""
        if self._leader.leads:
            await self._alerts.look(self._now())

    async def _database_works(self, rooms: Rooms) -> None:
        """Raises StorageUnavailable when it takes nothing, or has a page that cannot be read."""
        if rooms.storage.database.corrupt is not None:
            await rooms.storage.database.reread()
        await rooms.storage.facts.prove(self._now())
        if rooms.storage.database.corrupt is not None:
            raise StorageCorrupt(f"database is corrupt: {rooms.storage.database.corrupt}; see `warta audit`")

    async def _sweep(self, rooms: Rooms) -> None:
        """Delete what the configuration lets go."""
        if self._leader.leads:
            await retention.sweep(rooms.storage, self._settings.retention, self._now())

    async def _dispatch(self) -> None:
        if self._leader.leads:
            await self._dispatcher.tick()
        else:
            self._dispatcher.last_tick = time.monotonic()

    async def _reprice(self, rooms: Rooms) -> None:
        if self._leader.leads:
            await reprice(rooms.storage, self._settings, self._now())

    async def _plan(self, rooms: Rooms) -> None:
        now = self._now()
        plan = diff(active_sources(self._settings.outlets), await rooms.storage.sources.all(), now=now)
        await apply(plan, self._settings.outlets, rooms.storage.sources, now=now)
        if not plan.empty:
            log.info(
                "sources planned", added=len(plan.added), changed=len(plan.changed),
                hastened=len(plan.hastened), removed=len(plan.removed),
            )  # fmt: skip

    async def _recover(self, rooms: Rooms) -> None:
        """Give an end to runs whose worker died, and a filled index to an emptied Redis."""
        if not self._leader.leads:
            return
        running = await rooms.storage.runs.list(statuses=[RunStatus.RUNNING], limit=10_000)
        # Nobody works on these: the lease ran out, or its holder died on this machine.
        orphans = [run.id for run in running if await rooms.leases.is_free(f"source:{run.source_id}")]
        # Some may have ended by themselves since they were looked up.
        if orphans and (ended := await rooms.storage.runs.interrupt(orphans, self._now())):
            log.warning(
                "runs interrupted",
                runs=len(ended),
                message="their worker died; undecided items are tried again",
            )
        for name, fact in (await rooms.storage.facts.all()).items():
            worker = name.removeprefix(LIVE)
            if worker != name and is_dead(worker):  # it cannot tell any more when its outage ended
                await rooms.storage.outages.end(worker, datetime.fromisoformat(fact["since"]), self._now())
        await rooms.fill_seen()

    async def _feed_watchdog(self) -> None:
        """Tell systemd and the file system that work goes on; a stalled dispatcher tells nobody."""
        stalled = time.monotonic() - self._dispatcher.last_tick if self._role.schedules else 0.0
        if stalled >= STALLED_SECONDS:
            log.error("dispatch stalled", seconds=round(stalled), message="systemd is not told that all is well")
            return
        self._notify.notify("WATCHDOG=1")
        try:
            alive_file(self._settings.data_dir).touch()
        except OSError as error:
            log.warning("sign of life not written", path=str(alive_file(self._settings.data_dir)), reason=str(error))

    # -- worker -------------------------------------------------------------------------------

    async def _start_worker(self, rooms: Rooms, queue: CrawlQueue) -> Worker:
        worker = Worker(
            settings=lambda: self._settings, storage=rooms.storage, seen=rooms.seen, leases=rooms.leases,
            budget=rooms.budget, name=self._name, now=self._now, bands=rooms.bands, shelf=RobotsShelf(rooms.redis),
        )  # fmt: skip
        await worker.start()
        self._consumer = queue.worker(
            worker.take, asyncio.get_running_loop(), threads=self._settings.worker_concurrency
        )
        self._consumer.start()
        return worker

    async def _stop_worker(self, worker: Worker) -> None:
        grace = self._settings.shutdown_grace
        self._consumer.drain()
        await worker.stop(grace)
        await self._consumer.stop(timedelta(seconds=2))

    # -- configuration ------------------------------------------------------------------------

    async def _reload_if_changed(self, rooms: Rooms) -> None:
        asked = self._reload.is_set()
        self._reload.clear()
        if not asked and time.monotonic() < self._look_again:
            return
        found, seconds = await asyncio.to_thread(_looked, Watched(self._path) if asked else self._watched)
        self._look_again = time.monotonic() + seconds / LOOKING
        if found in {self._settings.fingerprint, self._refused} and not asked:
            return
        try:
            settings = await asyncio.to_thread(load, self._path, self._environ)
            if self._data_dir is not None:
                settings = replace(settings, data_dir=self._data_dir.absolute())
        except ConfigError as error:
            self._refused = found
            for problem in error.problems:
                log.error("configuration refused", problem=str(problem))
            log.error(
                "reload refused",
                problems=len(error.problems),
                message="the last good configuration stays in force",
            )
            await rooms.storage.facts.put(REFUSED, {"problems": [str(p) for p in error.problems]}, self._now())
            return
        self._refused = None
        await rooms.storage.facts.drop(REFUSED)
        self._mask.learn(settings.secrets)
        for name in NEEDS_RESTART:
            if getattr(settings, name) != getattr(self._settings, name):
                log.warning("setting needs a restart", setting=name)
        self._settings = settings
        keep()
        if self._role.schedules and self._leader.leads:
            await self._plan(rooms)
        log.info("configuration reloaded", outlets=len(settings.outlets))

    # -- signals ------------------------------------------------------------------------------

    def _signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end, number)
        loop.add_signal_handler(signal.SIGHUP, self._reload.set)

    def _end(self, number: signal.Signals) -> None:
        """The first signal asks for an orderly end, the second ends at once.

        Signals that come together are one: a shell's Ctrl-C and `timeout` reach a process twice.
        """
        now = time.monotonic()
        if not self._stop.is_set():
            self._asked_to_stop = now
            log.info("stopping", signal=number.name, message="a second signal stops at once")
            self._stop.set()
        elif now - self._asked_to_stop > SAME_SIGNAL_SECONDS:
            log.warning("stopped at once", signal=number.name)
            os._exit(128 + number)
