from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from config.alerting import DEFAULT_RULES, Fall, Grouping, Rule
from monitor.alerts.picture import Ill, Picture
from monitor.alerts.rules import evaluate, held

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
FALL = Fall(below=0.5, over=6 * HOUR)


def falls(**volumes: tuple[int, int]) -> Picture:
    """Outlets with what came in six hours and what is usual."""
    return Picture(volumes={6 * HOUR: volumes})


def ill(source: str, state: str = "silent", **more: Any) -> Ill:
    values: dict[str, Any] = {
        "source_id": source, "outlet_id": source.partition("/")[0], "state": state, "sentence": "no item since then",
        "since": NOW - HOUR,
    }  # fmt: skip
    return Ill(**values | more)


SICK = Rule(name="sick", states=("silent", "failing"))


def test_nothing_is_wrong_with_a_picture_of_health() -> None:
    fine = Picture(
        fresh_p95=60.0, articles_hour=90, usual_hour=100, runs_hour=500, reasons={"dns": 2}, disk_free=0.5,
        lags={"cms": (2.0, 0)},
    )  # fmt: skip

    assert evaluate(DEFAULT_RULES, fine, NOW) == []


def test_all_sources_of_an_outlet_are_one_incident_dated_from_the_first() -> None:
    sources = [ill("a/1"), ill("a/2", since=NOW - 3 * HOUR), ill("b/1", "failing", run_id="r9")]
    one, two = evaluate([SICK], Picture(ill=sources, sources={"a": 2, "b": 4}), NOW)

    assert (one.key, one.title, one.began_at) == ("a", "a: all 2 sources are silent", NOW - 3 * HOUR)
    assert one.sources == ("a/1", "a/2")
    assert one.path == "/sources?q=outlet%3Aa"
    assert (two.title, two.path) == ("b/1 is failing", "/runs/r9")


@pytest.mark.parametrize(("group", "keys"), [(Grouping.SOURCE, ["a/1", "a/2", "b/1"]), (Grouping.RULE, ["*"])])
def test_a_rule_says_what_is_one_incident(group: Grouping, keys: list[str]) -> None:
    found = evaluate([replace(SICK, group=group)], Picture(ill=[ill("a/1"), ill("a/2"), ill("b/1")]), NOW)

    assert [trouble.key for trouble in found] == keys


def test_a_rule_may_be_about_some_outlets_and_states_only() -> None:
    rule = replace(SICK, outlets=("b",))

    assert evaluate([rule], Picture(ill=[ill("a/1"), ill("b/2", "late")]), NOW) == []


def test_a_thousand_sources_are_told_in_a_few_lines() -> None:
    found = evaluate([SICK], Picture(ill=[ill(f"a/{n:04}") for n in range(1000)], sources={"a": 1000}), NOW)

    assert len(found) == 1
    assert len(found[0].sentence) < 500
    assert found[0].sentence.endswith("and 995 more")


@pytest.mark.parametrize(
    ("rule", "picture", "words"),
    [
        (Rule(name="r", freshness=HOUR), Picture(fresh_p95=7200.0), "2 h after"),
        (Rule(name="r", volume=0.3), Picture(articles_hour=20, usual_hour=100), "20 articles in the last hour; 100"),
        (Rule(name="r", outlet_volume=FALL), falls(a=(9, 20)), "9 articles in the last 6 h; 20 are usual"),
        (Rule(name="r", outlet_volume=FALL), falls(a=(9, 20), b=(1, 90), c=(0, 10)), "10 articles of 3 outlets"),
        (Rule(name="r", errors=0.2), Picture(runs_hour=100, reasons={"dns": 30, "empty": 1}), "31 of 100 runs"),
        (Rule(name="r", disk=0.05), Picture(disk_free=0.012), "1.2% of the disk"),
        (Rule(name="r", delivery=HOUR), Picture(lags={"cms": (7200.0, 0)}), "Consumer cms is behind"),
        (Rule(name="r", delivery=HOUR), Picture(lags={"cms": (1.0, 3)}), "3 dead letters"),
        (Rule(name="r", overdue=HOUR), Picture(next_due=NOW - 2 * HOUR, overdue=7), "7 sources are overdue"),
        (Rule(name="r", own_outage=True), Picture(outage_since=NOW - HOUR), "the network here is down"),
        (Rule(name="r", configuration=True), Picture(refused=["x.yaml:1:1: wrong"]), "x.yaml:1:1"),
    ],
)  # fmt: skip
def test_each_condition_finds_its_trouble_and_says_it_plainly(rule: Rule, picture: Picture, words: str) -> None:
    (trouble,) = evaluate([rule], picture, NOW)

    assert words in trouble.sentence


@pytest.mark.parametrize(
    ("rule", "picture"),
    [
        (Rule(name="r", volume=0.3), Picture(articles_hour=0, usual_hour=4)),
        (Rule(name="r", volume=0.3), Picture(articles_hour=0, usual_hour=None)),
        (Rule(name="r", outlet_volume=FALL), falls(a=(10, 20), b=(0, 9))),
        (Rule(name="r", outlet_volume=FALL, outlets=("b",)), falls(a=(0, 20), b=(40, 40))),
        (Rule(name="r", outlet_volume=FALL), replace(falls(a=(0, 20)), outage_since=NOW)),
        (Rule(name="r", outlet_volume=Fall(below=0.5, over=HOUR)), falls(a=(0, 20))),
        (Rule(name="r", errors=0.2), Picture(runs_hour=5, reasons={"dns": 5})),
        (Rule(name="r", errors=0.2, reasons=("tls",)), Picture(runs_hour=100, reasons={"dns": 90})),
        (Rule(name="r", overdue=HOUR), Picture(next_due=NOW - 2 * HOUR, overdue=7, outage_since=NOW)),
    ],
)
def test_what_proves_nothing_is_no_trouble(rule: Rule, picture: Picture) -> None:
    assert evaluate([rule], picture, NOW) == []


def test_each_outlet_that_falls_is_an_incident_of_its_own() -> None:
    found = evaluate([Rule(name="r", outlet_volume=FALL)], falls(a=(9, 20), b=(1, 20), c=(90, 90), d=(80, 90)), NOW)

    assert [(t.key, t.outlet_id, t.began_at) for t in found] == [("a", "a", NOW - 6 * HOUR), ("b", "b", NOW - 6 * HOUR)]


def test_trouble_has_to_last_as_long_as_its_rule_says() -> None:
    rule = replace(SICK, hold=timedelta(minutes=5))
    (trouble,) = evaluate([rule], Picture(ill=[ill("a/1")]), NOW)

    assert held([rule], [trouble], {("sick", "a"): NOW - timedelta(minutes=4)}, NOW) == []
    assert held([rule], [trouble], {("sick", "a"): NOW - timedelta(minutes=5)}, NOW) == [trouble]
