"""The two kinds of YAML document as users write them.

``warta.yaml`` is a :class:`WartaDocument`, every file of ``outlets/`` an :class:`OutletDocument`.
A field that is None was not written: the next level of inheritance is asked (:mod:`config.inherit`).
Keys that contradict each other are found by :mod:`config.crossings`.
No default of the product stands here; defaults live in :mod:`config.model` and :mod:`config.build`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from config import addresses as a
from config import values as v
from config.alerting_document import AlertsPart
from config.crontab import CronText
from config.part import Part, none

Text = Annotated[str, Field(max_length=10_000)]
Line = Annotated[str, Field(min_length=1, max_length=500)]
Lines = list[Line]


class AdaptivePart(Part):
    """Polls when they pay, by the learned rhythm of the source."""

    floor: v.Interval | None = None
    """Shortest interval (2m)."""
    ceiling: v.Interval | None = None
    """Longest interval (6h)."""


class ExpectPart(Part):
    """What a source should bring; less makes it late or silent."""

    at_least: v.PerDay | None = None
    """Least number of items, such as 5/day."""
    max_silence: v.Interval | None = None
    """Longest time without an item."""
    quiet_hours: v.Hours | None = None
    """Hours on the outlet's clock in which silence means nothing, such as 22-5."""


class BudgetPart(Part):
    """How much may be asked."""

    requests_per_day: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    """Polls in a day; the price of a request rises until all keep to it."""


class RevisionsPart(Part):
    """How stored articles are followed."""

    visits: Annotated[list[v.Interval], Field(max_length=12)] | None = None
    """When a page is looked at again, counted from its first sight; [] for never."""
    corrections: Lines | None = None
    """Phrases that announce a correction, besides the usual ones."""
    retract_after: v.Interval | None = None
    """How long a page must have been missing before its article counts as taken back."""


class DedupePart(Part):
    """How copies are told."""

    look_back: v.Duration | None = None
    """How far back copies are looked for, an hour or more."""
    near: Annotated[float, Field(ge=0.3, le=1)] | None = None
    """Least Jaccard similarity of the word 5-grams of two versions of one text."""


class SchedulePart(Part):
    """When a source is polled: `adaptive`, `every` or `cron`."""

    adaptive: AdaptivePart | None = None
    """When it pays, by the learned rhythm: the default."""

    every: v.Interval | None = None
    """Interval between polls, 1s to 366d."""
    cron: CronText | None = None
    """Five crontab fields: minute, hour, day, month, weekday (by name)."""
    timezone: v.ZoneName | None = None
    """Zone that `cron` is read in; the outlet's when not set."""
    jitter: v.Jitter | None = None
    """With `every` a share (10%), with `cron` the longest delay (30s)."""


class PolitenessPart(Part):
    """Manners towards one host."""

    user_agent: a.UserAgent | None = None
    """What requests call themselves; ASCII with a contact."""
    robots: Literal["obey", "ignore"] | None = None
    """What robots.txt means."""
    delay: v.Duration | None = None
    """Least time between the starts of two requests to one host."""
    concurrency: Annotated[int, Field(ge=1, le=100)] | None = None
    """Requests in flight to one host."""
    domain_delay: v.Duration | None = None
    """Least time between the starts of two requests to one registrable domain."""
    domain_concurrency: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Requests in flight to one registrable domain."""
    outlet_delay: v.Duration | None = None
    """Least time between the starts of two requests for one outlet."""
    outlet_concurrency: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Requests in flight for one outlet over all its hosts."""


class Inherited(Part):
    """What a level hands down: defaults to groups, groups to outlets, outlets to sources."""

    enabled: bool | None = None
    """Whether anything is polled."""
    priority: Annotated[int, Field(ge=0, le=10_000)] | None = None
    """Smaller is served first when more is due than can run."""
    schedule: SchedulePart | None = None
    """When sources are polled."""
    politeness: PolitenessPart | None = None
    """Manners towards hosts."""
    expect: ExpectPart | None = None
    """What a source should bring, when its learned rhythm is not to be the measure."""


class Level(Inherited):
    """`defaults` and each of `groups`."""

    budget: BudgetPart | None = None
    """Requests of one outlet."""
    revisions: RevisionsPart | None = None
    """How stored articles are followed."""
    announce_max_age: v.Age | None = None
    """An article published longer ago when it is first seen is stored and not announced as new."""
    copies: Literal["link", "apart"] | None = None
    """link: an article that repeats another is linked to it; apart: it is a story of its own."""

    language: Annotated[str, Field(pattern=r"^[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})*$")] | None = None
    """BCP 47 tag of the articles' language."""
    timezone: v.ZoneName | None = None
    """Zone of every time that names none."""


