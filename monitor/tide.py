"""What share of their usual output the sources of one clock bring together: a holiday is nobody's silence.

On a day off every desk of a country brings half; held against their usual weeks a third of them would look late by
evening. So each hour the pulse of all sources of one time zone is taken together, and a silence is measured in what
was to be expected *under that tide*. When everything stops at once it is no source that is late: see the rule on
volume. Pure but for its memory; the caller gives the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from storage.rhythm import HOUR, Rhythm

#: Fewer outlets than this, or fewer items expected of them together, prove nothing.
LEAST_OUTLETS, LEAST_EXPECTED = 8, 2.0
#: An hour's share of what the tide is taken for.
SMOOTH = 0.25
#: Above this the tide is as usual; below that it is not believed.
USUAL, LEAST = 0.75, 0.25
#: A pulse this old says nothing of now.
STALE = 3 * HOUR
#: Hours that are remembered.
KEPT = 56 * 24


@dataclass(slots=True)
class _Shore:
    pulses: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    level: float = 1.0
    hours: dict[int, float] = field(default_factory=dict)


class Tide:
    """The tides of all time zones."""

    def __init__(self) -> None:
        self._shores: dict[str, _Shore] = {}
        self._hour = 0

    def note(self, zone: str, source_id: str, rhythm: Rhythm, *, stalls: bool = False) -> None:
        """What a source brought lately against what it should have; one that stalls says nothing of others."""
        pulses = self._shores.setdefault(zone, _Shore()).pulses
        if stalls:
            pulses.pop(source_id, None)
        elif rhythm.known:
            pulses[source_id] = (rhythm.recent, rhythm.expected, rhythm.until)

    def turn(self, now: float) -> bool:
        """Once an hour: look at all pulses; whether the hour was over."""
        hour = int(now // HOUR)
        if hour <= self._hour:
            return False
        self._hour = hour
        for shore in self._shores.values():
            shore.level += SMOOTH * (_level(shore, now) - shore.level)
            # An hour is told by what came during it: what is known at its end.
            shore.hours[hour - 1] = 1.0 if shore.level >= USUAL else max(LEAST, shore.level)
            if len(shore.hours) > KEPT:
                del shore.hours[min(shore.hours)]
        return True

    def of(self, zone: str) -> Mapping[int, float]:
        """Share of the usual output by hours since 1970; hours not named were as usual."""
        shore = self._shores.get(zone)
        return {} if shore is None else {**{h: v for h, v in shore.hours.items() if v < 1}, self._hour: _now(shore)}

    def dump(self) -> dict[str, dict[str, float]]:
        """What was not as usual, for keeping over a restart."""
        return {
            zone: {str(hour): round(value, 3) for hour, value in shore.hours.items() if value < 1}
            for zone, shore in self._shores.items()
        }

    def load(self, kept: Mapping[str, Mapping[str, float]]) -> None:
        """Take up what was kept."""
        for zone, hours in kept.items():
            shore = self._shores.setdefault(zone, _Shore())
            shore.hours = {int(hour): float(value) for hour, value in hours.items()}
            if shore.hours:
                shore.level = shore.hours[max(shore.hours)]


def _now(shore: _Shore) -> float:
    return 1.0 if shore.level >= USUAL else max(LEAST, shore.level)


def _level(shore: _Shore, now: float) -> float:
    """Present output over the usual one; each outlet counts about once, however much it brings."""
    outlets: dict[str, tuple[float, float]] = {}
    for source_id, (recent, due, at) in shore.pulses.items():
        if now - at <= STALE:
            name = source_id.partition("/")[0]
            came, expected = outlets.get(name, (0.0, 0.0))
            outlets[name] = (came + recent / (1 + due), expected + due / (1 + due))
    came = expected = 0.0
    for brought, wanted in outlets.values():
        weight = 1 / (1 + wanted)
        came += weight * brought
        expected += weight * wanted
    return came / expected if len(outlets) >= LEAST_OUTLETS and expected >= LEAST_EXPECTED else shore.level
