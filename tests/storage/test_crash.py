"""Real processes that die or race at a commit."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from storage.model import FateKind, RunStatus
from storage.storage import Storage

REPOSITORY = Path(__file__).parents[2]
ITEMS = 120

#: A worker of one source: begins, discovers, decides, ends.
WORKER = f"""
import asyncio, sys
from datetime import UTC, datetime
from storage.model import *
from storage.sources import SourceDefinition
from storage.storage import Storage

async def main(url, source, token):
    now = datetime(2026, 11, 23, 8, tzinfo=UTC)
    storage = await Storage.open(url, now=lambda: now)
    try:
        definition = SourceDefinition(id=source, outlet_id="pagi", kind="feed", url="https://pagi.test")
        await storage.sources.upsert([definition], {{}}, now)
        run = await storage.runs.begin(source, "pagi", Trigger.SCHEDULE, now, token, "w", now)
        found = [Discovery(url=f"https://pagi.test/{{n}}", url_key=f"k{{n}}") for n in range({ITEMS})]
        await storage.runs.discovered(run.id, token, found, 5, (), now)
        fates = await storage.fates.pending(source, now, 1000)
        def decided(fate):
            text = f"Laporan {{fate.url_key}} tentang harga beras."
            article = Article(
                outlet_id="pagi", url=fate.url, url_key=fate.url_key, title=fate.url_key,
                body=(Block(BlockKind.PARAGRAPH, text),), text=text, language="id",
                content_hash="1" + fate.url_key, body_hash="1b" + fate.url_key,
            )
            raw = RawPage(url=fate.url, body=text.encode() * 50, content_type=None, fetched_at=now)
            return Decided(
                fate_id=fate.id, run_id=run.id, source_id=source, outlet_id="pagi", token=token,
                kind=FateKind.STORED, now=now, article=article, raw=raw,
                identities=(IdentityKey(IdentityKind.URL, "pagi", fate.url_key),),
            )
        await asyncio.gather(*(storage.writer.commit(decided(fate)) for fate in fates))
        await storage.runs.finish(run.id, token, RunStatus.OK, now=now)
    finally:
        await storage.close()

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


async def work(url: str, source: str = "pagi/a", token: int = 1, fault: str = "") -> int:
    """Run a worker to its end and return its exit code."""
    environment = {**os.environ, "WARTA_FAULT_AT": fault, "PYTHONPATH": str(REPOSITORY)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WORKER, url, source, str(token), env=environment
    )
    return await asyncio.wait_for(process.wait(), 60)


@pytest.mark.parametrize(
    "fault",
    [
        "begin.before_commit",
        "begin.after_commit",
        "discovered.before_commit",
        "discovered.after_commit",
        "before_commit:1",
        "before_commit:2",
        "after_commit:1",
        "after_commit:3",
        "finish.before_commit",
        "finish.after_commit",
    ],
)
async def test_a_kill_at_a_commit_loses_nothing_and_stores_nothing_twice(url: str, fault: str) -> None:
    assert await work(url, fault=fault) == -signal.SIGKILL

    storage = await Storage.open(url, now=lambda: datetime(2026, 11, 23, 9, tzinfo=UTC))
    try:
        assert (await storage.audit.run()).findings == ()
        assert await work(url, token=2) == 0

        assert (await storage.audit.run()).findings == ()
        assert await storage.articles.count() == ITEMS
        events = await storage.outbox.after(0, 1000)
        assert [e.event for e in events] == ["new"] * ITEMS
        assert len({e.article_id for e in events}) == ITEMS
        assert await storage.fates.search(kinds=[FateKind.PENDING]) == []
        statuses = [run.status for run in await storage.runs.list()]
        assert RunStatus.RUNNING not in statuses
    finally:
        await storage.close()


async def test_two_processes_storing_the_same_articles_agree(url: str) -> None:
    assert await asyncio.gather(work(url, "pagi/a"), work(url, "pagi/b")) == [0, 0]

    storage = await Storage.open(url, now=lambda: datetime(2026, 11, 23, 9, tzinfo=UTC))
    try:
        summary = await storage.runs.summary(datetime(2026, 1, 1, tzinfo=UTC))
        assert (summary.counts.stored, summary.counts.unchanged) == (ITEMS, ITEMS + 10)
        assert len(await storage.outbox.after(0, 1000)) == ITEMS
        assert (await storage.audit.run()).findings == ()
    finally:
        await storage.close()


async def test_a_kill_at_any_moment_leaves_what_agrees(fresh_sqlite: Callable[[], str], clock: Any) -> None:
    url = fresh_sqlite()
    for token in range(1, 7):
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WORKER, url, f"pagi/s{token}", str(token), env=environment
        )
        try:
            await asyncio.wait_for(process.wait(), 0.45 + token * 0.05)
        except TimeoutError:
            process.kill()
            await process.wait()
        storage = await Storage.open(url, now=clock)
        try:
            assert (await storage.audit.run()).findings == ()
        finally:
            await storage.close()