class ListingPart(Part):
    """How an HTML page of links is read."""

    item: v.SelectorList = none()
    """One entry each; the selectors below look inside it. Empty: the whole page."""
    link: v.SelectorList
    """Elements whose href is an article."""
    title: v.SelectorList = none()
    """Title of an entry."""
    date: v.SelectorList = none()
    """Date of an entry."""
    pages: Annotated[int, Field(ge=1, le=1000)] = 1
    """Pages read in one run."""
    first: Annotated[int, Field(ge=0, le=1_000_000)] = 1
    """Value of {page} or {offset} on the first page."""
    step: Annotated[int, Field(ge=1, le=1000)] = 1
    """What {page} or {offset} grows by from page to page."""
    next: v.SelectorList = none()
    """Element whose href is the next page, for addresses without {page} or {offset}."""


class SourcePart(Inherited):
    """One address that is polled."""

    name: v.Id
    """Unique within the outlet and stable: what is remembered hangs on it."""
    kind: Literal["feed", "sitemap", "listing"]
    """How the source announces articles."""
    url: a.SourceUrl
    """Address; listings may hold {page}, {offset} and {date:%Y/%m/%d}."""
    headers: dict[a.HeaderName, a.HeaderValue] = Field(default_factory=dict)
    """Extra request headers; values may be ${NAME}."""
    section: Line | None = None
    """Section of articles that name none."""
    listing: ListingPart | None = None
    """Selectors of a listing."""
    sitemap_follow: v.Pattern | None = None
    """Only child sitemaps whose address matches are read."""


class ArticlePart(Part):
    """Where the parts of an article page stand; what is not set is found by generic extraction."""

    valid_until: v.Day | None = None
    """Last day on which pages looked like this; not set for the rules in force."""
    title: v.SelectorList = none()
    """Headline."""
    subtitle: v.SelectorList = none()
    """Deck or standfirst."""
    body: v.SelectorList = none()
    """Text of the article."""
    body_stop_comment: Line | None = None
    """Text of an HTML comment that ends the body."""
    remove: v.SelectorList = none()
    """Subtrees dropped before anything is read."""
    byline: v.SelectorList = none()
    """Line that names reporter and editor together."""
    authors: v.SelectorList = none()
    """Each author."""
    editor: v.SelectorList = none()
    """Editor."""
    published: v.SelectorList = none()
    """Time of publication."""
    updated: v.SelectorList = none()
    """Time of the last change."""
    section: v.SelectorList = none()
    """Section or breadcrumb."""
    tags: v.SelectorList = none()
    """Each tag."""
    image: v.SelectorList = none()
    """Main image."""
    caption: v.SelectorList = none()
    """Caption of the main image."""


class BoilerplatePart(Part):
    """Text that an outlet puts between its paragraphs."""

    line_start: Lines = none()
    """A block that begins so is dropped."""
    line_exact: Lines = none()
    """A block that is exactly this is dropped."""
    contains: Lines = none()
    """A block that contains this is dropped."""
    cut_after: Lines = none()
    """The text ends before this."""


class UrlsPart(Part):
    """What article addresses look like and which of them are one article."""

    article: v.Pattern | None = None
    """Pattern that article addresses match."""
    skip: v.PatternList = none()
    """Patterns of addresses that are never articles."""
    key: v.KeyPattern | None = None
    """Pattern whose named groups are the identity of an article."""
    full_page: a.FullPage | None = None
    """Suffix that asks for all pages at once."""
    keep_query: Lines | None = None
    """Query parameters that belong to the identity; all others are dropped."""
    host_aliases: dict[a.Host, a.Host] = Field(default_factory=dict)
    """AMP and mobile hosts, each to the host of the canonical page."""


class OutletDocument(Level):
    """One outlet: a publisher, its sources and how its pages are read."""

    id: v.Id | None = None
    """The file's name without .yaml; may be left out."""
    name: Line
    """Name as readers know it."""
    homepage: a.HomeUrl
    """Address of the front page."""
    group: str | None = None
    """Group in warta.yaml whose settings apply."""
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = None
    """ISO 3166-1 code."""
    hosts: list[a.Host] = none()
    """Hosts whose articles are this outlet's; *.example.com covers subdomains, not the bare domain."""
    brands: Lines = none()
    """Names that open its datelines."""
    agency: bool = False
    """A news agency: its texts are the originals of what other outlets run."""
    notes: Text = ""
    """What is known of the outlet."""
    sources: Annotated[list[SourcePart], Field(min_length=1, max_length=1000)]
    """Addresses that announce articles."""
    article: Annotated[list[ArticlePart], BeforeValidator(v.listed)] = none()
    """Selectors; a mapping, or a list of mappings of which all but one have valid_until."""
    boilerplate: BoilerplatePart = BoilerplatePart()
    """Text to drop."""
    urls: UrlsPart = UrlsPart()
    """Article addresses."""


