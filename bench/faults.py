"""A daemon through the bad days, one after the other: ``python -m bench.faults``.

A fictional press publishes; one daemon on the embedded defaults reads it and delivers to a directory. For each fault:
stories are published before and while it lasts, it is lifted, and the clock runs until everything published is
stored and delivered. Meanwhile ``/healthz`` is asked twice a second and ``/readyz`` says what is wrong. At the end of
each, nothing may be lost, announced twice or invented, and ``warta audit`` finds nothing. Nobody helps the daemon.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from bench import mishaps, strange
from bench.scene import EVERY, Kind, Scene, Skip, scene_in
from bench.torture import Verdict, compare
from newsroom.clock import wall
from storage.storage import Storage

#: How long after a fault all must be well: one interval and 30 s.
LIMIT: Final = EVERY + 30


@dataclass(slots=True)
class Day:
    """One fault and how it went."""

    fault: str
    #: Seconds from its end until everything was stored and delivered.
    recovery: float = 0.0
    lost: int = 0
    twice: int = 0
    phantom: int = 0
    findings: int = 0
    #: Longest time ``/healthz`` took to answer, seconds.
    healthz: float = 0.0
    #: Lines of the log in each second, from before the fault until all was well.
    lines: float = 0.0
    #: What ``/readyz`` named, and the log's warnings.
    said: list[str] = field(default_factory=list)
    #: The first few of what was lost, repeated, invented or found.
    named: list[str] = field(default_factory=list)
    skipped: str | None = None

    @property
    def good(self) -> bool:
        """Nothing wrong, in time."""
        return not (self.lost or self.twice or self.phantom or self.findings) and self.recovery <= LIMIT


@dataclass(frozen=True, slots=True)
class Act:
    """A fault, and how it is played."""

    name: str
    fault: Callable[[Scene], Any]
    #: How many seconds it lasts.
    lasting: float
    kind: Kind = Kind.PLAIN


ACTS: Final = (
    Act("redis killed", mishaps.server_killed, 2),
    Act("redis flushed", mishaps.server_flushed, 1),
    Act("redis full", mishaps.server_full, 6),
    Act("redis evicting", mishaps.server_evicting, 6),
    Act("redis read-only", mishaps.server_read_only, 6),
    Act("redis acknowledgements lost", mishaps.acknowledgements_lost, 7),
    Act("database locked", mishaps.database_locked, 8),
    Act("page of the database corrupt", strange.page_corrupt, 8),
    Act("disk full (database, log, redis)", mishaps.disk_full, 8),
    Act("suspended", mishaps.suspended, 8),
    Act("network cut", mishaps.network_cut, 8),
    Act("network silent", mishaps.network_silent, 8),
    Act("network slow", mishaps.network_slow, 8),
    Act("network flapping", mishaps.network_flapping, 10),
    Act("half of all answers broken", mishaps.answers_broken, 8),
    Act("configuration broken at reload", mishaps.configuration_broken, 5),
    Act("two daemons", mishaps.second_daemon, 0),
    Act("flood of stories", mishaps.flood, 0),
    Act("daemon killed", mishaps.daemon_killed, 1),
    Act("clock set back an hour", strange.clock_moved(-strange.HOUR), 6, Kind.UNREAL),
    Act("clock set forward an hour", strange.clock_moved(strange.HOUR), 6, Kind.UNREAL),
    Act("clock set forward a week", strange.clock_moved(7 * 24 * strange.HOUR), 6, Kind.UNREAL),
    Act("clock set back a week", strange.clock_moved(-7 * 24 * strange.HOUR), 6, Kind.UNREAL),
    Act("lid closed for an hour", strange.lid_closed, 6, Kind.UNREAL),
    Act("data directory read-only", strange.read_only, 8, Kind.UNREAL),
    Act("names not answered", strange.names_silent, 12, Kind.UNREAL),
    Act("postgresql restarted", strange.postgres_stopped("fast"), 0, Kind.POSTGRES),
    Act("postgresql away", strange.postgres_stopped("immediate"), 10, Kind.POSTGRES),
    Act("postgresql a read-only standby", strange.postgres_read_only, 10, Kind.POSTGRES),
    Act("postgresql frozen", strange.postgres_frozen, 8, Kind.POSTGRES),
)


class Watch:
    """Asks the daemon how it is, twice a second, in a thread."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._stop = threading.Event()
        self.longest = 0.0
        self.said: dict[str, None] = {}
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(20)

    def _ask(self) -> None:
        while not self._stop.wait(0.5):
            began = time.monotonic()
            if self._get("/healthz") is not None:
                self.longest = max(self.longest, time.monotonic() - began)
            answer = self._get("/readyz")
            for name, word in json.loads(answer or "{}").get("checks", {}).items():
                if word != "ok":
                    self.said[f"{name} {word}"] = None

    def _get(self, path: str) -> str | None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}{path}", timeout=10) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            return error.read().decode()
        except OSError:
            return None


