"""Today's rules over the pages that were kept: read in parallel, written one by one, resumed where it stopped."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version

from config.model import Outlet, Settings
from crawlers.pool import ParseKilled, ParsePool
from crawlers.reread import Reread, reread
from storage.reextraction import KeptPage
from storage.storage import Storage

#: Before the scope in the name of the fact that says how far it has got.
FACT = "reextract "
#: Ends of a page, in the order in which they are told.
OUTCOMES = ("revised", "unchanged", "rejected", "partial", "overtaken", "failed", "unconfigured")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageDone:
    """What became of one article."""

    seq: int
    article_id: str
    url: str
    #: One of OUTCOMES; in a dry run `revised` is what would be.
    outcome: str
    #: Fields that changed.
    fields: tuple[str, ...] = ()
    #: Why not: the rule that rejected the page, what ended the reader.
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Which pages, and whether to write."""

    outlet_id: str | None = None
    #: Only articles first seen at or after.
    since: datetime | None = None
    dry_run: bool = False
    #: `since` as the person said it: "7d" of today resumes "7d" of an hour ago.
    said: str | None = None


class Reextractor:
    """Goes through kept pages. Knows nothing of terminals; fetches nothing."""

    def __init__(self, settings: Settings, storage: Storage, pool: ParsePool, now: Callable[[], datetime]) -> None:
        self._storage = storage
        self._pool = pool
        self._now = now
        self._outlets: Mapping[str, Outlet] = {outlet.id: outlet for outlet in settings.outlets}

    async def resumes(self, job: Job) -> int:
        """Where an interrupted job of the same scope and rules stopped; 0 for a fresh one and for dry runs."""
        if job.dry_run:
            return 0
        fact = await self._storage.facts.get(self._name(job))
        return int(fact["after"]) if fact and fact["rules"] == self._fingerprint(job) else 0

    async def run(self, job: Job, after: int = 0) -> AsyncIterator[PageDone]:
        """Read every page of the job behind `after`; what is yielded is written.

        May be cut off at any moment: what was not reached, or read and not written, is read again.
        """
        name, rules = self._name(job), self._fingerprint(job)
        async for batch in self._storage.reextraction.batches(job.outlet_id, job.since, after):
            done = [asyncio.ensure_future(self._one(page, job)) for page in batch]
            try:
                for one in done:
                    yield await one
            finally:
                for one in done:
                    one.cancel()
                await asyncio.gather(*done, return_exceptions=True)
            if not job.dry_run:
                await self._storage.facts.put(name, {"after": batch[-1].seq, "rules": rules}, self._now())
        if not job.dry_run:
            await self._storage.facts.drop(name)

    async def _one(self, page: KeptPage, job: Job) -> PageDone:
        stored = page.stored

        def done(outcome: str, fields: tuple[str, ...] = (), detail: str | None = None) -> PageDone:
            return PageDone(
                seq=page.seq,
                article_id=stored.id,
                url=stored.article.url,
                outcome=outcome,
                fields=fields,
                detail=detail,
            )

        outlet = self._outlets.get(stored.article.outlet_id)
        if outlet is None:
            return done("unconfigured", detail=stored.article.outlet_id)
        try:
            read: Reread = await self._pool.run(reread, page.raw, stored.article, outlet)
        except ParseKilled as killed:
            return done("failed", detail=str(killed))
        except Exception as error:  # one page costs itself alone; the database is not touched in there
            return done("failed", detail=f"{type(error).__name__}: {error}")
        if read.article is None:
            return done(read.outcome, detail=read.rule)
        if not job.dry_run and await self._storage.reextraction.revise(stored, read.article, self._now()) is None:
            return done("overtaken", read.fields)
        return done("revised", read.fields)

    def _name(self, job: Job) -> str:
        said = job.said or (job.since.isoformat() if job.since else "all")
        return f"{FACT}{job.outlet_id or '*'} {said}"

    def _fingerprint(self, job: Job) -> str:
        """Changes with what reads the pages: the program, and the configuration of the outlets."""
        outlets = [o for o in self._outlets.values() if job.outlet_id in {None, o.id}]
        text = version("warta") + "".join(repr((o.id, o.rules, o.boilerplate, o.brands, o.urls)) for o in outlets)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def totals(counts: Counter[str]) -> dict[str, int]:
    """How many pages ended how, all outcomes named."""
    return {"pages": sum(counts.values()), **{name: counts[name] for name in OUTCOMES}}
