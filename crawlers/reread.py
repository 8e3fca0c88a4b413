"""A kept page read by today's rules, and what changes by it. Pure; runs in a child process."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Final

from config.model import Outlet
from crawlers.model import FeedEntry, Fetched, Normalized, Rejected
from crawlers.page import read_pages
from storage.content import article_from, document
from storage.model import Article, RawPage

#: What a reader does not see, and what stays as it is.
_ASIDE: Final = frozenset({"provenance", "content_hash", "body_hash", "word_count", "outlet_id", "url", "url_key"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reread:
    """What became of one kept page."""

    #: unchanged, changed, rejected, or partial: an article on several pages, of which only the first was kept.
    outcome: str
    #: For changed: the article as it is read now, and the fields that differ.
    article: Article | None = None
    fields: tuple[str, ...] = ()
    #: For rejected: the rule.
    rule: str | None = None


def reread(raw: RawPage, former: Article, outlet: Outlet) -> Reread:
    """Read a kept page again as if it had just been fetched; `former` is the article at its newest revision."""
    pages = tuple(map(_fetched, (raw, *raw.further)))
    found = read_pages(pages, outlet, entry_of(former), raw.fetched_at)
    if isinstance(found.read, Rejected):
        return Reread(outcome="rejected", rule=found.read.rule)
    if found.next_url is not None and not raw.further and not _is_whole(raw.url, outlet):
        return Reread(outcome="partial")
    return _compared(found.read, former)


def _fetched(raw: RawPage) -> Fetched:
    return Fetched(
        url=raw.url, final_url=raw.url, status=200, headers=(), body=raw.body, content_type=raw.content_type,
        fetched_at=raw.fetched_at,
    )  # fmt: skip


def _compared(read: Normalized, former: Article) -> Reread:
    article = replace(read.article, outlet_id=former.outlet_id, url=former.url, url_key=former.url_key)
    if article.text == former.text:
        article = replace(article, language=former.language)  # its source may have had a word in that
    article = article_from(document(article))  # as it will be stored
    changed = tuple(
        f.name for f in fields(Article) if f.name not in _ASIDE and getattr(article, f.name) != getattr(former, f.name)
    )
    if not changed:
        return Reread(outcome="unchanged")
    return Reread(outcome="changed", article=article, fields=changed)


def _is_whole(url: str, outlet: Outlet) -> bool:
    """Whether the page was asked for in the form that shows all pages at once."""
    suffix = outlet.urls.full_page
    return bool(suffix) and suffix is not None and suffix.lstrip("?") in url


def entry_of(article: Article) -> FeedEntry:
    """What the source said of the article, as far as the article still knows: the fields that came from there."""
    origins = dict(article.provenance)

    def from_feed(name: str) -> bool:
        return origins.get(name) == "feed"

    return FeedEntry(
        url=article.url,
        title=article.title if from_feed("title") else None,
        published=_claimed(article, "published") or (article.published if article.published_from == "feed" else None),
        updated=_claimed(article, "updated") or (article.updated if article.updated_from == "feed" else None),
        authors=article.authors if from_feed("authors") else (),
        tags=article.tags if from_feed("tags") else (),
    )


def _claimed(article: Article, role: str) -> datetime | None:
    """The time that the source gave, out of the claims that the article keeps (``feed: <text> = <ISO 8601>``)."""
    for name, claim in article.provenance:
        if name == f"{role}.claim" and claim.startswith("feed: "):
            try:
                moment = datetime.fromisoformat(claim.removeprefix("feed: ").partition(" = ")[0])
            except ValueError:
                return None
            return moment if moment.tzinfo is not None else None
    return None
