from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from config.model import Adaptive, Outlet, Settings
from scheduler.budget import price
from scheduler.cli.why import week
from scheduler.pricing import PriceList, prices_from, reprice
from scheduler.rhythm import PRICE, PRICES
from storage.explanation import explanation
from storage.rhythm import Forecast
from storage.rhythms import NextPoll
from storage.tables import rhythms

SOURCE = "gemanusa/rdf"


def adaptive(settings: Settings, **changes: object) -> Settings:
    """The same outlets, polled when it pays."""

    def of(outlet: Outlet) -> Outlet:
        sources = tuple(dataclasses.replace(s, schedule=Adaptive(timezone=outlet.timezone)) for s in outlet.sources)
        return dataclasses.replace(outlet, sources=sources)

    return dataclasses.replace(settings, outlets=tuple(of(o) for o in settings.outlets), **changes)  # type: ignore[arg-type]


async def test_a_crawl_keeps_what_it_learned_and_says_why_it_comes_again(desk) -> None:
    desk.worker._settings = lambda: adaptive(desk.settings)
    run = await desk.crawl()
    state = await desk.rooms.storage.sources.get(SOURCE)
    remembered = await desk.rooms.storage.rhythms.get(SOURCE)

    assert remembered.rhythm.window == run.counts.discovered
    assert remembered.demand
    source = adaptive(desk.settings).source(SOURCE)
    told = explanation(source, state, remembered, datetime.now(UTC))
    assert told["terms"][0]["name"] == "rhythm"
    assert datetime.fromisoformat(told["terms"][-1]["at"]) == state.next_attempt
    assert next(line[:3] for line in week(Forecast(remembered.rhythm, UTC, 0.0))) == "Mon"


async def test_what_happened_since_is_told_too(desk) -> None:
    await desk.crawl()
    storage = desk.rooms.storage
    later = datetime.now(UTC) + timedelta(hours=9)
    await storage.sources.reschedule(SOURCE, later)
    await storage.sources.request_run([SOURCE], datetime.now(UTC))

    told = explanation(
        desk.settings.source(SOURCE), await storage.sources.get(SOURCE), await storage.rhythms.get(SOURCE), later
    )

    assert [t["name"] for t in told["terms"]] == ["every", "moved", "asked"]


async def test_a_tight_budget_makes_a_request_dear_and_workers_hear_of_it(desk) -> None:
    tight = adaptive(desk.settings, requests_per_day=4)
    desk.worker._settings = lambda: tight
    storage, now = desk.rooms.storage, datetime.now(UTC)
    await desk.crawl()

    prices = await reprice(storage, tight, now)
    listed = PriceList(storage)
    await listed.refresh()

    assert prices.total > PRICE
    assert listed.prices == prices_from(await storage.facts.get("prices"))
    assert listed.prices.of("gemanusa") == prices.of("gemanusa") == prices.total


async def test_the_budget_of_one_outlet_leaves_the_others_alone(desk) -> None:
    one = adaptive(desk.settings)
    outlets = tuple(dataclasses.replace(o, requests_per_day=4) if o.id == "gemanusa" else o for o in one.outlets)
    limited = dataclasses.replace(one, outlets=outlets)
    desk.worker._settings = lambda: limited
    await desk.crawl()

    prices = await reprice(desk.rooms.storage, limited, datetime.now(UTC))

    assert prices.of("gemanusa") > PRICE
    assert prices.of("another") == PRICE


async def test_a_budget_that_is_taken_back_is_forgotten(desk) -> None:
    storage, now = desk.rooms.storage, datetime.now(UTC)
    await reprice(storage, adaptive(desk.settings, requests_per_day=4), now)
    await reprice(storage, desk.settings, now)

    assert await storage.facts.get("prices") is None


async def test_a_lost_rhythm_is_learned_again_from_what_is_stored(desk) -> None:
    desk.worker._settings = lambda: adaptive(desk.settings)
    await desk.crawl()
    storage = desk.rooms.storage
    before = (await storage.rhythms.get(SOURCE)).rhythm
    zone = adaptive(desk.settings).source(SOURCE).schedule.timezone

    again = await storage.rhythms.relearned(SOURCE, datetime.now(UTC), zone)
    assert (again.window, sum(again.minutes) > 0) == (before.window, sum(before.minutes) > 0)
    assert Forecast(again, zone, before.until).per_day == pytest.approx(
        Forecast(before, zone, before.until).per_day, rel=0.1
    )

    async with storage.database.write() as connection:
        await connection.execute(rhythms.delete())
    await desk.crawl()
    assert (await storage.rhythms.get(SOURCE)).rhythm.counts == pytest.approx(before.counts, rel=0.1, abs=0.1)


async def test_a_stale_holder_writes_no_rhythm(desk) -> None:
    run = await desk.crawl()
    storage = desk.rooms.storage
    before = await storage.rhythms.get(SOURCE)
    late = NextPoll(at=datetime.now(UTC), terms=({"name": "x", "text": "y", "at": "z"},))

    assert not await storage.runs.finish(run.id, run.token - 1, run.status, now=datetime.now(UTC), next_poll=late)
    assert await storage.rhythms.get(SOURCE) == before


def test_a_budget_beyond_every_price_has_the_first_and_one_below_every_price_the_last() -> None:
    curves = [tuple(float(2 ** (len(PRICES) - n)) for n in range(len(PRICES)))]
    assert price(curves, 1e9) == PRICES[0]
    assert price(curves, 1e-9) == PRICES[-1]
