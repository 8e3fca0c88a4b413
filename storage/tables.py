"""The tables, meant to be read by other programs too: every column says what it holds.

Times are UTC (see :class:`storage.columns.Timestamp`). Ids of articles and runs are text and never
change; growing numbers (``seq``, ``id``) are never used twice.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from storage.columns import Document, Note, Serial, Timestamp

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _time(name: str, comment: str, *, nullable: bool = True) -> Column[Any]:
    return Column(name, Timestamp, nullable=nullable, comment=comment)


def _count(name: str, comment: str) -> Column[Any]:
    return Column(name, Integer, nullable=False, server_default=text("0"), comment=comment)


outlets = Table(
    "outlets",
    metadata,
    Column("id", Text, primary_key=True, comment="Slug of the outlet's file"),
    Column("name", Text, nullable=False, comment="As a person writes it"),
    Column("homepage", Text, nullable=False, comment="Absolute URL"),
    Column("grp", Text, comment="Media group, null when independent or unknown"),
    Column("language", Text, nullable=False, comment="BCP 47 tag expected of its articles"),
    Column("timezone", Text, nullable=False, comment="IANA name used for its times without a zone"),
    Column("country", Text, comment="ISO 3166 code"),
    Column("enabled", Boolean, nullable=False, comment="Whether its sources are polled"),
    _time("updated_at", "When this row last changed", nullable=False),
    _time("removed_at", "Since when it is gone from the configuration; null while it is there"),
    comment="Publishers, as the configuration last applied names them",
)

sources = Table(
    "sources",
    metadata,
    Column("id", Text, primary_key=True, comment="<outlet>/<name>"),
    Column("outlet_id", Text, nullable=False, index=True, comment="outlets.id"),
    Column("kind", Text, nullable=False, comment="feed, sitemap or listing"),
    Column("url", Text, nullable=False, comment="Address that is polled, templates unfilled"),
    Column("priority", Integer, nullable=False, server_default=text("100"), comment="Smaller is served first"),
    _time("next_attempt", "When it is next polled: the one truth about what is due", nullable=False),
    _time("last_attempt", "Start of the last run"),
    _time("last_success", "Last time an answer was read to the end, 304 included"),
    _time("last_new", "When an article was last stored from it"),
    Column("etag", Text, comment="ETag of the last good answer, byte for byte"),
    Column("last_modified", Text, comment="Last-Modified of the last good answer, byte for byte"),
    Column("body_hash", Text, comment="sha256 of the last body read to the end"),
    Column(
        "failures",
        Float,
        nullable=False,
        server_default=text("0"),
        comment="Failures since the last success: hard 1, soft 0.5, temporary 0.25",
    ),
    Column("last_failure", Text, comment="Kind of the last failure, a closed set"),
    Column("last_failure_message", Text, comment="One sentence on the last failure"),
    _time("not_before", "No poll before this: the publisher asks so (Retry-After, freshness, ttl, Crawl-delay)"),
    Column("moved_to", Text, comment="Target of a permanent redirect; remembered, not applied"),
    _time("moved_since", "Since when the permanent redirect has held"),
    Column(
        "fence",
        Serial,
        nullable=False,
        server_default=text("0"),
        comment="Highest token of a run; older may not write",
    ),
    Column("paused", Boolean, nullable=False, server_default=false(), comment="A person stopped it"),
    _time("requested_at", "A person asked for a run at this time; null once it is queued"),
    _time("queued_at", "When the message for its next run was sent; null once a worker took it"),
    _time("pending_at", "Earliest retry among its pending items; null without any"),
    _time("removed_at", "Since when it is gone from the configuration; null while it is there"),
    Column("adopted_url", Text, comment="Polled in place of url: a redirect that held, or a proposal that was taken"),
    _time("distrusted_at", "Since when its validators are not sent: a 304 of it was contradicted"),
    _count("unaudited", "304s taken on trust since its validators were last audited"),
    _count("audits", "Audits in a row in which its validators told the truth"),
    Column("window", Note, comment="JSON list: digests of what it listed last, to tell a gap by"),
    _time("gap_since", "Items since then may have been missed; the run asked for looks that far back"),
    _count("gone_days", "Days in a row with a 410"),
    _time("gone_counted_at", "When the last of these days was counted"),
    _time("gone_at", "Since when it is taken for gone; null while it is not"),
    _time("missing_since", "Since when there is no source at its address (404, 410, a page); null while there is"),
    _time("searched_at", "When a replacement was last searched for"),
    Column("proposal", Note, comment="JSON object: a feed that may replace it; applied by a person only"),
    _time("last_item", "When it last listed an item that it had not listed before"),
    Column("health", Text, nullable=False, server_default=text("'new'"), comment="Its state as last judged"),
    _time("health_since", "When that state began; null before it was first judged"),
    Column("health_said", Text, comment="One sentence on that state"),
    _count("health_flips", "Changes of state there were: the number of the last row in flips"),
    _time("pushed_at", "When the oldest push of a hub came that no run has read; null without any"),
    Column("said", Note, comment="JSON object: what it asks of pollers: interval and fresh (seconds), skip_hours"),
    # Counted and sorted by without touching the wide rows.
    Index("ix_sources_health", "removed_at", "paused", "health"),
    Index(
        "ix_sources_due",
        "next_attempt",
        sqlite_where=text("removed_at IS NULL"),
        postgresql_where=text("removed_at IS NULL"),
    ),
    Index(
        "ix_sources_requested",
        "requested_at",
        sqlite_where=text("requested_at IS NOT NULL"),
        postgresql_where=text("requested_at IS NOT NULL"),
    ),
    Index(
        "ix_sources_pending",
        "pending_at",
        sqlite_where=text("pending_at IS NOT NULL"),
        postgresql_where=text("pending_at IS NOT NULL"),
    ),
    Index(
        "ix_sources_pushed",
        "pushed_at",
        sqlite_where=text("pushed_at IS NOT NULL"),
        postgresql_where=text("pushed_at IS NOT NULL"),
    ),
    comment="What is polled, and all that is remembered of it; rows of removed sources stay",
)

_COUNTS = ("stored", "revised", "unchanged", "duplicate", "filtered", "failed", "pending")

runs = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True, comment="UUID version 7: sorts by the time it was made"),
    Column("source_id", Text, ForeignKey("sources.id"), nullable=False, comment="sources.id"),
    Column("outlet_id", Text, nullable=False, comment="outlets.id"),
    Column("trigger", Text, nullable=False, comment="schedule, manual, resume, gap, push or revisit"),
    Column(
        "status",
        Text,
        nullable=False,
        comment="running, ok, not_modified, failed, skipped, missed or interrupted",
    ),
    _time("scheduled_for", "When it should have started", nullable=False),
    _time("started_at", "Null for runs that did not happen"),
    _time("finished_at", "Null while it runs"),
    Column("reason", Text, comment="Why it was skipped, missed or failed: a closed set"),
    Column("message", Text, comment="One sentence for a person"),
    _count("discovered", "Items the source announced: always the sum of the next seven"),
    _count("stored", "Became articles"),
    _count("revised", "Became a new revision of an article"),
    _count("unchanged", "Known, with the same content"),
    _count("duplicate", "Copies of another article"),
    _count("filtered", "Left out by a rule"),
    _count("failed", "Given up after the last attempt"),
    _count("pending", "Not decided yet"),
    _count("known", "Part of unchanged that was recognised from memory and has no row in fates"),
    Column("http_status", Integer, comment="Status of the source's own answer"),
    Column("bytes", Serial, comment="Bytes on the wire for the source itself"),
    Column("duration", Float, comment="Seconds"),
    Column("worker", Text, comment="Name of the process that ran it"),
    Column("token", Serial, nullable=False, server_default=text("0"), comment="Fencing token of its lease"),
    Column("evidence", Note, comment="JSON object: what was served in place of the source: title, type, first words"),
    Column("robots", Text, comment="ignored, when the configuration says so; null: robots.txt was obeyed"),
    Column("crawl_delay", Float, comment="Seconds between requests that robots.txt asks for; null: it does not say"),
    Column("exchange", Note, comment="JSON object: validators sent and given, redirects; null: none of these"),
    CheckConstraint("discovered = " + " + ".join(_COUNTS), name="adds_up"),
    CheckConstraint(" AND ".join(f"{name} >= 0" for name in (*_COUNTS, "known")), name="not_negative"),
    CheckConstraint("known <= unchanged", name="known"),
    Index("ix_runs_source_id", "source_id", "id"),
    Index("ix_runs_outlet_id", "outlet_id", "id"),
    Index("ix_runs_status", "status", "id"),
    Index(
        "ix_runs_running",
        "source_id",
        sqlite_where=text("status = 'running'"),
        postgresql_where=text("status = 'running'"),
    ),
    comment="Every run of every source, those that did not happen included, with its ledger",
)

fates = Table(
    "fates",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column(
        "run_id",
        Text,
        ForeignKey("runs.id", ondelete="CASCADE"),
        nullable=False,
        comment="Run that discovered it",
    ),
    Column("source_id", Text, nullable=False, comment="sources.id"),
    Column("outlet_id", Text, nullable=False, comment="outlets.id"),
    Column("url", Text, nullable=False, comment="As the source announced it, made absolute"),
    Column("url_key", Text, nullable=False, comment="Identity of the URL within the outlet"),
    Column("guid", Text, comment="The source's own id of the item"),
    Column("title", Text, comment="As the source announced it"),
    Column(
        "kind",
        Text,
        nullable=False,
        comment="stored, revised, unchanged, duplicate, filtered, failed or pending",
    ),
    Column("rule", Text, comment="Which rule decided"),
    Column("detail", Text, comment="One sentence for a person"),
    Column("article_id", Text, comment="articles.id it ended in"),
    Column("revision", Integer, comment="Revision of that article it made or met"),
    Column("of", Text, comment="articles.id it duplicates"),
    _time("discovered_at", "When its source was seen to announce it", nullable=False),
    _time("decided_at", "Null while pending"),
    Column("attempts", Integer, nullable=False, server_default=text("0"), comment="Attempts that gave nothing"),
    _time("retry_at", "Not tried before this; null: at once"),
    _time("published", "As the source announced it"),
    Column(
        "entry_hash",
        Text,
        nullable=False,
        server_default=text("''"),
        comment="Hash of what the source said of it",
    ),
    Column(
        "entry",
        Text,
        nullable=False,
        server_default=text("'{}'"),
        comment="The announcement as JSON; emptied when decided",
    ),
    Column("reason", Text, nullable=False, comment="Why it is looked at: new, changed, moved, gap, revisit …"),
    UniqueConstraint("run_id", "url_key"),
    Index(
        "ix_fates_pending",
        "source_id",
        "url_key",
        unique=True,
        sqlite_where=text("kind = 'pending'"),
        postgresql_where=text("kind = 'pending'"),
    ),
    Index("ix_fates_url_key", "url_key"),
    Index("ix_fates_url", "url", postgresql_using="hash"),
    Index("ix_fates_guid", "guid", postgresql_using="hash"),
    Index("ix_fates_article_id", "article_id"),
    Index("ix_fates_source_id", "source_id", "id"),
    Index("ix_fates_outlet_id", "outlet_id", "id"),
    Index("ix_fates_discovered_at", "discovered_at"),
    comment="What became of each discovered item that had to be looked at",
    sqlite_autoincrement=True,
)

sitemap_children = Table(
    "sitemap_children",
    metadata,
    Column("source_id", Text, ForeignKey("sources.id", ondelete="CASCADE"), nullable=False, comment="sources.id"),
    Column("url", Text, nullable=False, comment="Address of the child"),
    Column("parent", Text, nullable=False, comment="Address of the index that lists it"),
    Column("lastmod", Text, comment="As the index writes it"),
    Column("etag", Text, comment="ETag of its last good answer, byte for byte"),
    Column("last_modified", Text, comment="Last-Modified of its last good answer, byte for byte"),
    Column("body_hash", Text, comment="sha256 of its last body"),
    _time("fetched_at", "When it was last fetched; null for those that were only listed"),
    _time("changed_at", "When it last brought news"),
    _count("quiet", "Fetches in a row that brought no news"),
    _time("probe_at", "When it is looked at again although its lastmod stays the same; null: never"),
    _time("retired_at", "Since when it is only probed; null while it is followed"),
    PrimaryKeyConstraint("source_id", "url"),
    comment="What is remembered of the children of sitemap indexes; those that an index drops are deleted",
)

articles = Table(
    "articles",
    metadata,
    Column("seq", Serial, primary_key=True, autoincrement=True, comment="Order of arrival"),
    Column(
        "id",
        Text,
        nullable=False,
        unique=True,
        comment="16 characters made from outlet and url_key; for ever",
    ),
    Column("outlet_id", Text, nullable=False, comment="outlets.id"),
    Column("url", Text, nullable=False, comment="Where a person reads it"),
    Column("url_key", Text, nullable=False, comment="Identity of the URL within the outlet"),
    Column("title", Text, nullable=False),
    Column("subtitle", Text),
    Column("text", Text, nullable=False, comment="The body as plain text, blocks parted by blank lines"),
    Column("language", Text, nullable=False, comment="BCP 47 tag"),
    Column("authors", Document, nullable=False, comment="JSON list of persons, in the order of the byline"),
    Column("editor", Text),
    Column("agency", Text, comment="News agency that the outlet names as its source"),
    Column("brand", Text, comment="Brand of the dateline"),
    Column("places", Document, nullable=False, comment="JSON list: places of the dateline"),
    Column("section", Text),
    Column("tags", Document, nullable=False, comment="JSON list"),
    _time("published", "By the outlet's word; null when it gives none"),
    Column("published_from", Text, comment="Where that word was found"),
    _time("updated", "By the outlet's word"),
    Column("updated_from", Text, comment="Where that word was found"),
    Column("word_count", Integer, nullable=False, comment="Words of the text"),
    Column("content_hash", Text, nullable=False, comment="Versioned hash of title and body"),
    Column("body_hash", Text, nullable=False, comment="Versioned hash of the body alone; equal bodies are copies"),
    Column("copy_of", Text, comment="articles.id of the original; null for originals"),
    Column(
        "cluster",
        Text,
        comment="articles.id shared by an original and all its copies; null while it has none",
    ),
    Column("revision", Integer, nullable=False, comment="Number of the newest revision, from 1"),
    _time("first_seen", "When it was stored", nullable=False),
    _time("revised_at", "When the newest revision was stored", nullable=False),
    _time("retracted_at", "Since when the outlet no longer shows it; null while it does"),
    UniqueConstraint("outlet_id", "url_key"),
    Index("ix_articles_outlet_first_seen", "outlet_id", "first_seen"),
    # Pages of an outlet's articles go by seq.
    Index("ix_articles_outlet_seq", "outlet_id", "seq"),
    Index("ix_articles_first_seen", "first_seen"),
    Index("ix_articles_published", "published"),
    Index(
        "ix_articles_cluster",
        "cluster",
        sqlite_where=text("cluster IS NOT NULL"),
        postgresql_where=text("cluster IS NOT NULL"),
    ),
    Index("ix_articles_body_hash", "body_hash"),
    comment="Articles at their newest revision; the whole content is in revisions",
    sqlite_autoincrement=True,
)

revisions = Table(
    "revisions",
    metadata,
    Column("article_id", Text, ForeignKey("articles.id", ondelete="CASCADE"), nullable=False),
    Column("revision", Integer, nullable=False, comment="From 1"),
    Column("reason", Text, nullable=False, comment="first, revised, corrected, moved or reextracted"),
    Column("title", Text, nullable=False),
    Column("content_hash", Text, nullable=False, comment="Versioned hash of title and body"),
    Column("body_hash", Text, nullable=False, comment="Versioned hash of the body alone"),
    Column(
        "content",
        Document,
        nullable=False,
        comment="The whole article as JSON, body blocks and images included",
    ),
    Column("run_id", Text, comment="runs.id that brought it"),
    _time("created_at", "When it was stored", nullable=False),
    PrimaryKeyConstraint("article_id", "revision"),
    comment="Every revision of every article; never overwritten",
)

raw_pages = Table(
    "raw_pages",
    metadata,
    Column("article_id", Text, nullable=False),
    Column("revision", Integer, nullable=False, comment="The revision that was read from this page"),
    Column("url", Text, nullable=False, comment="Address it was served under"),
    Column("content_type", Text, comment="Content-Type as received"),
    _time("fetched_at", "When it was fetched", nullable=False),
    Column(
        "encoding", Text, nullable=False, comment="zstd; zstd+pages: several pages, named by a line of JSON in front"
    ),
    Column("size", Integer, nullable=False, comment="Bytes before compression"),
    Column("body", LargeBinary, nullable=False, comment="The page, compressed"),
    PrimaryKeyConstraint("article_id", "revision"),
    ForeignKeyConstraint(
        ["article_id", "revision"], ["revisions.article_id", "revisions.revision"], ondelete="CASCADE"
    ),
    comment="Pages as fetched, kept for extracting again",
)

identities = Table(
    "identities",
    metadata,
    Column("kind", Text, nullable=False, comment="url, guid or body"),
    Column(
        "scope",
        Text,
        nullable=False,
        comment="Within what the key is unique: an outlet, or a source for guid",
    ),
    Column("key", Text, nullable=False, comment="Itself, or b2:HASH when longer than 400 characters"),
    Column("article_id", Text, index=True, comment="Null when what it names was filtered, failed or is pending"),
    Column("fate", Text, nullable=False, comment="What became of what it names"),
    Column("entry_hash", Text, nullable=False, comment="Hash of what its source last said of it"),
    Column("url_key", Text, nullable=False, comment="Address it was last seen with"),
    _time("first_seen", "First sighting", nullable=False),
    _time("last_seen", "Last sighting, to the hour", nullable=False),
    PrimaryKeyConstraint("kind", "scope", "key"),
    Index("ix_identities_last_seen", "last_seen"),
    comment="All that has been seen, so that nothing is announced twice; Redis rebuilds from it",
    sqlite_with_rowid=False,
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True, comment="Grows in the order of commits: a cursor"),
    Column(
        "event",
        Text,
        nullable=False,
        comment="new, copy, backfilled, revised, reextracted, corrected, moved or retracted",
    ),
    Column("article_id", Text, nullable=False, index=True),
    Column("revision", Integer, nullable=False, comment="With article_id the key to drop repeated deliveries by"),
    Column("outlet_id", Text, nullable=False),
    _time("created_at", "When it happened", nullable=False),
    Column("materiality", Float, comment="How much of the content changed, 0 to 1; null where nothing was compared"),
    Column("detail", Note, comment="JSON object: more of what happened; null without"),
    Index("ix_outbox_created_at", "created_at"),
    comment="What consumers have to hear, written in the article's own transaction",
    sqlite_autoincrement=True,
)

tombstones = Table(
    "tombstones",
    metadata,
    Column("article_id", Text, primary_key=True),
    Column("outlet_id", Text, nullable=False),
    Column("url_key", Text, nullable=False),
    Column("reason", Text, nullable=False, comment="retention or manual"),
    _time("deleted_at", "When it was deleted", nullable=False),
    comment="Articles that were deleted and must not come back as new",
)

facts = Table(
    "facts",
    metadata,
    Column("name", Text, primary_key=True, comment="epoch, outage, configuration, embedded"),
    Column("value", Document, nullable=False, comment="JSON object"),
    _time("changed_at", "When it was last written", nullable=False),
    comment="What the daemon says of itself, one row a fact",
)

rhythms = Table(
    "rhythms",
    metadata,
    Column("source_id", Text, ForeignKey("sources.id"), primary_key=True, comment="sources.id"),
    Column("state", LargeBinary, nullable=False, comment="When it brings news, packed: see storage.rhythm"),
    Column("demand", Document, nullable=False, comment="JSON list: requests a day it would get at a row of prices"),
    Column("terms", Document, nullable=False, comment="JSON list: what led to its next attempt, in words"),
    _time("decided_at", "When the next attempt was decided", nullable=False),
    comment="What is learned of each source's arrivals, and why it is polled when it is",
)
