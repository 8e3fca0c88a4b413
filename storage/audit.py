"""Does what is stored agree with itself? Reads everything, changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, case, exists, func, or_, select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Database
from storage.errors import StorageCorrupt
from storage.model import FateKind
from storage.tables import articles, fates, identities, outbox, revisions, runs, sources, tombstones

#: Findings of one check that are named one by one.
NAMED = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not agree."""

    #: Which check found it.
    check: str
    #: Run, article, source … it is about.
    subject: str
    #: One sentence for a person.
    detail: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What was checked and what was found."""

    checks: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether everything agrees."""
        return not self.findings


class Audit:
    """The checks over all tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self) -> AuditReport:
        """Run every check. At most 20 findings of each are named."""
        try:
            findings = [Finding("integrity", "database", problem) for problem in await self._database.integrity_check()]
        except StorageCorrupt as error:  # too broken for its own check
            return AuditReport(("integrity",), (Finding("integrity", "database", str(error)),))
        queries = _queries()
        async with self._database.read() as connection:
            for check, (query, detail) in queries.items():
                rows = (await connection.execute(query.limit(NAMED))).all()
                findings += [Finding(check, str(row[0]), detail.format(*row)) for row in rows]
            findings += await self._fate_counts(connection)
        findings += await self._search()
        return AuditReport(("integrity", *queries, "fate_counts", "search"), tuple(findings))

    async def _fate_counts(self, connection: AsyncConnection) -> list[Finding]:
        """Rows in ``fates`` against the counters of their run."""
        kinds = [kind.value for kind in FateKind]
        f = fates.c
        counted = (
            select(f.run_id, *(func.sum(case((f.kind == kind, 1), else_=0)).label(kind) for kind in kinds))
            .group_by(f.run_id)
            .subquery()
        )
        r = runs.c
        said = {kind: r[kind] for kind in kinds} | {"unchanged": r.unchanged - r.known}
        wrong = [said[kind] != func.coalesce(counted.c[kind], 0) for kind in kinds]
        query = (
            select(
                r.id,
                *(said[kind].label(f"said_{kind}") for kind in kinds),
                *(counted.c[kind] for kind in kinds),
            )
            .outerjoin_from(runs, counted, counted.c.run_id == r.id)
            .where(or_(*wrong))
            .limit(NAMED)
        )
        findings = []
        for row in await connection.execute(query):
            differences = [
                f"{kind}: run says {getattr(row, f'said_{kind}')}, fates {getattr(row, kind) or 0}"
                for kind in kinds
                if getattr(row, f"said_{kind}") != (getattr(row, kind) or 0)
            ]
            findings.append(Finding("fate_counts", row.id, "; ".join(differences)))
        return findings

    async def _search(self) -> list[Finding]:
        """The full-text index against the table; PostgreSQL generates its own and cannot disagree."""
        if not self._database.is_sqlite:
            return []
        try:
            # Written as an INSERT but changes nothing; 1 compares with the table, not only with itself.
            async with self._database.write("audit") as connection:
                await connection.execute(
                    text("INSERT INTO articles_search(articles_search, rank) VALUES ('integrity-check', 1)")
                )
        except DatabaseError as error:
            return [Finding("search", "articles_search", f"index and table disagree ({error.orig}): rebuild it")]
        return []


def _queries() -> dict[str, tuple[Any, str]]:
    """Check to its query, whose rows are findings, and the sentence about each row."""
    r, a, f, s = runs.c, articles.c, fates.c, sources.c
    parts = r.stored + r.revised + r.unchanged + r.duplicate + r.filtered + r.failed + r.pending
    here = exists().where(articles.c.id == outbox.c.article_id)
    named = exists().where(articles.c.id == identities.c.article_id)
    newest = and_(revisions.c.article_id == a.id, revisions.c.revision == a.revision)
    ends_in_article = f.kind.in_(["stored", "revised", "unchanged", "duplicate"])
    parent = articles.alias("parent")
    return {
        "ledger": (
            select(r.id, r.discovered, parts).where(r.discovered != parts),
            "run discovered {1} items, its parts add up to {2}",
        ),
        "newest_revision": (
            select(a.id, a.revision)
            .outerjoin_from(articles, revisions, newest)
            .where(or_(revisions.c.revision.is_(None), revisions.c.content_hash != a.content_hash)),
            "article's newest revision {1} is missing or has another content",
        ),
        "outbox": (
            select(outbox.c.article_id, outbox.c.id).where(
                ~here, ~exists().where(tombstones.c.article_id == outbox.c.article_id)
            ),
            "event {1} is about an article that is neither stored nor deleted on purpose",
        ),
        "unannounced": (
            select(a.id, a.revision).where(
                ~exists().where(outbox.c.article_id == a.id, outbox.c.revision == a.revision)
            ),
            "article's revision {1} has no event in the outbox",
        ),
        "identities": (
            select(identities.c.key, identities.c.article_id).where(
                identities.c.article_id.is_not(None),
                ~named,
                ~exists().where(tombstones.c.article_id == identities.c.article_id),
            ),
            "names article {1}, which is neither stored nor deleted on purpose",
        ),
        "copies": (
            select(a.id, a.copy_of)
            .outerjoin_from(articles, parent, parent.c.id == a.copy_of)
            .where(a.copy_of.is_not(None), or_(a.cluster.is_(None), parent.c.cluster != a.cluster)),
            "copy of {1} is not in its cluster",
        ),
        "fate_articles": (
            select(f.id, f.article_id).where(
                ends_in_article,
                f.article_id.is_not(None),
                ~exists().where(articles.c.id == f.article_id),
                ~exists().where(tombstones.c.article_id == f.article_id),
            ),
            "fate ends in article {1}, which is neither stored nor deleted on purpose",
        ),
        "abandoned": (
            select(s.id, func.count())
            .join_from(fates, sources, s.id == f.source_id)
            .where(f.kind == FateKind.PENDING.value, s.removed_at.is_not(None))
            .group_by(s.id),
            "source is removed and leaves {1} items undecided",
        ),
    }
