"""What just happened on the way from a source to an article: one frozen type per step.

All of these are plain and picklable: parsing and extraction run in child processes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from crawlers.cosmetics import essence
from storage.model import Article, Block, Image, Link, Measured


class FailureKind(StrEnum):
    """Why a fetch or a parse gave nothing; a closed set, used as a metric label and as a run's reason."""

    DNS = "dns"  # the host name cannot be resolved
    CONNECT = "connect"  # refused, unreachable, reset before an answer
    TLS = "tls"
    TIMEOUT = "timeout"
    TRUNCATED = "truncated"  # fewer bytes than promised, or a broken encoding
    TOO_LARGE = "too_large"  # body, headers, decompressed size or ratio past a limit
    PROTOCOL = "protocol"  # not HTTP, bad headers
    REDIRECT = "redirect"  # loop, too many, other scheme, downgrade
    FORBIDDEN_ADDRESS = "forbidden_address"  # SSRF guard
    ROBOTS = "robots"  # robots.txt forbids it
    ROBOTS_UNREADABLE = "robots_unreadable"  # robots.txt fails, which forbids everything for a while (RFC 9309)
    RATE_LIMITED = "rate_limited"  # 429, 503 with Retry-After
    BLOCKED = "blocked"  # 401, 403, 451, challenge page
    NOT_FOUND = "not_found"  # 404
    GONE = "gone"  # 410
    HTTP_4XX = "http_4xx"
    HTTP_5XX = "http_5xx"
    NOT_A_FEED = "not_a_feed"  # 200, but no feed, sitemap or page
    EMPTY = "empty"  # 200 without a byte, or without an item
    PARSE = "parse"  # the parser failed, ran out of time or of memory
    STORAGE = "storage"  # the database or Redis was not there


#: Weight of a failure in the back-off: hard 1, soft 1/2, temporary 1/4 (Media Cloud's rss-fetcher).
FAILURE_WEIGHT: dict[FailureKind, float] = {
    FailureKind.DNS: 0.5,
    FailureKind.CONNECT: 0.25,
    FailureKind.TLS: 1.0,
    FailureKind.TIMEOUT: 0.25,
    FailureKind.TRUNCATED: 0.25,
    FailureKind.TOO_LARGE: 1.0,
    FailureKind.PROTOCOL: 0.5,
    FailureKind.REDIRECT: 1.0,
    FailureKind.FORBIDDEN_ADDRESS: 1.0,
    FailureKind.ROBOTS: 0.5,
    FailureKind.ROBOTS_UNREADABLE: 0.25,
    FailureKind.RATE_LIMITED: 0.25,
    FailureKind.BLOCKED: 0.5,
    FailureKind.NOT_FOUND: 0.5,  # active feeds do answer 404 and come back to life
    FailureKind.GONE: 1.0,
    FailureKind.HTTP_4XX: 1.0,
    FailureKind.HTTP_5XX: 0.25,
    FailureKind.NOT_A_FEED: 1.0,
    FailureKind.EMPTY: 0.5,
    FailureKind.PARSE: 1.0,
    FailureKind.STORAGE: 0.0,
}

#: Failures of one page that may pass by themselves; the others end the item at once.
PASSING: frozenset[FailureKind] = frozenset(
    {
        FailureKind.DNS,
        FailureKind.CONNECT,
        FailureKind.TIMEOUT,
        FailureKind.TRUNCATED,
        FailureKind.PROTOCOL,
        FailureKind.RATE_LIMITED,
        FailureKind.ROBOTS_UNREADABLE,
        FailureKind.BLOCKED,
        FailureKind.HTTP_5XX,
        FailureKind.NOT_FOUND,  # feeds announce a page some seconds before it is served
        FailureKind.EMPTY,
        FailureKind.STORAGE,
    }
)


