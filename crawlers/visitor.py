"""Looks at the pages of stored articles again: one run of an outlet's visits that are due.

::

    claim: due pages, their time moved ahead                       storage.visits
      | ask, with the page's validators                            [one request each, in the outlet's manners]
      |   304: nothing to read, nothing to tell; written in one go at the end
      |   no answer, 5xx, 403 …: nothing is said of the article; this and the rest wait
      |   a page, 404, 410, a redirect: a fate, settled like any other item           crawlers.item
    release: what there was no time for
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from config.model import Outlet, Source
from crawlers.absence import OF_THE_PAGE
from crawlers.identity import url_key
from crawlers.item import ItemReader
from crawlers.model import FailureKind, FetchFailed, NotModified
from crawlers.pages import Fetch, fetch_article
from crawlers.recognise import entry_to_json
from crawlers.reread import entry_of
from crawlers.revisits import is_last, postponed
from crawlers.tracker import Look
from storage.errors import StorageError
from storage.model import CrawlRun, Discovery, FateKind, StoredArticle, Visit
from storage.storage import Storage

log = structlog.get_logger(__name__)

#: Pages of one run; a run is to be over before its source is polled again.
BATCH = 20
#: Pages in a row that cannot be had, after which the others are not asked for.
PATIENCE = 2


class Visitor:
    """Makes the visits of one outlet. Knows nothing of plans and leases."""

    def __init__(
        self,
        *,
        storage: Storage,
        fetch: Fetch,
        items: ItemReader,
        now: Callable[[], datetime],
        outage: Callable[[], bool],
    ) -> None:
        self._storage = storage
        self._fetch = fetch
        self._items = items
        self._now = now
        #: Whether our own network is out: nothing that is found then says anything.
        self._outage = outage

    async def visit(self, run: CrawlRun, outlet: Outlet, source: Source, until: datetime, most: int = BATCH) -> str:
        """Make visits that are due, until that moment at the latest; says in one sentence what they came to."""
        waiting = await self._storage.visits.claim(outlet.id, self._now(), min(most, BATCH))
        stored = {v.article_id: await self._storage.articles.get(v.article_id) for v in waiting}
        quiet: list[Visit] = []
        failed: list[Visit] = []
        steps: dict[tuple[str, int], tuple[int, int]] = defaultdict(lambda: (0, 0))
        counts: Counter[str] = Counter()
        kept_away = 0
        while waiting and self._now() < until and not self._outage():
            visit = waiting.pop(0)
            article = stored[visit.article_id]
            if article is None:
                continue  # deleted meanwhile, its row with it
            outcome = await self._guarded(visit, article, run, outlet, source)
            if isinstance(outcome, Visit):
                quiet.append(outcome)
                steps[outlet.id, visit.step] = (steps[outlet.id, visit.step][0] + 1, 0)
                counts["as they were"] += 1
                kept_away = 0
            elif isinstance(outcome, FateKind):
                kept_away = 0
                counts["changed" if outcome is FateKind.REVISED else "read with nothing to tell"] += 1
            else:
                counts["not to be had"] += 1
                kept_away += 1
                failed.append(replace(visit, due_at=outcome))
                if kept_away == PATIENCE:  # the way is closed, not the page
                    break
        if self._outage() or kept_away == PATIENCE:
            waiting = [replace(other, due_at=postponed(None, self._now())) for other in waiting]
        await self._storage.visits.release([*failed, *waiting])
        await self._storage.visits.save(quiet, steps)
        await self._storage.runs.discovered(run.id, run.token, [], len(quiet), (), self._now())
        return "pages looked at again: " + (", ".join(f"{n} {what}" for what, n in counts.items()) or "none in time")

    async def _guarded(
        self, visit: Visit, stored: StoredArticle, run: CrawlRun, outlet: Outlet, source: Source
    ) -> Visit | FateKind | datetime:
        """A page that our own code stumbles over costs itself alone, and is not tried again before its next time."""
        try:
            outcome = await self._one(visit, stored, run, outlet, source)
        except StorageError:
            raise  # the same for every page: the run ends
        except Exception:
            log.exception("visit failed", url=visit.url, reason="unexpected error")
            outcome = FateKind.FAILED
        if outcome is FateKind.FAILED:
            return await self._items.tracker.planned(visit, stored, outlet)
        return outcome

    async def _one(
        self, visit: Visit, stored: StoredArticle, run: CrawlRun, outlet: Outlet, source: Source
    ) -> Visit | FateKind | datetime:
        """A page: what is remembered after a 304, the fate of what was read, or when to try again."""
        ask_whole = is_last(visit.step, outlet.revisions.visits) or visit.absent_since is not None
        result, whole = await fetch_article(
            self._fetch, visit.url, outlet,
            etag=None if ask_whole else visit.etag, last_modified=None if ask_whole else visit.last_modified,
        )  # fmt: skip
        if isinstance(result, NotModified):
            return await self._items.tracker.again(stored, outlet, visit.url, None)
        if isinstance(result, FetchFailed) and result.kind is FailureKind.ROBOTS:
            return replace(visit, due_at=None, step=len(outlet.revisions.visits))
        if isinstance(result, FetchFailed) and result.kind not in OF_THE_PAGE:
            return self._later(visit, result)
        found = Discovery(
            url=visit.url, url_key=url_key(visit.url, outlet), title=stored.article.title,
            published=stored.article.published, entry=entry_to_json(entry_of(stored.article)), reason="revisit",
        )  # fmt: skip
        fates = await self._storage.runs.discovered(run.id, run.token, [found], 0, (), self._now())
        if not fates:  # it waits to be read anyway, as an item of the source
            return await self._items.tracker.planned(visit, stored, outlet)
        look = Look(visit=visit, stored=stored, result=result, whole=whole)
        return (await self._items.settle(fates[0], run, outlet, source, look)).kind

    def _later(self, visit: Visit, failed: FetchFailed) -> datetime:
        log.debug("visit put off", url=failed.url, reason=str(failed.kind), message=failed.message)
        now = self._now()
        again = postponed(visit.visited_at, now)
        return max(again, now + min(failed.retry_after, timedelta(days=1))) if failed.retry_after else again
