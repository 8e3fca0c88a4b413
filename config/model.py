"""What the operator asked for, after inheritance: frozen and complete, nothing left to default.

The loader (:mod:`config.load`) turns YAML documents into these; no YAML node and no
pydantic model travels further than it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from zoneinfo import ZoneInfo

from config.alerting import Alerts


class SourceKind(StrEnum):
    """How a source announces articles."""

    FEED = "feed"  # RSS 0.9x-2.0, RDF, Atom, JSON Feed
    SITEMAP = "sitemap"  # index, urlset, news extension, .gz, plain text
    LISTING = "listing"  # an HTML page of links


class RobotsPolicy(StrEnum):
    """What robots.txt (RFC 9309) means for an outlet."""

    OBEY = "obey"
    IGNORE = "ignore"  # recorded on every run and shown to the operator


@dataclass(frozen=True, slots=True, kw_only=True)
class Every:
    """A fixed interval, spread by jitter so that sources do not fire together."""

    interval: timedelta
    #: Share of the interval by which an attempt may be early or late, 0 to 0.5.
    jitter: float = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """A crontab expression of five fields, read in a time zone."""

    expression: str
    timezone: ZoneInfo
    #: Latest start after the moment the expression names; None means exactly then.
    jitter: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Adaptive:
    """When it pays, by the rhythm learned of the source, within two bounds."""

    floor: timedelta = timedelta(minutes=2)
    ceiling: timedelta = timedelta(hours=6)
    #: The outlet's clock, by which hours of the week are told apart.
    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))


Schedule = Every | Cron | Adaptive


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What the operator expects of a source; where nothing is said, its learned rhythm speaks."""

    #: Items a day.
    at_least: float | None = None
    max_silence: timedelta | None = None
    #: Hours (0-23) on the outlet's clock in which silence means nothing.
    quiet_hours: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Politeness:
    """Manners towards one host, shared by every source and worker."""

    user_agent: str
    robots: RobotsPolicy = RobotsPolicy.OBEY
    #: Least time between the starts of two requests to one host.
    delay: timedelta = timedelta(seconds=2)
    #: Requests in flight to one host.
    concurrency: int = 1
    #: The same over all hosts of one registrable domain, whoever's outlets they are.
    domain_delay: timedelta = timedelta(milliseconds=250)
    domain_concurrency: int = 4
    #: The same for one outlet over all its hosts.
    outlet_delay: timedelta = timedelta(0)
    outlet_concurrency: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Fences around one fetch and one parse; past any of them the fetch fails, nothing else."""

    feed_bytes: int = 8 * 2**20
    page_bytes: int = 5 * 2**20
    sitemap_bytes: int = 50 * 2**20
    decompressed_bytes: int = 64 * 2**20
    #: Decompressed over wire bytes, judged once more than 1 MiB came out.
    compression_ratio: int = 200
    header_bytes: int = 256 * 2**10
    feed_seconds: float = 30.0
    page_seconds: float = 45.0
    #: A connection on which nothing comes for so long is given up: its state on the way may be lost.
    idle_seconds: float = 15.0
    redirects: int = 10
    #: Items taken from one answer; the rest is reported, not read.
    items: int = 2_000
    #: New items of one outlet taken in 24 hours; what is more waits for a later poll.
    outlet_items: int = 20_000
    #: Child sitemaps followed from one index in one run.
    sitemap_children: int = 50
    ports: frozenset[int] = frozenset({80, 443, 8080, 8443})
    parse_seconds: float = 10.0
    parse_bytes: int = 2**30
    #: Attempts to fetch one article page before its fate is ``failed``.
    page_attempts: int = 4
    #: Wait before the second attempt; the third comes after five times as long, then thirty, then 120.
    page_retry: timedelta = timedelta(minutes=1)


class SelectorKind(StrEnum):
    """The language a selector is written in."""

    CSS = "css"
    XPATH = "xpath"


@dataclass(frozen=True, slots=True)
class Selector:
    """One compiled-checked selector; CSS unless the YAML says ``xpath:``."""

    expression: str
    kind: SelectorKind = SelectorKind.CSS


Selectors = tuple[Selector, ...]  # tried in order; the first that yields text wins


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleRules:
    """Where the parts of an outlet's article page stand; empty means: let generic extraction find it."""

    #: Last day on which pages looked like this; None for the rules in force.
    valid_until: date | None = None
    title: Selectors = ()
    subtitle: Selectors = ()
    body: Selectors = ()
    #: Text of an HTML comment that ends the body (Kontan: ``pagination end``).
    body_stop_comment: str | None = None
    #: Subtrees dropped before anything is read.
    remove: Selectors = ()
    byline: Selectors = ()
    authors: Selectors = ()
    editor: Selectors = ()
    published: Selectors = ()
    updated: Selectors = ()
    section: Selectors = ()
    tags: Selectors = ()
    image: Selectors = ()
    caption: Selectors = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Boilerplate:
    """Strings that an outlet puts into its texts and that are not the article."""

    #: A block that begins so is dropped (``Baca Juga:``).
    line_start: tuple[str, ...] = ()
    #: A block that is exactly this is dropped.
    line_exact: tuple[str, ...] = ()
    #: A block that contains this is dropped.
    contains: tuple[str, ...] = ()
    #: The text ends before this.
    cut_after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlRules:
    """What an outlet's article addresses look like and which of them are one article."""

    #: Regular expression an article URL matches (search, not full match); None accepts every URL on `hosts`.
    article: str | None = None
    #: Regular expressions of URLs that are never articles (video, photo, e-paper).
    skip: tuple[str, ...] = ()
    #: Regular expression whose named groups, joined, are the identity of an article
    #: (Kontan: ``/news/(?P<slug>[^/?#]+)``); None means the canonical URL.
    key: str | None = None
    #: Suffix that asks for all pages at once (``?page=all``, ``/all``), None when the plain page is whole.
    full_page: str | None = None
    #: Query parameters that belong to the identity; all others are dropped from canonical URLs
    #: when set. None keeps unknown parameters and drops the known tracking and paging ones.
    keep_query: tuple[str, ...] | None = None
    #: AMP and mobile hosts, to the host of the canonical page ("amp.x.id" -> "www.x.id").
    host_aliases: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """How to read an HTML page of links."""

    #: One per entry; the links below are looked up inside it. Empty: the whole page.
    item: Selectors = ()
    #: Elements whose ``href`` is an article.
    link: Selectors = ()
    title: Selectors = ()
    date: Selectors = ()
    #: Pages read in one run, the first included.
    pages: int = 1
    #: Value of ``{page}`` on the first page and its step; ``{offset}`` counts the same way.
    first: int = 1
    step: int = 1
    #: Element whose ``href`` is the next page; used when the URL has no ``{page}`` or ``{offset}``.
    next: Selectors = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One address that is polled on a schedule."""

    #: ``<outlet>/<name>``, stable over restarts; the key of everything remembered about the source.
    id: str
    outlet_id: str
    name: str
    kind: SourceKind
    #: May hold date and paging templates for listings: ``{date:%Y/%m/%d}``, ``{page}``, ``{offset}``.
    url: str
    schedule: Schedule
    politeness: Politeness
    enabled: bool = True
    #: Smaller is served first when more is due than can run.
    priority: int = 100
    expect: Expectation = Expectation()
    #: Extra request headers; values may come from ``${NAME}`` and are secret.
    headers: tuple[tuple[str, str], ...] = ()
    listing: Listing | None = None
    #: Sitemaps: only locations that match are followed; None follows all.
    sitemap_follow: str | None = None
    #: Section given to articles that name none.
    section: str | None = None
    #: ``file:line`` where it is declared, for messages.
    declared_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dedupe:
    """When two articles are versions of one text."""

    #: How far back copies are looked for.
    look_back: timedelta = timedelta(days=8)
    #: Least Jaccard similarity of their word 5-grams.
    near: float = 0.55


@dataclass(frozen=True, slots=True, kw_only=True)
class Revisions:
    """How an outlet's articles are followed after they were stored."""

    #: When a page is looked at again, counted from its first sight, ascending; empty: never by plan.
    visits: tuple[timedelta, ...] = (timedelta(hours=1), timedelta(days=1), timedelta(days=7))
    #: Phrases by which the outlet announces a correction, besides the usual ones.
    corrections: tuple[str, ...] = ()
    #: How long a page must have been missing before its article counts as taken back.
    retract_after: timedelta = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """A publisher: its hosts, its sources and how to read its pages."""

    id: str
    name: str
    homepage: str
    group: str | None
    #: BCP 47 tag, the prior of language detection.
    language: str
    #: Zone of every time without one.
    timezone: ZoneInfo
    #: Hosts whose articles are this outlet's; ``*.kontan.co.id`` covers every subdomain, not the bare domain.
    hosts: tuple[str, ...]
    sources: tuple[Source, ...]
    politeness: Politeness
    enabled: bool = True
    #: Polls of all its sources in a day; None for no limit of its own.
    requests_per_day: int | None = None
    country: str | None = None
    #: Newest last; the one in force has ``valid_until=None``.
    rules: tuple[ArticleRules, ...] = (ArticleRules(),)
    boilerplate: Boilerplate = field(default_factory=Boilerplate)
    #: Names the outlet opens its datelines with (``KONTAN.CO.ID``).
    brands: tuple[str, ...] = ()
    urls: UrlRules = field(default_factory=UrlRules)
    #: A news agency: its texts are the originals of what other outlets run.
    agency: bool = False
    revisions: Revisions = field(default_factory=Revisions)
    #: An article published longer ago when it is first seen is stored and not announced as new.
    announce_max_age: timedelta = timedelta(days=7)
    #: Whether its articles that repeat another are linked to it; else they are stories of their own.
    link_copies: bool = True
    #: What is known of the outlet, for `warta outlets`.
    notes: str = ""
    declared_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An address that gets every event as a signed POST."""

    url: str
    #: Key of the HMAC-SHA256 signature; ``whsec_`` and base64, or any text.
    secret: str
    #: Time for one request, its answer included.
    timeout: timedelta = timedelta(seconds=30)
    #: Requests in flight; those of one article go one after the other.
    concurrency: int = 4
    #: An event that was refused for so long becomes a dead letter.
    give_up: timedelta = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A Redis stream that gets every event as an entry."""

    key: str
    #: Entries kept, more or less (``MAXLEN ~``).
    length: int = 10_000
    #: URL of the server; None for the daemon's own.
    redis: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """A directory that gets files of events, partitioned by day."""

    directory: Path
    #: jsonl, csv or parquet.
    format: str = "jsonl"
    #: Events wait so long for others, so that files do not get small.
    every: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """One consumer that is told of events."""

    #: Stable: how far it has got hangs on it.
    name: str
    target: Webhook | Stream | Files
    #: Empty: all.
    outlets: tuple[str, ...] = ()
    #: Whether it is told of copies.
    copies: bool = True
    #: Events it is told of; empty: all but `backfilled`.
    events: tuple[str, ...] = ()
    #: Whether it is also told of articles that were old when they were first seen.
    backfilled: bool = False
    #: Least materiality of revisions and corrections that it is told of.
    materiality: float = 0.0
    #: Where one that is met for the first time begins: at the first event there is, or behind the last.
    from_beginning: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """Where the HTTP API listens."""

    host: str = "127.0.0.1"
    port: int = 8470
    #: What readers show as ``Authorization: Bearer``; ``sha256:`` and 64 digits, or the token itself.
    tokens: tuple[str, ...] = ()
    #: Host names it answers to, besides `host` and the loopback ones.
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """Where the monitor's web pages are served, and to whom."""

    host: str = "127.0.0.1"
    #: 0 takes any free port.
    port: int = 8460
    #: Asked of whoever comes, itself or hashed (config.password); None only where nobody else can reach `host`.
    password: str | None = None
    #: Host names it answers to, besides `host` and the loopback ones.
    hosts: tuple[str, ...] = ()
    #: Nothing can be changed from the web.
    read_only: bool = False
    #: Address under which people reach it; alerts link there.
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSub:
    """Where hubs reach us with news."""

    #: Public address; each subscription's own is below it.
    callback: str
    host: str = "127.0.0.1"
    port: int = 8480
    #: How long subscriptions are asked to last.
    lease: timedelta = timedelta(days=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutletRetention:
    """How long one outlet's things are kept; None: as all others'."""

    articles: timedelta | None = None
    raw_pages: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long things are kept; None: for ever."""

    #: From when it was first seen; takes revisions and pages with it.
    articles: timedelta | None = None
    #: Pages as fetched, from the fetch.
    raw_pages: timedelta | None = None
    #: Bytes of all pages together, compressed; the oldest go first.
    raw_pages_size: int | None = None
    #: Runs, and the fates of what they discovered.
    runs: timedelta | None = None
    #: Changes of state, incidents that are over with what was told of them, and silences that ended.
    incidents: timedelta | None = None
    #: Log lines, and bytes of the whole log with its indexes.
    logs: timedelta = timedelta(days=14)
    logs_size: int = 2 * 2**30
    #: Outlet to what is different for it.
    outlets: tuple[tuple[str, OutletRetention], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole configuration, as loaded at one moment."""

    #: File it was loaded from.
    path: Path
    data_dir: Path
    #: ``embedded``, or a ``redis://``, ``rediss://`` or ``unix://`` URL.
    redis: str
    #: ``embedded``, or a ``postgresql://`` or ``sqlite:///`` URL.
    database: str
    outlets: tuple[Outlet, ...]
    limits: Limits
    politeness: Politeness
    #: Networks that would be refused as private but may be reached.
    allow_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    #: Host name (or ``*.suffix``) to address, before any DNS look-up.
    resolve: tuple[tuple[str, str], ...] = ()
    #: Polls of all sources in a day; None for no limit.
    requests_per_day: int | None = None
    #: Source runs in flight in one worker.
    worker_concurrency: int = 32
    #: Children that parse and extract.
    parse_processes: int = 2
    #: "none" (asyncio alone) or "asyncio" (Twisted's reactor on asyncio).
    reactor: str = "none"
    #: Time given to running crawls at SIGTERM.
    shutdown_grace: timedelta = timedelta(seconds=20)
    #: How long an address counts as seen after its last sighting.
    seen_ttl: timedelta = timedelta(days=60)
    dedupe: Dedupe = field(default_factory=Dedupe)
    log_level: str = "info"
    #: Who is told of events.
    deliver: tuple[Subscription, ...] = ()
    #: How long things are kept.
    retention: Retention = field(default_factory=Retention)
    #: None: the daemon serves no API.
    api: Api | None = None
    #: None: hubs are asked for nothing.
    websub: WebSub | None = None
    #: None: the daemon serves no web pages.
    monitor: Monitor | None = field(default_factory=Monitor)
    #: Who is told of trouble.
    alerts: Alerts = field(default_factory=Alerts)
    #: Values that came from ``${NAME}``; masked wherever text leaves the process.
    secrets: frozenset[str] = frozenset()
    #: sha256 of every file read, to notice a change.
    fingerprint: str = ""
    _outlets_by_id: Mapping[str, Outlet] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_outlets_by_id", {outlet.id: outlet for outlet in reversed(self.outlets)})

    def outlet(self, outlet_id: str) -> Outlet | None:
        """The outlet of that id, or None."""
        return self._outlets_by_id.get(outlet_id)

    def source(self, source_id: str) -> Source | None:
        """The source of that id, or None."""
        outlet = self.outlet(source_id.partition("/")[0])
        return None if outlet is None else next((s for s in outlet.sources if s.id == source_id), None)