class Purpose(StrEnum):
    """What is fetched; picks the limits and the Accept header."""

    FEED = "feed"
    SITEMAP = "sitemap"
    LISTING = "listing"
    ARTICLE = "article"
    ROBOTS = "robots"


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchRequest:
    """One thing to get."""

    url: str
    purpose: Purpose
    outlet_id: str
    #: Validators to send (RFC 9110 section 13), byte for byte.
    etag: str | None = None
    last_modified: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Redirect:
    """One hop."""

    status: int
    url: str

    @property
    def permanent(self) -> bool:
        """301 and 308 (RFC 9110 section 15.4)."""
        return self.status in {301, 308}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A whole answer with a body."""

    url: str
    #: After redirects.
    final_url: str
    status: int
    #: Lower-case names, in order of arrival.
    headers: tuple[tuple[str, str], ...]
    #: After transfer and content decoding.
    body: bytes
    redirects: tuple[Redirect, ...] = ()
    wire_bytes: int = 0
    #: Seconds from sending to the last byte, waiting for the host's turn left out.
    elapsed: float = 0.0
    fetched_at: datetime
    etag: str | None = None
    last_modified: str | None = None
    #: Seconds between requests that robots.txt of the host asks for.
    crawl_delay: float | None = None
    content_type: str | None = None

    def header(self, name: str) -> str | None:
        """The first value of that header, or None."""
        name = name.lower()
        return next((value for key, value in self.headers if key == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotModified:
    """304: what we have is current."""

    url: str
    final_url: str
    headers: tuple[tuple[str, str], ...]
    redirects: tuple[Redirect, ...] = ()
    wire_bytes: int = 0
    elapsed: float = 0.0
    fetched_at: datetime
    etag: str | None = None
    last_modified: str | None = None
    #: Seconds between requests that robots.txt of the host asks for.
    crawl_delay: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchFailed:
    """No usable answer, and why."""

    url: str
    kind: FailureKind
    #: One sentence that names the host or URL and what happened.
    message: str
    status: int | None = None
    final_url: str | None = None
    #: From Retry-After (seconds or date), uncapped.
    retry_after: timedelta | None = None
    redirects: tuple[Redirect, ...] = ()
    wire_bytes: int = 0
    elapsed: float = 0.0
    fetched_at: datetime
    #: First bytes of the body, as evidence.
    evidence: bytes = b""
    crawl_delay: float | None = None


FetchResult = Fetched | NotModified | FetchFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEntry:
    """One item as its source announces it."""

    #: Absolute; http or https.
    url: str
    guid: str | None = None
    title: str | None = None
    #: Aware; None when the source gives none or one that cannot be read.
    published: datetime | None = None
    updated: datetime | None = None
    #: Plain text.
    summary: str | None = None
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    image: str | None = None
    language: str | None = None

    def source_hash(self) -> str:
        """Versioned hash of what the source says of the item: address, title, summary and time of change.

        What is cosmetic in title and summary (counters, "5 menit lalu") does not count, images neither.
        """
        said = essence(self.title or "", self.summary or "")
        parts = (self.url, said, self.updated.isoformat() if self.updated else "")
        return "2" + hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:31]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something wrong with an answer that did not stop it from being read."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedSitemap:
    """One child as a sitemap index lists it."""

    url: str
    #: As the index writes it.
    lastmod: str | None = None
    #: Its lastmod, else the date in its address; aware.
    date: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovered:
    """What one answer of a source announces."""

    entries: tuple[FeedEntry, ...]
    #: Items of a feed without an address, which are never stored: their place among all items, their `url` empty.
    unlinked: tuple[tuple[int, FeedEntry], ...] = ()
    #: rss, rdf, atom, jsonfeed, cdf, urlset, sitemapindex, text, listing.
    format: str
    #: Child sitemaps, the next listing page, or the page of older items before a feed's, in the order to follow.
    follow: tuple[str, ...] = ()
    #: The same children with what the index says of them, more than are to be followed at once.
    children: tuple[ListedSitemap, ...] = ()
    #: Whether ``?paged=2`` gives the items before these (WordPress).
    paged: bool = False
    problems: tuple[Problem, ...] = ()
    #: WebSub: where changes of this feed can be subscribed to, and under what address.
    hubs: tuple[str, ...] = ()
    self_url: str | None = None
    #: Publisher's word on when to come again: RSS ttl, sy:updatePeriod/Frequency.
    min_interval: timedelta | None = None
    #: Hours (0-23, GMT) and days (0 = Monday) in which the publisher asks not to be polled.
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[int] = frozenset()
    title: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryFailed:
    """An answer that is nothing we asked for."""

    kind: FailureKind
    message: str


class PageKind(StrEnum):
    """What a page is; only articles are stored."""

    ARTICLE = "article"
    PAYWALL = "paywall"
    PHOTO = "photo"
    VIDEO = "video"
    LIVE = "live"
    INDEX = "index"
    EMPTY = "empty"  # no text to speak of


@dataclass(frozen=True, slots=True)
class DateCandidate:
    """One claim about when the article was published or updated."""

    #: As the page writes it.
    text: str
    #: jsonld, meta, visible, url, feed, sitemap, http.
    source: str
    #: "published" or "updated".
    role: str = "published"
    #: The place, for a person: "meta[name=pubdate]".
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """What the page says, as it says it; nothing cleaned, nothing chosen beyond where a part stands."""

    url: str
    kind: PageKind = PageKind.ARTICLE
    #: rel=canonical or og:url, absolute.
    canonical_url: str | None = None
    amp_url: str | None = None
    #: The address of the whole article or of its next page, when the page is one of several.
    next_url: str | None = None
    title: str | None = None
    subtitle: str | None = None
    authors: tuple[str, ...] = ()
    editor: str | None = None
    #: The raw byline line(s).
    byline: str | None = None
    dates: tuple[DateCandidate, ...] = ()
    section: str | None = None
    tags: tuple[str, ...] = ()
    #: As declared by the page (lang, og:locale, JSON-LD).
    language: str | None = None
    images: tuple[Image, ...] = ()
    #: The body's blocks in reading order, datelines and inline related lines still in.
    blocks: tuple[Block, ...] = ()
    related: tuple[Link, ...] = ()
    site_name: str | None = None
    #: Field to where it was found: rules, jsonld, meta, generic, trafilatura, resiliparse.
    provenance: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A page that is not an article we store, and why."""

    #: Word of a closed set: empty, paywall, photo, video, live, index, no_title.
    rule: str
    detail: str
    url: str = ""
    #: What the page gave, for the counts against which drift is judged; None where it says nothing of the rules.
    measured: Measured | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalized:
    """An article with the other addresses it is known under."""

    article: Article
    #: Canonical and AMP addresses the page names, besides the article's own.
    aliases: tuple[str, ...] = field(default=())
    #: The pages after the first that the article was joined from.
    further: tuple[Fetched, ...] = ()
    #: As of `Rejected`.
    measured: Measured | None = None
