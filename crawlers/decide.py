"""What a normalized page is, given what is known: new, a revision, nothing changed, or a copy. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from crawlers.near import Match
from storage.model import Article, FateKind, Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Current:
    """The newest revision of an article that may be this one."""

    article_id: str
    title: str
    content_hash: str
    body_hash: str
    #: The outlet took it back.
    retracted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What storage recognised, each None when it did not."""

    #: An article under this page's URL key or one of its aliases.
    by_url: Current | None = None
    #: ``url``, or ``canonical`` when only a claim of the page names it.
    url_rule: str = "url"
    #: The article that this source last gave this GUID to.
    by_guid: Current | None = None
    #: An article of the outlet with the same cleaned body.
    by_body: Identity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What to do with the item, and the rule that says so."""

    kind: FateKind
    rule: str | None = None
    #: The article that is known already, or that this one copies.
    of: str | None = None
    detail: str | None = None


def decide(article: Article, known: Known) -> Verdict:
    """Judge an article; the first rule that recognises it wins.

    1. its address is known: unchanged, or a revision;
    2. its GUID is known and title or body agree: the same article moved. A GUID that comes back with
       another title and another body is reused, and proves nothing;
    3. its body is known: a copy, which is kept and linked;
    4. else it is new. A title alone never decides.
    """
    if known.by_url is not None:
        return _compare(article, known.by_url, known.url_rule)
    if known.by_guid is not None and _agrees(article, known.by_guid):
        return _compare(article, known.by_guid, "guid")
    if known.by_body is not None and known.by_body.article_id is not None:
        return Verdict(
            kind=FateKind.DUPLICATE,
            rule="body",
            of=known.by_body.article_id,
            detail="the cleaned body is the same to the letter",
        )
    return Verdict(kind=FateKind.STORED)


def copy_of(match: Match) -> Verdict:
    """The verdict on an article whose text is stored already."""
    how = "the same to the letter" if match.rule == "body" else f"nearly the same (Jaccard {match.jaccard:.2f})"
    whose = "; it is the original and takes over" if match.takes_over else ""
    return Verdict(
        kind=FateKind.DUPLICATE,
        rule=match.rule,
        of=match.of,
        detail=f"the cleaned body is {how} as that of {match.of} at {match.outlet_id}{whose}",
    )


def _agrees(article: Article, current: Current) -> bool:
    return article.title == current.title or article.body_hash == current.body_hash


def _compare(article: Article, current: Current, rule: str) -> Verdict:
    if article.content_hash == current.content_hash and not current.retracted:
        return Verdict(kind=FateKind.UNCHANGED, rule=rule, of=current.article_id)
    changed = [
        name
        for name, differs in (
            ("title", article.title != current.title),
            ("body", article.body_hash != current.body_hash),
        )
        if differs
    ]
    detail = " and ".join(changed) + " changed" if changed else "content changed"
    return Verdict(kind=FateKind.REVISED, rule=rule, of=current.article_id, detail=detail)
