"""What share of their usual output the sources of one clock bring together: a holiday is nobody's silence.

On a day off every desk of a country brings half; held against their usual weeks a third of them would look late by
evening. So each hour the pulse of all sources of one time zone is taken together, and a silence is measured in what
was to be expected *under that tide*. When everything stops at once it is no source that is late: see the rule on
volume. Pure but for its memory; the caller gives the time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from storage.expectation import is_learned
from storage.rhythm import HOUR, Rhythm

#: Fewer outlets than this prove nothing.
LEAST_OUTLETS = 5
#: Shares of the usual output that are thought possible, and how likely each is before anything is seen.
LEVELS = (1.0, 0.7, 0.55, 0.4, 0.25)
PRIOR = (0.95, 0.0125, 0.0125, 0.0125, 0.0125)
LEAST = LEVELS[-1]
#: Above this the tide is as usual.
USUAL = 0.9
#: A holiday is a day on its people's clock: chance that a day has nothing to do with the one before, and an hour.
TURNING, WITHIN = 0.8, 0.01
#: How much one outlet varies by itself (the shape of a gamma), what it can say at most, and how much of what it says
#: is new: pulses of an hour ago have half of it in them.
SHAPE, LOUDEST, FRESH = 6.0, 1.5, 1 / 3
#: An ordinary hour's share of the average one, which has in it the hours in which stories broke.
ORDINARY = 0.9
#: A pulse this old says nothing of now.
STALE = 3 * HOUR
#: Hours that are remembered, and those of a day.
KEPT = 56 * 24
DAY = 24


@dataclass(slots=True)
class _Shore:
    pulses: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    #: How likely each of `LEVELS` is.
    belief: tuple[float, ...] = PRIOR
    #: Shares of the usual output by hours since 1970, where they were less than all of it.
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
        elif is_learned(rhythm):
            pulses[source_id] = (rhythm.recent, rhythm.expected, rhythm.until)

    def turn(self, now: float) -> bool:
        """Once an hour: look at all pulses; whether the hour was over."""
        hour = int(now // HOUR)
        if hour <= self._hour:
            return False
        passed, self._hour = min(KEPT, hour - self._hour), hour
        for zone, shore in self._shores.items():
            begun = _hours_begun(zone, (hour - 1) * HOUR)
            shore.belief = _belief(shore, now, passed, midnight=passed > begun)
            # What became clear by now was so since the day began.
            today, level = range(hour - 1 - begun, hour), _level(shore)
            shore.hours = {h: v for h, v in shore.hours.items() if h not in today and h > hour - KEPT}
            if level < 1:
                shore.hours |= dict.fromkeys(today, level)
        return True

    def of(self, zone: str) -> Mapping[int, float]:
        """Share of the usual output by hours since 1970; hours not named were as usual."""
        shore = self._shores.get(zone)
        if shore is None or (level := _level(shore)) == 1.0:
            return {} if shore is None else shore.hours
        return shore.hours | {self._hour: level}

    def dump(self) -> dict[str, dict[str, float]]:
        """What was not as usual, for keeping over a restart."""
        return {
            zone: {str(hour): round(value, 3) for hour, value in shore.hours.items()}
            for zone, shore in self._shores.items()
        }

    def load(self, kept: Mapping[str, Mapping[str, float]]) -> None:
        """Take up what was kept."""
        for zone, hours in kept.items():
            shore = self._shores.setdefault(zone, _Shore())
            shore.hours = {int(hour): float(value) for hour, value in hours.items()}
        self._hour = max((max(shore.hours) + 1 for shore in self._shores.values() if shore.hours), default=0)
        for shore in self._shores.values():
            if shore.hours:
                last = max(shore.hours)
                shore.belief = PRIOR if self._hour - last > DAY else _about(shore.hours[last])


def _hours_begun(zone: str, moment: float) -> int:
    """Full hours of the day before a moment, on that zone's clock."""
    return datetime.fromtimestamp(moment, ZoneInfo(zone)).hour


def _level(shore: _Shore) -> float:
    level = sum(share * level for share, level in zip(shore.belief, LEVELS, strict=True))
    return 1.0 if level >= USUAL else level


def _about(level: float) -> tuple[float, ...]:
    """A belief that is kept as its level alone."""
    nearest = min(LEVELS, key=lambda known: abs(known - level))
    return tuple(float(known == nearest) for known in LEVELS)


def _faded(belief: tuple[float, ...], hours: int, *, midnight: bool) -> tuple[float, ...]:
    """What is left of a belief after so many hours, or another day, without evidence."""
    kept = (1 - WITHIN) ** hours * (1 - TURNING if midnight else 1)
    return tuple(kept * share + (1 - kept) * at_first for share, at_first in zip(belief, PRIOR, strict=True))


def _belief(shore: _Shore, now: float, hours: int, *, midnight: bool) -> tuple[float, ...]:
    """What is believed after some hours more; each outlet counts about the same, however much it brings."""
    outlets: dict[str, tuple[float, float]] = {}
    for source_id, (recent, due, at) in shore.pulses.items():
        if now - at <= STALE:
            name = source_id.partition("/")[0]
            came, expected = outlets.get(name, (0.0, 0.0))
            outlets[name] = (came + recent, expected + ORDINARY * due)
    before = _faded(shore.belief, hours, midnight=midnight)
    if len(outlets) < LEAST_OUTLETS:
        return before
    said = [FRESH * sum(_said(came, due, level) for came, due in outlets.values()) for level in LEVELS]
    # So that none is too small for a number.
    loudest = max(said)
    after = [share * math.exp(max(-700.0, one - loudest)) for share, one in zip(before, said, strict=True)]
    return tuple(share / sum(after) for share in after)


def _said(came: float, due: float, level: float) -> float:
    """How much better this level explains what came than the usual one does, as a logarithm."""
    usual = _likely(came, due)
    return max(-LOUDEST, min(LOUDEST, _likely(came, level * due) - usual))


def _likely(came: float, due: float) -> float:
    """The logarithm of a negative binomial chance, but for what does not depend on `due`."""
    return came * math.log((due + 1e-9) / (due + SHAPE)) - SHAPE * math.log(due + SHAPE)
