"""What a decision about an item carries whatever it is: whose it is, its names, its page. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from crawlers.model import Fetched
from storage.model import Committed, CrawlRun, Decided, Fate, FateKind, Identity, IdentityKey, IdentityKind, RawPage


def raw_page(page: Fetched, *further: Fetched) -> RawPage:
    """The page as it is kept, with the others of an article that is spread over several."""
    return RawPage(
        url=page.final_url, body=page.body, content_type=page.content_type, fetched_at=page.fetched_at,
        further=tuple(map(raw_page, further)),
    )  # fmt: skip


def carried(fate: Fate, run: CrawlRun, now: datetime) -> dict[str, Any]:
    """What every decision about an item carries; its fate may belong to an earlier run of the source."""
    return {
        "fate_id": fate.id, "run_id": fate.run_id, "source_id": run.source_id, "outlet_id": run.outlet_id,
        "token": run.token, "now": now, "entry_hash": fate.entry_hash,
    }  # fmt: skip


def names(fate: Fate, run: CrawlRun) -> tuple[IdentityKey, ...]:
    """What the source calls the item, where it has a name for it."""
    return (IdentityKey(IdentityKind.GUID, run.source_id, fate.guid),) if fate.guid else ()


def item_keys(fate: Fate, run: CrawlRun) -> tuple[IdentityKey, ...]:
    """What an item is recognised by that has no article."""
    return (IdentityKey(IdentityKind.URL, run.outlet_id, fate.url_key), *names(fate, run))


def marks(decided: Decided, committed: Committed, fate: Fate) -> list[Identity]:
    """What Redis may know from now on: only what the database holds."""
    if committed.kind is FateKind.PENDING:
        return []
    return [
        Identity(
            key=key,
            article_id=committed.article_id,
            fate=committed.kind,
            entry_hash=decided.entry_hash,
            url_key=fate.url_key,
        )
        for key in decided.identities
        if key.kind is not IdentityKind.BODY
    ]
