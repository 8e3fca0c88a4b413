from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from storage.model import FateKind


async def _stored(desk: Any) -> None:
    await desk.publish("beras")
    await desk.begin()
    await desk.discover("gula", "kopi")


@pytest.mark.parametrize(
    ("check", "damage"),
    [
        ("fate_counts", "DELETE FROM fates WHERE kind = 'stored'"),
        ("fate_counts", "UPDATE fates SET kind = 'failed' WHERE url_key = 'gula'"),
        ("fate_counts", "UPDATE runs SET unchanged = 2, known = 1, discovered = discovered + 2 WHERE pending = 2"),
        ("newest_revision", "UPDATE articles SET revision = 2"),
        ("newest_revision", "UPDATE articles SET content_hash = 'other'"),
        ("unannounced", "DELETE FROM outbox"),
        ("outbox", "UPDATE outbox SET article_id = 'nowhere'"),
        ("identities", "UPDATE identities SET article_id = 'nowhere'"),
        ("fate_articles", "UPDATE fates SET article_id = 'nowhere' WHERE kind = 'stored'"),
        ("copies", "UPDATE articles SET copy_of = 'nowhere'"),
        ("abandoned", "UPDATE sources SET removed_at = next_attempt"),
    ],
)
async def test_the_audit_finds_what_does_not_agree(desk: Any, check: str, damage: str) -> None:
    await _stored(desk)
    await desk.agrees()

    async with desk.storage.database.write() as connection:
        await connection.execute(text(damage))

    report = await desk.storage.audit.run()
    assert not report.ok
    assert check in {finding.check for finding in report.findings}
    assert check in report.checks


async def test_a_search_index_that_lost_a_row_is_found(desk: Any) -> None:
    await _stored(desk)
    if not desk.storage.database.is_sqlite:
        pytest.skip("PostgreSQL generates its search column")

    async with desk.storage.database.write() as connection:
        await connection.execute(text("DROP TRIGGER articles_search_update"))
        await connection.execute(text("UPDATE articles SET text = 'lain sekali'"))

    assert [f.check for f in (await desk.storage.audit.run()).findings] == ["search"]


async def test_the_status_counts_what_is_there(desk: Any) -> None:
    await _stored(desk)
    await desk.storage.sources.pause([desk.source])

    status = await desk.storage.status()

    assert (status.articles, status.articles_last_hour, status.articles_last_day) == (1, 1, 1)
    assert (status.sources, status.paused, status.last_event) == (1, 1, 1)
    assert status.fates_last_day == {FateKind.STORED: 1, FateKind.PENDING: 2}
    assert (status.pending, status.oldest_pending) == (2, desk.clock())
