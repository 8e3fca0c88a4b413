"""A flood of one outlet is taken in portions."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from config.model import Settings
from storage.model import RunStatus

from .conftest import OUTLET, SOURCE, Desk


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return dataclasses.replace(settings, limits=dataclasses.replace(settings.limits, outlet_items=4))


async def test_a_flood_of_items_waits_and_is_not_forgotten(desk: Desk) -> None:
    desk.newsroom.publish(OUTLET, 5)

    first = await desk.crawl()
    state = await desk.rooms.storage.sources.get(SOURCE)
    again = await desk.crawl()

    assert (first.status, first.reason, first.counts.stored) == (RunStatus.OK, "quota", 4)
    assert "wait" in (first.message or "")
    assert state is not None
    assert (state.etag, state.last_modified, state.body_hash) == (None, None, None)
    assert (again.reason, again.counts.stored, again.counts.known) == ("quota", 0, 4)
    since = first.started_at - timedelta(minutes=1)
    assert await desk.rooms.storage.fates.count_since(OUTLET, since) == 4
    assert await desk.rooms.storage.fates.count_since("kabarniaga", since) == 0
