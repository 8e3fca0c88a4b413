"""Why a source is polled when it is: what the CLI, the API and the web pages tell of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from config.model import Adaptive, Source
from config.units import span
from storage.model import SourceState
from storage.rhythm import Forecast, Rhythm, expected_gap
from storage.rhythms import Remembered


def explanation(
    source: Source | None, state: SourceState, remembered: Remembered | None, now: datetime
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
        text = "the server said Retry-After"
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
        "next_item_within": span(expected_gap(rhythm, now, zone)) if rhythm.known else None,
    }
