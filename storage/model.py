"""What is remembered: articles and their revisions, runs, fates, and the state of sources.

Datetimes are aware and UTC. These types know nothing of SQL or Redis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class BlockKind(StrEnum):
    """What a block of an article's body is."""

    PARAGRAPH = "paragraph"
    HEADING = "heading"
    QUOTE = "quote"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Block:
    """One block of the body."""

    kind: BlockKind
    #: One line of text; list items are joined by newlines.
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture of the article."""

    url: str
    caption: str | None = None
    credit: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A related article that the page points to."""

    title: str
    url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """A normalized article, before storage gives it an id and a revision."""

    outlet_id: str
    #: Where a person reads it: canonical, absolute, http or https.
    url: str
    #: Identity within the outlet, from :func:`crawlers.identity.url_key`.
    url_key: str
    title: str
    body: tuple[Block, ...]
    #: The blocks joined by blank lines.
    text: str
    #: BCP 47 tag.
    language: str
    subtitle: str | None = None
    #: Persons, in the order of the byline.
    authors: tuple[str, ...] = ()
    editor: str | None = None
    #: Agency the outlet names as its source ("Reuters").
    agency: str | None = None
    #: Brand of the dateline ("KONTAN.CO.ID").
    brand: str | None = None
    #: Places of the dateline ("SEOUL").
    places: tuple[str, ...] = ()
    published: datetime | None = None
    #: Which candidate gave `published`: jsonld, feed, meta, visible, sitemap, url, http, first_seen.
    published_from: str | None = None
    updated: datetime | None = None
    updated_from: str | None = None
    section: str | None = None
    tags: tuple[str, ...] = ()
    images: tuple[Image, ...] = ()
    related: tuple[Link, ...] = ()
    word_count: int = 0
    #: Field to the place it came from ("title": "rules", "authors": "jsonld").
    provenance: tuple[tuple[str, str], ...] = ()
    #: Versioned hash of what a reader would call the content (title and body).
    content_hash: str = ""
    #: Versioned hash of the cleaned body alone; equal bodies are copies.
    body_hash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredArticle:
    """An article as storage holds it, at its newest revision."""

    id: str
    revision: int
    article: Article
    first_seen: datetime
    revised_at: datetime
    #: The article it is a copy of.
    copy_of: str | None = None
    #: Id shared by an article and its copies.
    cluster: str | None = None
    #: Since when the outlet no longer shows it.
    retracted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawPage:
    """The page as fetched, kept for re-extraction."""

    url: str
    #: Bytes after transfer decoding.
    body: bytes
    content_type: str | None
    fetched_at: datetime
    #: The pages after this one, of an article that is spread over several.
    further: tuple[RawPage, ...] = ()


class FateKind(StrEnum):
    """Where a discovered item ended, exactly one for each."""

    STORED = "stored"
    REVISED = "revised"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"
    FILTERED = "filtered"
    FAILED = "failed"
    PENDING = "pending"


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """An item that a source announced and that has to be looked at."""

    url: str
    url_key: str
    guid: str | None = None
    title: str | None = None
    published: datetime | None = None
    #: Hash of what the source says of the item; another hash for a known item asks for a look.
    entry_hash: str = ""
    #: The entry as JSON, for normalizing after a restart.
    entry: str = "{}"
    #: Why it is looked at: new, changed, moved, gap, retry, revisit, manual.
    reason: str = "new"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What became of one discovered item."""

    id: int
    run_id: str
    source_id: str
    outlet_id: str
    url: str
    url_key: str
    guid: str | None
    title: str | None
    kind: FateKind
    #: Which rule decided: guid, url, body, host, skip, not_article, empty, robots, a failure class …
    rule: str | None
    #: One sentence for a person.
    detail: str | None
    article_id: str | None
    revision: int | None
    #: The article it duplicates.
    of: str | None
    discovered_at: datetime
    decided_at: datetime | None
    attempts: int = 0
    retry_at: datetime | None = None
    published: datetime | None = None
    entry_hash: str = ""
    entry: str = "{}"
    reason: str = "new"


class RunStatus(StrEnum):
    """How a run ended; runs that did not happen are runs too."""

    RUNNING = "running"
    OK = "ok"  # fetched and read
    NOT_MODIFIED = "not_modified"  # 304, or the same bytes as last time
    FAILED = "failed"
    SKIPPED = "skipped"  # not started: robots, overlap, paused, outage …
    MISSED = "missed"  # nobody was there at its time
    INTERRUPTED = "interrupted"  # its worker died or was stopped


class Trigger(StrEnum):
    """Why a run started."""

    SCHEDULE = "schedule"
    MANUAL = "manual"
    RESUME = "resume"  # only to finish pending items
    GAP = "gap"  # to find what another source of the outlet may have missed
    PUSH = "push"  # to read what a hub pushed; the source is not asked
    REVISIT = "revisit"  # to look at stored articles again; the source itself is not asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The ledger of one run: `discovered` is the sum of the others, always."""

    discovered: int = 0
    stored: int = 0
    revised: int = 0
    unchanged: int = 0
    duplicate: int = 0
    filtered: int = 0
    failed: int = 0
    pending: int = 0
    #: Part of `unchanged` recognised from memory, without a fate row of its own.
    known: int = 0

    @property
    def adds_up(self) -> bool:
        """Whether the identity holds."""
        parts = self.stored + self.revised + self.unchanged + self.duplicate + self.filtered + self.failed
        return self.discovered == parts + self.pending and self.known <= self.unchanged


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlRun:
    """One run of one source, or the record that it did not happen."""

    id: str
    source_id: str
    outlet_id: str
    trigger: Trigger
    status: RunStatus
    #: When it should have started.
    scheduled_for: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    #: For skipped, missed, failed: a word of a closed set (overlap, robots, dns, timeout, http_5xx …).
    reason: str | None = None
    #: One sentence for a person.
    message: str | None = None
    counts: Counts = field(default_factory=Counts)
    http_status: int | None = None
    #: Bytes on the wire for the source itself.
    bytes: int | None = None
    duration: float | None = None
    worker: str | None = None
    token: int = 0
    #: What was served in place of the source, when it was no source: title, type, first words.
    evidence: Mapping[str, Any] | None = None
    #: "ignored" when the configuration says so; None: robots.txt was obeyed.
    robots: str | None = None
    #: Seconds between requests that robots.txt asks for.
    crawl_delay: float | None = None
    #: Validators that the source was asked with and gave, and redirects; see `crawlers.evidence.exchange_of`.
    exchange: Mapping[str, Any] | None = None


