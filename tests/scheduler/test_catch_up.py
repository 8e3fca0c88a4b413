"""After a time in which nobody asked, hosts are not stormed."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from scheduler.catch_up import RAMP, Ramp, allowed
from scheduler.dispatch import Dispatcher
from scheduler.queue import CrawlQueue
from storage.model import RunStatus

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


@given(st.floats(-10, 400), st.floats(0, 400))
def test_a_host_is_asked_for_more_and_more(at: float, later: float) -> None:
    first, second = allowed(timedelta(seconds=at)), allowed(timedelta(seconds=at + later))

    assert first is None or first >= 1
    assert second is None or (first is not None and second >= first)


def test_the_ramp_counts_hosts_apart_and_ends() -> None:
    ramp = Ramp(NOW)

    def go(host: str, seconds: float) -> int:
        return sum(ramp.admits(host, NOW + timedelta(seconds=seconds)) for _ in range(50))

    assert [go("a.test", 0), go("b.test", 0), go("a.test", 10), go("a.test", 20), go("a.test", 60)] == [1, 1, 1, 3, 32]
    assert go("a.test", RAMP.total_seconds()) == 50
    assert not ramp.is_over(NOW + RAMP - timedelta(seconds=1))
    assert ramp.is_over(NOW + RAMP)
    assert not ramp.concerns(NOW + timedelta(seconds=1))


async def test_after_downtime_each_host_is_asked_for_one_source_first_by_priority_and_age(desk: Any) -> None:
    """The press's sources, all of them hours overdue when a dispatcher begins."""
    storage, now = desk.rooms.storage, datetime.now(UTC)
    states = await storage.sources.all()
    for age, state in enumerate(states):
        await storage.sources.claim(state.id, state.next_attempt, now - timedelta(hours=3, minutes=age), now)
        await storage.sources.unclaim(state.id)
        run = await storage.runs.begin(state.id, state.outlet_id, "schedule", now, 1, "w", now)
        await storage.runs.finish(run.id, 1, RunStatus.OK, now=now, state={"last_attempt": now})
    hosts = Counter(state.url.split("/")[2] for state in states)
    crowded, number = hosts.most_common(1)[0]
    assert number > 1
    queue, moment = CrawlQueue(desk.rooms.redis_url), [now]
    dispatcher = Dispatcher(storage, queue, lambda: desk.settings, backlog=500, now=lambda: moment[0])
    oldest = min((s for s in states if s.url.split("/")[2] == crowded), key=lambda s: -states.index(s))

    async def sent() -> Counter[str]:
        queued = [s for s in await storage.sources.all() if s.queued_at is not None]
        return Counter(s.url.split("/")[2] for s in queued)

    try:
        await dispatcher.tick()
        assert set((await sent()).values()) == {1}
        assert len(await sent()) == len(hosts)
        assert (await storage.sources.get(oldest.id)).queued_at is not None
        assert {run.reason for run in await storage.runs.list(statuses=[RunStatus.MISSED], limit=500)} == {"downtime"}
        moment[0] += timedelta(seconds=10)
        await dispatcher.tick()
        assert (await sent())[crowded] == 2
        moment[0] += RAMP
        await dispatcher.tick()
        assert (await sent())[crowded] == number
    finally:
        queue.close()
