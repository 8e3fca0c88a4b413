"""An outlet's articles are its own, and names from outside are never paths."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from config.model import Files
from newsroom import ledger
from scheduler.delivery.files import FilesTarget
from storage.events import Event
from storage.model import FateKind

from .conftest import OUTLET, Desk


async def test_an_outlet_cannot_claim_an_address_of_another(desk: Desk) -> None:
    (mine, *_) = desk.newsroom.publish(OUTLET, 1)
    (theirs, *_) = desk.newsroom.publish("kabarniaga", 1)
    at = {(r.outlet, r.number): r.url for r in ledger.records(desk.newsroom)}
    address, other = at[OUTLET, mine.number], at["kabarniaga", theirs.number]
    desk.newsroom.misbehave("redirect_301", path=urlsplit(address).path, options={"to": other})

    run = await desk.crawl()

    (fate,) = [f for f in await desk.fates(run) if f.url == address]
    assert (fate.kind, fate.rule) == (FateKind.FILTERED, "host")
    assert other not in {stored.article.url for stored in await desk.articles()}


async def test_a_file_is_named_by_numbers_whatever_the_article_says(tmp_path: Path) -> None:
    target = FilesTarget(Files(directory=tmp_path / "out", every=timedelta(seconds=1)))
    evil = "../../../etc/cron.d/x"
    event = Event(
        id=7, event="new", article_id=evil, revision=1, outlet_id=evil, created_at=datetime(2026, 11, 23, tzinfo=UTC),
        materiality=None, detail=None, record={"id": evil, "url": f"https://a.test/{evil}", "title": evil},
    )  # fmt: skip

    await target.send([event], replayed=False)

    written = [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()]
    assert written == [Path("out/day=2026-11-23/000000000007.jsonl")]
