"""What one decided item changes, given what is stored: pure, so that a race is only another input.

The decision was made from what was known some seconds ago. By the time it is written another worker
may have stored the same article: then ``stored`` settles as unchanged, revised or duplicate.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from storage.content import article_id, bounded, clean, clean_or_none, columns, document, pack
from storage.errors import InvalidDecision, StaleToken
from storage.identities import row_for, stored_key
from storage.model import Committed, Decided, FateKind, IdentityKey, IdentityKind, Measured, Visit

#: Revisions of one article; a page that prints the time of day makes no more than these
#: (24 is where lemon24/reader stops too).
REVISIONS = 24


@dataclass(frozen=True, slots=True)
class Prepared:
    """A decided item with everything that can be computed before the transaction."""

    decided: Decided
    #: Id that its article has or would have.
    article_id: str | None
    content: Mapping[str, Any] = field(default_factory=dict)
    columns: Mapping[str, Any] = field(default_factory=dict)
    raw: Mapping[str, Any] | None = None
    keys: tuple[IdentityKey, ...] = ()


def prepare(decided: Decided) -> Prepared:
    """Encode and compress; InvalidDecision for a decision that lacks what it needs."""
    if decided.article is None:
        if decided.kind in {FateKind.STORED, FateKind.REVISED}:
            raise InvalidDecision(f"fate {decided.fate_id}: {decided.kind} without an article")
        if decided.kind is FateKind.DUPLICATE and decided.of is None:
            raise InvalidDecision(f"fate {decided.fate_id}: duplicate of nothing")
        return Prepared(decided, None, keys=tuple(map(stored_key, decided.identities)))
    content = document(decided.article)
    return Prepared(
        decided,
        article_id(decided.article.outlet_id, decided.article.url_key),
        content,
        columns(decided.article, content),
        None if decided.raw is None else pack(decided.raw),
        tuple(map(stored_key, decided.identities)),
    )


@dataclass(frozen=True, slots=True)
class Waiting:
    """The row of an item's fate."""

    run_id: str
    source_id: str
    kind: FateKind
    url_key: str
    attempts: int
    article_id: str | None = None
    revision: int | None = None


@dataclass(slots=True)
class Head:
    """An article as far as settling needs it."""

    id: str
    revision: int
    content_hash: str
    body_hash: str
    copy_of: str | None = None
    cluster: str | None = None
    retracted: bool = False


@dataclass(slots=True)
class Known:
    """What is stored that a batch could touch; kept current while the batch is settled."""

    fences: dict[str, int]
    fates: dict[int, Waiting]
    heads: dict[str, Head]
    #: Article each identity names; None for one without an article.
    identities: dict[IdentityKey, str | None]
    buried: set[str]


