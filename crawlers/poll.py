"""One reading of one source: what it announces now, and what was learned of it on the way."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import structlog

from config.model import Limits, Outlet, Source, SourceKind
from crawlers import gap, hub, push, replacement, validators, whereabouts
from crawlers.appearance import last_listed
from crawlers.discover import discover
from crawlers.evidence import evidence_of, exchange_of
from crawlers.identity import url_key
from crawlers.listing import expand
from crawlers.model import (
    Discovered,
    DiscoveryFailed,
    FailureKind,
    Fetched,
    FetchFailed,
    FetchRequest,
    FetchResult,
    NotModified,
    Purpose,
)
from crawlers.pages import Fetch
from crawlers.parts import Parts, Reading
from crawlers.pool import ParseKilled, ParsePool
from crawlers.recognise import Recognised, keys_of, recognise
from crawlers.validators import Sent
from storage.faults import point
from storage.hubs import HubSubscription
from storage.model import CrawlRun, IdentityKey, IdentityKind, RunStatus, SourceState, Trigger
from storage.seen import Seen
from storage.storage import Storage

log = structlog.get_logger(__name__)

PURPOSE = {
    SourceKind.FEED: Purpose.FEED,
    SourceKind.SITEMAP: Purpose.SITEMAP,
    SourceKind.LISTING: Purpose.LISTING,
}

#: Answers with fewer new items are no flood: nobody counts.
FLOOD = 100

#: A request without validators.
NOTHING = Sent()


#: Validators of an answer that was not taken whole: none.
UNPROVEN: Mapping[str, Any] = {"etag": None, "last_modified": None, "body_hash": None}

#: Failures in which robots.txt kept us from asking at all.
_OF_ROBOTS = frozenset({FailureKind.ROBOTS, FailureKind.ROBOTS_UNREADABLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class PollEnd:
    """How the poll of a source ended, before its pages are fetched."""

    status: RunStatus
    reason: str | None = None
    message: str | None = None
    http_status: int | None = None
    bytes: int = 0
    #: When the publisher asked to be left alone until, and how often it wants us.
    retry_after: timedelta | None = None
    discovered: Discovered | None = None
    #: Items that the source showed; None when it showed the same as last time, or nothing.
    shown: int | None = None
    #: Published times of those that no earlier poll had shown, as announced.
    arrived: tuple[datetime | None, ...] = ()
    #: Headers of the answer, for its caching rules.
    headers: tuple[tuple[str, str], ...] = ()
    #: What was served in place of the source.
    evidence: Mapping[str, Any] | None = None
    #: Seconds between requests that robots.txt asks for.
    crawl_delay: float | None = None
    #: Validators sent and given, and redirects.
    exchange: Mapping[str, Any] | None = None
    #: The source's subscription at a hub.
    hub: HubSubscription | None = None
    #: What it changes in the source's state.
    state: Mapping[str, Any] = field(default_factory=dict)


def _is_topic(source: Source) -> bool:
    """Whether hubs can push what the source shows: a sitemap is no news, and an address of the day is no name."""
    return source.kind is not SourceKind.SITEMAP and "{" not in source.url


class Poller:
    """Asks a source and enters what it announces into the run. Knows nothing of leases, schedules and articles."""

    def __init__(
        self,
        *,
        storage: Storage,
        seen: Seen,
        fetch: Fetch,
        pool: ParsePool,
        limits: Limits,
        now: Callable[[], datetime],
    ) -> None:
        self._storage = storage
        self._seen = seen
        self._fetch = fetch
        self._pool = pool
        self._limits = limits
        self._now = now

    async def poll(self, run: CrawlRun, outlet: Outlet, source: Source, state: SourceState) -> PollEnd:
        """Read the source once.

        ::

            which validators to send, if any                        validators.to_send
              | fetch                                               [one request]
              |   304, or the same bytes: everything was sighted
              |   no source there: moved, gone, a replacement?      whereabouts, replacement
              |   a source: discover                                [child process]
              |     | children of an index, pages, archives         parts
              |     | recognise -> Discovery*                       recognise
              |     | one transaction: each is a pending fate
              |     | an audit that brings news asks once more      validators
              |     | a gap that no archive closes asks the outlet's other sources
        """
        sent = validators.to_send(state, self._now())
        result = await self._ask(self._address(source, outlet), source, outlet, state, sent)
        point("after_fetch")
        match result:
            case NotModified():
                end = await self._unchanged(result, state, sent)
            case FetchFailed():
                end = self._failed(result, state)
            case Fetched():
                end = await self._read(run, outlet, source, state, result, sent)
        if end.status is RunStatus.FAILED and source.kind is SourceKind.FEED:
            end = await self._seek(end, outlet, source, state)
        subscription = await self._storage.hubs.of(source.id) if _is_topic(source) else None
        return replace(end, crawl_delay=result.crawl_delay, exchange=exchange_of(sent, result), hub=subscription)

    async def read_pushes(self, run: CrawlRun, outlet: Outlet, source: Source, state: SourceState) -> PollEnd:
        """Enter what hubs pushed since the last such run; the source is not asked. Raises StaleToken.

        A push that cannot be read makes the source due: a poll tells what it was about.
        """
        arrived: list[datetime | None] = []
        window, size, count, unread = state.window, 0, 0, 0
        for _ in range(push.AT_ONCE):
            pushed = await self._storage.hubs.first(source.id)
            if pushed is None:
                break
            entries = await push.entries_of(pushed, partial(self._discover, outlet=outlet, source=source))
            if entries is not None:
                reading = Reading(list(entries))
                recognised = await self._enter(run, outlet, source, reading, reason="push", whole=False)
                arrived += [d.published for d in recognised.discoveries if d.reason == "push"]
                if window is not None:
                    window = gap.extended(window, (url_key(entry.url, outlet) for entry in entries))
            await self._storage.hubs.read(source.id, run.token, pushed.id)
            count, size, unread = count + 1, size + len(pushed.body), unread + (entries is None)
        changes: dict[str, Any] = {"window": window} if window != state.window else {}
        if arrived:
            changes["last_item"] = self._now()
        if unread:
            changes["next_attempt"] = min(state.next_attempt, self._now())
        message = f"read {count} pushed by the hub" + (f"; {unread} of them no feed, so it is polled" if unread else "")
        return PollEnd(
            status=RunStatus.OK, reason="push", message=message, bytes=size, state=changes, arrived=tuple(arrived)
        )

    # -- asking -------------------------------------------------------------------------------

    def _address(self, source: Source, outlet: Outlet, at: datetime | None = None, page: int = 0) -> str:
        if source.kind is not SourceKind.LISTING:
            return source.url
        return expand(
            source.url, now=at or self._now(), timezone=outlet.timezone, page_index=page, listing=source.listing
        )

    async def _ask(
        self, url: str, source: Source, outlet: Outlet, state: SourceState, sent: Sent = NOTHING
    ) -> FetchResult:
        headers = source.headers
        if url == source.url and state.adopted_url is not None:
            url = state.adopted_url
        if urlsplit(url).netloc.rpartition("@")[2] != urlsplit(source.url).netloc.rpartition("@")[2]:
            headers = ()  # what the operator gave for one host is no business of another
        return await self._fetch(
            FetchRequest(
                url=url, purpose=PURPOSE[source.kind], outlet_id=outlet.id, etag=sent.etag,
                last_modified=sent.last_modified, headers=headers,
            ),
            source,
        )  # fmt: skip

    # -- answers that announce nothing --------------------------------------------------------

    async def _unchanged(self, result: Fetched | NotModified, state: SourceState, sent: Sent) -> PollEnd:
        """304, or the same bytes as last time: nothing to read, and all that the source listed was sighted."""
        await self._seen.refresh_window(state.id)
        changes: dict[str, Any] = dict(whereabouts.found(state, result.redirects, self._now()))
        if isinstance(result, Fetched):
            changes |= {"etag": result.etag, "last_modified": result.last_modified}
            changes |= validators.passed(state) if sent.audit else {"unaudited": 0}
        else:
            # RFC 9110 section 15.4.5: a 304 names those that it leaves as they are only if it wants to.
            changes |= {
                "etag": result.etag or state.etag,
                "last_modified": result.last_modified or state.last_modified,
                **validators.taken_on_trust(state, result.etag),
            }
        return PollEnd(
            status=RunStatus.NOT_MODIFIED,
            http_status=result.status if isinstance(result, Fetched) else 304,
            bytes=result.wire_bytes,
            headers=result.headers,
            state=changes,
        )

    def _failed(self, result: FetchFailed, state: SourceState) -> PollEnd:
        return PollEnd(
            status=RunStatus.SKIPPED if result.kind in _OF_ROBOTS else RunStatus.FAILED,
            reason=str(result.kind), message=result.message, http_status=result.status,
            bytes=result.wire_bytes, retry_after=result.retry_after, evidence=evidence_of(result.evidence, None),
            state=whereabouts.failed(state, result.kind, result.redirects, self._now()),
        )  # fmt: skip

    def _no_source(self, answer: Fetched, kind: FailureKind, message: str, state: SourceState) -> PollEnd:
        """200 for something that is no source."""
        return PollEnd(
            status=RunStatus.FAILED, reason=str(kind), message=message, http_status=answer.status,
            bytes=answer.wire_bytes, headers=answer.headers, evidence=evidence_of(answer.body, answer.content_type),
            state=whereabouts.failed(state, kind, answer.redirects, self._now()),
        )  # fmt: skip

    async def _seek(self, end: PollEnd, outlet: Outlet, source: Source, state: SourceState) -> PollEnd:
        """Search a replacement for a feed that has been missing for long; it is proposed, not applied."""
        now = self._now()
        missing = end.state.get("missing_since", state.missing_since)
        if end.reason not in whereabouts.ABSENCE or not whereabouts.is_search_due(state, missing, now):
            return end

        async def ask(url: str, purpose: Purpose) -> FetchResult:
            return await self._fetch(FetchRequest(url=url, purpose=purpose, outlet_id=outlet.id), source)

        async def known(entries: Sequence[Any]) -> tuple[int, int]:
            places = {e.url: keys_of([e.url], outlet)[0] for e in entries}
            names = [IdentityKey(IdentityKind.GUID, source.id, e.guid or places[e.url].key) for e in entries]
            found = await self._storage.articles.identities([*places.values(), *names])
            return sum(name in found for name in names), sum(place in found for place in places.values())

        read = partial(self._discover, outlet=outlet, source=source)
        proposal = await replacement.search(source, outlet, ask=ask, read=read, known=known, now=now)
        if proposal is not None:
            log.warning("replacement proposed", url=proposal["url"], known=proposal["known"], accept="warta adopt")
        return replace(end, state={**end.state, "searched_at": now, "proposal": proposal or state.proposal})

    # -- answers that announce something ------------------------------------------------------

    async def _read(
        self, run: CrawlRun, outlet: Outlet, source: Source, state: SourceState, answer: Fetched, sent: Sent
    ) -> PollEnd:
        digest = hashlib.sha256(answer.body).hexdigest()
        if digest == state.body_hash and run.trigger is not Trigger.GAP:
            return await self._unchanged(answer, state, sent)
        first = await self._discover(answer, outlet, source)
        point("after_parse")
        if isinstance(first, DiscoveryFailed):
            return self._no_source(answer, first.kind, first.message, state)
        since = state.gap_since if run.trigger is Trigger.GAP else None
        reading = await self._parts(outlet, source, state).read(first, answer.final_url, since=since)
        if not reading.entries and not reading.quiet:
            nothing = f"a well-formed {first.format} without a single item"
            return replace(self._no_source(answer, FailureKind.EMPTY, nothing, state), discovered=first)
        for problem in {p.code: p for page in (first, *reading.pages) for p in page.problems}.values():
            log.info("source problem", code=problem.code, message=problem.message)
        recognised = await self._enter(run, outlet, source, reading, reason="gap" if since else None)
        if reading.listed and not recognised.left:
            news = frozenset(d.url_key for d in recognised.discoveries)
            known = reading.children_after(news, outlet, self._now())
            await self._storage.children.save(source.id, run.token, known, reading.listed)
        arrived = tuple(d.published for d in recognised.discoveries if d.reason == "new")
        await self._hubs(source, first, answer, arrived)
        changes = {
            **whereabouts.found(state, answer.redirects, self._now()),
            **(UNPROVEN if recognised.left else self._validators(source, first, answer, digest)),
            **await self._audited(recognised, outlet, source, state, sent),
            **({"window": reading.window} if reading.window is not None and reading.window != state.window else {}),
            **({"gap_since": None} if state.gap_since else {}),
            **self._last_item(reading, outlet, state),
        }
        reason, message = await self._gap(reading, outlet, source, state)
        if recognised.left:
            reason = "quota"
            message = f"{recognised.left} new items wait: {outlet.id} had {self._limits.outlet_items} in 24 hours"
            log.warning("items left for later", items=recognised.left, quota=self._limits.outlet_items)
        return PollEnd(
            status=RunStatus.OK, reason=reason, message=message, http_status=answer.status, bytes=answer.wire_bytes,
            headers=answer.headers, discovered=first, state=changes, shown=len(reading.entries),
            arrived=arrived,
        )  # fmt: skip

    def _last_item(self, reading: Reading, outlet: Outlet, state: SourceState) -> dict[str, Any]:
        listed = ((url_key(entry.url, outlet), entry.published) for entry in reading.entries)
        moment = last_listed(listed, reading.window, state.window, since=state.last_success, now=self._now())
        return {} if moment is None else {"last_item": moment}

    async def _hubs(
        self, source: Source, first: Discovered, answer: Fetched, arrived: Sequence[datetime | None]
    ) -> None:
        """Remember where changes can be subscribed to, and whether the hub has kept its word until now."""
        if not _is_topic(source):
            return
        now, said = self._now(), hub.offer(answer, first)
        subscription = await self._storage.hubs.offer(source.id, said.hubs, said.topic, now)
        missed = hub.withheld(subscription, arrived, now)
        if missed and subscription is not None:
            log.warning("hub withheld news", hub=subscription.hub, items=missed, message="polled as usual for a day")
            await self._storage.hubs.change(subscription.id, missed_at=now)

    def _parts(self, outlet: Outlet, source: Source, state: SourceState) -> Parts:
        return Parts(
            outlet=outlet, source=source, state=state, limits=self._limits, now=self._now(),
            ask=partial(self._ask, source=source, outlet=outlet, state=state),
            read_answer=partial(self._discover, outlet=outlet, source=source),
            address=partial(self._address, source, outlet), remembered=self._storage.children.of,
        )  # fmt: skip

    async def _enter(
        self,
        run: CrawlRun,
        outlet: Outlet,
        source: Source,
        reading: Reading,
        *,
        reason: str | None = None,
        whole: bool = True,
    ) -> Recognised:
        """Recognise the entries and make each that must be looked at a pending fate of the run."""
        recognised = await recognise(
            reading.entries, outlet, source, seen=self._seen, articles=self._storage.articles, now=self._now(),
            visits=self._storage.visits, whole=whole,
        )  # fmt: skip
        looked_at = tuple(
            replace(d, reason=reason or "gap")
            if d.reason == "new" and (reason or d.url_key in reading.recovered)
            else d
            for d in recognised.discoveries
        )
        taken = looked_at[: await self._room(outlet, len(looked_at))]
        await self._storage.runs.discovered(run.id, run.token, taken, recognised.known, filtered=(), now=self._now())
        return replace(recognised, discoveries=taken, left=len(looked_at) - len(taken))

    async def _room(self, outlet: Outlet, wanted: int) -> int:
        """How many of so many new items may be entered today; a flood waits, and is not forgotten."""
        quota = self._limits.outlet_items
        if wanted < min(FLOOD, quota // FLOOD + 1):
            return wanted
        taken = await self._storage.fates.count_since(outlet.id, self._now() - timedelta(days=1))
        return max(0, min(wanted, quota - taken))

    async def _discover(self, answer: Fetched, outlet: Outlet, source: Source) -> Discovered | DiscoveryFailed:
        try:
            read = partial(
                discover, source.kind, answer.body,
                url=answer.final_url, content_type=answer.content_type, now=self._now(),
                timezone=outlet.timezone, listing=source.listing,
                sitemap_follow=source.sitemap_follow, limits=self._limits,
            )  # fmt: skip
            return await self._pool.run(read)
        except ParseKilled as killed:
            return DiscoveryFailed(
                kind=FailureKind.PARSE, message=f"{answer.final_url}: the parser was ended: {killed}"
            )

    # -- what follows -------------------------------------------------------------------------

    def _validators(self, source: Source, first: Discovered, answer: Fetched, digest: str) -> dict[str, Any]:
        """What proves next time that nothing changed; kept only where it does prove it."""
        # An index changes when its children do not, and the other way round; a listing goes on over pages.
        keeps = source.kind is not SourceKind.LISTING and not first.children
        whole = validators.is_whole(answer.body, {problem.code for problem in first.problems})
        return {
            "etag": answer.etag if keeps and whole else None,
            "last_modified": answer.last_modified if keeps and whole else None,
            "body_hash": digest if keeps else None,
        }

    async def _audited(
        self, recognised: Recognised, outlet: Outlet, source: Source, state: SourceState, sent: Sent
    ) -> dict[str, Any]:
        """The verdict of an audit: news that the same validators still deny contradict every 304 before."""
        if not sent.audit:
            return {"unaudited": 0} if state.unaudited else {}
        if recognised.discoveries:
            before = Sent(state.etag, state.last_modified)
            again = await self._ask(self._address(source, outlet), source, outlet, state, before)
            if isinstance(again, NotModified):
                log.warning(
                    "validators distrusted", news=len(recognised.discoveries),
                    message="a 304 denied news that a plain request brought; they are not sent for a month",
                )  # fmt: skip
                return validators.contradicted(self._now())
        return validators.passed(state)

    async def _gap(
        self, reading: Reading, outlet: Outlet, source: Source, state: SourceState
    ) -> tuple[str | None, str | None]:
        """Reason and message of a run whose window shares nothing with the one before."""
        if not reading.gap:
            return None, None
        since = state.last_success or self._now()
        what = f"nothing of what was listed at {since:%Y-%m-%d %H:%M:%S}Z is listed any more"
        if reading.closed:
            return "gap_closed", f"{what}; {len(reading.recovered)} older items came from {len(reading.pages)} archives"
        others = [s.id for s in outlet.sources if s.enabled and s.id != source.id and s.kind is not SourceKind.FEED]
        asked = await self._storage.sources.request_gap(others, since, self._now()) if others else 0
        more = (
            f"; {len(reading.recovered)} older items came from {len(reading.pages)} archives" if reading.pages else ""
        )
        more += f"; {asked} other sources of the outlet were asked" if asked else ""
        log.warning("gap suspected", since=since.isoformat(), recovered=len(reading.recovered), asked=asked)
        return "gap_suspected", what + more
