"""From the bytes of an article page to an article or a reason why there is none; runs in a child process."""

from __future__ import annotations

from datetime import datetime

from config.model import ArticleRules, Outlet
from crawlers.extract import extract
from crawlers.model import FeedEntry, Fetched, Normalized, Rejected
from crawlers.normalize import normalize


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
    extraction = extract(
        page.body,
        page.final_url,
        rules=rules_for(outlet, entry.published if entry else None),
        content_type=page.content_type,
        language_hint=outlet.language,
    )
    return normalize(
        extraction,
        outlet=outlet,
        entry=entry,
        fetched_url=page.final_url,
        fetched_at=page.fetched_at,
        now=now,
    )
