"""Why a source is polled when it is: what the CLI, the API and the web pages tell of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from config.model import Adaptive, Source
from config.units import span
from storage.hubs import HubState, HubSubscription
from storage.model import HealthState, SourceState
from storage.rhythm import Forecast, Rhythm, expected_gap, marks, time_for
from storage.rhythms import Remembered


def explanation(
    source: Source | None,
    state: SourceState,
    remembered: Remembered | None,
    now: datetime,
    hub: HubSubscription | None = None,
) -> dict[str, Any]:
    """What there is to say of a source's next time, for people and programs alike.

    `source` is what is asked of it, for the clock of its rhythm; None where the configuration is not at hand.
    """
    terms: list[Mapping[str, str]] = list(remembered.terms) if remembered else []
    if not terms:
        text = "never polled to an end: a source is first polled within seconds"
        terms.append({"name": "first", "text": text, "at": state.next_attempt.isoformat()})
    # What happened since the last poll ended.
    if abs(datetime.fromisoformat(terms[-1]["at"]) - state.next_attempt) > timedelta(seconds=1):
        text = "moved since: a poll under way, a changed schedule, or a request"
        terms.append({"name": "moved", "text": text, "at": state.next_attempt.isoformat()})
    if state.not_before is not None and state.not_before > state.next_attempt:
        text = "the publisher asks to wait (Retry-After, max-age, Expires, ttl, sy: or Crawl-delay)"
        terms.append({"name": "retry_after", "text": text, "at": state.not_before.isoformat()})
    if state.requested_at is not None:
        terms.append({"name": "asked", "text": "a person asked for a run", "at": state.requested_at.isoformat()})
    rhythm = remembered.rhythm if remembered else Rhythm()
    schedule = source.schedule if source is not None else None
    zone = schedule.timezone if isinstance(schedule, Adaptive) else UTC
    return {
        "source": state.id,
        "next_attempt": state.next_attempt,
        "paused": state.paused,
        "decided_at": remembered.decided_at if remembered else None,
        "terms": terms,
        "items_per_day": round(Forecast(rhythm, zone, now.timestamp()).per_day, 2) if rhythm.known else None,
        "health": {
            "state": HealthState.PAUSED.value if state.paused else state.health,
            "since": state.health_since,
            "sentence": state.health_said or "not judged yet",
        },
        "usual_gap": span(time_for(rhythm, zone, rhythm.usual_gap, since=now)) if rhythm.known else None,
        "next_item_within": span(expected_gap(rhythm, now, zone)) if rhythm.known else None,
        "hub": None if hub is None else pushed_by(hub, state.next_attempt, now),
        "minutes": {f":{minute:02}": round(share, 2) for minute, share in marks(rhythm)},
    }


def pushed_by(hub: HubSubscription, next_attempt: datetime, now: datetime) -> dict[str, Any]:
    """What is to be expected of a source's hub; the last field says it in a sentence."""
    pushes = hub.is_proven(now)
    return {
        "hub": hub.hub,
        "topic": hub.topic,
        "state": hub.state.value,
        "lease_until": hub.lease_until,
        "last_push": hub.pushed_at,
        "pushes": hub.pushes,
        "safety_poll": next_attempt if pushes else None,
        "text": _of_hub(hub, pushes, next_attempt, now),
    }


def _of_hub(hub: HubSubscription, pushes: bool, next_attempt: datetime, now: datetime) -> str:
    if hub.state is HubState.OFFERED or (hub.state is HubState.ACTIVE and not hub.is_active(now)):
        never = "; `websub: {callback: …}` makes warta ask for it" if hub.callback is None else ""
        return f"{hub.hub} offers to push news{never}" + (f"; {hub.message}" if hub.message else "")
    if hub.state is HubState.ASKED:
        return f"{hub.hub} was asked to push news and has still to confirm it"
    if hub.state is not HubState.ACTIVE:
        return f"{hub.hub} does not push news" + (f": {hub.message}" if hub.message else "")
    until = f"{hub.lease_until:%F %T}Z"
    if pushes:
        return (
            f"{hub.hub} pushes news as they come, the last at {hub.pushed_at:%F %T}Z; its lease is renewed before "
            f"{until}; a safety poll is made at {next_attempt:%F %T}Z"
        )
    if hub.missed_at is not None:
        return f"{hub.hub} pushes news, but kept some back at {hub.missed_at:%F %T}Z: polled as usual for a day"
    return f"{hub.hub} will push news until {until}: polled as usual until it first does"
