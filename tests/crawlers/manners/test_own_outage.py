"""When no host answers the fault is ours: nobody is blamed, nothing is given up, and what was missed is made up for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from storage.model import FateKind, RunStatus

HOSTS = ("satu.test", "dua.test", "tiga.test")


@pytest.fixture
async def three(make_press: Any) -> Any:
    """Three feeds of unrelated hosts, each polled once, the first longest ago."""
    press = await make_press(*({"name": h[:-5], "path": f"/{h}.xml", "host": h} for h in HOSTS))
    press.publish("lama")
    for host in HOSTS:
        press.serves(f"/{host}.xml", press.rss(), 'ETag: "1"')
        assert (await press.poll(host[:-5])).status is RunStatus.OK
    return press


def unplug(press: Any) -> dict[str, Any]:
    """No request gets an answer any more; what was answered before."""
    before = dict(press.web.acts)
    for path in before:
        press.web.says(path, b"")
    return before


async def test_an_outage_of_ours_is_laid_at_nobodys_door(three: Any) -> None:
    names = [host[:-5] for host in HOSTS]
    before = {name: await three.state(name) for name in names}
    unplug(three)
    blamed = await three.poll("satu", minutes=1)
    assert (blamed.status, (await three.state("satu")).failures > 0) == (RunStatus.FAILED, True)
    for name in names[1:]:
        await three.poll(name, minutes=1)

    runs = await three.storage.runs.list(limit=3)
    assert {(run.status, run.reason) for run in runs} == {(RunStatus.SKIPPED, "outage")}
    assert all("our own outage" in run.message for run in runs)
    for name in names:
        # When it was polled and is polled next is all that differs.
        now = await three.state(name)
        same = {"last_attempt": now.last_attempt, "next_attempt": now.next_attempt, "fence": now.fence}
        assert now == replace(before[name], **same)
    assert "outage w" in await three.storage.facts.all()


async def test_the_window_is_marked_and_what_was_missed_is_due_the_oldest_first(three: Any) -> None:
    acts = unplug(three)
    began = three.clock() + timedelta(minutes=1)
    for host in HOSTS:
        await three.poll(host[:-5], minutes=1)
    three.web.acts.update(acts)
    three.publish("selama")
    await three.poll("tiga", minutes=1)

    (window,) = await three.storage.outages.windows()
    assert (window.since, window.until) == (began, three.clock())
    assert "outage w" not in await three.storage.facts.all()
    due = await three.storage.sources.due(three.clock(), 10)
    assert [state.id for state in due] == ["kabar/satu", "kabar/dua"]


async def test_a_page_is_not_given_up_because_we_were_offline(three: Any) -> None:
    items = three.crawler._items
    items._limits = replace(items._limits, page_attempts=1)
    three.publish("baru")
    unplug(three)
    for host in HOSTS:
        await three.poll(host[:-5], minutes=1)
    three.serves(f"/{HOSTS[0]}.xml", three.rss(["baru"]))
    await three.poll("satu", minutes=1)
    (fate,) = await three.fates("baru")

    assert (fate.kind, fate.attempts) == (FateKind.PENDING, 0)
    assert "our own outage" in fate.detail
