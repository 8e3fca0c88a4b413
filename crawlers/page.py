"""From the bytes of an article page to an article or a reason why there is none; runs in a child process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from config.model import ArticleRules, Outlet
from crawlers.extract import extract
from crawlers.model import Extraction, FeedEntry, Fetched, Normalized, Rejected
from crawlers.normalize import normalize
from crawlers.normalize.pages import join


@dataclass(frozen=True, slots=True)
class ReadPages:
    """What some pages of one article gave, and where the next one is."""

    read: Normalized | Rejected
    #: Address of the page that follows; None when these are all, or no article.
    next_url: str | None = None


def rules_for(outlet: Outlet, when: datetime | None) -> ArticleRules:
    """The rules that were in force when the page was published; today's when that is unknown."""
    if when is not None:
        day = when.astimezone(outlet.timezone).date()
        dated = [(rules.valid_until, rules) for rules in outlet.rules if rules.valid_until is not None]
        for until, rules in sorted(dated, key=lambda pair: pair[0]):
            if day <= until:
                return rules
    return next((r for r in outlet.rules if r.valid_until is None), ArticleRules())


def read_page(page: Fetched, outlet: Outlet, entry: FeedEntry | None, now: datetime) -> Normalized | Rejected:
    """Extract and normalize one page."""
    return read_pages((page,), outlet, entry, now).read


def read_pages(pages: Sequence[Fetched], outlet: Outlet, entry: FeedEntry | None, now: datetime) -> ReadPages:
    """The same for an article on several pages, in their order, the first being the one it is known by.

    The rules are those of the day the source names. When the page itself says that it is of another time, it is
    read again by the rules of that time: sitemaps date old articles by their last touch.
    """
    rules = rules_for(outlet, entry.published if entry else None)
    found = _read(pages, outlet, entry, now, rules)
    if len(outlet.rules) > 1 and isinstance(found.read, Normalized):
        article = found.read.article
        dated = article.published if article.published_from != "first_seen" else None
        if (then := rules_for(outlet, dated)) is not rules:
            found = _read(pages, outlet, entry, now, then)
    return found


def _read(
    pages: Sequence[Fetched], outlet: Outlet, entry: FeedEntry | None, now: datetime, rules: ArticleRules
) -> ReadPages:
    said = extracted(pages, outlet, rules)
    read = normalize(
        said,
        outlet=outlet,
        entry=entry,
        fetched_url=pages[0].final_url,
        fetched_at=pages[0].fetched_at,
        now=now,
    )
    return ReadPages(read, said.next_url if isinstance(read, Normalized) else None)


def extracted(pages: Sequence[Fetched], outlet: Outlet, rules: ArticleRules | None) -> Extraction:
    """What the pages say by these rules; None asks for what can be found without any."""
    return join(
        [
            extract(
                page.body,
                page.final_url,
                rules=rules,
                content_type=page.content_type,
                language_hint=outlet.language,
            )
            for page in pages
        ]
    )