class HealthState(StrEnum):
    """How a source is, the worst first."""

    GONE = "gone"  # 410 for days
    BLOCKED = "blocked"  # 401, 403, 451, a challenge page, or forbidden by robots.txt
    FAILING = "failing"  # no usable answer, again and again
    EMPTY = "empty"  # answers without a single item
    SILENT = "silent"  # answers, and brings nothing for far longer than it ever did
    LATE = "late"  # brings less than it should
    DRIFTING = "drifting"  # its outlet's pages give less than they used to
    NEW = "new"  # nothing can be said yet
    PAUSED = "paused"  # a person stopped it
    OK = "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """What is remembered of one source."""

    id: str
    outlet_id: str
    kind: str
    url: str
    #: When it is next polled; the one truth about what is due.
    next_attempt: datetime
    last_attempt: datetime | None = None
    last_success: datetime | None = None
    #: When an article was last stored from it.
    last_new: datetime | None = None
    #: Validators byte for byte as last received (RFC 9110).
    etag: str | None = None
    last_modified: str | None = None
    #: sha256 of the last body that was read to the end.
    body_hash: str | None = None
    #: Weighed failures since the last success: hard 1, soft 0.5, temporary 0.25.
    failures: float = 0.0
    last_failure: str | None = None
    last_failure_message: str | None = None
    #: No attempt before this: the publisher asks so (Retry-After, freshness, ttl, sy:, Crawl-delay).
    not_before: datetime | None = None
    #: Permanent redirect seen, since when; remembered, not applied.
    moved_to: str | None = None
    moved_since: datetime | None = None
    #: Polled in place of `url`: a permanent redirect that held, or a proposal that a person took.
    adopted_url: str | None = None
    #: Since when its validators are not sent, because a 304 of it was contradicted.
    distrusted_at: datetime | None = None
    #: 304s taken on trust since the last audit, and audits in a row that found them true.
    unaudited: int = 0
    audits: int = 0
    #: Digests of what it listed last; None before the first reading.
    window: list[str] | None = None
    #: Items since then may have been missed; the run that was asked for looks that far back.
    gap_since: datetime | None = None
    #: Days in a row with a 410, when the last of them was counted, and since when it is taken for gone.
    gone_days: int = 0
    gone_counted_at: datetime | None = None
    gone_at: datetime | None = None
    #: Since when there is no source at its address.
    missing_since: datetime | None = None
    #: When a replacement was last searched for, and what was found: url, title, items, known, page, found_at.
    searched_at: datetime | None = None
    proposal: Mapping[str, Any] | None = None
    #: Highest fencing token that has written for this source.
    fence: int = 0
    paused: bool = False
    #: A person asked for a run at this time.
    requested_at: datetime | None = None
    #: Message sent to the queue and not yet taken up.
    queued_at: datetime | None = None
    #: Earliest retry among its pending items.
    pending_at: datetime | None = None
    #: When the oldest push of a hub came that no run has read.
    pushed_at: datetime | None = None
    #: What it asks of pollers, from its last answers: interval, fresh (seconds), skip_hours, skip_days.
    said: Mapping[str, Any] | None = None
    #: Gone from the configuration at this time.
    removed_at: datetime | None = None
    priority: int = 100
    #: When it last listed an item that it had not listed before.
    last_item: datetime | None = None
    #: Its state as last judged (see :class:`HealthState`), since when, and one sentence on it.
    health: str = "new"
    health_since: datetime | None = None
    health_said: str | None = None
    #: Changes of state there were.
    health_flips: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SitemapChild:
    """What is remembered of one child of a sitemap index."""

    source_id: str
    url: str
    #: Address of the index that lists it.
    parent: str
    #: As the index writes it.
    lastmod: str | None = None
    #: Validators byte for byte, and sha256 of the body, of its last good answer.
    etag: str | None = None
    last_modified: str | None = None
    body_hash: str | None = None
    #: None for children that were listed and never fetched.
    fetched_at: datetime | None = None
    #: When it last brought news.
    changed_at: datetime | None = None
    #: Fetches in a row that brought none.
    quiet: int = 0
    #: When it is looked at again although its lastmod stays the same; None: never.
    probe_at: datetime | None = None
    #: Since when it is only probed.
    retired_at: datetime | None = None


class IdentityKind(StrEnum):
    """What can be known again."""

    URL = "url"  # scope: outlet
    GUID = "guid"  # scope: source
    BODY = "body"  # scope: outlet


@dataclass(frozen=True, slots=True)
class IdentityKey:
    """Something by which an item is recognised, within a scope."""

    kind: IdentityKind
    scope: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A recognised item: where it went."""

    key: IdentityKey
    #: None when the item was filtered, failed or is pending.
    article_id: str | None
    #: What became of it.
    fate: FateKind
    #: What its source last said of it.
    entry_hash: str = ""
    url_key: str = ""


