"""How fresh the best rule could be: ``python -m bench.bound [--goal R] [--pace N] [--json]``.

The rule is told all that can be known beforehand, and more: the true rate of every hour of every feed, the minutes that
its desk times items for, and every burst from its first second. Only the items themselves are not foretold. With that
the cheapest polls for which half of the items are found within one age and 95 of 100 within another are found by
dynamic programming: an item that is found later has a price, one for either age, and the prices are raised until no
more requests can be shown to be needed (Lagrange's dual). Every value of the dual is a bound, so a search that stops
early stays on the safe side; polls come at full steps of a grid, which makes it one in a hundred too high at most.

The ages are `--goal` times the best p50 and the best p95 of the four rules of other systems at `--pace` requests a day
and feed (:mod:`bench.peers`). The closing line says how many requests they take at the least, over those that are
allowed: above 1 no rule reaches the goal. The polls that were found are replayed, too: what they really bring stands
beside it. What a rule might still gain is that gaps between items are more even than by chance.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing import Pool

import numpy as np
from numpy.typing import NDArray

from bench.arrivals import DAY, HOUR, Feed, feeds
from bench.peers import PEERS
from bench.polling import PACE, QUICK, SCHEDULE
from bench.replay import WARM_UP, Account, Watch, at_equal_requests

#: Steps of the grid in the shorter of the two ages, at least; a minute has a whole number of them.
STEPS = 12

#: Rounds in which the prices of late items are raised or lowered.
ROUNDS = 7

Series = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Plan:
    """The cheapest polls of one feed at some prices."""

    #: Requests and late items together, in requests.
    cost: float
    #: Seconds since the trace's start.
    polls: tuple[float, ...]
    #: Items expected, and those of them expected to be later than the first age and than the second.
    items: float
    later: tuple[float, float]


def expected(feed: Feed, days: float, step: float) -> Series:
    """Items expected since the end of the warm-up, at every step of the grid."""
    at = np.arange(WARM_UP, days * DAY, step)
    rates = np.asarray(feed.rates)[(at // HOUR).astype(int) % len(feed.rates)] * step / HOUR
    minutes = (at // 60).astype(int) % 60
    share = np.full(60, 1 - sum(feed.marks.values()))
    for minute, part in feed.marks.items():
        share[minute] += 60 * part
    rates *= share[minutes]
    for burst in feed.bursts:
        since = at + step / 2 - burst.start
        rates += np.where(since > -step / 2, burst.pace * np.exp(-np.maximum(0, since) / burst.calm), 0.0) * step / HOUR
    return np.concatenate([[0.0], np.cumsum(rates)])


def cheapest(feed: Feed, days: float, step: float, ages: tuple[float, float], prices: tuple[float, float]) -> Plan:
    """The polls for which requests, and items later than either age at its price, cost least together."""
    came = expected(feed, days, step)
    grid = np.arange(len(came)) * step
    before = [np.interp(grid - age, grid, came) for age in ages]
    total, following = np.zeros(len(came)), np.zeros(len(came), dtype=int)
    most = int(SCHEDULE.ceiling.total_seconds() / step)
    for n in range(1, len(came)):
        first = max(0, n - most)
        seen = came[first:n]
        cost = total[first:n] + 1
        for price, old in zip(prices, before, strict=True):
            cost = cost + price * np.maximum(0.0, old[n] - seen)
        best = int(np.argmin(cost))
        total[n], following[n] = cost[best], first + best
    polls, later = [], [0.0, 0.0]
    n = len(came) - 1
    while n > 0:
        polls.append(n)
        for which, old in enumerate(before):
            later[which] += max(0.0, old[n] - came[following[n]])
        n = following[n]
    times = tuple(WARM_UP + n * step for n in reversed(polls))
    return Plan(float(total[-1]), times, float(came[-1]), (later[0], later[1]))


def least_requests(trace: Sequence[Feed], days: int, ages: tuple[float, float]) -> tuple[float, list[Plan]]:
    """What half within one age and 95 of 100 within the other (in seconds) take at the least, and polls near that."""
    step = max(10.0, 60 / math.ceil(60 * STEPS / ages[0]))
    prices, bound, plans = (180.0 / ages[0], 4080.0 / ages[1]), 0.0, []
    with Pool(os.cpu_count()) as pool:
        for _ in range(ROUNDS):
            found = pool.map(partial(cheapest, days=days, step=step, ages=ages, prices=prices), trace, chunksize=1)
            items = sum(plan.items for plan in found)
            allowed = (0.5 * items, 0.05 * items)
            value = sum(plan.cost for plan in found) - sum(p * a for p, a in zip(prices, allowed, strict=True))
            if value > bound:
                bound, plans = value, found
            over = [sum(plan.later[which] for plan in found) / allowed[which] for which in (0, 1)]
            prices = (prices[0] * over[0] ** 1.5, prices[1] * over[1] ** 0.6)
    return bound, plans


def replayed(trace: Sequence[Feed], plans: Sequence[Plan]) -> Account:
    """What these polls find."""
    account = Account()
    for feed, plan in zip(trace, plans, strict=True):
        watch = Watch(feed, account)
        watch.poll(WARM_UP - 1.0)
        for at in plan.polls:
            watch.poll(at)
    return account


def measure(seed: int, count: int, days: int, pace: float, goal: float) -> dict[str, float]:
    """One trace."""
    trace = feeds(seed, count, days)
    allowed = round(pace * count * (days - 7))
    others = [at_equal_requests(trace, days, peer, allowed)[1] for peer in PEERS]
    p50, p95 = (min(account.age(share) for account in others) for share in (0.5, 0.95))
    least, plans = least_requests(trace, days, (60 * goal * p50, 60 * goal * p95))
    known = replayed(trace, plans)
    return {
        "requests_at_least": least / allowed,
        "replayed_requests": known.requests / allowed,
        "replayed_p50_ratio": known.age(0.5) / p50,
        "replayed_p95_ratio": known.age(0.95) / p95,
        "replayed_missed": known.missed / known.items,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--goal", type=float, default=0.6, help="ages over the best of the others")
    parser.add_argument("--pace", type=float, default=PACE, help="requests a day and feed")
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3], help="traces")
    parser.add_argument("--json", action="store_true", help="print only the closing line")
    options = parser.parse_args()
    began, found = time.monotonic(), []
    for seed in options.seeds:
        found.append(measure(seed, *QUICK, options.pace, options.goal))
        if not options.json:
            print(f"trace {seed}: " + ", ".join(f"{name} {value:.4g}" for name, value in found[-1].items()), flush=True)
    closing: dict[str, float] = {name: round(statistics.median(one[name] for one in found), 4) for name in found[0]}
    spread = [round(f(one["requests_at_least"] for one in found), 3) for f in (min, max)]
    settings = {"goal": options.goal, "requests_per_feed_and_day": options.pace, "traces": len(found)}
    seconds = math.ceil(time.monotonic() - began)
    print(json.dumps(closing | {"requests_at_least_spread": spread} | settings | {"seconds": seconds}))


if __name__ == "__main__":
    main()
