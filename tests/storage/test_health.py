from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from storage.health import Change
from storage.model import RunStatus
from storage.storage import Storage


def change(source: str, now: Any, **more: Any) -> Change:
    values: dict[str, Any] = {
        "source_id": source, "outlet_id": source.partition("/")[0], "flips": 0, "was": "new", "became": "silent",
        "sentence": "No item.", "evidence": {"expected": 14.2}, "began_at": now - timedelta(hours=3),
    }  # fmt: skip
    return Change(**values | more)


async def test_a_change_of_state_is_claimed_once_and_dated_when_it_began(
    storage: Storage, desk: Any, clock: Any
) -> None:
    await desk.declare()
    claims = await asyncio.gather(*(storage.health.write([change(desk.source, clock())], clock()) for _ in range(4)))

    assert sum(len(written) for written in claims) == 1
    (flip,) = await storage.health.flips(source_id=desk.source)
    assert (flip.number, flip.was, flip.became, flip.evidence) == (1, "new", "silent", {"expected": 14.2})
    assert (flip.began_at, flip.noticed_at) == (clock() - timedelta(hours=3), clock())
    state = await storage.sources.get(desk.source)
    assert state is not None
    assert (state.health, state.health_since, state.health_said) == ("silent", flip.began_at, "No item.")
    assert await storage.health.counts() == {"silent": 1}


async def test_only_sources_that_were_tried_since_or_paused_are_judged(storage: Storage, desk: Any, clock: Any) -> None:
    await desk.declare("warta-pagi/utama", "warta-pagi/kota", "warta-pagi/bola")
    await desk.begin("warta-pagi/utama")
    await storage.runs.finish(desk.run.id, desk.token, RunStatus.OK, now=clock(), state={"last_attempt": clock()})
    await storage.sources.pause(["warta-pagi/kota"])

    assert len(await storage.health.changed(None)) == 3
    found = await storage.health.changed(clock() - timedelta(seconds=1))
    assert {state.id for state in found} == {"warta-pagi/utama", "warta-pagi/kota"}
