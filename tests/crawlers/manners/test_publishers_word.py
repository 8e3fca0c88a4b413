"""What a publisher asks about polling holds until it asks for something else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from scheduler.plan import diff
from storage.model import RunStatus


async def test_ttl_and_skip_hours_hold_through_a_304_a_failure_and_a_reload(press: Any) -> None:
    press.publish("satu")
    inside = "<ttl>120</ttl><skipHours><hour>15</hour></skipHours>"
    press.serves("/feed.xml", press.rss(inside=inside), 'ETag: "1"')
    await press.poll()  # at 12:10 UTC
    press.web.says("/feed.xml", press.web.reply("304 Not Modified", b"", 'ETag: "1"'))
    run = await press.poll()
    state = await press.state()
    assert run.status is RunStatus.NOT_MODIFIED
    assert state.said == {"interval": 7200.0, "skip_hours": [15]}
    assert state.not_before == press.clock() + timedelta(hours=2)

    sources = {source.id: source for source in press.outlet.sources}
    assert diff(sources, [state], now=press.clock()).empty
    assert await press.storage.sources.due(state.not_before - timedelta(seconds=1), 10) == []

    press.web.says("/feed.xml", press.web.reply("500 Internal Server Error"))
    await press.poll(minutes=50)
    state = await press.state()
    assert state.failures > 0
    assert state.next_attempt >= press.clock() + timedelta(minutes=70)


async def test_a_max_age_is_waited_for(press: Any) -> None:
    press.publish("satu")
    press.serves("/feed.xml", press.rss(), "Cache-Control: max-age=5400")
    await press.poll()

    state = await press.state()
    assert state.next_attempt >= state.not_before == press.clock() + timedelta(minutes=90)


async def test_the_clock_set_back_lengthens_no_wait(press: Any) -> None:
    press.publish("satu")
    press.serves("/feed.xml", press.rss(), "Cache-Control: max-age=5400")
    await press.poll()
    back = timedelta(hours=-3)
    press.clock.moment += back
    await press.storage.waits.move(back, press.clock())

    assert (await press.state()).not_before == press.clock() + timedelta(minutes=90)
