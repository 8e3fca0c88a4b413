# ruff: noqa: E501 - one line a column, with its comment
"""The tables as they first were."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Types are written out here, not taken from storage.columns: what a migration made must not change.
TIMESTAMP = sa.TIMESTAMP(timezone=True).with_variant(sa.Text(), "sqlite")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")

SQLITE_SEARCH = (
    """
    CREATE VIRTUAL TABLE articles_search USING fts5(
        title, text, content='articles', content_rowid='seq', tokenize='unicode61 remove_diacritics 2'
    )
    """,
    """
    CREATE TRIGGER articles_search_insert AFTER INSERT ON articles BEGIN
        INSERT INTO articles_search(rowid, title, text) VALUES (new.seq, new.title, new.text);
    END
    """,
    """
    CREATE TRIGGER articles_search_delete AFTER DELETE ON articles BEGIN
        INSERT INTO articles_search(articles_search, rowid, title, text)
        VALUES ('delete', old.seq, old.title, old.text);
    END
    """,
    """
    CREATE TRIGGER articles_search_update AFTER UPDATE OF title, text ON articles BEGIN
        INSERT INTO articles_search(articles_search, rowid, title, text)
        VALUES ('delete', old.seq, old.title, old.text);
        INSERT INTO articles_search(rowid, title, text) VALUES (new.seq, new.title, new.text);
    END
    """,
)
POSTGRES_SEARCH = (
    """
    ALTER TABLE articles ADD COLUMN search tsvector GENERATED ALWAYS AS (to_tsvector('simple',
        translate(title || ' ' || left(text, 100000), './:@_-+~<>&#=’''', '               '))) STORED
    """,
    "CREATE INDEX ix_articles_search ON articles USING gin (search)",
)


def upgrade() -> None:
    """Make the tables, their indexes and the full-text search."""
    _outlets()
    _sources()
    _runs()
    _fates()
    _articles()
    _revisions()
    _raw_pages()
    _identities()
    _outbox()
    _tombstones()
    for statement in SQLITE_SEARCH if op.get_bind().dialect.name == "sqlite" else POSTGRES_SEARCH:
        op.get_bind().exec_driver_sql(statement)


def _outlets() -> None:
    op.create_table(
        "outlets",
        sa.Column("id", sa.Text(), nullable=False, comment="Slug of the outlet's file"),
        sa.Column("name", sa.Text(), nullable=False, comment="As a person writes it"),
        sa.Column("homepage", sa.Text(), nullable=False, comment="Absolute URL"),
        sa.Column("grp", sa.Text(), nullable=True, comment="Media group, null when independent or unknown"),
        sa.Column("language", sa.Text(), nullable=False, comment="BCP 47 tag expected of its articles"),
        sa.Column("timezone", sa.Text(), nullable=False, comment="IANA name used for its times without a zone"),
        sa.Column("country", sa.Text(), nullable=True, comment="ISO 3166 code"),
        sa.Column("enabled", sa.Boolean(), nullable=False, comment="Whether its sources are polled"),
        sa.Column("updated_at", TIMESTAMP, nullable=False, comment="When this row last changed"),
        sa.Column(
            "removed_at",
            TIMESTAMP,
            nullable=True,
            comment="Since when it is gone from the configuration; null while it is there",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_outlets"),
        comment="Publishers, as the configuration last applied names them",
    )


def _sources() -> None:
    op.create_table(
        "sources",
        sa.Column("id", sa.Text(), nullable=False, comment="<outlet>/<name>"),
        sa.Column("outlet_id", sa.Text(), nullable=False, comment="outlets.id"),
        sa.Column("kind", sa.Text(), nullable=False, comment="feed, sitemap or listing"),
        sa.Column("url", sa.Text(), nullable=False, comment="Address that is polled, templates unfilled"),
        sa.Column(
            "priority",
            sa.Integer(),
            server_default=sa.text("100"),
            nullable=False,
            comment="Smaller is served first",
        ),
        sa.Column(
            "next_attempt",
            TIMESTAMP,
            nullable=False,
            comment="When it is next polled: the one truth about what is due",
        ),
        sa.Column("last_attempt", TIMESTAMP, nullable=True, comment="Start of the last run"),
        sa.Column(
            "last_success",
            TIMESTAMP,
            nullable=True,
            comment="Last time an answer was read to the end, 304 included",
        ),
        sa.Column("last_new", TIMESTAMP, nullable=True, comment="When an article was last stored from it"),
        sa.Column("etag", sa.Text(), nullable=True, comment="ETag of the last good answer, byte for byte"),
        sa.Column(
            "last_modified",
            sa.Text(),
            nullable=True,
            comment="Last-Modified of the last good answer, byte for byte",
        ),
        sa.Column("body_hash", sa.Text(), nullable=True, comment="sha256 of the last body read to the end"),
        sa.Column(
            "failures",
            sa.Float(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Failures since the last success: hard 1, soft 0.5, temporary 0.25",
        ),
        sa.Column("last_failure", sa.Text(), nullable=True, comment="Kind of the last failure, a closed set"),
        sa.Column("last_failure_message", sa.Text(), nullable=True, comment="One sentence on the last failure"),
        sa.Column(
            "not_before",
            TIMESTAMP,
            nullable=True,
            comment="No poll before this, because the server said so (Retry-After)",
        ),
        sa.Column(
            "moved_to",
            sa.Text(),
            nullable=True,
            comment="Target of a permanent redirect; remembered, not applied",
        ),
        sa.Column("moved_since", TIMESTAMP, nullable=True, comment="Since when the permanent redirect has held"),
        sa.Column(
            "fence",
            SERIAL,
            server_default=sa.text("0"),
            nullable=False,
            comment="Highest token of a run; older may not write",
        ),
        sa.Column("paused", sa.Boolean(), server_default=sa.false(), nullable=False, comment="A person stopped it"),
        sa.Column(
            "requested_at",
            TIMESTAMP,
            nullable=True,
            comment="A person asked for a run at this time; null once it is queued",
        ),
        sa.Column(
            "queued_at",
            TIMESTAMP,
            nullable=True,
            comment="When the message for its next run was sent; null once a worker took it",
        ),
        sa.Column(
            "pending_at",
            TIMESTAMP,
            nullable=True,
            comment="Earliest retry among its pending items; null without any",
        ),
        sa.Column(
            "removed_at",
            TIMESTAMP,
            nullable=True,
            comment="Since when it is gone from the configuration; null while it is there",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_sources"),
        comment="What is polled, and all that is remembered of it; rows of removed sources stay",
    )
    op.create_index(
        "ix_sources_due",
        "sources",
        ["next_attempt"],
        unique=False,
        sqlite_where=sa.text("removed_at IS NULL"),
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_index("ix_sources_outlet_id", "sources", ["outlet_id"], unique=False)
    op.create_index(
        "ix_sources_pending",
        "sources",
        ["pending_at"],
        unique=False,
        sqlite_where=sa.text("pending_at IS NOT NULL"),
        postgresql_where=sa.text("pending_at IS NOT NULL"),
    )
    op.create_index(
        "ix_sources_requested",
        "sources",
        ["requested_at"],
        unique=False,
        sqlite_where=sa.text("requested_at IS NOT NULL"),
        postgresql_where=sa.text("requested_at IS NOT NULL"),
    )


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Text(), nullable=False, comment="UUID version 7: sorts by the time it was made"),
        sa.Column("source_id", sa.Text(), nullable=False, comment="sources.id"),
        sa.Column("outlet_id", sa.Text(), nullable=False, comment="outlets.id"),
        sa.Column("trigger", sa.Text(), nullable=False, comment="schedule, manual or resume"),
        sa.Column(
            "status",
            sa.Text(),
            nullable=False,
            comment="running, ok, not_modified, failed, skipped, missed or interrupted",
        ),
        sa.Column("scheduled_for", TIMESTAMP, nullable=False, comment="When it should have started"),
        sa.Column("started_at", TIMESTAMP, nullable=True, comment="Null for runs that did not happen"),
        sa.Column("finished_at", TIMESTAMP, nullable=True, comment="Null while it runs"),
        sa.Column("reason", sa.Text(), nullable=True, comment="Why it was skipped, missed or failed: a closed set"),
        sa.Column("message", sa.Text(), nullable=True, comment="One sentence for a person"),
        sa.Column(
            "discovered",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Items the source announced: always the sum of the next seven",
        ),
        sa.Column("stored", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="Became articles"),
        sa.Column(
            "revised",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Became a new revision of an article",
        ),
        sa.Column(
            "unchanged",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Known, with the same content",
        ),
        sa.Column(
            "duplicate",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Copies of another article",
        ),
        sa.Column(
            "filtered",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Left out by a rule",
        ),
        sa.Column(
            "failed",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Given up after the last attempt",
        ),
        sa.Column("pending", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="Not decided yet"),
        sa.Column(
            "known",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Part of unchanged that was recognised from memory and has no row in fates",
        ),
        sa.Column("http_status", sa.Integer(), nullable=True, comment="Status of the source's own answer"),
        sa.Column("bytes", SERIAL, nullable=True, comment="Bytes on the wire for the source itself"),
        sa.Column("duration", sa.Float(), nullable=True, comment="Seconds"),
        sa.Column("worker", sa.Text(), nullable=True, comment="Name of the process that ran it"),
        sa.Column("token", SERIAL, server_default=sa.text("0"), nullable=False, comment="Fencing token of its lease"),
        sa.CheckConstraint(
            "discovered = stored + revised + unchanged + duplicate + filtered + failed + pending",
            name="ck_runs_adds_up",
        ),
        sa.CheckConstraint("known <= unchanged", name="ck_runs_known"),
        sa.CheckConstraint(
            "stored >= 0 AND revised >= 0 AND unchanged >= 0 AND duplicate >= 0 AND filtered >= 0 AND failed >= 0 AND pending >= 0 AND known >= 0",
            name="ck_runs_not_negative",
        ),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_runs_source_id_sources"),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        comment="Every run of every source, those that did not happen included, with its ledger",
    )
    op.create_index("ix_runs_outlet_id", "runs", ["outlet_id", "id"], unique=False)
    op.create_index(
        "ix_runs_running",
        "runs",
        ["source_id"],
        unique=False,
        sqlite_where=sa.text("status = 'running'"),
        postgresql_where=sa.text("status = 'running'"),
    )
    op.create_index("ix_runs_source_id", "runs", ["source_id", "id"], unique=False)
    op.create_index("ix_runs_status", "runs", ["status", "id"], unique=False)


def _fates() -> None:
    op.create_table(
        "fates",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False, comment="Run that discovered it"),
        sa.Column("source_id", sa.Text(), nullable=False, comment="sources.id"),
        sa.Column("outlet_id", sa.Text(), nullable=False, comment="outlets.id"),
        sa.Column("url", sa.Text(), nullable=False, comment="As the source announced it, made absolute"),
        sa.Column("url_key", sa.Text(), nullable=False, comment="Identity of the URL within the outlet"),
        sa.Column("guid", sa.Text(), nullable=True, comment="The source's own id of the item"),
        sa.Column("title", sa.Text(), nullable=True, comment="As the source announced it"),
        sa.Column(
            "kind",
            sa.Text(),
            nullable=False,
            comment="stored, revised, unchanged, duplicate, filtered, failed or pending",
        ),
        sa.Column("rule", sa.Text(), nullable=True, comment="Which rule decided"),
        sa.Column("detail", sa.Text(), nullable=True, comment="One sentence for a person"),
        sa.Column("article_id", sa.Text(), nullable=True, comment="articles.id it ended in"),
        sa.Column("revision", sa.Integer(), nullable=True, comment="Revision of that article it made or met"),
        sa.Column("of", sa.Text(), nullable=True, comment="articles.id it duplicates"),
        sa.Column("discovered_at", TIMESTAMP, nullable=False, comment="When its source was seen to announce it"),
        sa.Column("decided_at", TIMESTAMP, nullable=True, comment="Null while pending"),
        sa.Column(
            "attempts",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Attempts that gave nothing",
        ),
        sa.Column("retry_at", TIMESTAMP, nullable=True, comment="Not tried before this; null: at once"),
        sa.Column("published", TIMESTAMP, nullable=True, comment="As the source announced it"),
        sa.Column(
            "entry_hash",
            sa.Text(),
            server_default=sa.text("''"),
            nullable=False,
            comment="Hash of what the source said of it",
        ),
        sa.Column(
            "entry",
            sa.Text(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="The announcement as JSON; emptied when decided",
        ),
        sa.Column(
            "reason",
            sa.Text(),
            nullable=False,
            comment="Why it is looked at: new, changed, retry, revisit, manual",
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_fates_run_id_runs", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_fates"),
        sa.UniqueConstraint("run_id", "url_key", name="uq_fates_run_id_url_key"),
        comment="What became of each discovered item that had to be looked at",
        sqlite_autoincrement=True,
    )
    op.create_index("ix_fates_article_id", "fates", ["article_id"], unique=False)
    op.create_index("ix_fates_discovered_at", "fates", ["discovered_at"], unique=False)
    op.create_index("ix_fates_guid", "fates", ["guid"], unique=False, postgresql_using="hash")
    op.create_index("ix_fates_outlet_id", "fates", ["outlet_id", "id"], unique=False)
    op.create_index(
        "ix_fates_pending",
        "fates",
        ["source_id", "url_key"],
        unique=True,
        sqlite_where=sa.text("kind = 'pending'"),
        postgresql_where=sa.text("kind = 'pending'"),
    )
    op.create_index("ix_fates_source_id", "fates", ["source_id", "id"], unique=False)
    op.create_index("ix_fates_url", "fates", ["url"], unique=False, postgresql_using="hash")
    op.create_index("ix_fates_url_key", "fates", ["url_key"], unique=False)


def _articles() -> None:
    op.create_table(
        "articles",
        sa.Column("seq", SERIAL, autoincrement=True, nullable=False, comment="Order of arrival"),
        sa.Column("id", sa.Text(), nullable=False, comment="16 characters made from outlet and url_key; for ever"),
        sa.Column("outlet_id", sa.Text(), nullable=False, comment="outlets.id"),
        sa.Column("url", sa.Text(), nullable=False, comment="Where a person reads it"),
        sa.Column("url_key", sa.Text(), nullable=False, comment="Identity of the URL within the outlet"),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("subtitle", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False, comment="The body as plain text, blocks parted by blank lines"),
        sa.Column("language", sa.Text(), nullable=False, comment="BCP 47 tag"),
        sa.Column("authors", DOCUMENT, nullable=False, comment="JSON list of persons, in the order of the byline"),
        sa.Column("editor", sa.Text(), nullable=True),
        sa.Column("agency", sa.Text(), nullable=True, comment="News agency that the outlet names as its source"),
        sa.Column("brand", sa.Text(), nullable=True, comment="Brand of the dateline"),
        sa.Column("places", DOCUMENT, nullable=False, comment="JSON list: places of the dateline"),
        sa.Column("section", sa.Text(), nullable=True),
        sa.Column("tags", DOCUMENT, nullable=False, comment="JSON list"),
        sa.Column("published", TIMESTAMP, nullable=True, comment="By the outlet's word; null when it gives none"),
        sa.Column("published_from", sa.Text(), nullable=True, comment="Where that word was found"),
        sa.Column("updated", TIMESTAMP, nullable=True, comment="By the outlet's word"),
        sa.Column("updated_from", sa.Text(), nullable=True, comment="Where that word was found"),
        sa.Column("word_count", sa.Integer(), nullable=False, comment="Words of the text"),
        sa.Column("content_hash", sa.Text(), nullable=False, comment="Versioned hash of title and body"),
        sa.Column(
            "body_hash",
            sa.Text(),
            nullable=False,
            comment="Versioned hash of the body alone; equal bodies are copies",
        ),
        sa.Column("copy_of", sa.Text(), nullable=True, comment="articles.id of the original; null for originals"),
        sa.Column(
            "cluster",
            sa.Text(),
            nullable=True,
            comment="articles.id shared by an original and all its copies; null while it has none",
        ),
        sa.Column("revision", sa.Integer(), nullable=False, comment="Number of the newest revision, from 1"),
        sa.Column("first_seen", TIMESTAMP, nullable=False, comment="When it was stored"),
        sa.Column("revised_at", TIMESTAMP, nullable=False, comment="When the newest revision was stored"),
        sa.Column(
            "retracted_at",
            TIMESTAMP,
            nullable=True,
            comment="Since when the outlet no longer shows it; null while it does",
        ),
        sa.PrimaryKeyConstraint("seq", name="pk_articles"),
        sa.UniqueConstraint("id", name="uq_articles_id"),
        sa.UniqueConstraint("outlet_id", "url_key", name="uq_articles_outlet_id_url_key"),
        comment="Articles at their newest revision; the whole content is in revisions",
        sqlite_autoincrement=True,
    )
    op.create_index("ix_articles_body_hash", "articles", ["body_hash"], unique=False)
    op.create_index(
        "ix_articles_cluster",
        "articles",
        ["cluster"],
        unique=False,
        sqlite_where=sa.text("cluster IS NOT NULL"),
        postgresql_where=sa.text("cluster IS NOT NULL"),
    )
    op.create_index("ix_articles_first_seen", "articles", ["first_seen"], unique=False)
    op.create_index("ix_articles_outlet_first_seen", "articles", ["outlet_id", "first_seen"], unique=False)
    op.create_index("ix_articles_published", "articles", ["published"], unique=False)


def _revisions() -> None:
    op.create_table(
        "revisions",
        sa.Column("article_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False, comment="From 1"),
        sa.Column("reason", sa.Text(), nullable=False, comment="first, revised or reextracted"),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False, comment="Versioned hash of title and body"),
        sa.Column("body_hash", sa.Text(), nullable=False, comment="Versioned hash of the body alone"),
        sa.Column(
            "content",
            DOCUMENT,
            nullable=False,
            comment="The whole article as JSON, body blocks and images included",
        ),
        sa.Column("run_id", sa.Text(), nullable=True, comment="runs.id that brought it"),
        sa.Column("created_at", TIMESTAMP, nullable=False, comment="When it was stored"),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name="fk_revisions_article_id_articles", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("article_id", "revision", name="pk_revisions"),
        comment="Every revision of every article; never overwritten",
    )


def _raw_pages() -> None:
    op.create_table(
        "raw_pages",
        sa.Column("article_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False, comment="The revision that was read from this page"),
        sa.Column("url", sa.Text(), nullable=False, comment="Address it was served under"),
        sa.Column("content_type", sa.Text(), nullable=True, comment="Content-Type as received"),
        sa.Column("fetched_at", TIMESTAMP, nullable=False, comment="When it was fetched"),
        sa.Column("encoding", sa.Text(), nullable=False, comment="zstd"),
        sa.Column("size", sa.Integer(), nullable=False, comment="Bytes before compression"),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="The page, compressed"),
        sa.ForeignKeyConstraint(
            ["article_id", "revision"],
            ["revisions.article_id", "revisions.revision"],
            name="fk_raw_pages_article_id_revision_revisions",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("article_id", "revision", name="pk_raw_pages"),
        comment="Pages as fetched, kept for extracting again",
    )


def _identities() -> None:
    op.create_table(
        "identities",
        sa.Column("kind", sa.Text(), nullable=False, comment="url, guid or body"),
        sa.Column(
            "scope",
            sa.Text(),
            nullable=False,
            comment="Within what the key is unique: an outlet, or a source for guid",
        ),
        sa.Column("key", sa.Text(), nullable=False, comment="Itself, or b2:HASH when longer than 400 characters"),
        sa.Column(
            "article_id",
            sa.Text(),
            nullable=True,
            comment="Null when what it names was filtered, failed or is pending",
        ),
        sa.Column("fate", sa.Text(), nullable=False, comment="What became of what it names"),
        sa.Column("entry_hash", sa.Text(), nullable=False, comment="Hash of what its source last said of it"),
        sa.Column("url_key", sa.Text(), nullable=False, comment="Address it was last seen with"),
        sa.Column("first_seen", TIMESTAMP, nullable=False, comment="First sighting"),
        sa.Column("last_seen", TIMESTAMP, nullable=False, comment="Last sighting, to the hour"),
        sa.PrimaryKeyConstraint("kind", "scope", "key", name="pk_identities"),
        comment="All that has been seen, so that nothing is announced twice; Redis rebuilds from it",
        sqlite_with_rowid=False,
    )
    op.create_index("ix_identities_article_id", "identities", ["article_id"], unique=False)
    op.create_index("ix_identities_last_seen", "identities", ["last_seen"], unique=False)


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column(
            "id",
            SERIAL,
            autoincrement=True,
            nullable=False,
            comment="Grows in the order of commits: a cursor",
        ),
        sa.Column("event", sa.Text(), nullable=False, comment="new, copy, revised, corrected, moved or retracted"),
        sa.Column("article_id", sa.Text(), nullable=False),
        sa.Column(
            "revision",
            sa.Integer(),
            nullable=False,
            comment="With article_id the key to drop repeated deliveries by",
        ),
        sa.Column("outlet_id", sa.Text(), nullable=False),
        sa.Column("created_at", TIMESTAMP, nullable=False, comment="When it happened"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        comment="What consumers have to hear, written in the article's own transaction",
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_article_id", "outbox", ["article_id"], unique=False)
    op.create_index("ix_outbox_created_at", "outbox", ["created_at"], unique=False)


def _tombstones() -> None:
    op.create_table(
        "tombstones",
        sa.Column("article_id", sa.Text(), nullable=False),
        sa.Column("outlet_id", sa.Text(), nullable=False),
        sa.Column("url_key", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False, comment="retention or manual"),
        sa.Column("deleted_at", TIMESTAMP, nullable=False, comment="When it was deleted"),
        sa.PrimaryKeyConstraint("article_id", name="pk_tombstones"),
        comment="Articles that were deleted and must not come back as new",
    )
