"""From the bytes of an article page to an article or a reason why there is none; runs in a child process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from config.model import ArticleRules, Outlet
from crawlers.extract import extract
from crawlers.measure import measured
from crawlers.model import Extraction, FeedEntry, Fetched, Normalized, Rejected
from crawlers.normalize import normalize
from crawlers.normalize.pages import join

#: Part of the text found without rules below which a doubted body selector is taken for broken.
_FAR_LESS: Final = 0.5
#: Bytes of markup from which pages are not read a second time, by the rules of the day they name: real articles have a
#: tenth of it, and a hostile page must not cost its seconds twice.
_READ_AGAIN: Final = 3_000_000


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


def read_pages(
    pages: Sequence[Fetched], outlet: Outlet, entry: FeedEntry | None, now: datetime, doubted: bool = False
) -> ReadPages:
    """The same for an article on several pages, in their order, the first being the one it is known by.

    `doubted` says that the outlet drifts: its current rules are then held against generic extraction.

    The rules are those of the day the source names. When the page itself says that it is of another time, it is
    read again by the rules of that time: sitemaps date old articles by their last touch.
    """
    rules = rules_for(outlet, entry.published if entry else None)
    found = _read(pages, outlet, entry, now, rules, doubted)
    size = sum(len(page.body) for page in pages)
    if len(outlet.rules) > 1 and size <= _READ_AGAIN and isinstance(found.read, Normalized):
        article = found.read.article
        dated = article.published if article.published_from != "first_seen" else None
        if (then := rules_for(outlet, dated)) is not rules:
            found = _read(pages, outlet, entry, now, then, doubted)
    return found


def _read(
    pages: Sequence[Fetched],
    outlet: Outlet,
    entry: FeedEntry | None,
    now: datetime,
    rules: ArticleRules,
    doubted: bool,
) -> ReadPages:
    said, ruled = extracted(pages, outlet, rules), None
    if doubted and rules.body and rules.valid_until is None:
        said, ruled = _without_broken_body(said, pages, outlet, rules)
    read = normalize(
        said,
        outlet=outlet,
        entry=entry,
        fetched_url=pages[0].final_url,
        fetched_at=pages[0].fetched_at,
        now=now,
    )
    read = replace(read, measured=measured(read, outlet, rules, ruled))
    return ReadPages(read, said.next_url if isinstance(read, Normalized) else None)


def _without_broken_body(
    said: Extraction, pages: Sequence[Fetched], outlet: Outlet, rules: ArticleRules
) -> tuple[Extraction, int | None]:
    """What the pages say, with a body found without rules where theirs is far less; then also the size of theirs.

    The other fields keep their rules: each is looked for generically by itself where its selectors find nothing.
    """
    generic = extracted(pages, outlet, replace(rules, body=(), body_stop_comment=None, remove=()))
    by_rules, size = ("body", "rules") in said.provenance, _size(said)
    if size >= _FAR_LESS * _size(generic):
        return (said if by_rules else _instead(said, "no body")), None
    return _instead(generic, f"{size:,} characters"), size if by_rules else None


def _size(said: Extraction) -> int:
    return sum(len(block.text) for block in said.blocks)


def _instead(said: Extraction, found: str) -> Extraction:
    return replace(said, provenance=(*said.provenance, ("body.instead", f"the outlet drifts: its rules found {found}")))


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
