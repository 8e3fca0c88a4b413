"""What an answer means: one pure function from status, headers and body to a FetchResult."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from crawlers.challenge import challenge
from crawlers.exchange import Answer
from crawlers.model import FailureKind, Fetched, FetchFailed, FetchRequest, FetchResult, NotModified, Redirect

#: Bytes of the body kept as evidence of a failure.
EVIDENCE_BYTES = 2048

#: Retry-After of more than this is no number of seconds that anyone means (ten years).
_MAX_RETRY_SECONDS = 10 * 366 * 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """What happened up to the answer that counts, redirects included."""

    request: FetchRequest
    #: Where the answer came from.
    final_url: str
    #: Where the first request went; the request's URL without credentials.
    url: str
    redirects: tuple[Redirect, ...]
    wire_bytes: int
    elapsed: float
    fetched_at: datetime
    #: Seconds between requests that robots.txt of the last host asks for.
    crawl_delay: float | None = None

    def failed(
        self,
        kind: FailureKind,
        message: str,
        *,
        status: int | None = None,
        retry_after: timedelta | None = None,
        evidence: bytes = b"",
    ) -> FetchFailed:
        """The journey as a failure."""
        return FetchFailed(
            url=self.request.url,
            kind=kind,
            message=message,
            status=status,
            final_url=self.final_url,
            retry_after=retry_after,
            redirects=self.redirects,
            wire_bytes=self.wire_bytes,
            elapsed=self.elapsed,
            fetched_at=self.fetched_at,
            evidence=evidence[:EVIDENCE_BYTES],
            crawl_delay=self.crawl_delay,
        )


def classify(answer: Answer, journey: Journey) -> FetchResult:
    """The result that an answer other than a redirect stands for."""
    if answer.status == 304:
        return _not_modified(answer, journey)
    failure = _failure(answer, journey)
    if failure is not None:
        return failure
    return Fetched(
        url=journey.request.url,
        final_url=journey.final_url,
        status=answer.status,
        headers=answer.headers,
        body=answer.body,
        redirects=journey.redirects,
        wire_bytes=journey.wire_bytes,
        elapsed=journey.elapsed,
        fetched_at=journey.fetched_at,
        etag=answer.header("etag"),
        last_modified=answer.header("last-modified"),
        content_type=answer.header("content-type"),
        crawl_delay=journey.crawl_delay,
    )


def _not_modified(answer: Answer, journey: Journey) -> FetchResult:
    if journey.request.etag is None and journey.request.last_modified is None:
        return journey.failed(
            FailureKind.PROTOCOL,
            f"{journey.final_url} answers 304 to a request without validators",
            status=304,
        )
    return NotModified(
        url=journey.request.url,
        final_url=journey.final_url,
        headers=answer.headers,
        redirects=journey.redirects,
        wire_bytes=journey.wire_bytes,
        elapsed=journey.elapsed,
        fetched_at=journey.fetched_at,
        etag=answer.header("etag"),
        last_modified=answer.header("last-modified"),
        crawl_delay=journey.crawl_delay,
    )


def _failure(answer: Answer, journey: Journey) -> FetchFailed | None:
    status, url = answer.status, journey.final_url
    obstacle = challenge(answer)
    if obstacle is not None:
        message = f"{url} answers {status} with a {obstacle} instead of the page"
        return journey.failed(FailureKind.BLOCKED, message, status=status, evidence=answer.body)
    if status in {200, 203}:
        if answer.body:
            return None
        return journey.failed(FailureKind.EMPTY, f"{url} answers {status} without a byte", status=status)
    wait = retry_after(answer.header("retry-after"), journey.fetched_at)
    kind, words = _bad_status(status, wait)
    return journey.failed(
        kind,
        f"{url} answers {status}{words}{_wait_words(wait)}",
        status=status,
        retry_after=wait,
        evidence=answer.body,
    )


def _bad_status(status: int, wait: timedelta | None) -> tuple[FailureKind, str]:
    named = {
        204: (FailureKind.EMPTY, ": nothing to read"),
        206: (FailureKind.TRUNCATED, ": a part that was not asked for"),
        401: (FailureKind.BLOCKED, ": it wants a login"),
        403: (FailureKind.BLOCKED, ": forbidden"),
        404: (FailureKind.NOT_FOUND, ": not found"),
        410: (FailureKind.GONE, ": gone for good"),
        429: (FailureKind.RATE_LIMITED, ": too many requests"),
        451: (FailureKind.BLOCKED, ": withheld for legal reasons"),
    }
    if status in named:
        return named[status]
    if status == 503 and wait is not None:
        return FailureKind.RATE_LIMITED, ": busy"
    if 500 <= status <= 599:
        return FailureKind.HTTP_5XX, ": the server failed"
    if 400 <= status <= 499:
        return FailureKind.HTTP_4XX, ": the request is refused"
    if 300 <= status <= 399:
        return FailureKind.REDIRECT, ": a redirect that says nowhere to go"
    return FailureKind.PROTOCOL, ": a status that makes no sense here"


def _wait_words(wait: timedelta | None) -> str:
    return "" if wait is None else f"; it asks to wait {wait.total_seconds():.0f} s"


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Retry-After as a span, from seconds or an HTTP date (RFC 9110 section 10.2.3); None without meaning."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return timedelta(seconds=min(int(value[:12]), _MAX_RETRY_SECONDS))
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(moment - now, timedelta(0))
