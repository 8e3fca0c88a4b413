"""One discovered item on its way to its fate: fetch the page, read it, decide, commit, remember."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from config.model import Limits, Outlet, Source
from crawlers.absence import OF_THE_PAGE, Absence, is_notice
from crawlers.aliases import Named, agree, name
from crawlers.decide import Current, Known, Verdict, copy_of, decide
from crawlers.decided import carried, item_keys, marks, names, raw_page
from crawlers.follow import Followed, follow
from crawlers.identity import belongs, canonicalize, is_article
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
from crawlers.tracker import Look, Tracker, says_it_is_gone
from crawlers.watch import DriftWatch
from storage.content import article_id
from storage.errors import InvalidDecision, StorageError
from storage.faults import point
from storage.model import (
    Article,
    Change,
    Committed,
    CrawlRun,
    Decided,
    Fate,
    FateKind,
    IdentityKey,
    IdentityKind,
    StoredArticle,
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
        self.tracker = Tracker(storage, now)

    async def settle(
        self, fate: Fate, run: CrawlRun, outlet: Outlet, source: Source, look: Look | None = None
    ) -> Committed:
        """Bring one pending item to its fate, or give it another time to try.

        `look` is what a visit to a stored article found: it is not fetched then, and decided at once.
        """
        try:
            decided = await (self._decide(fate, run, outlet) if look is None else self._looked(look, fate, run, outlet))
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
        await self._seen.mark(marks(decided, committed, fate))
        point("after_mark")
        log.debug(
            "item settled",
            url=fate.url,
            fate=str(committed.kind),
            rule=decided.rule,
            article=committed.article_id,
        )
        return committed

    async def _decide(self, fate: Fate, run: CrawlRun, outlet: Outlet) -> Decided:
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

    async def _looked(self, look: Look, fate: Fate, run: CrawlRun, outlet: Outlet) -> Decided:
        """What a visit comes to; trouble on the way says nothing of the article."""
        result = look.result
        if isinstance(result, FetchFailed) and result.kind in OF_THE_PAGE:
            return await self._missing(look, OF_THE_PAGE[result.kind], fate, run, outlet, result.message)
        if not isinstance(result, Fetched):
            raise TypeError(f"{type(result).__name__} is no answer that a visit is decided by")
        elsewhere = not belongs(result.final_url, outlet) or not is_article(result.final_url, outlet)[0]
        if result.redirects and elsewhere:
            what = f"{fate.url} leads to {result.final_url}, which is no article"
            return await self._missing(look, Absence.REDIRECT, fate, run, outlet, what)
        decided = await self._read(result, fate, run, outlet, whole=look.whole, look=look)
        if decided.visit is None:  # it could not be read: so it is neither changed nor gone
            visit = await self.tracker.again(look.stored, outlet, look.visit.url, None)
            decided = replace(
                decided, kind=FateKind.UNCHANGED, of=look.stored.id, retry_at=None, identities=(), visit=visit
            )
        return replace(decided, measured=None, visited_step=look.visit.step)

    async def _read(
        self, page: Fetched, fate: Fate, run: CrawlRun, outlet: Outlet, *, whole: bool, look: Look | None = None
    ) -> Decided:
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
        if look is not None and self._reads_as_notice(read, page, outlet):
            return await self._missing(
                look, Absence.NOTICE, fate, run, outlet, f"{fate.url} says that it was taken down"
            )
        if isinstance(read, Rejected):
            decided = self._rejected(read, fate, run)
        else:
            decided = await self._judge(read, page, fate, run, outlet, look)
        return replace(decided, measured=read.measured)

    def _rejected(self, read: Rejected, fate: Fate, run: CrawlRun) -> Decided:
        if read.rule == "empty":
            return self._failed(fate, run, FailureKind.EMPTY, read.detail, None)
        return self._filtered(fate, run, read.rule, read.detail)

    def _reads_as_notice(self, read: Normalized | Rejected, page: Fetched, outlet: Outlet) -> bool:
        """Whether a notice stands in the article's place; pages of an outlet that drifts are not believed."""
        if self._drift is not None and self._drift.doubts(outlet.id):
            return False
        if isinstance(read, Rejected):
            return says_it_is_gone(page)
        return is_notice(f"{read.article.title}\n{read.article.text}")

    async def _missing(self, look: Look, how: Absence, fate: Fate, run: CrawlRun, outlet: Outlet, what: str) -> Decided:
        found = await self.tracker.missing(look, how, outlet, what)
        detail = {"how": how.value, "looks": found.visit.absences}
        if found.visit.absent_since is not None:
            detail["since"] = found.visit.absent_since.isoformat().replace("+00:00", "Z")
        return Decided(
            **carried(fate, run, self._now()),
            kind=FateKind.UNCHANGED,
            rule="retracted" if found.retracted else "absent",
            detail=found.says,
            of=look.stored.id,
            change=Change(event="retracted", detail=detail) if found.retracted else None,
            visit=found.visit,
        )

    async def _judge(
        self, read: Normalized, page: Fetched, fate: Fate, run: CrawlRun, outlet: Outlet, look: Look | None
    ) -> Decided:
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
        verdict = decide(article, await self._known(named, fate, run, body if outlet.link_copies else None))
        if verdict.of is not None and verdict.kind in {FateKind.REVISED, FateKind.UNCHANGED}:
            stored = await self._storage.articles.get(verdict.of)
            if stored is not None:
                met = _Met(article, verdict, stored, tuple(places), read.further)
                return await self._met(met, page, fate, run, outlet, look)
        match = await self._copied(article, verdict, outlet)
        if match is not None:
            verdict = copy_of(match)
        late = article.published is not None and article.published < self._now() - outlet.announce_max_age
        own_id = article_id(article.outlet_id, article.url_key)
        writes = verdict.kind in {FateKind.STORED, FateKind.REVISED, FateKind.DUPLICATE}
        return Decided(
            **carried(fate, run, self._now()),
            kind=verdict.kind,
            rule=verdict.rule,
            detail=verdict.detail,
            of=verdict.of,
            takes_over=match is not None and match.takes_over,
            article=article if writes else None,
            raw=raw_page(page, *read.further) if writes else None,
            identities=(*places, *names(fate, run), *((body,) if writes and outlet.link_copies else ())),
            backfilled=late,
            visit=await self.tracker.first(own_id, outlet, fate.url, page, late=late),
        )

    async def _met(
        self, met: _Met, page: Fetched, fate: Fate, run: CrawlRun, outlet: Outlet, look: Look | None
    ) -> Decided:
        """The decision on an article that is known already."""
        article, stored = met.article, met.stored
        if _is_another_story(article, stored.article, page):
            what = f"{fate.url} leads to another story, {page.final_url}"
            if look is not None:
                return await self._missing(look, Absence.REPLACED, fate, run, outlet, what)
            visit = await self.tracker.again(stored, outlet, fate.url, None, signed=True)
            return Decided(
                **carried(fate, run, self._now()), kind=FateKind.UNCHANGED, rule="replaced", detail=what, of=stored.id,
                visit=visit,
            )  # fmt: skip
        followed = await self._followed(met, page, outlet)
        edited = followed.verdict.kind is FateKind.REVISED
        if edited and outlet.link_copies and self._near is not None:
            await self._near.find(followed.article)  # a revision enters its text and copies nothing
        moved = followed.change is not None and "to" in followed.change.detail
        url = followed.article.url if moved else fate.url
        body = IdentityKey(IdentityKind.BODY, outlet.id, article.body_hash)
        return Decided(
            **carried(fate, run, self._now()),
            kind=followed.verdict.kind,
            rule=followed.verdict.rule,
            detail=followed.verdict.detail,
            of=stored.id,
            article=followed.article if edited else None,
            raw=raw_page(page, *met.further) if edited else None,
            identities=(*met.places, *names(fate, run), *((body,) if edited and outlet.link_copies else ())),
            change=followed.change,
            visit=await self.tracker.again(stored, outlet, url, page, edited=edited, signed=fate.reason == "changed"),
        )

    async def _followed(self, met: _Met, page: Fetched, outlet: Outlet) -> Followed:
        current = met.stored.article
        differs = met.article.content_hash != current.content_hash or met.article.url != current.url
        history = [current]
        if differs:
            history = [revision.article for revision in await self._storage.articles.revisions(met.stored.id)]
        redirected = bool(page.redirects) and all(hop.permanent for hop in page.redirects)
        says_so = met.article.url != canonicalize(page.final_url, outlet.urls)
        return follow(
            met.article, met.verdict, history or [current], retracted=met.stored.retracted_at is not None,
            moves=redirected or says_so or met.verdict.rule == "guid", phrases=outlet.revisions.corrections,
        )  # fmt: skip

    async def _copied(self, article: Article, verdict: Verdict, outlet: Outlet) -> Match | None:
        """The article whose text this one repeats; at an outlet whose copies stand apart it enters its text only."""
        if self._near is None or verdict.kind in {FateKind.UNCHANGED, FateKind.REVISED}:
            return None
        match = await self._near.find(article)
        return match if outlet.link_copies else None

    async def _stored(self, places: list[IdentityKey]) -> dict[IdentityKey, tuple[str, Article]]:
        """The articles that stand under these addresses, by address."""
        found = await self._storage.articles.identities(places)
        stored: dict[IdentityKey, tuple[str, Article]] = {}
        for key, identity in found.items():
            known = await self._storage.articles.get(identity.article_id) if identity.article_id else None
            if known is not None:
                stored[key] = (known.id, known.article)
        return stored

    async def _known(self, named: Named, fate: Fate, run: CrawlRun, body: IdentityKey | None) -> Known:
        own, by_url = names(fate, run), named.article_id
        found = await self._storage.articles.identities([*own, *((body,) if body else ())])
        by_guid = next((found[k].article_id for k in own if k in found and found[k].article_id), None)
        return Known(
            by_url=await self._current(by_url),
            url_rule=named.rule,
            by_guid=await self._current(by_guid) if by_guid != by_url else None,
            by_body=found.get(body) if body else None,
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
            retracted=stored.retracted_at is not None,
        )

    def _broken(self, fate: Fate, run: CrawlRun, error: Exception) -> Decided:
        """An item that our own code stumbles over costs itself alone, and says why."""
        return Decided(
            **carried(fate, run, self._now()),
            kind=FateKind.FAILED,
            rule="internal",
            detail=f"{type(error).__name__}: {error}",
            identities=item_keys(fate, run),
        )

    def _filtered(self, fate: Fate, run: CrawlRun, rule: str, detail: str) -> Decided:
        return Decided(
            **carried(fate, run, self._now()),
            kind=FateKind.FILTERED,
            rule=rule,
            detail=detail,
            identities=item_keys(fate, run),
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
            **carried(fate, run, now),
            kind=FateKind.PENDING if again else FateKind.FAILED,
            rule=str(kind),
            detail=f"our own outage: {message}" if ours else message,
            uncounted=ours,
            retry_at=now + max(wait, min(retry_after or wait, timedelta(days=1))) if again else None,
            identities=() if again else item_keys(fate, run),
        )


@dataclass(frozen=True, slots=True)
class _Met:
    """A known article as it is read now."""

    article: Article
    verdict: Verdict
    stored: StoredArticle
    #: Addresses that name it.
    places: tuple[IdentityKey, ...]
    #: The pages after the first.
    further: tuple[Fetched, ...]


def _is_another_story(article: Article, stored: Article, page: Fetched) -> bool:
    """Whether an address that redirects has been given to another story."""
    return bool(page.redirects) and article.title != stored.title and not agree(article, stored)
