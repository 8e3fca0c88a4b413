"""One discovered item on its way to its fate: fetch the page, read it, decide, commit, remember."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from config.model import Limits, Outlet, Source
from crawlers.aliases import Named, name
from crawlers.decide import Current, Known, Verdict, copy_of, decide
from crawlers.identity import belongs, is_article
from crawlers.model import (
    PASSING,
    FailureKind,
    Fetched,
    FetchFailed,
    Normalized,
    NotModified,
    Rejected,
)
from crawlers.near import Match, Near
from crawlers.outage import OutageDetector
from crawlers.pages import Fetch as Fetch
from crawlers.pages import fetch_article, read_article
from crawlers.pool import ParseKilled, ParsePool
from crawlers.recognise import entry_from_json, keys_of
from crawlers.watch import DriftWatch
from storage.errors import InvalidDecision, StorageError
from storage.faults import point
from storage.model import (
    Article,
    Committed,
    CrawlRun,
    Decided,
    Fate,
    FateKind,
    Identity,
    IdentityKey,
    IdentityKind,
    RawPage,
)
from storage.seen import Seen
from storage.storage import Storage

log = structlog.get_logger(__name__)

#: Wait before the second, third … attempt at a page, in multiples of the first.
RETRY_STEPS = (1, 5, 30, 120)


class ItemReader:
    """Settles items. Knows nothing of schedules and leases; the run it is given carries the token."""

    def __init__(
        self,
        *,
        storage: Storage,
        seen: Seen,
        fetch: Fetch,
        pool: ParsePool,
        limits: Limits,
        now: Callable[[], datetime],
        near: Near | None = None,
        drift: DriftWatch | None = None,
        outage: OutageDetector | None = None,
    ) -> None:
        self._storage = storage
        #: None: every failure is somebody else's.
        self._outage = outage
        #: None believes every outlet's rules.
        self._drift = drift
        #: None compares no texts: only addresses, GUIDs and equal bodies are recognised.
        self._near = near
        self._seen = seen
        self._fetch = fetch
        self._pool = pool
        self._limits = limits
        self._now = now

    async def settle(self, fate: Fate, run: CrawlRun, outlet: Outlet, source: Source) -> Committed:
        """Bring one pending item to its fate, or give it another time to try."""
        try:
            decided = await self._decide(fate, run, outlet, source)
        except StorageError:
            raise  # the same for every item: the run ends
        except Exception as error:
            log.exception("item failed", url=fate.url, reason="unexpected error")
            decided = self._broken(fate, run, error)
        try:
            committed = await self._storage.writer.commit(decided)
        except InvalidDecision as error:
            log.error("item failed", url=fate.url, reason=str(error))
            decided = self._broken(fate, run, error)
            committed = await self._storage.writer.commit(decided)
        point("before_mark")
        await self._seen.mark(_marks(decided, committed, fate))
        point("after_mark")
        log.debug(
            "item settled",
            url=fate.url,
            fate=str(committed.kind),
            rule=decided.rule,
            article=committed.article_id,
        )
        return committed

    async def _decide(self, fate: Fate, run: CrawlRun, outlet: Outlet, source: Source) -> Decided:
        if not belongs(fate.url, outlet):
            return self._filtered(fate, run, "host", f"{fate.url} is not on a host of {outlet.id}")
        accepted, rule = is_article(fate.url, outlet)
        if not accepted:
            return self._filtered(fate, run, rule, f"{fate.url} is not an article address of {outlet.id}")
        result, whole = await fetch_article(self._fetch, fate.url, outlet)
        match result:
            case FetchFailed():
                return self._failed(fate, run, result.kind, result.message, result.retry_after)
            case NotModified():
                return self._failed(fate, run, FailureKind.PROTOCOL, "304 to a request without validators", None)
            case Fetched():
                return await self._read(result, fate, run, outlet, whole=whole)

    async def _read(self, page: Fetched, fate: Fate, run: CrawlRun, outlet: Outlet, *, whole: bool) -> Decided:
        if not belongs(page.final_url, outlet):
            return self._filtered(fate, run, "host", f"{fate.url} leads to {page.final_url}, a host of somebody else")
        entry = entry_from_json(fate.entry)
        try:
            read = await read_article(
                page, outlet, entry, fetch=self._fetch, pool=self._pool, now=self._now, follow=not whole,
                patient=fate.attempts + 1 < self._limits.page_attempts,
                doubted=self._drift is not None and self._drift.doubts(outlet.id),
            )  # fmt: skip
        except ParseKilled as killed:
            return self._failed(fate, run, FailureKind.PARSE, f"{page.final_url}: the reader was ended: {killed}", None)
        if isinstance(read, FetchFailed):
            return self._failed(fate, run, read.kind, f"a further page: {read.message}", read.retry_after)
        if isinstance(read, Rejected):
            decided = self._rejected(read, fate, run)
        else:
            decided = await self._judge(read, page, fate, run, outlet)
        return replace(decided, measured=read.measured)

    def _rejected(self, read: Rejected, fate: Fate, run: CrawlRun) -> Decided:
        if read.rule == "empty":
            return self._failed(fate, run, FailureKind.EMPTY, read.detail, None)
        return self._filtered(fate, run, read.rule, read.detail)

    async def _judge(self, read: Normalized, page: Fetched, fate: Fate, run: CrawlRun, outlet: Outlet) -> Decided:
        article, own_key = read.article, IdentityKey(IdentityKind.URL, outlet.id, fate.url_key)
        canonical = IdentityKey(IdentityKind.URL, outlet.id, article.url_key)
        own = list(dict.fromkeys([own_key, *keys_of([page.final_url], outlet)]))
        claimed = [key for key in dict.fromkeys([canonical, *keys_of(read.aliases, outlet)]) if key not in own]
        named = name(article, own, claimed, await self._stored([*own, *claimed]))
        if canonical in named.refused:  # it is another article's address, and this one keeps its own
            article = replace(article, url=page.final_url, url_key=fate.url_key)
            canonical = own_key
        places = list(dict.fromkeys([canonical, *own, *named.held]))
        body = IdentityKey(IdentityKind.BODY, outlet.id, article.body_hash)
        verdict = decide(article, await self._known(named, fate, run, body))
        match = await self._copied(article, verdict)
        if match is not None:
            verdict = copy_of(match)
        writes = verdict.kind in {FateKind.STORED, FateKind.REVISED, FateKind.DUPLICATE}
        return Decided(
            **_of(fate, run, self._now()),
            kind=verdict.kind,
            rule=verdict.rule,
            detail=verdict.detail,
            of=verdict.of,
            takes_over=match is not None and match.takes_over,
            article=article if writes else None,
            raw=RawPage(
                url=page.final_url, body=page.body, content_type=page.content_type, fetched_at=page.fetched_at
            ) if writes else None,
            identities=(*places, *_names(fate, run), *((body,) if writes else ())),
        )  # fmt: skip

    async def _copied(self, article: Article, verdict: Verdict) -> Match | None:
        """The article whose text this one repeats; a revision enters its text and copies nothing."""
        if self._near is None or verdict.kind is FateKind.UNCHANGED:
            return None
        match = await self._near.find(article)
        return None if verdict.kind is FateKind.REVISED else match

    async def _stored(self, places: list[IdentityKey]) -> dict[IdentityKey, tuple[str, Article]]:
        """The articles that stand under these addresses, by address."""
        found = await self._storage.articles.identities(places)
        stored: dict[IdentityKey, tuple[str, Article]] = {}
        for key, identity in found.items():
            known = await self._storage.articles.get(identity.article_id) if identity.article_id else None
            if known is not None:
                stored[key] = (known.id, known.article)
        return stored

    async def _known(self, named: Named, fate: Fate, run: CrawlRun, body: IdentityKey) -> Known:
        names, by_url = _names(fate, run), named.article_id
        found = await self._storage.articles.identities([*names, body])
        by_guid = next((found[k].article_id for k in names if k in found and found[k].article_id), None)
        return Known(
            by_url=await self._current(by_url),
            url_rule=named.rule,
            by_guid=await self._current(by_guid) if by_guid != by_url else None,
            by_body=found.get(body),
        )

    async def _current(self, article_id: str | None) -> Current | None:
        stored = None if article_id is None else await self._storage.articles.get(article_id)
        if stored is None:
            return None
        return Current(
            article_id=stored.id,
            title=stored.article.title,
            content_hash=stored.article.content_hash,
            body_hash=stored.article.body_hash,
        )

    def _broken(self, fate: Fate, run: CrawlRun, error: Exception) -> Decided:
        """An item that our own code stumbles over costs itself alone, and says why."""
        return Decided(
            **_of(fate, run, self._now()),
            kind=FateKind.FAILED,
            rule="internal",
            detail=f"{type(error).__name__}: {error}",
            identities=_item_keys(fate, run),
        )

    def _filtered(self, fate: Fate, run: CrawlRun, rule: str, detail: str) -> Decided:
        return Decided(
            **_of(fate, run, self._now()),
            kind=FateKind.FILTERED,
            rule=rule,
            detail=detail,
            identities=_item_keys(fate, run),
        )

    def _failed(
        self, fate: Fate, run: CrawlRun, kind: FailureKind, message: str, retry_after: timedelta | None
    ) -> Decided:
        """Another time if that may help, else the end; robots.txt is a rule, not a failure."""
        if kind is FailureKind.ROBOTS:
            return self._filtered(fate, run, "robots", message)
        now = self._now()
        ours = self._outage is not None and self._outage.is_ours(kind, run.started_at or now)
        again = ours or (kind in PASSING and fate.attempts + 1 < self._limits.page_attempts)
        wait = self._limits.page_retry * RETRY_STEPS[min(fate.attempts, len(RETRY_STEPS) - 1)]
        return Decided(
            **_of(fate, run, now),
            kind=FateKind.PENDING if again else FateKind.FAILED,
            rule=str(kind),
            detail=f"our own outage: {message}" if ours else message,
            uncounted=ours,
            retry_at=now + max(wait, min(retry_after or wait, timedelta(days=1))) if again else None,
            identities=() if again else _item_keys(fate, run),
        )


def _of(fate: Fate, run: CrawlRun, now: datetime) -> dict[str, Any]:
    """What every decision about an item carries; its fate may belong to an earlier run of the source."""
    return {
        "fate_id": fate.id, "run_id": fate.run_id, "source_id": run.source_id, "outlet_id": run.outlet_id,
        "token": run.token, "now": now, "entry_hash": fate.entry_hash,
    }  # fmt: skip


def _names(fate: Fate, run: CrawlRun) -> tuple[IdentityKey, ...]:
    return (IdentityKey(IdentityKind.GUID, run.source_id, fate.guid),) if fate.guid else ()


def _item_keys(fate: Fate, run: CrawlRun) -> tuple[IdentityKey, ...]:
    return (IdentityKey(IdentityKind.URL, run.outlet_id, fate.url_key), *_names(fate, run))


def _marks(decided: Decided, committed: Committed, fate: Fate) -> list[Identity]:
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
