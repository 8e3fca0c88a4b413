"""Views for other programs: their columns stay, whatever happens to the tables behind them.

Documented in docs/sql.md. A change that would break a reader gets a view of another number
(``article_v2``) beside the old one.
"""

from __future__ import annotations

from sqlalchemy import Connection, MetaData, event

from storage.tables import metadata

VIEWS = {
    "article_v1": """
        SELECT a.seq, a.id, a.outlet_id, a.url, a.title, a.subtitle, a.text, a.language, a.authors, a.editor, a.agency,
            a.brand, a.places, a.section, a.tags, a.published, a.published_from, a.updated, a.updated_from,
            a.word_count, a.copy_of, a.cluster, a.revision, a.first_seen, a.revised_at, a.retracted_at
        FROM articles AS a
    """,
    "revision_v1": """
        SELECT r.article_id, r.revision, r.reason, r.title, r.content, r.content_hash, r.body_hash, r.run_id,
            r.created_at
        FROM revisions AS r
    """,
    "event_v1": """
        SELECT e.id, e.article_id || ':' || CAST(e.revision AS TEXT) || ':' || e.event AS event_key, e.event,
            e.article_id, e.revision, e.outlet_id, e.created_at, e.materiality, e.detail
        FROM outbox AS e
    """,
    "outlet_v1": """
        SELECT o.id, o.name, o.homepage, o.grp AS group_name, o.language, o.timezone, o.country
        FROM outlets AS o
    """,
    "source_v1": """
        SELECT s.id, s.outlet_id, s.kind, s.url, s.next_attempt, s.last_attempt, s.last_success, s.last_new, s.failures,
            s.last_failure, s.last_failure_message, s.paused, s.removed_at
        FROM sources AS s
    """,
    "run_v1": """
        SELECT r.id, r.source_id, r.outlet_id, r."trigger" AS started_by, r.status, r.reason, r.message,
            r.scheduled_for, r.started_at, r.finished_at, r.discovered, r.stored, r.revised, r.unchanged, r.duplicate,
            r.filtered, r.failed, r.pending, r.http_status, r.duration
        FROM runs AS r
    """,
    "fate_v1": """
        SELECT f.id, f.run_id, f.source_id, f.outlet_id, f.url, f.title, f.kind, f.rule, f.detail, f.article_id,
            f.revision, f."of" AS duplicate_of, f.discovered_at, f.decided_at, f.attempts, f.retry_at
        FROM fates AS f
    """,
    "consumer_v1": """
        SELECT c.name, c.kind, c."cursor" AS event_id, c.delivered, c.failures, c.last_delivered, c.last_failed,
            c.last_error
        FROM consumers AS c
    """,
}


def statement(name: str, query: str) -> str:
    """The DDL of one view, on one line."""
    return f"CREATE VIEW {name} AS {' '.join(query.split())}"


@event.listens_for(metadata, "after_create")
def _create(_metadata: MetaData, connection: Connection, **_: object) -> None:
    for name, query in VIEWS.items():
        connection.exec_driver_sql(statement(name, query))
