"""How soon trouble is noticed, and how often without reason: ``python -m bench.detection [--quick] [--json]``.

A newsroom month (:mod:`bench.month`) is watched on a simulated clock (:mod:`bench.watching`) by what the daemon runs:
its polling policy, its rhythms, its own-outage detector, its drift judge and its health.

The *usual gap* of a feed at a moment is the time in which as many items are usual (by the rates that the trace was
drawn from, which no part of warta knows) as come in the gap that 99 of 100 gaps of its own undisturbed trace stay
below. A stall is as long as nothing was published: from the last item before it. Judged is every stall longer than
three usual gaps, but those in whose fourth our own network was down: it is *found* when its feed is `late` or
`silent` within four. A *false alarm* is any change to a
troubled state while nothing was injected, nor in what follows from it (until a feed brought something new again);
drifting is an outlet's and counted apart, once for each of its feeds.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from bench.arrivals import DAY, HOUR
from bench.month import DAYS, JUDGED, Fault, Feed, month
from bench.watching import Flip, Watching
from config.model import Adaptive
from monitor.health import TROUBLED
from scheduler.rhythm import PRICE

SCHEDULE = Adaptive(floor=timedelta(minutes=2), ceiling=timedelta(hours=6))

#: What a fault is to be noticed as.
EXPECTED = {
    "stall": {"late", "silent"}, "outage": {"failing"}, "block": {"blocked"}, "empty": {"empty"},
    "redesign": {"drifting"},
}  # fmt: skip


@dataclass(slots=True)
class Tally:
    """What came of some months."""

    source_weeks: float = 0.0
    polls: int = 0
    #: Stalls longer than three usual gaps, and how many were found in time.
    judged: int = 0
    found: int = 0
    #: Those of them whose four usual gaps reached into a holiday.
    judged_on_holidays: int = 0
    found_on_holidays: int = 0
    #: Such stalls that nobody could look at: our own network was down during their fourth usual gap.
    unseen: int = 0
    #: Delay of the stalls that were found at all, in usual gaps and in hours.
    gaps: list[float] = field(default_factory=list)
    hours: list[float] = field(default_factory=list)
    #: By kind of fault: injected, noticed, hours until then.
    others: dict[str, list[float | None]] = field(default_factory=lambda: defaultdict(list))
    false: list[Flip] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def __iadd__(self, other: Tally) -> Tally:
        for name in (
            "source_weeks", "polls", "judged", "found", "judged_on_holidays", "found_on_holidays", "unseen",
        ):  # fmt: skip
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("gaps", "hours", "false", "missed"):
            getattr(self, name).extend(getattr(other, name))
        for kind, delays in other.others.items():
            self.others[kind] += delays
        return self


def watch(seed: int, outlets: int, price: float) -> Tally:
    """One month."""
    happened = month(seed, outlets)
    watching = Watching(happened, seed, SCHEDULE, price)
    flips: dict[str, list[Flip]] = defaultdict(list)
    for flip in watching.run():
        flips[flip.feed.name].append(flip)
    tally = Tally(polls=sum(watching.polls.values()))
    for feed in happened.feeds:
        _judge(tally, feed, flips[feed.name], happened.own_outage)
    return tally


def _judge(tally: Tally, feed: Feed, flips: Sequence[Flip], down: tuple[float, float]) -> None:
    usual = usual_gap(feed)
    for fault in feed.faults:
        if fault.kind == "stall":
            _stall(tally, feed, fault, flips, usual, down)
            continue
        hit = next((f for f in flips if fault.start < f.at and f.became in EXPECTED[fault.kind]), None)
        late = None if hit is None or hit.at > fault.end + DAY else (hit.at - fault.start) / HOUR
        tally.others[fault.kind].append(late)
    spans = [(f.start, _over(feed, f)) for f in feed.faults]
    tally.false += [f for f in flips if f.became in TROUBLED and not any(a <= f.at <= b for a, b in spans)]
    quiet = sum(min(b, DAYS * DAY) - a for a, b in spans if a < DAYS * DAY)
    tally.source_weeks += max(0.0, JUDGED * DAY - quiet) / (7 * DAY)


def _stall(
    tally: Tally, feed: Feed, fault: Fault, flips: Sequence[Flip], usual: float, down: tuple[float, float]
) -> None:
    index = bisect_left(feed.times, fault.start) - 1
    last = feed.times[index] if index >= 0 else fault.start
    three, four = feed.after(last, 3 * usual), feed.after(last, 4 * usual)
    if fault.end <= three or four > DAYS * DAY:
        return
    if down[0] < four and three < down[1]:
        tally.unseen += 1
        return
    hit = next((f for f in flips if last < f.at and f.became in EXPECTED["stall"]), None)
    in_time, rested = hit is not None and hit.at <= four, feed.rests(last, four)
    tally.judged += 1
    tally.found += in_time
    tally.judged_on_holidays += rested
    tally.found_on_holidays += in_time and rested
    if hit is None or hit.at > _over(feed, fault):
        tally.missed.append(f"{feed.name}: {feed.per_day:.1f}/day stalled for {(fault.end - last) / HOUR:.1f} h")
        return
    tally.hours.append((hit.at - last) / HOUR)
    tally.gaps.append(feed.usual(last, hit.at) / usual)
    if not in_time:
        tally.missed.append(
            f"{feed.name}: {feed.per_day:.1f}/day found after {tally.gaps[-1]:.2f} usual gaps of {usual:.1f} items "
            f"(learned {hit.usual:.1f})"
        )


def usual_gap(feed: Feed) -> float:
    """Items usual in the gap that 99 of 100 gaps of the undisturbed trace stay below; at least what chance gives."""
    gaps = []
    for before, after in zip(feed.times, feed.times[1:], strict=False):
        if not any(f.kind == "stall" and before <= f.end and after >= f.start for f in feed.faults):
            gaps.append(feed.usual(before, after) if after > before else None)
    lengths = sorted(gap for gap in gaps if gap is not None)
    chance = -math.log(0.01)
    return max(chance, lengths[int(0.99 * len(lengths))]) if len(lengths) >= 100 else chance


def _over(feed: Feed, fault: Fault) -> float:
    """When nothing of a fault is left: the next items came, were fetched, and their state held."""
    index = bisect_right(feed.times, fault.end)
    following = feed.times[index] if index < len(feed.times) else math.inf
    return max(following, fault.end) + DAY / 2


def closing(tally: Tally, months: int, seconds: float) -> dict[str, object]:
    """What the last line says."""
    weeks = tally.source_weeks
    false = [flip for flip in tally.false if flip.became != "drifting"]
    noticed = {
        kind: round(sum(d is not None for d in delays) / len(delays), 3)
        for kind, delays in sorted(tally.others.items())
    }  # fmt: skip
    return {
        "stalls_found_within_one_gap": round(tally.found / tally.judged, 4) if tally.judged else None,
        "false_alarms_per_100_source_weeks": round(100 * len(false) / weeks, 3),
        "false_drifts_per_100_source_weeks": round(100 * (len(tally.false) - len(false)) / weeks, 3),
        "stalls_judged": tally.judged,
        "stalls_judged_on_holidays": tally.judged_on_holidays,
        "stalls_found_on_holidays": tally.found_on_holidays,
        "stalls_unseen": tally.unseen,
        "source_weeks": round(weeks),
        "false_alarms": len(false),
        "false_alarms_by_state": dict(Counter(f.became for f in false)),
        "delay_usual_gaps": {"p50": _share(tally.gaps, 0.5), "p95": _share(tally.gaps, 0.95)},
        "delay_hours": {"p50": _share(tally.hours, 0.5), "p95": _share(tally.hours, 0.95)},
        "others_noticed": noticed,
        "others_delay_hours_p50": {k: _share([d for d in v if d is not None], 0.5) for k, v in tally.others.items()},
        "polls": tally.polls,
        "months": months,
        "seconds": round(seconds, 1),
    }


def _share(values: Sequence[float], share: float) -> float | None:
    return round(sorted(values)[min(len(values) - 1, int(share * len(values)))], 2) if values else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer outlets and months, under 50 seconds")
    parser.add_argument("--json", action="store_true", help="print only the closing line")
    parser.add_argument("--outlets", type=int, help="outlets of each month")
    parser.add_argument("--seeds", type=int, nargs="*", help="months to watch")
    parser.add_argument(
        "--price",
        type=float,
        default=PRICE,
        help="price of a request, in item seconds; the daemon's own without a budget",
    )
    options = parser.parse_args()
    outlets = options.outlets or (10 if options.quick else 30)
    seeds = options.seeds or ([1, 2] if options.quick else [1, 2, 3, 4, 5])
    began, tally = time.monotonic(), Tally()
    for seed in seeds:
        found = watch(seed, outlets, options.price)
        if not options.json:
            print(json.dumps({"seed": seed} | closing(found, 1, time.monotonic() - began)))
            for flip in found.false:
                when = f"day {flip.at / DAY:.1f}, began {flip.began / DAY:.1f}"
                print(f"  false: {flip.feed.name} ({flip.feed.per_day:.1f}/day) {flip.was} -> {flip.became} {when}")
            for line in found.missed:
                print(f"  missed: {line}")
        tally += found
    print(json.dumps(closing(tally, len(seeds), time.monotonic() - began)))


if __name__ == "__main__":
    main()
