"""When an outlet drifts, and when it has recovered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.drift import FEWEST, KEPT, Drift, judge
from storage.coverage import Coverage
from storage.model import FIELDS, Measured

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
ALL = frozenset(FIELDS)


def page(*, lacks: tuple[str, ...] = (), unruled: tuple[str, ...] = (), characters: int = 2000) -> Measured:
    return Measured(
        rules="current", found=ALL - set(lacks), ruled=ALL - set(lacks) - set(unruled), characters=characters
    )


def pages(count: int, **what) -> list[Measured]:
    return [page(**what) for _ in range(count)]


def verdict(
    last: list[Measured],
    baseline: list[Measured] | None = None,
    *,
    asked: frozenset[str] = ALL,
    former: Drift = Drift(),  # noqa: B008 - frozen
    days: int = 0,
) -> Drift:
    usual = Coverage.of(pages(500) if baseline is None else baseline)
    return judge(usual, last, asked, former, since=NOW - timedelta(days=days), now=NOW)


def what(drift: Drift) -> list[str]:
    return [fall.what for fall in drift.falls]


def test_a_body_that_the_rules_no_longer_find_is_drift_within_a_dozen_pages() -> None:
    drift = verdict([*pages(12, unruled=("body",)), *pages(28)])
    assert what(drift) == ["body by the rules"]
    assert drift.evidence == "body by the rules fell from 100% to 0% of pages, over the last 12 pages"


@pytest.mark.parametrize(
    ("last", "baseline", "fell"),
    [
        pytest.param(pages(40), None, [], id="as ever"),
        pytest.param(pages(11, unruled=("body",)), None, [], id="too few pages to say"),
        pytest.param(pages(40, unruled=("body",)), pages(FEWEST - 1), [], id="too short a past to say"),
        pytest.param([*pages(6, unruled=("body",)), *pages(34)], None, ["body by the rules"], id="half of a dozen"),
        pytest.param([*pages(3, unruled=("body",)), *pages(37)], None, [], id="a quarter of a dozen"),
        pytest.param(
            [*pages(20, lacks=("tags",)), *pages(20)], [*pages(300), *pages(200, lacks=("tags",))],
            ["tags by the rules", "tags"], id="tags that most pages had",
        ),
        pytest.param(
            pages(20, lacks=("tags",)), [*pages(100), *pages(400, lacks=("tags",))], [],
            id="tags that one page in five had are missed by twenty pages by chance",
        ),
        pytest.param(pages(40, characters=300), None, ["length"], id="only the lede is left"),
        pytest.param(pages(40, characters=1500), None, [], id="somewhat shorter"),
        pytest.param(
            pages(12, characters=600), [*pages(250, characters=500), *pages(250, characters=4000)], [],
            id="a dozen briefs at a desk that writes many",
        ),
    ],
)  # fmt: skip
def test_what_counts_as_a_fall(last: list[Measured], baseline: list[Measured] | None, fell: list[str]) -> None:
    assert what(verdict(last, baseline)) == fell


def test_a_field_without_selectors_is_only_missed_when_nothing_finds_it() -> None:
    assert not verdict(pages(40, unruled=("tags",)), asked=ALL - {"tags"})
    assert what(verdict(pages(40, lacks=("tags",)), asked=ALL - {"tags"})) == ["tags"]


def test_empty_pages_are_a_fall_of_everything_named_by_the_body_first() -> None:
    drift = verdict([Measured(rules="current") for _ in range(12)])
    assert what(drift)[:2] == ["body by the rules", "length"]
    assert len(drift.falls) == 2 * len(FIELDS) + 1
    assert drift.evidence.endswith("; and 12 more, over the last 12 pages")


def test_a_fall_ends_near_the_former_share_and_not_between() -> None:
    former = verdict(pages(12, unruled=("body",)))
    half_back = [*pages(8), *pages(4, unruled=("body",)), *pages(24, unruled=("body",))]
    between = [*pages(9), *pages(3, unruled=("body",)), *pages(28)]

    assert verdict(half_back, former=former)
    assert verdict(between, former=former)
    assert not verdict(between)
    assert not verdict(pages(40), former=former)


def test_rules_stay_wrong_for_good_but_an_outlet_may_stop_printing_tags() -> None:
    rules, tags = verdict(pages(40, unruled=("body",))), verdict(pages(40, lacks=("tags",)), asked=frozenset({"body"}))
    assert verdict(pages(40, unruled=("body",)), former=rules, days=40)
    assert verdict(pages(40, lacks=("tags",)), asked=frozenset({"body"}), former=tags, days=27)
    assert not verdict(pages(40, lacks=("tags",)), asked=frozenset({"body"}), former=tags, days=29)


PAGES = st.builds(
    Measured,
    rules=st.just("current"),
    found=st.frozensets(st.sampled_from(FIELDS)),
    ruled=st.frozensets(st.sampled_from(FIELDS)),
    characters=st.integers(0, 20_000),
)


@given(st.lists(PAGES, max_size=KEPT), st.lists(PAGES, min_size=FEWEST, max_size=90), st.booleans())
def test_every_drift_has_evidence_of_less_than_there_was(
    last: list[Measured], baseline: list[Measured], drifted: bool
) -> None:
    former = verdict(pages(12, unruled=("body",))) if drifted else Drift()
    drift = verdict(last, baseline, former=former)
    if len(last) >= 12:
        assert all(fall.after < fall.before for fall in drift.falls)
    assert bool(drift) == bool(drift.evidence.partition(", over")[0])


@given(PAGES, PAGES)
def test_an_outlet_whose_pages_stay_as_they_are_never_drifts(one: Measured, other: Measured) -> None:
    assert not verdict([one, other] * 20, [one, other] * 50)
