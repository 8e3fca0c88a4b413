"""Judges sources while the daemon lives: reads what changed, asks :mod:`monitor.health`, writes changes of state.

Silence is only ever seen by asking, so a source is judged when it was asked: every half minute those tried since the
last look, and those whose better state has not held for long enough. The first look is at all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from config.model import Adaptive, Settings, Source
from monitor.health import TROUBLED, Verdict, Waiting, Watched, judge, settled
from monitor.tide import Tide
from storage.facts import DRIFT
from storage.health import Change
from storage.model import CrawlRun, HealthState, RunStatus, SourceState
from storage.rhythm import Rhythm
from storage.runs import run_id
from storage.storage import Storage

log = structlog.get_logger(__name__)

#: How often the daemon has sources judged.
EVERY_SECONDS = 30
#: A run may end this long after another that began later: what is looked at overlaps.
OVERLAP = timedelta(seconds=60)
#: Sources judged at once; the loop gets its turn in between.
BATCH = 200
_STALLED = {HealthState.LATE, HealthState.SILENT}
#: Names of facts.
_OUTAGE, _TIDE = "outage ", "tide"


class HealthWatch:
    """The memory between two looks. Knows nothing of alerts."""

    def __init__(self, storage: Storage, settings: Callable[[], Settings]) -> None:
        self._storage = storage
        self._settings = settings
        self._tide = Tide()
        self._since: datetime | None = None
        self._waiting: dict[str, Waiting] = {}
        self._drifts: dict[str, tuple[str, datetime]] = {}

    async def look(self, now: datetime) -> list[Change]:
        """Judge what is to be judged; the changes of state that were written."""
        facts = await self._storage.facts.all()
        if self._since is None:
            self._tide.load(facts.get(_TIDE, {}))
        if any(name.startswith(_OUTAGE) for name in facts):
            return []  # nobody is blamed; what was tried meanwhile is looked at when it is over
        drifts = _drifts(facts)
        whole = self._since is None or drifts != self._drifts
        since = None if whole or self._since is None else self._since - OVERLAP
        states = await self._storage.health.changed(since)
        known = {state.id for state in states}
        states += [s for name in self._waiting if name not in known and (s := await self._storage.sources.get(name))]
        changes: list[Change] = []
        for start in range(0, len(states), BATCH):
            changes += await self._judge(states[start : start + BATCH], drifts, now)
        written = await self._storage.health.write(changes, now) if changes else []
        self._since, self._drifts = now, drifts
        for change in written:
            say = log.warning if change.became in TROUBLED else log.debug if change.was == HealthState.NEW else log.info
            say(
                "source state", source=change.source_id, outlet=change.outlet_id, was=change.was, state=change.became,
                since=change.began_at.isoformat(), message=change.sentence,
            )  # fmt: skip
        if self._tide.turn(now.timestamp()):
            await self._storage.facts.put(_TIDE, self._tide.dump(), now)
        return written

    async def _judge(
        self, states: Sequence[SourceState], drifts: Mapping[str, tuple[str, datetime]], now: datetime
    ) -> list[Change]:
        settings = self._settings()
        declared = {s.id: (s, o.timezone) for o in settings.outlets for s in o.sources}
        remembered = await self._storage.rhythms.many([state.id for state in states])
        days = await self._last_days([s.id for s in states if _wants_day(declared, s.id)], now)
        changes, sentences = [], {}
        for state in states:
            found = declared.get(state.id)
            if found is None or state.removed_at is not None:
                self._waiting.pop(state.id, None)
                continue
            source, zone = found
            rhythm = remembered[state.id].rhythm if state.id in remembered else Rhythm()
            self._tide.note(zone.key, state.id, rhythm, stalls=state.health in _STALLED)
            watched = Watched(
                state=state, rhythm=rhythm, expect=source.expect, zone=zone, rhythm_zone=zone_of(source),
                drift=drifts.get(state.outlet_id), last_day=days.get(state.id, 0),
                kept_away=await self._kept_away(state), tide=self._tide.of(zone.key) if rhythm.barren >= 2 else None,
            )  # fmt: skip
            verdict = judge(watched, now)
            outcome = settled(state.health, verdict, self._waiting.pop(state.id, None), now)
            if isinstance(outcome, Waiting):
                self._waiting[state.id] = outcome
            elif outcome is not None:
                changes.append(await self._change(state, outcome))
            elif verdict.sentence != state.health_said:
                sentences[state.id] = verdict.sentence
        if sentences:
            await self._storage.health.say(sentences)
        return changes

    async def _last_days(self, ids: Sequence[str], now: datetime) -> dict[str, int]:
        return await self._storage.health.items_since(ids, run_id(now - timedelta(days=1), 0)) if ids else {}

    async def _kept_away(self, state: SourceState) -> CrawlRun | None:
        """Its last run, where it was kept from asking again and again; looked for only where nothing else failed."""
        tried, good = state.last_attempt, state.last_success
        if tried is None or state.failures > 0 or (good is not None and good >= tried):
            return None
        runs = await self._storage.runs.list(source_id=state.id, limit=1)
        return runs[0] if runs and runs[0].status is RunStatus.SKIPPED and runs[0].reason != "overlap" else None

    async def _change(self, state: SourceState, verdict: Verdict) -> Change:
        began = verdict.began
        evidence: dict[str, Any] = dict(verdict.evidence)
        if verdict.state in {HealthState.FAILING, HealthState.BLOCKED, HealthState.EMPTY}:
            # It began with the first try that failed, not with the last that did not.
            last = await self._storage.health.last_good_run(state.id)
            first = await self._storage.health.first_failure(state.id, None if last is None else last.id)
            if first is not None:
                began = first.started_at or first.scheduled_for
                evidence["run"] = first.id
        elif verdict.state in {HealthState.SILENT, HealthState.LATE}:
            last = await self._storage.health.last_good_run(state.id)
            if last is not None:
                evidence |= {"run": last.id, "http_status": last.http_status, "answer": str(last.status)}
        return Change(
            source_id=state.id, outlet_id=state.outlet_id, flips=state.health_flips, was=state.health,
            became=str(verdict.state), sentence=verdict.sentence, evidence=evidence, began_at=began,
        )  # fmt: skip


def zone_of(source: Source) -> Any:
    """The clock that a source's rhythm is learned by."""
    return source.schedule.timezone if isinstance(source.schedule, Adaptive) else UTC


def _wants_day(declared: Mapping[str, tuple[Source, Any]], source_id: str) -> bool:
    return source_id in declared and declared[source_id][0].expect.at_least is not None


def _drifts(facts: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[str, datetime]]:
    return {
        name.removeprefix(DRIFT): (str(fact["evidence"]), datetime.fromisoformat(str(fact["since"])))
        for name, fact in facts.items()
        if name.startswith(DRIFT)
    }
