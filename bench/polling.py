"""How fresh, at equal numbers of requests: ``python -m bench.polling [--quick] [--json]``.

Traces of news feeds (:mod:`bench.arrivals`) are replayed on a simulated clock under the daemon's own policy (the
modules that the daemon runs, with a request budget) and under four rules of other systems (:mod:`bench.peers`), each
set to ask at least as often. The first week is for learning and is not judged; it is not free either: every rule
starts knowing nothing. Shown are the age of items at discovery and the share that was never seen.

The closing line compares ours with the best of the others *number by number*: the lowest p50 of any, the lowest p95
of any, the fewest missed of any, whichever rule each comes from. What any rule could reach, :mod:`bench.bound` says.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from datetime import timedelta

from bench.arrivals import Feed, feeds
from bench.peers import PEERS
from bench.replay import Account, at_equal_requests, replay_ours
from config.model import Adaptive

#: Requests a day and feed: an hourly poll on average, which is what Miniflux and StormCrawler ship with.
PACE = 24.0

#: Feeds and days of a trace for `--quick`.
QUICK = (40, 14)

SCHEDULE = Adaptive(floor=timedelta(minutes=2), ceiling=timedelta(hours=6))


@dataclass(frozen=True, slots=True)
class Row:
    """One rule on one trace."""

    rule: str
    requests: float
    p50: float
    p95: float
    mean: float
    missed: float
    #: CPU of learning from a poll and deciding on the next, in microseconds; 0 for the peers.
    thought: float


def row(rule: str, account: Account) -> Row:
    return Row(
        rule, account.requests, account.age(0.5), account.age(0.95), account.mean, account.missed / account.items,
        1e6 * account.thought / account.polls if account.polls else 0.0,
    )  # fmt: skip


def compare(trace: Sequence[Feed], days: int, pace: float) -> list[Row]:
    """All rules on one trace, ours first."""
    ours = replay_ours(trace, days, pace * len(trace), SCHEDULE)
    return [row("warta", ours)] + [
        row(peer.name, at_equal_requests(trace, days, peer, ours.requests)[1]) for peer in PEERS
    ]


def ratios(rows: list[Row]) -> dict[str, float]:
    """Ours over the best of the others, number by number."""
    ours, others = rows[0], rows[1:]
    p50, p95 = min(r.p50 for r in others), min(r.p95 for r in others)
    missed = min(r.missed for r in others)
    return {
        "age_p50_ratio": ours.p50 / p50,
        "age_p95_ratio": ours.p95 / p95,
        "missed_ratio": ours.missed / missed if missed else float(ours.missed > 0),
        "age_mean_ratio": ours.mean / min(r.mean for r in others),
        "decision_us": ours.thought,
    }


def typical(traces: Sequence[Sequence[Row]]) -> list[Row]:
    """Of each rule the median of every number over the traces."""
    found = []
    for rows in zip(*traces, strict=True):
        _, *numbers = zip(*map(astuple, rows), strict=True)
        found.append(Row(rows[0].rule, *map(statistics.median, numbers)))
    return found


def middle(several: Iterable[dict[str, float]]) -> dict[str, float]:
    """The median of each number over the traces."""
    found = list(several)
    return {name: round(statistics.median(r[name] for r in found), 3) for name in found[0]}


def spread(several: Sequence[dict[str, float]]) -> dict[str, list[float]]:
    """The least and the greatest of each number over the traces."""
    return {f"{name}_spread": [round(f(r[name] for r in several), 3) for f in (min, max)] for name in several[0]}


def show(rows: list[Row], title: str) -> None:
    print(title)
    print(f"  {'rule':26} {'requests':>9} {'p50 min':>8} {'p95 min':>8} {'mean min':>8} {'missed':>8}")
    for r in rows:
        print(f"  {r.rule:26} {r.requests:9,.0f} {r.p50:8.1f} {r.p95:8.1f} {r.mean:8.1f} {r.missed:8.3%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer feeds and traces, under 50 seconds")
    parser.add_argument("--json", action="store_true", help="print only the closing line")
    parser.add_argument("--pace", type=float, default=PACE, help="requests a day and feed")
    parser.add_argument("--seeds", type=int, nargs="*", help="traces to replay")
    options = parser.parse_args()
    count, days = QUICK if options.quick else (60, 21)
    seeds = options.seeds or ([1, 2, 3] if options.quick else [1, 2, 3, 4, 5])
    began, found, tables = time.monotonic(), [], []
    for seed in seeds:
        trace = feeds(seed, count, days)
        rows = compare(trace, days, options.pace)
        found.append(ratios(rows))
        tables.append(rows)
        if not options.json:
            show(rows, f"trace {seed}: {count} feeds, {days - 7} days after a week of learning")
    if not options.json:
        show(typical(tables), "medians of the traces")
    closing = (
        middle(found)
        | spread(found)
        | {
            "traces": len(seeds),
            "feeds": count,
            "requests_per_feed_and_day": options.pace,
            "seconds": round(time.monotonic() - began, 1),
        }
    )
    print(json.dumps(closing))


if __name__ == "__main__":
    main()