#: Fields whose presence on pages is counted; `published` counts only with a time of day.
FIELDS = ("title", "authors", "published", "section", "tags", "image", "body")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one page gave, to be held against what the outlet's pages usually give."""

    #: Version of the outlet's rules that read it: "current", or "until 2023-01-31".
    rules: str
    #: Those of FIELDS that it gave.
    found: frozenset[str] = frozenset()
    #: Those that the outlet's own rules gave.
    ruled: frozenset[str] = frozenset()
    #: Characters of the body, as the rules chose it where they found one.
    characters: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happened to a known article, as consumers hear it."""

    #: revised, corrected, moved or retracted.
    event: str
    #: How much of the content it concerns, 0 to 1 (:mod:`storage.materiality`); None where nothing was compared.
    materiality: float | None = None
    #: More of it, as JSON types: the fields are a contract, see docs/consumers.md.
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What is remembered of an article's page, and when it is looked at again."""

    article_id: str
    outlet_id: str
    #: Address to ask.
    url: str
    #: None: not any more.
    due_at: datetime | None
    #: Visits of the plan that are done or were passed over.
    step: int = 0
    #: When the page was last asked for.
    visited_at: datetime | None = None
    #: Validators of the page as last read, byte for byte.
    etag: str | None = None
    last_modified: str | None = None
    #: Looks in a row for which a source gave the sign and that found nothing changed.
    idle: int = 0
    #: Since when, how often in a row and in what way the page was missing.
    absent_since: datetime | None = None
    absences: int = 0
    absence: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Everything that one decided item writes, in one transaction."""

    fate_id: int
    run_id: str
    source_id: str
    outlet_id: str
    #: Fencing token of the lease; a transaction under an older one than the source's is refused.
    token: int
    kind: FateKind
    now: datetime
    rule: str | None = None
    detail: str | None = None
    #: The article to store (stored, duplicate kept as a linked copy) or to revise (revised).
    article: Article | None = None
    #: The article that is known already (revised, unchanged), or that this one copies (duplicate).
    of: str | None = None
    raw: RawPage | None = None
    #: What the item is recognised by from now on.
    identities: tuple[IdentityKey, ...] = ()
    entry_hash: str = ""
    #: The article is the original of `of`, which becomes its copy with all of its cluster.
    takes_over: bool = False
    #: Only for ``pending``: when to try again, and whether this attempt does not count (it was our own outage).
    retry_at: datetime | None = None
    uncounted: bool = False
    #: What its page gave; None for items whose page was not read.
    measured: Measured | None = None
    #: Too old for news when it was first seen: stored, and not announced as new.
    backfilled: bool = False
    #: What is said of the known article; a revision is written for it even when the content is the same.
    change: Change | None = None
    #: What is to be remembered of its page; `article_id` may be empty for an article that is stored only now.
    visit: Visit | None = None
    #: The visit of the plan that this was (from 0), for the outlet's edit rate.
    visited_step: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """What the transaction did; races may turn ``stored`` into ``unchanged`` or ``duplicate``."""

    fate_id: int
    kind: FateKind
    article_id: str | None = None
    revision: int | None = None
    #: Position in the outbox, None when consumers have nothing to hear.
    event_id: int | None = None
