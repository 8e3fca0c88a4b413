from __future__ import annotations

import itertools
import random

import numpy as np
import pytest

from bench.arrivals import DAY, HOUR, Burst, Feed, feeds
from bench.bound import cheapest, expected, replayed
from bench.replay import WARM_UP

STEP = 600.0
DAYS = 7 + 2 * HOUR / DAY


def made(seed: int) -> Feed:
    rng = random.Random(seed)
    rates = tuple(rng.choice((0.2, 2.0, 9.0)) for _ in range(168))
    marks = {0: 0.5, 30: 0.2} if rng.random() < 0.5 else {}
    burst = Burst(WARM_UP + rng.random() * HOUR, 30.0, HOUR)
    return Feed("desk", 20, (), rates, marks, (burst,) if rng.random() < 0.5 else ())


@pytest.mark.parametrize("seed", range(6))
def test_no_other_polls_cost_less(seed: int) -> None:
    feed, ages, prices = made(seed), (900.0, 2400.0), (0.3, 1.5)
    came = expected(feed, DAYS, STEP)
    grid = np.arange(len(came)) * STEP

    def cost(polls: tuple[int, ...]) -> float:
        total = float(len(polls))
        for before, at in itertools.pairwise((0, *polls)):
            for age, price in zip(ages, prices, strict=True):
                total += price * max(0.0, float(np.interp(grid[at] - age, grid, came)) - came[before])
        return total

    last = len(came) - 1
    chosen = [some for count in range(last) for some in itertools.combinations(range(1, last), count)]
    least = min(cost((*some, last)) for some in chosen)

    found = cheapest(feed, DAYS, STEP, ages, prices)

    assert found.cost == pytest.approx(least)
    assert found.cost == pytest.approx(cost(tuple(round((at - WARM_UP) / STEP) for at in found.polls)))


def test_as_many_items_are_expected_as_come() -> None:
    trace = feeds(3, 40, 14)
    came = sum(sum(at >= WARM_UP for at in feed.times) for feed in trace)

    assert sum(expected(feed, 14, 60.0)[-1] for feed in trace) == pytest.approx(came, rel=0.05)


def test_cheap_lateness_means_few_polls_and_dear_lateness_none_late() -> None:
    feed = feeds(3, 3, 14)[2]
    lazy = cheapest(feed, 14, 60.0, (600.0, 3600.0), (0.001, 0.001))
    eager = cheapest(feed, 14, 60.0, (600.0, 3600.0), (100.0, 100.0))

    assert len(lazy.polls) == 7 * 4  # the ceiling of six hours
    assert sum(eager.later) < 0.1
    assert max(replayed([feed], [eager]).ages) <= 600 + 60
