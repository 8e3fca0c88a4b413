"""One fetch with manners: robots.txt, the host's turn, redirects hop by hop, and a verdict on what came back.

For each hop::

    URL ─► parse_target ─► robots ─► turn at the host ─► engine [one exchange] ─► redirect? ─► next hop
                                                                               └► classify ─► FetchResult
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from config.model import Limits, Politeness, RobotsPolicy, Settings
from crawlers.address import Target, UnfetchableUrlError, parse_target
from crawlers.answer import Journey, classify
from crawlers.budget import Budget
from crawlers.engine import Engine, HostedEngine
from crawlers.exchange import Answer, Exchange, ExchangeFailedError
from crawlers.hops import RedirectRefusedError, next_target, request_headers, without_tracking
from crawlers.model import FailureKind, FetchFailed, FetchRequest, FetchResult, Purpose, Redirect
from crawlers.resolve import ForbiddenAddressError, Guard
from crawlers.robots import MAX_REDIRECTS, Robots, RobotsVerdict
from crawlers.robots_rules import MAX_BYTES as ROBOTS_BYTES
from crawlers.robots_rules import product_token
from storage.hosts import TurnRefusedError

_log = structlog.get_logger("crawlers.fetch")

#: Longest delay that robots.txt can ask for.
MAX_ROBOTS_DELAY = timedelta(seconds=60)
#: Time a host is left alone after 429 without Retry-After.
RATE_LIMIT_PAUSE = timedelta(seconds=60)
#: Longest time a host is left alone for its Retry-After.
MAX_BLOCK = timedelta(hours=24)
#: A host that will not be free for this long fails the fetch instead of holding its run.
PATIENCE = timedelta(minutes=5)


@dataclass(slots=True)
class _Trip:
    """What has happened so far in one fetch."""

    request: FetchRequest
    politeness: Politeness
    first: Target
    here: Target
    redirects: list[Redirect] = field(default_factory=list)
    wire_bytes: int = 0
    elapsed: float = 0.0
    crawl_delay: float | None = None

    def journey(self, now: datetime) -> Journey:
        return Journey(
            request=self.request,
            url=self.first.href,
            final_url=self.here.href,
            redirects=tuple(self.redirects),
            wire_bytes=self.wire_bytes,
            elapsed=self.elapsed,
            fetched_at=now,
            crawl_delay=self.crawl_delay,
        )


class Fetcher:
    """Fetches politely and within limits; every outcome is a value.

    Does not retry, remembers nothing about sources, parses nothing.
    """

    def __init__(
        self,
        settings: Settings,
        budget: Budget,
        robots: Robots,
        now: Callable[[], datetime],
        *,
        engine: Engine | HostedEngine | None = None,
    ) -> None:
        self._limits = settings.limits
        self._guard = Guard(settings.allow_networks, settings.limits.ports)
        self._budget = budget
        self._robots = robots
        self._now = now
        self._engine: Engine | HostedEngine = engine or Engine(settings)

    async def start(self) -> None:
        """Bring the engine up in the running loop."""
        await self._engine.start()

    async def stop(self) -> None:
        """End what is in flight and close every connection."""
        await self._engine.stop()

    async def fetch(self, request: FetchRequest, politeness: Politeness) -> FetchResult:
        """Get one thing. Raises nothing but asyncio.CancelledError."""
        try:
            target = parse_target(request.url)
        except UnfetchableUrlError as error:
            return self._unfetchable(request, str(error))
        if request.purpose is not Purpose.ROBOTS:
            target = without_tracking(target)
        trip = _Trip(request, politeness, first=target, here=target)
        try:
            return await self._travel(trip)
        except ExchangeFailedError as error:
            journey = trip.journey(self._now())
            return journey.failed(error.kind, str(error), status=error.status, retry_after=error.retry_after)
        except Exception as error:
            _log.exception("fetch failed unexpectedly", url=trip.here.href)
            message = f"{trip.here.href} could not be fetched: {type(error).__name__}: {error}"
            return trip.journey(self._now()).failed(FailureKind.PROTOCOL, message)

    async def _travel(self, trip: _Trip) -> FetchResult:
        limit = MAX_REDIRECTS if trip.request.purpose is Purpose.ROBOTS else self._limits.redirects
        while True:
            self._check_place(trip.here)
            verdict = await self._ask_robots(trip)
            trip.crawl_delay = verdict.delay
            if not verdict.allowed:
                return self._forbidden(trip, verdict)
            answer = await self._exchange(trip, _slowed(trip.politeness, verdict.delay))
            try:
                # A redirect to oneself is the business of whoever counts them: robots.txt stops at five.
                loops = trip.request.purpose is Purpose.ROBOTS
                target = next_target(answer, trip.here, trip.redirects, limit=limit, loops=loops)
            except RedirectRefusedError as error:
                journey = trip.journey(self._now())
                return journey.failed(FailureKind.REDIRECT, str(error), status=answer.status)
            if target is None:
                result = classify(answer, trip.journey(self._now()))
                await self._obey(result, trip.here.host)
                return result
            trip.redirects.append(Redirect(answer.status, target.href))
            trip.here = target

    def _check_place(self, here: Target) -> None:
        """What can be told from the URL alone; names are judged when they are resolved."""
        try:
            self._guard.check_port(here.port)
            if here.literal is not None:
                self._guard.check(here.host, here.port)
        except ForbiddenAddressError as error:
            message = f"{here.href} is not fetched: {error}"
            raise ExchangeFailedError(FailureKind.FORBIDDEN_ADDRESS, message) from error

    async def _ask_robots(self, trip: _Trip) -> RobotsVerdict:
        if trip.request.purpose is Purpose.ROBOTS or trip.politeness.robots is RobotsPolicy.IGNORE:
            return RobotsVerdict(allowed=True)

        async def fetch_robots(url: str) -> FetchResult:
            request = FetchRequest(url=url, purpose=Purpose.ROBOTS, outlet_id=trip.request.outlet_id)
            return await self.fetch(request, trip.politeness)

        return await self._robots.check(without_tracking(trip.here), trip.politeness.user_agent, fetch_robots)

    def _forbidden(self, trip: _Trip, verdict: RobotsVerdict) -> FetchFailed:
        journey, here = trip.journey(self._now()), trip.here
        if verdict.failure is None:
            token = product_token(trip.politeness.user_agent) or "*"
            message = f"robots.txt of {here.host} forbids {here.href} to {token} ({verdict.rule})"
            return journey.failed(FailureKind.ROBOTS, message)
        reason = verdict.failure
        if reason.status is None and reason.kind is not FailureKind.TOO_LARGE:
            # The host was not reached at all: that is the news, not its robots.txt.
            return journey.failed(reason.kind, reason.message, retry_after=reason.retry_after)
        passed_on = reason.kind in {FailureKind.RATE_LIMITED, FailureKind.BLOCKED}
        kind = reason.kind if passed_on else FailureKind.ROBOTS_UNREADABLE
        message = f"nothing is fetched from {here.host} while its robots.txt cannot be read: {reason.message}"
        return journey.failed(kind, message, status=reason.status, retry_after=reason.retry_after)

    async def _exchange(self, trip: _Trip, politeness: Politeness) -> Answer:
        """One hop: wait for the turn, ask, give the turn back."""
        answer: Answer | None = None
        entered = False
        while True:
            try:
                async with self._budget.turn(trip.here.host, trip.request.outlet_id, politeness, patience=PATIENCE):
                    entered = True
                    answer = await self._download(trip)
            except TurnRefusedError as error:
                if error.reason != "blocked":
                    # Only a long line: stand in it again, later. It was refused without waiting, so that standing
                    # in it again at once would leave nobody else a turn on this loop.
                    await asyncio.sleep(min(error.wait, PATIENCE).total_seconds())
                    continue
                message = f"{trip.here.host} asked to be left alone for another {error.wait.total_seconds():.0f} s"
                raise ExchangeFailedError(FailureKind.RATE_LIMITED, message, retry_after=error.wait) from error
            except ExchangeFailedError:
                raise
            except Exception as error:
                if entered and answer is None:
                    raise
                if answer is None:
                    message = f"no turn at {trip.here.host}: the host limits cannot be reached ({error})"
                    raise ExchangeFailedError(FailureKind.STORAGE, message) from error
                _log.warning("turn was not given back", host=trip.here.host, reason=str(error))
            assert answer is not None
            return answer

    async def _download(self, trip: _Trip) -> Answer:
        exchange = exchange_for(trip.request, trip.first, trip.here, trip.politeness.user_agent, self._limits)
        exchange.seconds -= trip.elapsed
        if exchange.seconds <= 0:
            raise ExchangeFailedError(FailureKind.TIMEOUT, f"{trip.here.href} came too late after slow redirects")
        begun = time.monotonic()
        try:
            answer = await self._engine.download(exchange)
        finally:
            trip.elapsed += time.monotonic() - begun
        trip.wire_bytes += answer.wire_bytes
        return answer

    async def _obey(self, result: FetchResult, host: str) -> None:
        """Leave a host alone that says it is asked too much."""
        if not isinstance(result, FetchFailed) or result.kind is not FailureKind.RATE_LIMITED:
            return
        wait = RATE_LIMIT_PAUSE if result.retry_after is None else min(result.retry_after, MAX_BLOCK)
        try:
            await self._budget.block(host, self._now() + wait)
        except Exception as error:
            _log.warning("host could not be blocked", host=host, reason=str(error))

    def _unfetchable(self, request: FetchRequest, message: str) -> FetchFailed:
        return FetchFailed(url=request.url, kind=FailureKind.PROTOCOL, message=message, fetched_at=self._now())


def exchange_for(request: FetchRequest, first: Target, here: Target, user_agent: str, limits: Limits) -> Exchange:
    """The request of one hop with the limits of its purpose."""
    purpose = request.purpose
    max_bytes = {
        Purpose.FEED: limits.feed_bytes,
        Purpose.SITEMAP: limits.sitemap_bytes,
        Purpose.LISTING: limits.page_bytes,
        Purpose.ARTICLE: limits.page_bytes,
        Purpose.ROBOTS: ROBOTS_BYTES,
    }[purpose]
    return Exchange(
        target=here,
        headers=request_headers(request, user_agent, first, here),
        seconds=limits.page_seconds if purpose is Purpose.ARTICLE else limits.feed_seconds,
        max_bytes=max_bytes,
        max_decoded=max(limits.decompressed_bytes, max_bytes),
        max_ratio=limits.compression_ratio,
        keep_start=purpose is Purpose.ROBOTS,
        # Polls come minutes apart: kept connections of 4,000 TLS hosts cost 600 MB and are never used again.
        close=purpose is not Purpose.ARTICLE,
    )


def _slowed(politeness: Politeness, delay: float | None) -> Politeness:
    """The host's delay raised to what its robots.txt asks for, within reason."""
    if delay is None:
        return politeness
    asked = min(timedelta(seconds=delay), MAX_ROBOTS_DELAY)
    return replace(politeness, delay=asked) if asked > politeness.delay else politeness
