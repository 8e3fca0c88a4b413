"""When a source brings news: arrivals by hour of the week, learned from what polls discover. State and maths, pure.

::

    counts and hours watched, per hour of the week (168), older ones weighing less (half in three weeks)
      -> shrunk: an hour of the week leans on its hour of the day and its day, these on the overall rate
      -> times the pulse: what the last hours brought against what they should have, fading within hours
      -> a rate of items per second for any moment ahead (:class:`Forecast`)

Hours are those of the outlet's own clock: a desk that starts at six does so in summer and winter.
Knows nothing of schedules, prices or requests; see :mod:`scheduler.rhythm` for what is done with it.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo

from storage.gaps import CLASSES, class_of, late_after, patience, usual_gap
from storage.norm import norm

HOUR = 3600.0
SLOTS = 168
MINUTES = 60
#: After this long an observation weighs half.
HALF_LIFE = 21 * 24 * HOUR
#: The pulse forgets within this time (mean age of what it remembers).
PULSE = 1.5 * HOUR
#: Items that the pulse must outweigh before it says much: one quiet or busy hour proves little.
PULSE_ITEMS = 2.0
#: A burst is believed up to this many times the usual pace, a lull down to the inverse of the other.
PULSE_MOST, PULSE_LEAST = 8.0, 0.35
#: What is believed of a source never watched: items an hour, and hours of watching that outweigh the belief.
PRIOR_RATE, PRIOR_HOURS = 0.5, 3.0
#: Items that an hour of the day, or a day, must have brought (or missed) to be told from the others.
FACTOR_ITEMS = 2.0
#: The same for a single hour of the week: hours of watching, and items.
SLOT_HOURS, SLOT_ITEMS = 2.0, 3.0
#: Items a second that are believed at most, bursts left out: a few seconds of watching would else foretell any number.
MOST_RATE = 10.0
#: A minute of the hour is one at which a desk lets items out when it holds this many, and these many standard
#: deviations more than its share; the share then believed leans on so many items that came at any minute.
MARK_ITEMS, MARK_DEVIATIONS, MARK_LEAN = 3.5, 4.0, 6.0
#: Published times may run ahead of our clock by this much and still be believed.
AHEAD = 300.0
#: A silence is looked at this far back.
SILENCE = 56 * 24 * HOUR
#: This share of a silence that was told as late counts: as a gap, and of its first hours as watched. Of the hours it
#: is so much more for every other such silence lately: what comes again and again is usual.
TAUGHT, TAUGHT_FOR = 0.25, 12 * HOUR
#: What is normal is worked out again when news come, this long after the last time.
RENEWED = 6 * HOUR
_LAYOUT = struct.Struct(f"<Bdddffffff{CLASSES}f{2 * SLOTS + MINUTES}fd{SLOTS}f")
_VERSION = 4
#: Before the norm was kept.
_THIRD = struct.Struct(f"<Bdddffffff{CLASSES}f{2 * SLOTS + MINUTES}f")
#: Before minutes were counted.
_FORMER = struct.Struct(f"<Bdddffffff{CLASSES}f{2 * SLOTS}f")
#: Before gaps were counted.
_FIRST = struct.Struct(f"<Bddfffff{2 * SLOTS}f")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """What is remembered of a source's arrivals; seconds are since 1970, UTC."""

    #: Items by hour of the week (0 is Monday's first), each weighed by when it came.
    counts: tuple[float, ...] = (0.0,) * SLOTS
    #: Hours watched by hour of the week, weighed the same.
    hours: tuple[float, ...] = (0.0,) * SLOTS
    #: Items by minute of the hour, by their published times, weighed the same.
    minutes: tuple[float, ...] = (0.0,) * MINUTES
    #: The moment whose observations weigh one.
    origin: float = 0.0
    #: Up to when arrivals are known; 0 before the first poll.
    until: float = 0.0
    #: Items of the last hours, fading, and how many the rhythm let expect.
    recent: float = 0.0
    expected: float = 0.0
    #: Items that the source shows at once.
    window: float = 0.0
    #: Items of the last poll that were new, and seconds since the poll before it.
    fresh: float = 0.0
    span: float = 0.0
    #: When the last item came; 0 while that is not known.
    last: float = 0.0
    #: Polls in a row that brought nothing.
    barren: float = 0.0
    #: Gaps between items by class of length (:mod:`storage.gaps`), each weighed by when it ended.
    gaps: tuple[float, ...] = (0.0,) * CLASSES
    #: When `norm` was worked out; 0 for never.
    normed: float = 0.0
    #: Items an hour that are normal by hour of the week (:mod:`storage.norm`), as they were before the present silence.
    norm: tuple[float, ...] = (0.0,) * SLOTS

    @property
    def usual_gap(self) -> float:
        """Items expected in a gap that 99 of 100 of its gaps stay below."""
        return usual_gap(self.gaps, _weight(self, self.until))

    @property
    def late_after(self) -> float:
        """Items expected in a silence from which on it is late."""
        return late_after(self.usual_gap, 168 * self.items / max(self.watched, 1.0), self.watched / 24)

    @property
    def late_anyway(self) -> float:
        """The same where everybody brings little, however little that is."""
        return patience(self.usual_gap)

    @property
    def normal(self) -> tuple[float, ...]:
        """Items an hour that are normal, by hour of the week."""
        return self.norm if self.normed > 0 else _normal(self)

    @property
    def items(self) -> float:
        """Items seen, those long ago counting less."""
        return sum(self.counts) / _weight(self, self.until) if self.known else 0.0

    @property
    def watched(self) -> float:
        """Hours watched, those long ago counting less."""
        return sum(self.hours) / _weight(self, self.until) if self.known else 0.0

    @property
    def known(self) -> bool:
        """Whether anything was learned at all."""
        return self.until > 0


