"""What the configuration lets go, once an hour in the process that leads."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from config.model import Retention as Policy
from storage.storage import Storage

log = structlog.get_logger(__name__)

#: Seconds between two sweeps.
EVERY_SECONDS = 3600.0
#: Days of the counts of what pages gave; drift looks back 28.
COVERAGE = timedelta(days=400)


async def sweep(storage: Storage, policy: Policy, now: datetime) -> dict[str, int]:
    """Delete what the policy says; returns and logs how many articles, pages, runs and rows about trouble went."""
    gone = {"articles": 0, "raw_pages": 0, "runs": 0, "incidents": 0}
    retention, own = storage.retention, dict(policy.outlets)
    articles = [(policy.articles, None), *((keep.articles, outlet) for outlet, keep in own.items())]
    for age, only in articles:
        if age is not None:
            but = _others(only, [name for name, keep in own.items() if keep.articles is not None])
            gone["articles"] += await retention.articles(now - age, now, only=only, but=but)
    pages = [(policy.raw_pages, None), *((keep.raw_pages, outlet) for outlet, keep in own.items())]
    for age, only in pages:
        if age is not None:
            but = _others(only, [name for name, keep in own.items() if keep.raw_pages is not None])
            gone["raw_pages"] += await retention.pages(now - age, only=only, but=but)
    if policy.raw_pages_size is not None:
        gone["raw_pages"] += await retention.pages_beyond(policy.raw_pages_size)
    if policy.runs is not None:
        gone["runs"] += await retention.runs(now - policy.runs)
    if policy.incidents is not None:
        gone["incidents"] += await retention.incidents(now - policy.incidents)
    await storage.coverage.forget((now - COVERAGE).date())
    if any(gone.values()):
        log.info("retention", **gone)
    return gone


def _others(only: str | None, named: list[str]) -> list[str]:
    """An outlet with a word of its own is not swept by the general one."""
    return [] if only is not None else named
