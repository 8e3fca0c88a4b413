"""The identity of the ledger under any sequence of operations."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.errors import StaleToken
from storage.model import FateKind, RunStatus
from storage.storage import Storage

KEYS = st.lists(st.sampled_from([f"k{n}" for n in range(8)]), max_size=5)
STEPS = st.one_of(
    st.tuples(st.just("begin"), st.sampled_from(["pagi/a", "pagi/b"])),
    st.tuples(st.just("discover"), KEYS, st.integers(0, 3)),
    st.tuples(
        st.just("decide"),
        st.sampled_from(sorted(FateKind)),
        st.integers(0, 9),
        st.sampled_from(["", "x", "y"]),
        st.booleans(),
    ),
    st.tuples(st.just("finish")),
    st.tuples(st.just("interrupt")),
    st.tuples(st.just("bury")),
)


class Clock:
    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 23, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment


async def play(url: str, steps: list[Any], make_desk: Callable[..., Any], write: Callable[..., Any]) -> None:
    clock = Clock()
    storage = await Storage.open(url, now=clock, migrate=False)
    desk = make_desk(storage, clock)
    fates: list[Any] = []
    try:
        await desk.declare("pagi/a", "pagi/b")
        desk.source = "pagi/a"
        for name, *arguments in [("begin", "pagi/a"), *steps]:
            clock.moment += timedelta(seconds=1)
            try:
                fates += await _step(desk, fates, write, name, arguments) or []
            except StaleToken:
                continue
        report = await storage.audit.run()
        assert report.findings == ()
        for run in await storage.runs.list(limit=1000):
            assert run.counts.adds_up
    finally:
        await storage.close()


async def _step(desk: Any, fates: list[Any], write: Any, name: str, arguments: list[Any]) -> Any:
    storage: Storage = desk.storage
    if name == "begin":
        await desk.begin(arguments[0])
    elif name == "discover":
        return await desk.discover(*arguments[0], known=arguments[1])
    elif name == "decide" and fates:
        kind, index, text, together = arguments
        chosen = fates[index % len(fates)]
        what = write(chosen.url_key, text, outlet="pagi")
        known = (await storage.articles.list(limit=1)).articles
        of = known[0].id if known else None
        if kind in {FateKind.FAILED, FateKind.FILTERED, FateKind.PENDING, FateKind.UNCHANGED}:
            what = None
        elif kind is FateKind.DUPLICATE and of is None:
            of = "nowhere"
        of = None if kind is FateKind.STORED else of
        token = (await storage.sources.get(chosen.source_id)).fence  # type: ignore[union-attr]
        decided = desk.decided(chosen, kind, what, of=of, token=token, rule="rule")
        await asyncio.gather(*(storage.writer.commit(decided) for _ in range(1 + together)))
    elif name == "finish":
        await storage.runs.finish(desk.run.id, desk.run.token, RunStatus.OK, now=desk.clock())
    elif name == "interrupt":
        await storage.runs.interrupt_all(desk.clock())
    elif name == "bury":
        page = await storage.articles.list(limit=1)
        await storage.articles.bury([stored.id for stored in page.articles], "retention", desk.clock())
    return None


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(steps=st.lists(STEPS, max_size=25))
def test_the_ledger_adds_up_whatever_happens(
    fresh: Callable[[], str], make_desk: Callable[..., Any], write_article: Callable[..., Any], steps: list[Any]
) -> None:
    asyncio.run(play(fresh(), steps, make_desk, write_article))