def slot(moment: float, zone: tzinfo) -> tuple[int, float]:
    """The hour of the week on the outlet's clock, and the seconds left of it."""
    local = datetime.fromtimestamp(moment, zone)
    left = HOUR - local.minute * 60 - local.second - local.microsecond / 1e6
    return local.weekday() * 24 + local.hour, left


def marks(rhythm: Rhythm) -> tuple[tuple[int, float], ...]:
    """Minutes of the hour at which the source lets items out, and the share of its items that each brings.

    Desks time their items for the full or half hour; such a minute stands out of the even share by far.
    """
    weight = _weight(rhythm, rhythm.until)
    total = sum(rhythm.minutes) / weight
    if total < MARK_ITEMS:
        return ()
    even = total / MINUTES
    least = max(MARK_ITEMS, even + MARK_DEVIATIONS * math.sqrt(even)) * weight
    return tuple(
        (minute, (count / weight - even) / (total + MARK_LEAN))
        for minute, count in enumerate(rhythm.minutes)
        if count >= least
    )


@dataclass(slots=True)
class Forecast:
    """The rate of arrivals ahead of a moment. Knows one rhythm and one clock."""

    rhythm: Rhythm
    zone: tzinfo
    now: float
    #: Present pace over the usual one.
    pulse: float = field(init=False)
    _weight: float = field(init=False)
    _overall: float = field(init=False)
    _rates: dict[int, float] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        rhythm = self.rhythm
        self._weight = weight = _weight(rhythm, max(self.now, rhythm.until))
        prior = PRIOR_HOURS * weight
        self._overall = (sum(rhythm.counts) + PRIOR_RATE * prior) / (sum(rhythm.hours) + prior)
        fade = math.exp(-max(0.0, self.now - rhythm.until) / PULSE) if rhythm.known else 0.0
        pulse = (rhythm.recent + PULSE_ITEMS) / (rhythm.expected + PULSE_ITEMS)
        self.pulse = 1 + (min(PULSE_MOST, max(PULSE_LEAST, pulse)) - 1) * fade

    @property
    def per_day(self) -> float:
        """Items a day, all hours together."""
        return self._overall * 24

    def usual(self, index: int) -> float:
        """Items a second in that hour of the week, bursts and lulls of the moment left out."""
        rate = self._rates.get(index)
        if rate is None:
            rhythm, weight = self.rhythm, self._weight
            day = index // 24 * 24
            prior = self._overall * self._factor(slice(index % 24, None, 24)) * self._factor(slice(day, day + 24))
            lean = (SLOT_HOURS + min(100.0, SLOT_ITEMS / prior)) * weight
            rate = min(MOST_RATE, (rhythm.counts[index] + prior * lean) / (rhythm.hours[index] + lean) / HOUR)
            self._rates[index] = rate
        return rate

    def _factor(self, part: slice) -> float:
        """How much busier these hours are than the average one."""
        lean = FACTOR_ITEMS * self._weight
        expected = sum(self.rhythm.hours[part]) * self._overall
        return (sum(self.rhythm.counts[part]) + lean) / (expected + lean)

    def piece(self, at: float) -> tuple[float, float]:
        """From a moment to the end of its hour: that end, and items a second."""
        index, left = slot(at, self.zone)
        ahead = at + left / 2 - self.now
        pulse = 1 + (self.pulse - 1) * math.exp(-max(0.0, ahead) / PULSE)
        return at + max(left, 1e-3), self.usual(index) * pulse

    def pieces(self, start: float, end: float) -> Iterator[tuple[float, float]]:
        """Stretches from `start` to `end`, each within one hour: seconds and items a second."""
        at = start
        while at < end:
            until, rate = self.piece(at)
            yield min(until, end) - at, rate
            at = until


