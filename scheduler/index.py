"""The index of what was seen, held against the table it was made from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from config.model import Settings
from storage.audit import Finding
from storage.embedded import EmbeddedValkey
from storage.redis import FAILURES, connect
from storage.seen import Seen
from storage.storage import Storage

_EVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Compared:
    """What a comparison found."""

    #: Marks in the index.
    marks: int
    #: Those that stand for nothing in the database: what they hide would never be stored.
    phantom: int

    @property
    def findings(self) -> tuple[Finding, ...]:
        """For the audit; marks that are missing are none: a miss is answered by the database."""
        if not self.phantom:
            return ()
        detail = f"{self.phantom} of {self.marks} marks stand for nothing in the database"
        return (Finding("index", "seen", f"{detail}; empty that Redis, it is refilled"),)


async def compare(settings: Settings, storage: Storage) -> Compared | None:
    """Compare the marks in Redis with the identities in the database; None when no Redis answers.

    The marks are read first: each was written after its commit, so what they stand for must be in the table then.
    """
    url = settings.redis
    if url == "embedded":
        url = EmbeddedValkey(settings.data_dir).url
    known = await storage.facts.get("epoch")
    if known is None:
        return None
    redis = connect(url, timeout=timedelta(seconds=5))
    try:
        seen = Seen(redis, settings.seen_ttl, epoch=str(known["id"]))
        marks = await seen.names()
    except FAILURES:
        return None
    finally:
        await redis.aclose()
    phantom = set(marks)
    async for identity in storage.articles.iter_identities(_EVER):
        phantom.discard(seen.name(identity.key))
    return Compared(len(marks), len(phantom))