@dataclass(slots=True)
class Changes:
    """Rows that a batch writes."""

    articles: list[dict[str, Any]] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)
    clusters: list[dict[str, Any]] = field(default_factory=list)
    #: Clusters whose articles all become copies of another original.
    originals: list[dict[str, Any]] = field(default_factory=list)
    revisions: list[dict[str, Any]] = field(default_factory=list)
    raw_pages: list[dict[str, Any]] = field(default_factory=list)
    identities: dict[IdentityKey, dict[str, Any]] = field(default_factory=dict)
    fates: list[dict[str, Any]] = field(default_factory=list)
    #: Run to kind to the number of items that leave ``pending`` for it.
    counts: dict[str, dict[FateKind, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    events: list[dict[str, Any]] = field(default_factory=list)
    #: Fate of the event at the same place in `events`.
    event_of: list[int] = field(default_factory=list)
    #: Outlet, what a page gave, and when it was decided.
    measured: list[tuple[str, Measured, datetime]] = field(default_factory=list)
    #: Article to its row of ``visits``.
    visits: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: Outlet and step of the plan to visits and changes found.
    edits: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where an item ended."""

    kind: FateKind
    rule: str | None
    article_id: str | None = None
    revision: int | None = None
    of: str | None = None
    event: str | None = None


def settle(item: Prepared, known: Known, changes: Changes) -> Committed:
    """Add to `changes` what this item writes. Raises StaleToken or InvalidDecision having changed nothing."""
    decided = item.decided
    fence = known.fences.get(decided.source_id)
    if fence != decided.token:
        raise StaleToken(decided.source_id, decided.token, fence)
    fate = known.fates.get(decided.fate_id)
    if fate is None or fate.source_id != decided.source_id:
        raise InvalidDecision(f"fate {decided.fate_id} of source {decided.source_id} does not exist")
    if fate.kind is not FateKind.PENDING:
        return Committed(fate_id=decided.fate_id, kind=fate.kind, article_id=fate.article_id, revision=fate.revision)
    outcome = _resolve(item, known, changes)
    _remember(item, fate, outcome, known, changes)
    _close(item, fate, outcome, known, changes)
    _visit(item, outcome, known, changes)
    if outcome.event is not None:
        said = decided.change
        changes.event_of.append(decided.fate_id)
        changes.events.append(
            {
                "event": outcome.event,
                "article_id": outcome.article_id,
                "revision": outcome.revision,
                "outlet_id": decided.outlet_id,
                "created_at": decided.now,
                "materiality": said.materiality if said else None,
                "detail": dict(said.detail) if said and said.detail else None,
            }
        )
    return Committed(
        fate_id=decided.fate_id, kind=outcome.kind, article_id=outcome.article_id, revision=outcome.revision
    )


def _resolve(item: Prepared, known: Known, changes: Changes) -> Outcome:
    decided = item.decided
    if item.article_id is None or decided.kind not in {FateKind.STORED, FateKind.REVISED, FateKind.DUPLICATE}:
        met = known.heads.get(decided.of) if decided.of is not None else None
        if met is not None and decided.change is not None and decided.change.event == "retracted":
            return _retract(decided, met, changes)
        of = decided.of if decided.kind is FateKind.DUPLICATE else None
        return Outcome(decided.kind, decided.rule, decided.of, met.revision if met else None, of)
    target = _target(item, known)
    if target is not None:
        return _revise(item, target, changes)
    if item.article_id in known.buried:
        return Outcome(FateKind.UNCHANGED, "tombstone", item.article_id)
    return _store(item, known, changes)


def _target(item: Prepared, known: Known) -> Head | None:
    """The stored article that this one is, if any."""
    assert item.article_id is not None
    if item.decided.kind is FateKind.REVISED and item.decided.of in known.heads:
        return known.heads[item.decided.of]
    if item.article_id in known.heads:
        return known.heads[item.article_id]
    return _named(item, IdentityKind.URL, known)


def _named(item: Prepared, kind: IdentityKind, known: Known) -> Head | None:
    for key in item.keys:
        named = known.identities.get(key) if key.kind is kind else None
        if named in known.heads:
            return known.heads[named]
    return None


def _revise(item: Prepared, target: Head, changes: Changes) -> Outcome:
    decided, content = item.decided, item.content
    # Under another address (AMP, mobile) only the body counts: titles are dressed differently there.
    same = content["content_hash"] == target.content_hash or (
        item.article_id != target.id and content["body_hash"] == target.body_hash
    )
    if same and not (decided.change is not None and decided.kind is FateKind.REVISED):
        rule = decided.rule if decided.kind is not FateKind.STORED else "stored_meanwhile"
        return Outcome(FateKind.UNCHANGED, rule, target.id, target.revision)
    # A return is told whatever there was before: each takes a retraction, and that takes days.
    if target.revision >= REVISIONS and not target.retracted:
        return Outcome(FateKind.UNCHANGED, "flapping", target.id, target.revision)
    target.revision += 1
    target.content_hash, target.body_hash = content["content_hash"], content["body_hash"]
    # Outlet and key make the id, so they stay as they were first.
    values = {name: value for name, value in item.columns.items() if name not in {"outlet_id", "url_key"}}
    if target.retracted:
        values["retracted_at"] = None
        target.retracted = False
    changes.updates.append({**values, "target": target.id, "revision": target.revision, "revised_at": decided.now})
    event = decided.change.event if decided.change is not None else "revised"
    _add_revision(item, target, event, changes)
    return Outcome(FateKind.REVISED, decided.rule, target.id, target.revision, event=event)


def _retract(decided: Decided, target: Head, changes: Changes) -> Outcome:
    """The outlet shows it no more; what it said stays."""
    if target.retracted:
        return Outcome(FateKind.UNCHANGED, decided.rule, target.id, target.revision)
    target.retracted = True
    changes.updates.append({"target": target.id, "retracted_at": decided.now})
    return Outcome(FateKind.UNCHANGED, decided.rule, target.id, target.revision, event="retracted")


def _store(item: Prepared, known: Known, changes: Changes) -> Outcome:
    decided, new_id = item.decided, item.article_id
    assert new_id is not None
    parent = known.heads.get(decided.of) if decided.kind is FateKind.DUPLICATE and decided.of else None
    rule = decided.rule
    if parent is None and (parent := _named(item, IdentityKind.BODY, known)) is not None:
        rule = "body"
    root = None
    head = Head(new_id, 1, item.content["content_hash"], item.content["body_hash"])
    if parent is not None:
        root = parent.copy_of or parent.id
        head.copy_of, head.cluster = root, parent.cluster or root
        if parent.cluster is None:
            parent.cluster = head.cluster
            changes.clusters.append({"target": parent.id, "cluster": head.cluster})
        if decided.takes_over and parent.copy_of is None:
            _take_over(head, known, changes)
    known.heads[new_id] = head
    changes.articles.append(
        {
            **item.columns,
            "id": new_id,
            "revision": 1,
            "copy_of": head.copy_of,
            "cluster": head.cluster,
            "first_seen": decided.now,
            "revised_at": decided.now,
        }
    )
    _add_revision(item, head, "first", changes)
    if parent is None:
        return Outcome(FateKind.STORED, rule, new_id, 1, event="backfilled" if decided.backfilled else "new")
    event = "backfilled" if decided.backfilled else "copy"
    return Outcome(FateKind.DUPLICATE, rule, new_id, 1, of=parent.id, event=event)


def _take_over(head: Head, known: Known, changes: Changes) -> None:
    """Make the article the original of its cluster, whose id stays; parents are one step away, always."""
    head.copy_of = None
    for other in known.heads.values():
        if other.cluster == head.cluster and other.id != head.id:
            other.copy_of = head.id
    changes.originals.append({"target": head.cluster, "original": head.id})


def _add_revision(item: Prepared, head: Head, reason: str, changes: Changes) -> None:
    changes.revisions.append(
        {
            "article_id": head.id,
            "revision": head.revision,
            "reason": reason,
            "title": item.content["title"],
            "content_hash": head.content_hash,
            "body_hash": head.body_hash,
            "content": item.content,
            "run_id": item.decided.run_id,
            "created_at": item.decided.now,
        }
    )
    if item.raw is not None:
        changes.raw_pages.append({**item.raw, "article_id": head.id, "revision": head.revision})


def _visit(item: Prepared, outcome: Outcome, known: Known, changes: Changes) -> None:
    """Remember the page of the article that the item ended in."""
    decided, visit = item.decided, item.decided.visit
    if visit is None or outcome.article_id not in known.heads:
        return
    assert outcome.article_id is not None
    changes.visits[outcome.article_id] = visit_row(replace(visit, article_id=outcome.article_id))
    if decided.visited_step is not None:
        key = (decided.outlet_id, decided.visited_step)
        visits, edits = changes.edits.get(key, (0, 0))
        changes.edits[key] = (visits + 1, edits + (outcome.kind is FateKind.REVISED))


def visit_row(visit: Visit) -> dict[str, Any]:
    """The row of ``visits``."""
    return {
        **{name: getattr(visit, name) for name in Visit.__slots__},
        "url": clean(visit.url), "etag": clean_or_none(visit.etag), "last_modified": clean_or_none(visit.last_modified),
    }  # fmt: skip


def _remember(item: Prepared, fate: Waiting, outcome: Outcome, known: Known, changes: Changes) -> None:
    decided = item.decided
    names_article = outcome.kind in {
        FateKind.STORED,
        FateKind.REVISED,
        FateKind.UNCHANGED,
        FateKind.DUPLICATE,
    }
    article = outcome.article_id if names_article else None
    url_key = decided.article.url_key if decided.article is not None else fate.url_key
    for key in item.keys:
        # A body keeps naming the article that had it first: copies are linked to that one.
        owner = known.identities.get(key) if key.kind is IdentityKind.BODY else None
        named = owner or article
        row = row_for(
            key,
            article_id=named,
            fate=outcome.kind,
            entry_hash=decided.entry_hash,
            url_key=url_key,
            now=decided.now,
        )
        former = changes.identities.get(key)
        if former is not None and named is None:
            row |= {"article_id": former["article_id"], "fate": former["fate"]}
        changes.identities[key] = row
        if row["article_id"] is not None:
            known.identities[key] = row["article_id"]


def _close(item: Prepared, fate: Waiting, outcome: Outcome, known: Known, changes: Changes) -> None:
    decided = item.decided
    pending = outcome.kind is FateKind.PENDING
    attempts = fate.attempts + (outcome.kind in {FateKind.PENDING, FateKind.FAILED} and not decided.uncounted)
    changes.fates.append(
        {
            "target": decided.fate_id,
            "kind": outcome.kind.value,
            "rule": outcome.rule,
            "detail": clean_or_none(decided.detail),
            "article_id": outcome.article_id,
            "revision": outcome.revision,
            "of": outcome.of,
            "decided_at": None if pending else decided.now,
            "attempts": attempts,
            "retry_at": decided.retry_at if pending else None,
        }
    )
    known.fates[decided.fate_id] = Waiting(
        run_id=fate.run_id,
        source_id=fate.source_id,
        kind=outcome.kind,
        url_key=bounded(fate.url_key),
        attempts=attempts,
        article_id=outcome.article_id,
        revision=outcome.revision,
    )
    if not pending:
        changes.counts[fate.run_id][outcome.kind] += 1
        if decided.measured is not None:
            changes.measured.append((decided.outlet_id, decided.measured, decided.now))
