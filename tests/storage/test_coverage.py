"""What pages gave: counted with the item they belong to, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.coverage import Coverage, size_class
from storage.errors import StaleToken
from storage.model import FIELDS, FateKind, Image, Measured
from storage.storage import Storage

from .conftest import article

WHOLE = Measured(rules="current", found=frozenset(FIELDS), ruled=frozenset({"title", "body"}), characters=2000)
BARE = Measured(rules="current", found=frozenset({"title"}), characters=0)


async def put(desk: Any, *pages: Measured, kind: FateKind = FateKind.STORED) -> None:
    run = await desk.begin()
    fates = await desk.discover(*(f"{run.id}-{number}" for number in range(len(pages))))
    for fate, page in zip(fates, pages, strict=True):
        await desk.decide(fate, kind, measured=page, **({"rule": "empty"} if kind is FateKind.FAILED else {}))


async def test_pages_are_counted_by_field_and_length(storage: Storage, desk: Any, clock: Any) -> None:
    await put(desk, WHOLE, WHOLE)
    await put(desk, BARE, kind=FateKind.FAILED)
    today = clock().date()

    total = await storage.coverage.total(desk.outlet, "current", today, today)

    assert total.pages == 3
    assert total.found["title"] == 3
    assert total.found["body"] == total.ruled["body"] == 2
    assert total.ruled["authors"] == 0
    assert total.sizes == {0: (1, 0), size_class(2000): (2, 4000)}
    assert await storage.coverage.total("another", "current", today, today) == Coverage(
        0, dict.fromkeys(FIELDS, 0), dict.fromkeys(FIELDS, 0), {}
    )


async def test_rule_versions_and_days_are_counted_apart(storage: Storage, desk: Any, clock: Any) -> None:
    old = Measured(rules="until 2020-01-31", characters=100)
    first = clock().date()
    await put(desk, WHOLE, old)
    clock.advance(timedelta(days=1))
    await put(desk, WHOLE)
    last = clock().date()

    async def pages(rules: str, since: Any, until: Any) -> int:
        return (await storage.coverage.total(desk.outlet, rules, since, until)).pages

    assert await pages("current", first, last) == 2
    assert await pages("current", last, last) == 1
    assert await pages("until 2020-01-31", first, last) == 1
    assert await storage.coverage.forget(last) == 2
    assert await pages("current", first, last) == 1


async def test_what_is_refused_or_repeated_counts_nothing(storage: Storage, desk: Any, clock: Any) -> None:
    await desk.begin()
    (fate,) = await desk.discover("beras")
    decided = desk.decided(fate, measured=WHOLE)
    await storage.writer.commit(decided)
    await storage.writer.commit(decided)
    await desk.begin()
    with pytest.raises(StaleToken):
        await storage.writer.commit(decided)

    today = clock().date()
    assert (await storage.coverage.total(desk.outlet, "current", today, today)).pages == 1


async def test_the_last_readings_come_newest_first_and_the_rest_is_let_go(
    storage: Storage, desk: Any, clock: Any
) -> None:
    await put(desk, WHOLE, WHOLE, BARE)

    assert await storage.coverage.last(desk.outlet, "current", 2) == [BARE, WHOLE]
    await storage.coverage.trim(desk.outlet, "current", 2)
    assert await storage.coverage.last(desk.outlet, "current", 9) == [BARE, WHOLE]
    await storage.coverage.trim(desk.outlet, "current", 2)
    assert len(await storage.coverage.last(desk.outlet, "current", 9)) == 2
    assert (await storage.coverage.total(desk.outlet, "current", clock().date(), clock().date())).pages == 3


PAGES = st.builds(
    Measured,
    rules=st.just("current"),
    found=st.frozensets(st.sampled_from(FIELDS)),
    ruled=st.frozensets(st.sampled_from(FIELDS)),
    characters=st.integers(0, 100_000),
)


@given(st.lists(PAGES, max_size=30), st.lists(PAGES, max_size=30))
def test_pages_less_some_of_them_are_the_others(some: list[Measured], others: list[Measured]) -> None:
    rest = Coverage.of([*some, *others]).without(Coverage.of(some))
    expected = Coverage.of(others)
    assert (rest.pages, rest.sizes) == (expected.pages, expected.sizes)
    assert {k: v for k, v in rest.found.items() if v} == expected.found
    assert {k: v for k, v in rest.ruled.items() if v} == expected.ruled


@given(st.lists(st.integers(1, 100_000), min_size=1, max_size=60), st.floats(0.05, 1.0))
def test_lengths_are_told_to_a_fifth(lengths: list[int], share: float) -> None:
    told = Coverage.of(Measured(rules="current", characters=n) for n in lengths).length(share)
    ordered = sorted(lengths)
    exact = next(n for i, n in enumerate(ordered, 1) if i >= share * len(ordered))
    assert exact / 1.2 <= told <= exact * 1.2


async def test_fields_of_a_source_are_those_of_its_newest_articles(desk: Any) -> None:
    await desk.publish("tua", replace(article("tua"), authors=()))
    await desk.publish("satu", replace(article("satu"), section="Ekonomi", tags=()))
    image = Image(url="https://warta-pagi.test/1.jpg")
    await desk.publish("dua", replace(article("dua"), published=desk.clock(), published_from="meta", images=(image,)))

    newest = await desk.storage.coverage.of_source(desk.source, 2)

    assert newest.pages == 2
    assert newest.found == {
        "title": 2, "authors": 2, "published": 1, "section": 1, "tags": 1, "image": 1, "body": 2,
    }  # fmt: skip
    assert (await desk.storage.coverage.of_source(desk.source, 9)).found["authors"] == 2
    assert await desk.storage.coverage.of_source("nobody/here", 9) == Coverage(0, dict.fromkeys(newest.found, 0))