def play(scene: Scene, act: Act) -> Day:
    """One fault from beginning to end."""
    day = Day(act.name)
    log = scene.stage.settings.data_dir / "logs" / "warta.jsonl"
    from_here = log.stat().st_size if log.exists() else 0
    began = time.monotonic()
    scene.publish(2)
    with Watch(scene.monitor) as watch:
        try:
            with act.fault(scene):
                scene.publish(2)
                time.sleep(act.lasting)
        except Skip as skip:
            day.skipped = str(skip)
            return day
        lifted = time.monotonic()
        verdict = asyncio.run(_caught_up(scene, lifted))
        day.recovery = round(time.monotonic() - lifted, 1)
    day.healthz, day.said = round(watch.longest, 2), list(watch.said)[:4]
    day.lines = round(_lines(log, from_here) / (time.monotonic() - began), 1)
    day.said += _warnings(log, from_here)
    day.lost, day.twice, day.phantom = len(verdict.lost) + len(verdict.late), len(verdict.twice), len(verdict.phantom)
    day.findings = len(verdict.findings)
    wrong = (*verdict.lost, *verdict.late, *verdict.twice, *verdict.phantom, *verdict.findings)
    day.named = [str(one) for one in wrong[:4]]
    return day


async def _caught_up(scene: Scene, since: float) -> Verdict:
    while True:
        storage = await Storage.open(scene.stage.database, now=wall, migrate=False)
        try:
            verdict = Verdict()
            await compare(storage, scene.stage, scene.newsroom, verdict)
            late = verdict.lost or verdict.late or (await storage.status()).pending
            if not late or time.monotonic() - since > LIMIT * 2:
                verdict.findings = [str(f) for f in (await storage.audit.run()).findings]
                return verdict
        finally:
            await storage.close()
        await asyncio.sleep(0.5)


def _lines(log: Path, start: int) -> int:
    """Lines since then; the log may have begun another file meanwhile."""
    with suppress(OSError), log.open("rb") as file:
        file.seek(min(start, log.stat().st_size))
        return file.read().count(b"\n")
    return 0


def _warnings(log: Path, start: int) -> list[str]:
    """The log's own words, each once."""
    found: dict[str, None] = {}
    with suppress(OSError), log.open("rb") as file:
        file.seek(min(start, log.stat().st_size))
        for line in file:
            with suppress(ValueError):
                said = json.loads(line)
                if said.get("level") in {"warning", "error"}:
                    reason = str(said.get("reason") or "")[:60]
                    found[f"log: {said.get('event')} {reason}".strip()] = None
    return list(found)[:4]


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; exit code 1 when a fault did harm."""
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description=__doc__)
    parser.add_argument("fault", nargs="*", help="names as printed; default: all")
    parser.add_argument("--json", action="store_true", help="one JSON object a fault")
    options = parser.parse_args(arguments)
    wanted = [act for act in ACTS if not options.fault or act.name in options.fault]
    days: list[Day] = []
    for kind, acts in itertools.groupby(wanted, key=lambda act: act.kind):
        for day in _of_kind(kind, list(acts)):
            days.append(day)
            print(json.dumps(asdict(day)) if options.json else line(day), flush=True)
    return int(not all(day.good for day in days))


def _of_kind(kind: Kind, acts: Sequence[Act]) -> Iterator[Day]:
    """All faults that one daemon goes through."""
    temporary = tempfile.TemporaryDirectory(prefix="warta-faults-", ignore_cleanup_errors=True)
    try:
        with temporary as directory, scene_in(Path(directory), kind) as scene:
            asyncio.run(_caught_up(scene, time.monotonic()))
            for act in acts:
                yield play(scene, act)
    except Skip as skip:
        for act in acts:
            yield Day(act.name, skipped=str(skip))


def line(day: Day) -> str:
    """For a person."""
    if day.skipped:
        return f"{day.fault:<34} skipped: {day.skipped}"
    counts = f"lost {day.lost}, twice {day.twice}, phantom {day.phantom}, findings {day.findings}"
    health = f"healthz {day.healthz:.2f} s, {day.lines:.0f} log lines a second"
    words = "; ".join([*day.named, *day.said])
    return f"{day.fault:<34} well after {day.recovery:>5.1f} s; {counts}; {health}; {words}"


if __name__ == "__main__":
    sys.exit(main())