class LimitsPart(Part):
    """Fences around one fetch and one parse."""

    feed_bytes: v.Size | None = None
    """Largest feed."""
    page_bytes: v.Size | None = None
    """Largest article or listing page."""
    sitemap_bytes: v.Size | None = None
    """Largest sitemap."""
    decompressed_bytes: v.Size | None = None
    """Most that any answer may unpack to."""
    compression_ratio: Annotated[int, Field(ge=2, le=100_000)] | None = None
    """Unpacked over received bytes, judged once more than 1 MiB came out."""
    header_bytes: v.Size | None = None
    """All response headers together."""
    feed_seconds: v.Seconds | None = None
    """Time for one feed or sitemap, from the first byte sent to the last received."""
    page_seconds: v.Seconds | None = None
    """Time for one page."""
    idle_seconds: v.Seconds | None = None
    """Longest silence on a connection, while it is made or after; within the times above."""
    redirects: Annotated[int, Field(ge=0, le=30)] | None = None
    """Hops followed for one request."""
    items: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Items taken from one answer."""
    outlet_items: Annotated[int, Field(ge=1, le=100_000_000)] | None = None
    """New items of one outlet taken in 24 hours; what is more waits for a later poll."""
    sitemap_children: Annotated[int, Field(ge=1, le=50_000)] | None = None
    """Child sitemaps followed from one index in one run."""
    ports: list[Annotated[int, Field(ge=1, le=65_535)]] | None = None
    """Ports that may be connected to."""
    parse_seconds: v.Seconds | None = None
    """Processor time for one parse."""
    parse_bytes: v.Size | None = None
    """Memory for one parsing child."""
    page_attempts: Annotated[int, Field(ge=1, le=100)] | None = None
    """Attempts to fetch one page before it counts as failed."""
    page_retry: v.Duration | None = None
    """Wait before the second attempt; the third comes after five times as long, then thirty, then 120."""


class WorkersPart(Part):
    """How much runs at once in one worker."""

    concurrency: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Source runs in flight."""
    parse_processes: Annotated[int, Field(ge=1, le=256)] | None = None
    """Children that parse and extract."""


class DeliverPart(Part):
    """One consumer: `webhook`, `stream` or `files`, and what it is told."""

    name: v.Id
    """Unique and stable: how far the consumer has got hangs on it."""
    webhook: a.HomeUrl | None = None
    """Address that gets each event as a signed POST."""
    secret: Annotated[str, Field(min_length=16, max_length=500)] | None = None
    """Key of the webhook's signature, as ${NAME}."""
    timeout: v.Interval | None = None
    """Time for one request to the webhook."""
    concurrency: Annotated[int, Field(ge=1, le=64)] | None = None
    """Requests to the webhook in flight."""
    give_up: v.Interval | None = None
    """A webhook's event that was refused for so long becomes a dead letter."""
    stream: Annotated[str, Field(pattern=r"^[A-Za-z0-9:._-]{1,200}$")] | None = None
    """Key of a Redis stream that gets each event."""
    length: Annotated[int, Field(ge=100, le=100_000_000)] | None = None
    """Entries kept in the stream, more or less."""
    redis: a.RedisUrl | None = None
    """Server of the stream; the daemon's own when not set."""
    files: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    """Directory that gets files of events, one directory a day."""
    format: Literal["jsonl", "csv", "parquet"] | None = None
    """Format of the files."""
    every: v.Interval | None = None
    """Events wait so long for others before a file is written."""
    outlets: list[v.Id] = none()
    """Only events of these outlets."""
    copies: bool = True
    """Whether copies of other articles are told of."""
    events: list[Literal["new", "copy", "backfilled", "revised", "corrected", "moved", "retracted", "reextracted"]] = (
        none()
    )
    """Only these events; all but backfilled when not set."""
    backfilled: bool = False
    """Whether articles that were old when they were first seen are told of."""
    materiality: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Least materiality of revisions and corrections that are told of."""
    start: Literal["beginning", "now"] = "beginning"
    """Where a consumer that is new begins."""


class ApiPart(Part):
    """The HTTP API."""

    listen: a.Listen = ("127.0.0.1", 8470)
    """Address and port."""
    tokens: list[Annotated[str, Field(min_length=16, max_length=500)]] = none()
    """Any of these opens the API: ${NAME}, or sha256: and the hash of the token in hexadecimal digits."""
    hosts: list[a.Host] = none()
    """Host names that the API answers to, besides the address it listens on and localhost."""


class WebSubPart(Part):
    """News pushed by hubs."""

    callback: a.HomeUrl
    """Public address under which hubs reach listen."""
    listen: a.Listen = ("127.0.0.1", 8480)
    """Address and port."""
    lease: v.Interval | None = None
    """How long subscriptions are asked to last."""


class MonitorPart(Part):
    """The monitor's web pages."""

    listen: a.ListenOrOff = ("127.0.0.1", 8460)
    """Address and port, or off."""
    password: a.Password | None = None
    """Asked of whoever comes: its hash as `warta monitor password` prints it, or ${NAME}."""
    hosts: list[a.Host] = none()
    """Host names that the pages answer to, besides the address they listen on and localhost."""
    read_only: bool = False
    """Whether nothing can be changed from the web."""
    url: a.HomeUrl | None = None
    """Address under which people reach the pages; alerts link there."""


