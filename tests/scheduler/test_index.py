"""The index in Redis holds nothing that the database does not."""

from __future__ import annotations

from dataclasses import replace

from scheduler.index import compare
from storage.model import FateKind, Identity, IdentityKey, IdentityKind

from .conftest import OUTLET, Desk


async def test_a_mark_without_a_commit_is_found_and_one_with_is_not(desk: Desk) -> None:
    desk.newsroom.publish(OUTLET, 2)
    await desk.crawl()

    well = await compare(desk.settings, desk.rooms.storage)
    key = IdentityKey(IdentityKind.URL, OUTLET, "nobody-committed-this")
    await desk.rooms.seen.mark([Identity(key=key, article_id=None, fate=FateKind.STORED, entry_hash="")])
    wrong = await compare(desk.settings, desk.rooms.storage)

    assert well is not None
    assert well.marks > 2
    assert well.findings == ()
    assert wrong is not None
    assert (wrong.marks, wrong.phantom) == (well.marks + 1, 1)
    assert "empty that Redis" in wrong.findings[0].detail


async def test_without_a_redis_nothing_is_compared(desk: Desk, tmp_path) -> None:
    assert await compare(replace(desk.settings, data_dir=tmp_path), desk.rooms.storage) is None
    assert await compare(replace(desk.settings, redis="redis://127.0.0.1:1"), desk.rooms.storage) is None
