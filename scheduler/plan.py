"""From configuration to the sources table: what a load or a reload changes, and nothing else.

`diff` is pure; `apply` writes it. A source that did not change keeps everything that is remembered of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from config.model import Adaptive, Outlet, Source
from scheduler.policy import first_attempt, longest, scheduled_after
from storage.model import SourceState
from storage.sources import SourceDefinition, Sources

#: Sources that are told to wait come so much later than they are told, at most.
JITTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What has to change in the sources table."""

    #: Never seen before, or gone once and back.
    added: tuple[Source, ...] = ()
    #: Same id, another address, kind or priority.
    changed: tuple[Source, ...] = ()
    #: Next attempt moved because the schedule asks for an earlier one.
    hastened: tuple[Source, ...] = ()
    #: Ids that the configuration no longer names, or disables.
    removed: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing changes."""
        return not (self.added or self.changed or self.hastened or self.removed)


def active_sources(outlets: Iterable[Outlet]) -> dict[str, Source]:
    """The sources to poll, by id: enabled, of enabled outlets."""
    return {s.id: s for o in outlets if o.enabled for s in o.sources if s.enabled}


def diff(wanted: Mapping[str, Source], states: Iterable[SourceState], *, now: datetime) -> Plan:
    """What leads from the remembered sources to the wanted ones."""
    live = {state.id: state for state in states if state.removed_at is None}
    return Plan(
        added=tuple(s for id_, s in wanted.items() if id_ not in live),
        changed=tuple(s for id_, s in wanted.items() if id_ in live and _differs(s, live[id_])),
        hastened=tuple(s for id_, s in wanted.items() if id_ in live and _too_late(s, live[id_], now)),
        removed=tuple(id_ for id_ in live if id_ not in wanted),
    )


def _differs(source: Source, state: SourceState) -> bool:
    return (source.url, str(source.kind), source.priority) != (state.url, str(state.kind), state.priority)


def _too_late(source: Source, state: SourceState, now: datetime) -> bool:
    """A shorter schedule counts from now; a source that is backing off or told to wait keeps its wait."""
    said = state.said or {}
    if state.failures > 0 or said.get("skip_hours") or said.get("skip_days"):
        return False
    latest = _latest(source, now)
    told = latest if state.not_before is None else max(latest, state.not_before + JITTER)
    return state.next_attempt > told


def _latest(source: Source, now: datetime) -> datetime:
    """The latest next attempt that the schedule can have meant; an adaptive one knows better than to be hastened."""
    if isinstance(source.schedule, Adaptive):
        return now + longest(source.schedule, now)
    return scheduled_after(source.schedule, source.id, now)


async def apply(plan: Plan, outlets: Iterable[Outlet], sources: Sources, *, now: datetime) -> None:
    """Write the plan; running crawls are not touched."""
    await sources.set_outlets(tuple(outlets), now)
    declared = (*plan.added, *plan.changed)
    first = {s.id: first_attempt(s.id, now, s.schedule) for s in declared}
    await sources.upsert([_definition(s) for s in declared], first, now)
    for source in plan.hastened:
        await sources.reschedule(source.id, _latest(source, now))
    await sources.remove(plan.removed, now)


def _definition(source: Source) -> SourceDefinition:
    return SourceDefinition(
        id=source.id,
        outlet_id=source.outlet_id,
        kind=str(source.kind),
        url=source.url,
        priority=source.priority,
    )
