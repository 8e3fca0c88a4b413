"""What our own outages take back and make up for, on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from storage.model import RunStatus
from storage.outages import Window

WEIGHTS = {"connect": 0.25, "dns": 0.5}
MINUTE = timedelta(minutes=1)


async def fail(desk: Any, source: str, reason: str, failures: float) -> None:
    run = await desk.begin(source)
    later = desk.clock() + timedelta(hours=2)
    state = {"failures": failures, "last_failure": reason, "last_failure_message": "m", "next_attempt": later}
    await desk.storage.runs.finish(
        run.id, run.token, RunStatus.FAILED, now=desk.clock(), reason=reason, message="no answer", state=state
    )


async def test_what_failed_since_it_began_is_excused_by_its_weight(desk: Any) -> None:
    sources = ["warta-pagi/utama", "kabar/a", "kabar/b", "kabar/c"]
    await desk.declare(*sources)
    await fail(desk, sources[3], "connect", 0.25)  # before
    since = desk.clock.advance(MINUTE)
    await fail(desk, sources[0], "dns", 0.5)
    await fail(desk, sources[1], "connect", 1.25)  # it had failed otherwise before
    await fail(desk, sources[2], "http_5xx", 0.25)  # a server that answers is no outage
    desk.clock.advance(MINUTE)

    assert await desk.storage.outages.begin("w", since, WEIGHTS, desk.clock()) == 2

    states = [await desk.storage.sources.get(name) for name in sources]
    assert [state.failures for state in states] == [0.0, 1.0, 0.25, 0.25]
    assert [state.last_failure for state in states] == [None, "connect", "http_5xx", "connect"]
    runs = {run.source_id: run for run in await desk.storage.runs.list()}
    assert [str(runs[name].status) for name in sources] == ["skipped", "skipped", "failed", "failed"]
    assert runs[sources[0]].reason == "outage"
    assert runs[sources[0]].message == "our own outage: no answer"
    assert (await desk.storage.facts.get("outage w"))["since"] == since.isoformat()

    end = desk.clock.advance(MINUTE)
    assert await desk.storage.outages.end("w", since, end) == 2
    assert list(await desk.storage.outages.windows()) == [Window(since, end)]
    assert await desk.storage.facts.get("outage w") is None
    due = [state.id for state in await desk.storage.sources.due(end, 10)]
    assert sorted(due) == sorted(sources[:2])


async def test_the_source_that_waited_longest_is_due_first(desk: Any) -> None:
    sources = ["kabar/a", "kabar/b", "kabar/c"]
    await desk.declare(*sources)
    for source in ("kabar/b", "kabar/c"):  # the third was never reached
        run = await desk.begin(source)
        state = {"last_success": desk.clock()}
        await desk.storage.runs.finish(run.id, run.token, RunStatus.OK, now=desk.clock(), state=state)
        desk.clock.advance(MINUTE)
    since = desk.clock()
    for source in reversed(sources):
        await fail(desk, source, "dns", 0.5)
    await desk.storage.outages.begin("w", since, WEIGHTS, desk.clock())
    await desk.storage.outages.end("w", since, desk.clock.advance(MINUTE))

    states = [await desk.storage.sources.get(name) for name in sources]
    assert [s.id for s in sorted(states, key=lambda s: s.next_attempt)] == ["kabar/a", "kabar/b", "kabar/c"]
    assert all(state.next_attempt < desk.clock() for state in states)