class OutletRetentionPart(Part):
    """How long one outlet's things are kept."""

    articles: v.Age | None = None
    """Articles, from when they were first seen."""
    raw_pages: v.Age | None = None
    """Pages as fetched."""


class RetentionPart(OutletRetentionPart):
    """How long things are kept; for ever when not set, but for the log."""

    raw_pages_size: v.Size | None = None
    """All pages as fetched together, compressed; the oldest go first."""
    runs: v.Age | None = None
    """Runs, with the fates of what they discovered."""
    incidents: v.Age | None = None
    """Changes of state, incidents that are over with what was told of them, and silences that ended."""
    logs: v.Age | None = None
    """Log lines (14d)."""
    logs_size: v.Size | None = None
    """The whole log with its indexes (2GiB); the oldest lines go first."""
    outlets: dict[v.Id, OutletRetentionPart] = Field(default_factory=dict)
    """What is different for an outlet."""


class WartaDocument(Part):
    """The whole set-up."""

    data_dir: Annotated[str, Field(min_length=1, max_length=1000)] = "./data"
    """Directory of everything kept; relative to the current directory."""
    redis: a.RedisUrl = "embedded"
    """embedded, or the address of a Redis 7+ or Valkey server."""
    allow_insecure_redis: bool = False
    """Accept a Redis on another machine without a password."""
    database: a.DatabaseUrl = "embedded"
    """embedded, or the address of a PostgreSQL or SQLite database."""
    outlets: list[Line] = Field(default=["outlets/*.yaml"])
    """Files of outlets, relative to this file; * and ** match."""
    user_agent: a.UserAgent | None = None
    """What requests call themselves; ASCII with a contact."""
    allow_networks: list[a.Network] = none()
    """Private networks that may be reached all the same."""
    resolve: dict[a.Host, a.Address] = Field(default_factory=dict)
    """Host (or *.suffix) to IP address, before any DNS look-up."""
    limits: LimitsPart = LimitsPart()
    """Fences around one fetch and one parse."""
    workers: WorkersPart = WorkersPart()
    """How much runs at once."""
    budget: BudgetPart = BudgetPart()
    """Requests of all outlets together."""
    reactor: Literal["none", "asyncio"] | None = None
    """none: asyncio alone; asyncio: Twisted's reactor on asyncio."""
    shutdown_grace: v.Duration | None = None
    """Time given to running crawls at SIGTERM."""
    seen_ttl: v.Duration | None = None
    """How long an address counts as seen after its last sighting."""
    dedupe: DedupePart = DedupePart()
    """When two articles are versions of one text."""
    log_level: Literal["debug", "info", "warning", "error"] | None = None
    """Least severe log line that is written."""
    deliver: Annotated[list[DeliverPart], Field(max_length=1000)] = none()
    """Consumers that are told of new and changed articles."""
    retention: RetentionPart = RetentionPart()
    """How long things are kept."""
    api: ApiPart | None = None
    """Where the daemon serves the HTTP API; not at all when not set."""
    websub: WebSubPart | None = None
    """Where hubs push news to; they are asked for none when not set."""
    monitor: MonitorPart | None = None
    """Where the web pages are served, and to whom."""
    alerts: AlertsPart | None = None
    """Who is told of trouble, of which, and when."""
    defaults: Level = Level()
    """What every outlet inherits."""
    groups: dict[v.Id, Level] = Field(default_factory=dict)
    """What the outlets of a group inherit."""