def learn(rhythm: Rhythm, at: float, *, shown: int | None, fresh: Sequence[float | None], zone: tzinfo) -> Rhythm:
    """What a poll at `at` adds: `shown` items (None: the same as last time), of which `fresh` are new.

    Published times of the new ones are used where they can be true: not after the poll, not before the poll
    before it. The others came at some time between the two polls.
    """
    if not rhythm.known:
        return _begin(rhythm, at, shown or 0, fresh, zone)
    since = rhythm.until
    if at <= since:
        return rhythm
    # A window of nothing but new items shows no more than its own reach.
    slid = bool(shown) and len(fresh) >= (shown or 0) > 0
    times = _placed(fresh, since, at)
    start = max(since, min(times)) if slid and times else since
    usual = Forecast(rhythm, zone, since)
    ended = [] if slid or rhythm.watched < SLOTS else _ended_gaps(rhythm, times, zone)
    if ended and max(ended) >= rhythm.late_after:
        # What was told as late was no ordinary time: its hours must not become what is usual.
        rhythm = _as_before(rhythm, rhythm.last, zone)
    rhythm = _rebased(rhythm, at)
    fade = math.exp(-(at - since) / PULSE)
    expected = rhythm.expected * fade + _faded(usual, start, at)
    recent = rhythm.recent * fade + sum(math.exp((t - at) / PULSE) for t in times)
    window = rhythm.window if not shown else max(float(shown), 0.9 * rhythm.window + 0.1 * shown)
    exact = [t for t in fresh if t is not None and since <= t <= at]
    learned = replace(
        _added(rhythm, start, at, times, exact, zone),
        until=at, recent=recent, expected=expected, window=window, fresh=float(len(fresh)), span=at - since,
        last=max(times, default=rhythm.last), barren=0.0 if times else rhythm.barren + 1,
        gaps=_with_gaps(rhythm, ended, at),
    )  # fmt: skip
    # Only what ended with news teaches what is normal: else a silence would teach that silence is.
    renewed = times and at - rhythm.normed >= RENEWED
    return replace(learned, normed=at, norm=_normal(learned)) if renewed else learned


def _normal(rhythm: Rhythm) -> tuple[float, ...]:
    weight = _weight(rhythm, rhythm.until)
    return norm([count / weight for count in rhythm.counts], [hours / weight for hours in rhythm.hours])


def _begin(rhythm: Rhythm, at: float, shown: int, fresh: Sequence[float | None], zone: tzinfo) -> Rhythm:
    """The first poll: the window itself is a sample of the time that it reaches back."""
    times = sorted(t for t in fresh if t is not None and at - 14 * 24 * HOUR < t <= at + AHEAD)
    rhythm = replace(rhythm, origin=at, until=at, window=float(shown), last=min(at, max(times, default=at)))
    if len(times) < 2 or len(times) < len(fresh) / 2:
        return rhythm
    # The oldest marks where the sample begins and is not part of it.
    return _added(rhythm, times[0], at, [min(t, at) for t in times[1:]], times[1:], zone)


def _placed(fresh: Sequence[float | None], since: float, at: float) -> list[float]:
    unknown = since + (at - since) / 2
    return [unknown if t is None or not since - HOUR <= t <= at + AHEAD else min(at, max(since, t)) for t in fresh]


def _ended_gaps(rhythm: Rhythm, times: Sequence[float], zone: tzinfo) -> list[float]:
    """The gaps that these arrivals end, in items expected."""
    at, found = rhythm.last, []
    for t in sorted(times) if at > 0 else ():
        if t > at:
            found.append(silence(rhythm, zone, since=at, until=t))
        at = max(at, t)
    return found


def _with_gaps(rhythm: Rhythm, ended: Sequence[float], at: float) -> tuple[float, ...]:
    if not ended:
        return rhythm.gaps
    gaps, weight = list(rhythm.gaps), _weight(rhythm, at)
    told = rhythm.late_after
    for items in ended:
        # What was told as late is hardly usual; should it come again and again, it is.
        gaps[class_of(items)] += weight if items < told else TAUGHT * weight
    return tuple(gaps)


