from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.revisits import heeds_sign, is_last, next_visit, postponed, room, share

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PLAN = (HOUR, DAY, 7 * DAY)
SEEN = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def test_the_plan_counts_from_first_sight_and_ends() -> None:
    moments, now = [], SEEN
    while (following := next_visit("a", SEEN, PLAN, now=now, rates={})) is not None:
        moments.append(following.step)
        now = following.at
    assert moments == [0, 1, 2]
    assert 7 * DAY <= now - SEEN <= 7.7 * DAY


def test_an_empty_plan_visits_nothing() -> None:
    assert next_visit("a", SEEN, (), now=SEEN, rates={}) is None


def test_visits_missed_while_nobody_was_there_are_made_up_by_one() -> None:
    following = next_visit("a", SEEN, PLAN, now=SEEN + 2 * DAY, rates={})

    assert following is not None
    assert following.step == 2


def test_what_was_published_together_is_not_asked_for_together() -> None:
    moments = {next_visit(f"a{n}", SEEN, PLAN, now=SEEN, rates={}).at for n in range(50)}  # type: ignore[union-attr]

    assert len(moments) == 50


def test_a_visit_that_hardly_ever_finds_an_edit_is_made_for_a_part_of_the_articles() -> None:
    rates = {1: (400, 0), 2: (400, 0)}
    visited = [next_visit(f"a{n}", SEEN, PLAN, now=SEEN + 2 * HOUR, rates=rates) for n in range(500)]

    assert share(rates, 1) == pytest.approx(0.1)
    assert sum(v is not None for v in visited) == pytest.approx(95, abs=30)


def test_an_outlet_that_often_edits_is_looked_at_in_between_as_well() -> None:
    lively, usual = ({1: (100, 50)}, {1: (100, 8)})
    soon, later = (next_visit("a", SEEN, PLAN, now=SEEN + HOUR, rates=r) for r in (lively, usual))

    assert soon is not None
    assert later is not None
    assert soon.at - SEEN < 6 * HOUR < DAY <= later.at - SEEN


def test_an_article_that_was_just_edited_is_looked_at_once_more_soon() -> None:
    following = next_visit("a", SEEN, PLAN, now=SEEN + DAY, rates={}, edited=True)

    assert following is not None
    assert following.at == SEEN + 1.5 * DAY


def test_the_last_visit_trusts_no_validators() -> None:
    assert [is_last(step, PLAN) for step in range(4)] == [False, False, True, True]


def test_signs_that_meant_nothing_are_heeded_less_and_less_often() -> None:
    assert heeds_sign(0, SEEN, SEEN)
    assert heeds_sign(1, SEEN, SEEN)
    assert not heeds_sign(2, SEEN, SEEN + timedelta(minutes=9))
    assert heeds_sign(2, SEEN, SEEN + timedelta(minutes=10))
    assert not heeds_sign(3, SEEN, SEEN + timedelta(minutes=19))
    assert heeds_sign(99, SEEN, SEEN + DAY)


def test_a_page_that_cannot_be_had_is_tried_ever_later() -> None:
    assert postponed(SEEN, SEEN + HOUR) - SEEN == 1.5 * HOUR
    assert postponed(SEEN, SEEN + 12 * HOUR) - SEEN == 15 * HOUR
    assert postponed(SEEN, SEEN + 40 * DAY) - SEEN == 41 * DAY
    assert postponed(None, SEEN) > SEEN


def test_visits_take_what_polls_leave_of_a_budget_and_a_twentieth_at_least() -> None:
    assert room(None, 10**6, 10**6) > 0
    assert room(1000, 300, 100) == 600
    assert room(1000, 1000, 0) == 50
    assert room(1000, 1000, 50) == 0


@given(
    plan=st.lists(st.integers(1, 10**6), min_size=1, max_size=6, unique=True).map(sorted),
    age=st.integers(0, 10**6),
    counts=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), max_size=6),
    edited=st.booleans(),
)
def test_a_visit_lies_ahead_and_near_the_plan(
    plan: list[int], age: int, counts: list[tuple[int, int]], *, edited: bool
) -> None:
    steps = [timedelta(seconds=s) for s in plan]
    rates = {n: (made, min(made, found)) for n, (made, found) in enumerate(counts)}
    now = SEEN + timedelta(seconds=age)

    following = next_visit("x", SEEN, steps, now=now, rates=rates, edited=edited)

    if following is not None:
        assert now < following.at <= SEEN + steps[-1] * 1.11
        assert 0 <= following.step < len(steps)
