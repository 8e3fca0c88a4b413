"""What rules are held against: one reading of storage."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from config.alerting import Rule
from monitor.health import TROUBLED
from monitor.web.figures import failures_since, now_line
from storage.model import HealthState, SourceState
from storage.outages import LIVE
from storage.storage import Storage
from storage.volumes import volumes


@dataclass(frozen=True, slots=True, kw_only=True)
class Ill:
    """A source in a troubled state."""

    source_id: str
    outlet_id: str
    state: str
    sentence: str
    since: datetime
    #: Run in which it began, when one is known.
    run_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Everything at one moment; None for what cannot be known."""

    ill: Sequence[Ill] = ()
    #: Sources of each outlet in service.
    sources: Mapping[str, int] = field(default_factory=dict)
    #: Seconds from publication to storage, p95.
    fresh_p95: float | None = None
    articles_hour: int = 0
    usual_hour: int | None = None
    #: Stretch of the day to outlet to its articles of the last such stretch, and to what is usual then.
    volumes: Mapping[timedelta, Mapping[str, tuple[int, int]]] = field(default_factory=dict)
    #: Runs of the last hour that gave a reason, by reason; and all of them.
    reasons: Mapping[str, int] = field(default_factory=dict)
    runs_hour: int = 0
    #: Free share of the disk.
    disk_free: float | None = None
    #: Consumer to the age of its oldest undelivered event in seconds, and to its dead letters.
    lags: Mapping[str, tuple[float, int]] = field(default_factory=dict)
    #: Since when the most overdue source is due, and how many are.
    next_due: datetime | None = None
    overdue: int = 0
    outage_since: datetime | None = None
    #: Problems of a configuration that is refused.
    refused: Sequence[str] = ()


async def read(storage: Storage, data_dir: Path, now: datetime, rules: Sequence[Rule] = ()) -> Picture:
    """Read all of it; volumes only over the stretches that `rules` ask for."""
    stretches = {rule.outlet_volume.over for rule in rules if rule.outlet_volume is not None}
    line = await now_line(storage, now)
    hour = now - timedelta(hours=1)
    facts = await storage.facts.all()
    runs = await storage.runs.summary(hour)
    lags = await storage.deliveries.lag(now)
    disk = await asyncio.to_thread(_disk, data_dir)
    outages = [datetime.fromisoformat(str(f["since"])) for name, f in facts.items() if name.startswith(LIVE)]
    states = await storage.health.troubled([str(state) for state in TROUBLED])
    failing = {s.id for s in states if s.health in {HealthState.FAILING, HealthState.BLOCKED, HealthState.EMPTY}}
    began = await storage.health.began_with(failing) if failing else {}
    return Picture(
        ill=[_ill(state, began) for state in states], sources=await storage.health.by_outlet(),
        fresh_p95=line.fresh_p95, articles_hour=line.articles_hour, usual_hour=line.usual_hour,
        volumes={over: await volumes(storage.database, over, now) for over in sorted(stretches)},
        reasons=await failures_since(storage.database, hour), runs_hour=sum(runs.by_status.values()),
        disk_free=disk,
        lags={lag.consumer.name: (lag.age.total_seconds(), lag.dead) for lag in lags},
        next_due=line.next_due, overdue=line.overdue, outage_since=min(outages, default=None),
        refused=[str(problem) for problem in facts.get("configuration refused", {}).get("problems", [])],
    )  # fmt: skip


def _disk(directory: Path) -> float:
    """Free share of the disk that the directory is on."""
    usage = shutil.disk_usage(directory if directory.exists() else "/")
    return usage.free / usage.total


def _ill(state: SourceState, began: Mapping[str, str]) -> Ill:
    return Ill(
        source_id=state.id, outlet_id=state.outlet_id, state=state.health, sentence=state.health_said or "",
        since=state.health_since or state.next_attempt, run_id=began.get(state.id),
    )  # fmt: skip