def _added(
    rhythm: Rhythm, start: float, end: float, times: Sequence[float], exact: Sequence[float], zone: tzinfo
) -> Rhythm:
    counts, hours, minutes = list(rhythm.counts), list(rhythm.hours), list(rhythm.minutes)
    # Longer than this, the weights of one update would say more than they know.
    at = max(start, end - 28 * 24 * HOUR)
    while at < end:
        index, left = slot(at, zone)
        length = min(left, end - at)
        hours[index] += length / HOUR * _weight(rhythm, at)
        at += max(length, 1e-3)
    for t in times:
        if t >= end - 28 * 24 * HOUR:
            counts[slot(t, zone)[0]] += _weight(rhythm, t)
    for t in exact:
        minutes[int(t // 60) % MINUTES] += _weight(rhythm, t)
    return replace(rhythm, counts=tuple(counts), hours=tuple(hours), minutes=tuple(minutes))


def _faded(forecast: Forecast, start: float, end: float) -> float:
    """Items expected from `start` to `end`, weighed as the pulse weighs those that came."""
    start = max(start, end - 6 * PULSE)
    total, at = 0.0, start
    while at < end:
        index, left = slot(at, forecast.zone)
        length = min(left, end - at)
        share = math.exp((at + length - end) / PULSE) - math.exp((at - end) / PULSE)
        total += forecast.usual(index) * PULSE * share
        at += max(length, 1e-3)
    return total


def _weight(rhythm: Rhythm, moment: float) -> float:
    return math.exp2((moment - rhythm.origin) / HALF_LIFE)


def _rebased(rhythm: Rhythm, at: float) -> Rhythm:
    """Weights grow with time instead of every count shrinking; now and then they start from one again."""
    if at - rhythm.origin < 8 * HALF_LIFE:
        return rhythm
    shrink = 1 / _weight(rhythm, at)
    return replace(
        rhythm,
        counts=tuple(c * shrink for c in rhythm.counts),
        hours=tuple(h * shrink for h in rhythm.hours),
        gaps=tuple(g * shrink for g in rhythm.gaps),
        minutes=tuple(m * shrink for m in rhythm.minutes),
        origin=at,
    )


def pack(rhythm: Rhythm) -> bytes:
    """2.3 kB that :func:`unpack` reads."""
    r = rhythm
    return _LAYOUT.pack(
        _VERSION, r.origin, r.until, r.last, r.recent, r.expected, r.window, r.fresh, r.span, r.barren,
        *r.gaps, *r.counts, *r.hours, *r.minutes, r.normed, *r.norm,
    )  # fmt: skip


def unpack(data: bytes | None) -> Rhythm:
    """The rhythm that was packed; one that knows nothing for None and for bytes of another version."""
    if data is not None and len(data) == _FORMER.size and data[0] == 2:
        data = b"\x03" + data[1:] + bytes(4 * MINUTES)
    if data is not None and len(data) == _THIRD.size and data[0] == 3:
        data = _LAYOUT.pack(_VERSION, *_THIRD.unpack(data)[1:], 0.0, *(0.0,) * SLOTS)
    if data is not None and len(data) == _FIRST.size and data[0] == 1:
        _, origin, until, recent, expected, window, fresh, span, *slots = _FIRST.unpack(data)
        slots += [0.0] * (MINUTES + 1 + SLOTS)
        last, barren, gaps = 0.0, 0.0, [0.0] * CLASSES
    elif data is None or len(data) != _LAYOUT.size or data[0] != _VERSION:
        return Rhythm()
    else:
        _, origin, until, last, recent, expected, window, fresh, span, barren, *rest = _LAYOUT.unpack(data)
        gaps, slots = rest[:CLASSES], rest[CLASSES:]
    *observed, normed = slots[: 2 * SLOTS + MINUTES + 1]
    return Rhythm(
        counts=tuple(observed[:SLOTS]), hours=tuple(observed[SLOTS : 2 * SLOTS]), minutes=tuple(observed[2 * SLOTS :]),
        origin=origin, until=until, recent=recent, expected=expected, window=window, fresh=fresh, span=span,
        last=last, barren=barren, gaps=tuple(gaps), normed=normed, norm=tuple(slots[-SLOTS:]),
    )  # fmt: skip


def expected_gap(rhythm: Rhythm, now: datetime, zone: tzinfo, *, items: float = 1.0) -> timedelta:
    """How long from `now` until that many items are expected, by the usual rhythm; at most four weeks."""
    usual = Forecast(rhythm, zone, now.timestamp())
    usual.pulse = 1.0
    at, due = now.timestamp(), items
    for length, rate in usual.pieces(at, at + 28 * 24 * HOUR):
        if length * rate >= due:
            return timedelta(seconds=at + due / rate - now.timestamp())
        due -= length * rate
        at += length
    return timedelta(days=28)


def expected_items(rhythm: Rhythm, since: datetime, until: datetime, zone: tzinfo) -> float:
    """How many items the usual rhythm lets expect between two moments (at most four weeks are looked at)."""
    end = until.timestamp()
    usual = Forecast(rhythm, zone, end)
    at, total = max(since.timestamp(), end - 28 * 24 * HOUR), 0.0
    while at < end:
        index, left = slot(at, zone)
        length = min(left, end - at)
        total += length * usual.usual(index)
        at += max(length, 1e-3)
    return total


def silence(
    rhythm: Rhythm,
    zone: tzinfo,
    *,
    since: float,
    until: float,
    without: frozenset[int] = frozenset(),
    quiet_zone: tzinfo | None = None,
    tide: Mapping[int, float] | None = None,
) -> float:
    """Items that were to be expected between two moments in which none came, by the rhythm before that silence.

    Hours `without` (0-23, on the clock of `quiet_zone`) are left out. `tide` is, by hours since 1970, what share of
    its usual output everybody brought; hours it does not name count whole. At most eight weeks are looked at.
    """
    pace, total, at = rhythm.normal, 0.0, max(since, until - SILENCE)
    quiet_zone = quiet_zone or zone
    while at < until:
        index, left = slot(at, zone)
        length = min(left, until - at)
        if not without or slot(at, quiet_zone)[0] % 24 not in without:
            part = length / HOUR * pace[index]
            total += part if tide is None else part * tide.get(int(at // HOUR), 1.0)
        at += max(length, 1e-3)
    return total


def _as_before(rhythm: Rhythm, since: float, zone: tzinfo) -> Rhythm:
    """The rhythm without the hours watched from `since` on: else a silence would teach that silence is usual.

    Of the first ones a part stays: a source that is told as late night after night for no reason teaches its nights.
    """
    if rhythm.until - since < HOUR / 4:
        return rhythm
    told = sum(rhythm.gaps[class_of(rhythm.late_after) :]) / _weight(rhythm, rhythm.until)
    untaught = max(0.0, 1 - TAUGHT - told)
    hours, at = list(rhythm.hours), max(since, rhythm.until - SILENCE)
    while at < rhythm.until:
        index, left = slot(at, zone)
        length = min(left, rhythm.until - at)
        part = untaught if at - since < TAUGHT_FOR else 1.0
        hours[index] = max(0.0, hours[index] - part * length / HOUR * _weight(rhythm, at))
        at += max(length, 1e-3)
    return replace(rhythm, hours=tuple(hours))


def time_for(
    rhythm: Rhythm, zone: tzinfo, items: float, *, since: datetime, without: frozenset[int] = frozenset()
) -> timedelta:
    """How long after `since` that many items are expected by the usual rhythm; at most eight weeks."""
    start = since.timestamp()
    return timedelta(seconds=_time_for(rhythm, zone, items, start, without))


def seconds_until_late(rhythm: Rhythm, zone: tzinfo, within: float) -> float:
    """How long after the last poll the present silence makes it late; endless when it has, or not `within` seconds.

    With two ways of being late there are two such moments: the other one is named when the first is over.
    """
    if rhythm.last <= 0:
        return math.inf
    longest = rhythm.until - rhythm.last + within
    for items in (rhythm.late_after, rhythm.late_anyway):
        left = rhythm.last + _time_for(rhythm, zone, items, rhythm.last, frozenset(), longest) - rhythm.until
        if left > 0:
            return left
    return math.inf


def _time_for(
    rhythm: Rhythm, zone: tzinfo, items: float, start: float, without: frozenset[int], longest: float = SILENCE
) -> float:
    longest = min(longest, SILENCE)
    pace, at, due = rhythm.normal, start, items
    while at < start + longest:
        index, left = slot(at, zone)
        rate = pace[index] / HOUR if index % 24 not in without else 0.0
        if rate > 0 and left * rate >= due:
            return at + due / rate - start
        due -= left * rate
        at += left
    return math.inf if longest < SILENCE else SILENCE
